"""
Daemons and clusters of a session by kind, each started when the first test asks for it.
"""

import pytest

from tests.support.daemons import Daemon


class Started(dict):
    """
    What runs, by kind of daemon.

    stack
        An ExitStack, with which all of it ends.
    make
        Called with the kind; returns what has ``stop`` and ``remove``.
    start
        Called with that; returns it as it runs.
    """

    def __init__(self, stack, make, start):
        super().__init__()
        self._stack, self._make, self._start = stack, make, start

    def __missing__(self, kind):
        if not Daemon.available(kind):
            pytest.fail(f"{kind} is not installed; run ./test, or restrict the tests with --daemon")
        made = self._make(kind)
        self._stack.callback(made.remove)
        self._stack.callback(made.stop)
        self[kind] = self._start(made)
        return self[kind]
