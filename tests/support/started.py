"""
Daemons and clusters of a session by kind, each started by the first test that uses it.
"""

import pytest

from tests.support.daemons import Daemon


class Started(dict):
    """
    The running daemons or clusters, by kind of daemon.

    stack
        An ExitStack that ends all of them.
    make
        Called with the kind; returns an object with ``stop`` and ``remove``.
    start
        Called with that object; returns it running.
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
