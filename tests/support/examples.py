"""
How many inputs a test of hypothesis tries: few in each run, many where ``./test --long`` asks for it.
"""

import os

# Set by --long, before a test file is read.
VARIABLE = "LXDAPI_LONG"
MORE = 40


def examples(count):
    """So many, or with --long 40 times as many."""
    return count * MORE if os.environ.get(VARIABLE) else count


def tried(count, shrink=True):
    """
    Settings of a test that tries so many inputs on a daemon that lasts for all of them: the same in each run, with
    --long others each time.

    shrink
        False: what fails is told as it is, for each input takes long.
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
