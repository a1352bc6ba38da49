"""
Processes that act at the same moment, and events during an action of a daemon.
"""

import multiprocessing
import re
import signal
import threading
import traceback
from contextlib import contextmanager

from tests.support.daemons import until

FORK = multiprocessing.get_context("fork")


class Process:
    """
    A process that calls a function; its result comes back.

    Salt is loaded before and available in the process, but connections are not: the first call makes them.
    """

    def __init__(self, work, start=None):
        self._ours, theirs = FORK.Pipe(duplex=False)
        self._process = FORK.Process(target=_work, args=(work, start, theirs), daemon=True)
        self._process.start()
        theirs.close()

    def kill(self):
        """Kill the process by SIGKILL."""
        self._process.kill()
        self._process.join(10)

    def result(self, seconds=60):
        """Return the result of the function; raises AssertionError with its traceback, or after the timeout."""
        try:
            assert self._ours.poll(seconds), f"not done after {seconds} s"
            done, answer = self._ours.recv()
        finally:
            self.kill()
        assert done, answer
        return answer


def _work(work, start, result):
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        if start is not None:
            start.wait()
        answer = True, work()
    except BaseException:
        answer = False, traceback.format_exc()
    result.send(answer)


def race(*works, seconds=60):
    """Return the results of the functions, started at the same moment, each in its own process."""
    start = FORK.Barrier(len(works))
    racers = [Process(work, start) for work in works]
    try:
        return [racer.result(seconds) for racer in racers]
    finally:
        for racer in racers:
            racer.kill()


@contextmanager
def when(condition, act, seconds=30):
    """Call ``act`` as soon as the condition holds within the block, which must happen."""
    ended, failures = threading.Event(), []

    def watch():
        try:
            if until(lambda: ended.is_set() or condition(), seconds) and not ended.is_set():
                return act()
            failures.append("what was waited for never happened")
        except BaseException:
            failures.append(traceback.format_exc())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()
    assert failures == [], failures


def does(daemon, words):
    """Return whether an operation with this description is running."""
    _, reply = daemon.request("GET", "/1.0/operations?recursion=1")
    running = (reply["metadata"] or {}).get("running") or []
    return any(re.search(words, operation["description"]) for operation in running)
