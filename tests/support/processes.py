"""
Processes that do something at the same moment, and what happens to a daemon while something is done.
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
    A process of its own in which something is done; what it returns comes back.

    Salt, loaded before, is loaded in it too, but no connection: those are made by the first call.
    """

    def __init__(self, work, start=None):
        self._ours, theirs = FORK.Pipe(duplex=False)
        self._process = FORK.Process(target=_work, args=(work, start, theirs), daemon=True)
        self._process.start()
        theirs.close()

    def kill(self):
        """It is gone by SIGKILL."""
        self._process.kill()
        self._process.join(10)

    def result(self, seconds=60):
        """Return what the work returned, or raise AssertionError with its traceback or when the time is over."""
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
    """Return what each of the works returned, all begun at the same moment, each in a process of its own."""
    start = FORK.Barrier(len(works))
    racers = [Process(work, start) for work in works]
    try:
        return [racer.result(seconds) for racer in racers]
    finally:
        for racer in racers:
            racer.kill()


@contextmanager
def when(condition, act, seconds=30):
    """While the body runs, the act is done as soon as the condition holds, which has to happen."""
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
    """Return True while an operation of this description runs."""
    _, reply = daemon.request("GET", "/1.0/operations?recursion=1")
    running = (reply["metadata"] or {}).get("running") or []
    return any(re.search(words, operation["description"]) for operation in running)
