"""
Applies the plans of many instances concurrently, each with an answer like that of a state.
"""

import threading
from typing import Dict, Optional

from lxdapi import concurrency as workers
from lxdapi.errors import InvalidError, LxdapiError
from lxdapi.plan.state_result import run_state
from lxdapi.plan.steps import Plan

# Steps for which the daemon mostly waits; running fewer of them at once gains nothing.
_LIGHT = frozenset(("stopped", "deleted", "frozen", "unfrozen", "restarted", "waited for"))


def parse_concurrency(value):
    """Return the declared concurrency, None if undeclared; raises :class:`InvalidError` for an invalid one."""
    if value is None:
        return None
    if isinstance(value, str) and value.isdecimal() and len(value) < 4:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= workers.MOST:
        raise InvalidError.of_value("concurrency", f"a number from 1 to {workers.MOST}", value)
    return value


class FleetRunner:
    """
    Runs the plans of many instances, or other calls for them, side by side and keeps the answer of each.

    concurrency
        The number of simultaneous steps. Default: the fastest number, and more of those for which the daemon waits.
    max_failures
        The number of failures after which no plan is started. Default: no limit.

    ``on_progress``, if set, is called with whether a plan succeeded. ``answers`` has the answer of each plan that was
    started, as a state gives it; ``unstarted`` the names of the others, in order.
    """

    def __init__(self, concurrency=None, max_failures=None):
        self._width = concurrency or workers.STOPS
        self._light = threading.Semaphore(self._width)
        self._busy = self._light if concurrency else threading.Semaphore(workers.worker_count())
        self._most, self._lock = max_failures, threading.Lock()
        self.answers, self.unstarted = {}, {}
        self.on_progress = None

    def is_aborted(self):
        """Return True if more plans failed than ``max_failures`` allows."""
        return self._most is not None and self.failures() > self._most

    def failures(self):
        """Return the number of failures."""
        with self._lock:
            return sum(answer["result"] is False for answer in self.answers.values())

    def record(self, name, answer):
        """Record the answer of an instance."""
        with self._lock:
            self.answers[name] = answer

    def record_unstarted(self, names):
        """Record that these plans were not started."""
        with self._lock:
            self.unstarted.update(dict.fromkeys(names))

    def run(self, planned: Dict[str, Plan], needs: Optional[Dict[str, Optional[str]]] = None) -> None:
        """
        Apply the plans and return when the last one has ended.

        planned
            ``{name: plan}``.
        needs
            ``{name: the instance that must exist before it}``.
        """
        needs, futures = needs or {}, {}
        if not planned:
            return
        with workers.Workers(min(self._width, len(planned))) as pool:
            for name, plan in planned.items():
                # a prerequisite was started earlier, so some plan can always continue
                prerequisite = futures.get(needs.get(name))
                futures[name] = pool.begin(
                    lambda name=name, plan=plan, prerequisite=prerequisite: self._do(name, plan, prerequisite)
                )
            self._wait(pool, futures.values())

    def run_each(self, names, act):
        """
        Call a function for many instances side by side, and return when the last call has ended.

        act
            Called with a name, returns an answer like that of a state. It may keep the processors busy.
        """
        if not names:
            return
        with workers.Workers(min(self._width, len(names))) as pool:
            self._wait(pool, [pool.begin(lambda name=name: self._call(name, act)) for name in names])

    def _wait(self, pool, futures):
        try:
            for future in futures:
                future.result()
        except BaseException:  # after an interrupt of Salt, start nothing else
            self._most = -1
            pool.shutdown(wait=False, cancel_futures=True)
            raise

    def _call(self, name, act):
        with self._busy:
            if self.is_aborted():
                self.record_unstarted([name])
            else:
                self._finish(name, act(name))

    def _do(self, name, plan, prerequisite):
        """Apply one plan and return True if it succeeded."""
        if prerequisite is not None and not prerequisite.result():
            self.record_unstarted([name])
            return False
        started = []
        limited = plan.with_steps(self._run_limited(step, started) for step in plan)
        answer = run_state("instance", name, lambda: limited)
        if not started:
            self.record_unstarted([name])
            return False
        self._finish(name, answer)
        return answer["result"]

    def _finish(self, name, answer):
        self.record(name, answer)
        if self.on_progress is not None:
            self.on_progress(answer["result"] is not False)

    def _run_limited(self, step, started):
        limit = self._light if step.verb in _LIGHT else self._busy

        def apply():
            with limit:
                if not started and self.is_aborted():
                    raise LxdapiError("not started")
                started.append(step.verb)
                return step.apply()

        return step._replace(apply=apply)
