"""
Tests that are the same whichever daemon there is: each of them with one kind of daemon, all kinds with some.
"""

from itertools import cycle

import pytest

from tests.support.daemons import KINDS


def spread(*values):
    """Return a parameter of each value, run mainly with one kind of daemon; a tuple is the values of several names."""
    kinds = cycle(KINDS)
    return [
        pytest.param(*(value if isinstance(value, tuple) else (value,)), marks=pytest.mark.mainly(next(kinds)))
        for value in values
    ]
