"""
Tests that do not depend on the daemon: each runs with one kind of daemon, and some run with all kinds.
"""

from itertools import cycle

import pytest

from tests.support.daemons import USUAL


def spread(*values):
    """
    Return a parameter for each value, run mainly with one kind of daemon; a tuple has the values of several names.
    """
    kinds = cycle(USUAL)
    return [
        pytest.param(*(value if isinstance(value, tuple) else (value,)), marks=pytest.mark.mainly(next(kinds)))
        for value in values
    ]
