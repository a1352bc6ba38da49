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
