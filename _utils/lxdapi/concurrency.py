"""
Thread pools, and the number of threads that is fastest.
"""

import contextvars
import os
from concurrent.futures import ThreadPoolExecutor

# The number of simultaneous stops. A stop waits 0.65 s and costs the daemon nothing: 20 of them take as long as one
# (LXD 5.0.2, Incus 6.0.4).
STOPS = 20
# The largest number of simultaneous requests to one daemon, and of its open connections.
MOST = 32


def worker_count():
    """
    Return the number of threads that is fastest for requests that keep the daemon busy: creations, starts, changes.

    It is twice the number of processors of this machine, at least 2 and at most 16. With more threads, creations on
    Incus get slower (Incus 6.0.4 on 2 processors: 1.0 to 2.1 times with 16 to 20 threads, 0.7 to 0.9 with 4).
    """
    return max(2, min(16, 2 * (os.cpu_count() or 1)))


class Workers(ThreadPoolExecutor):
    """A thread pool in which each call has the context variables of its caller: Salt's dunders, the secret patterns."""

    def begin(self, act):
        """Return the future of a call without arguments."""
        return self.submit(contextvars.copy_context().run, act)
