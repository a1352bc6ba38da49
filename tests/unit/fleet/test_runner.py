"""
Plans of many instances in parallel: their limits, and the rest after an early end.
"""

import threading
import time

import pytest
from lxdapi.errors import LxdapiError
from lxdapi.fleet.pace import Pace
from lxdapi.fleet.runner import FleetRunner
from lxdapi.plan.steps import Plan, Step

NAMES = [f"a{number}" for number in range(30)]


class Crowd:
    """Count the parallel actions, and their maximum."""

    def __init__(self):
        self._lock, self.now, self.most = threading.Lock(), 0, 0

    def act(self):
        """Take part for a moment."""
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        time.sleep(0.01)
        with self._lock:
            self.now -= 1


def plans_of(names, act, verb="created"):
    """Return a plan of one step for each name."""
    return {name: Plan.of([Step(verb, {verb: name}, act)]) for name in names}


@pytest.mark.parametrize("concurrency, verb, most", [(1, "created", 1), (3, "stopped", 3), (None, "stopped", 20)])
def test_concurrency_limit_is_kept(concurrency, verb, most):
    crowd, run = Crowd(), FleetRunner(concurrency)
    run.run(plans_of(NAMES, crowd.act, verb))
    assert 1 <= crowd.most <= most and set(run.answers) == set(NAMES)


def test_creations_and_starts_have_a_lower_limit_than_stops(monkeypatch):
    monkeypatch.setattr("lxdapi.concurrency.worker_count", lambda: 2)
    crowd, run = Crowd(), FleetRunner()
    run.run(plans_of(NAMES, crowd.act))
    assert crowd.most <= 2


def test_calls_have_the_limit_of_starts(monkeypatch):
    monkeypatch.setattr("lxdapi.concurrency.worker_count", lambda: 2)
    crowd, run = Crowd(), FleetRunner()

    def act(name):
        crowd.act()
        return {"result": True, "name": name}

    run.run_each(NAMES, act)
    assert crowd.most <= 2 and {name: each["name"] for name, each in run.answers.items()} == {n: n for n in NAMES}


@pytest.mark.parametrize(
    "batch, most, done", [(1, None, 1), (None, 1, 2), ("50%", None, 1), (2, 3, 4), (None, None, 5)]
)
def test_too_many_failures_stop_new_calls(batch, most, done):
    ended, names = [], NAMES[:5]
    pace = Pace.parse(1, batch, most)
    run = pace.call_each(names, lambda name: {"result": False}, on_progress=ended.append)
    assert list(run.answers) == names[:done] and list(run.unstarted) == names[done:]
    assert ended == [False] * done
    assert list(pace.call_each(names, lambda name: {"result": False}, test=True).answers) == names


def fail():
    """Fail as if the daemon rejected it."""
    raise LxdapiError("no")


@pytest.mark.parametrize("concurrency", [1, 4])
@pytest.mark.parametrize("most, failing", [(0, 5), (2, 5), (None, 5)])
def test_too_many_failures_stop_new_plans(concurrency, most, failing):
    run = FleetRunner(concurrency, most)
    planned = {**plans_of(NAMES[:failing], fail), **plans_of(NAMES[failing:], lambda: None)}
    run.run(planned)
    assert set(run.answers) | set(run.unstarted) == set(NAMES) and not set(run.answers) & set(run.unstarted)
    if most is None:
        assert (run.failures(), run.unstarted) == (failing, {})
    else:
        assert most < run.failures() <= most + concurrency


def test_dependents_of_a_failed_plan_do_not_start():
    run, done = FleetRunner(1), []
    needs = {"b": "a", "c": "b", "e": "d"}
    planned = {**plans_of("a", fail), **plans_of("bcde", lambda: done.append(1))}
    run.run(planned, needs)
    assert list(run.unstarted) == ["b", "c"] and set(run.answers) == {"a", "d", "e"} and len(done) == 2


def test_interruption_stops_new_plans():
    def interrupt():
        raise KeyboardInterrupt

    run, done = FleetRunner(1), []
    with pytest.raises(KeyboardInterrupt):
        run.run({**plans_of("a", interrupt), **plans_of(NAMES, lambda: done.append(time.sleep(0.05)))})
    assert len(done) <= 1
