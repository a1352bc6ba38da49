"""
The number of inputs that a test with hypothesis tries: few in each run, many with ``./test --long``.
"""

import os

# Set by --long, before pytest imports a test file.
VARIABLE = "LXDAPI_LONG"
MORE = 40


def examples(count):
    """Return the number, or with --long 40 times as many."""
    return count * MORE if os.environ.get(VARIABLE) else count


def tried(count, shrink=True):
    """
    Return the settings of a test that tries this number of inputs on one daemon: the same in each run, with --long
    different ones each time.

    shrink
        False: report a failing input unchanged, because each input takes long.
    """
    from hypothesis import HealthCheck, Phase, settings

    return settings(
        max_examples=examples(count),
        deadline=None,
        database=None,
        derandomize=examples(1) == 1,
        phases=(Phase.explicit, Phase.generate, *([Phase.shrink] if shrink else [])),
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
