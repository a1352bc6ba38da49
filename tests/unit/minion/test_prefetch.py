"""
States that can be prefetched, and states that cannot.
"""

import contextvars
import signal
import threading
from functools import partial
from pathlib import Path

import pytest
from lxdapi import masking
from lxdapi.minion import prefetch, read_cache, state_run

REPO = Path(__file__).resolve().parents[3]
STATE = "lxdapi_instance"


def entry(name, fun="present", state=STATE, **more):
    """Return a chunk in Salt's form."""
    return {
        "state": state,
        "fun": fun,
        "name": name,
        "__id__": name,
        "__sls__": "x",
        "__env__": "base",
        "order": 1,
        **more,
    }


UNCHANGED, FAILED = {"result": True, "changes": {}}, {"result": False, "changes": {}}


def changing(apply_with):
    """A state that changes something."""
    return apply_with(lambda: UNCHANGED)


def begun(*chunks, test=False, setting=None, ran=(), act=changing, seen=None, **opts):
    """Return the names that are prefetched with the first chunk that has not run; empty if it runs alone."""
    low = next(chunk for chunk in chunks if chunk["name"] not in ran)
    calls, cache = [] if seen is None else seen, read_cache.RunCache()

    def function(name, source=None, config=None, devices=None, wait_for=None, remote=None, project=None):
        calls.append((name, masking.is_marked("user.own")))
        return UNCHANGED

    names = {
        "__lowstate__": list(chunks),
        "__instance_id__": "1",
        "__context__": {read_cache.KEY: cache},
        "__opts__": {"test": test, **opts},
        "__salt__": {"config.get": lambda key, default: setting},
        "__running__": {state_run.tag(chunk): {} for chunk in chunks if chunk["name"] in ran},
        **dict.fromkeys(("present", "absent", "running", "stopped"), function),
    }
    run = state_run.Run(test, low, names)
    assert prefetch.run_or_collect(run, partial(act, cache) if act is asking else act) in (UNCHANGED, FAILED)
    prefetched = [chunk for chunk in chunks if state_run.tag(chunk) in run.lowstate.prefetched]
    for chunk in prefetched:
        assert run.lowstate.prefetched[state_run.tag(chunk)].answer(state_run.tag(chunk)) == UNCHANGED
    return [chunk["name"] for chunk in prefetched]


def asking(cache, _):
    """A state that changes nothing, but asks the daemon."""
    cache.requests += 1
    return UNCHANGED


A, B, C = entry("a1"), entry("b1"), entry("c1")


def test_independent_following_states_are_prefetched():
    assert begun(A, B, C) == ["b1", "c1"]
    assert begun(A, B, C, ran=["a1"]) == ["c1"]


def test_states_that_change_nothing_start_no_prefetch():
    assert begun(A, B, C, act=lambda _: UNCHANGED) == []
    assert begun(A, B, C, act=lambda _: FAILED) == ["b1", "c1"]


def test_states_that_each_ask_the_daemon_are_prefetched():
    assert begun(A, B, C, act=asking) == [], "the first one reads the list"
    assert begun(A, B, C, act=asking, ran=["a1"]) == ["c1"]
    assert begun(entry("a1", state="test"), B, C, act=asking, ran=["a1"]) == []


def test_secret_patterns_of_one_state_do_not_reach_the_others():
    def secretive(apply_with):
        with masking.marked_keys(("user.own",)):
            return apply_with(lambda: seen.append(masking.is_marked("user.own")) or UNCHANGED)

    seen = []
    assert begun(A, B, act=secretive, seen=seen) == ["b1"]
    assert sorted(map(str, seen)) == ["('b1', False)", "True"]


def test_state_that_changes_something_is_one_of_its_batch():
    threads = []

    def act(apply_with):
        return apply_with(lambda: threads.append(threading.current_thread()) or UNCHANGED)

    assert begun(A, B, act=act) == ["b1"] and threads != [threading.main_thread()]
    assert begun(A, act=act) == [] and threads[1:] == [threading.main_thread()]


def test_orchestrated_states_are_prefetched():
    assert begun(*({**each, "__orchestration_jid__": "20300101000000000000"} for each in (A, B))) == ["b1"]


@pytest.mark.parametrize(
    "middle",
    [
        entry("b1", "absent"),
        entry("b1", state="test"),
        entry("b1", state="lxdapi_profile"),
        *(
            entry("b1", **{word: [{"test": "x"}]})
            for word in ("require", "watch", "onchanges", "onfail", "prereq", "listen")
        ),
        *(entry("b1", **{word: "true"}) for word in ("onlyif", "unless", "creates", "check_cmd")),
        entry("b1", retry={"attempts": 2}),
        entry("b1", failhard=True),
        entry("b1", runas="nobody"),
        entry("b1", provider="x"),
        entry("b1", prerequired=[{"test": "x"}]),
        entry("b1", surce="a typo is refused by Salt"),
        entry("b1", source="__slot__:salt:test.echo(x)"),
        entry("b1", config={"user.a": "__slot__:salt:test.echo(x)"}),
        entry("b1", devices=[{"user.a": "__slot__:salt:test.echo(x)"}]),
        entry("b1", wait_for={"ready": True}),
        entry("b1", source={"type": "copy", "source": "a1"}),
        entry("b1", source={"type": "copy", "source": "a1/snap"}),
        entry("b1", config={"user.next": "http://a1:80/"}),
        entry("b1", devices={"a1": None}),
        entry("a1", __id__="again"),
        entry(5),
    ],
    ids=str,
)
def test_states_behind_a_barrier_are_not_prefetched(middle):
    assert begun(A, middle, C) == []
    assert begun(entry("z1"), A, middle, C)[:1] == ["a1"]


def test_state_named_by_an_earlier_one_is_not_prefetched():
    assert begun(entry("a1", source={"type": "copy", "source": "b1"}), B) == []


def test_same_name_on_another_remote_is_independent():
    assert begun(A, entry("a1", __id__="2", remote="far"), entry("a1", __id__="3", remote="farther")) == ["a1"] * 2
    here = [entry("a1", __id__=project, project=project) for project in ("p", "q")]
    assert begun(*here) == ["a1"]
    assert begun(A, entry("a1", __id__="2", project="p")) == [], "which can be the remote's own"
    assert begun(A, entry("a1", __id__="2", remote="local")) == []


def test_first_state_may_have_requisites_but_no_retry():
    assert begun(entry("a1", require=[{"test": "x"}]), B) == ["b1"]
    for more in ({"retry": {"attempts": 2}}, {"parallel": True}, {"wait_for": {"ready": True}}, {"check_cmd": "true"}):
        assert begun(entry("a1", **more), B) == []


def test_state_run_before_its_turn_starts_no_prefetch():
    """Another state requires it: a state that has not run yet is between the two."""
    assert begun(A, B, C, ran=["b1"]) == []


@pytest.mark.parametrize(
    "how", [{"test": True}, {"setting": 0}, {"setting": 1, "failhard": True}, {"global_state_conditions": {"*": ["x"]}}]
)
def test_prefetch_is_disabled_in_some_runs(how):
    assert begun(A, B, C, **how) == []
    assert begun(A, B, C, entry("x", state="test", parallel=True)) == []


def test_snapshots_of_one_instance_are_sequential():
    one, two, other = (entry(name, state="lxdapi_instance_snapshot") for name in ("a1/s1", "a1/s2", "b1/s1"))
    assert begun(one, two, other) == []
    assert begun(two, other) == ["b1/s1"]


def test_each_prefetchable_function_exists():
    for state, fun in prefetch.FUNCTIONS:
        assert f"\ndef {fun}(\n    name," in _source(state) or f"\ndef {fun}(name," in _source(state)


def _source(state):
    return (REPO / "_states" / f"{state}.py").read_text(encoding="utf-8")


def test_only_failure_without_changes_is_retried_at_its_turn():
    for first, again in (
        ((False, {}), True),
        ((False, {"created": "b1"}), False),
        ((True, {}), False),
        ((True, {"a": 1}), False),
    ):
        answers = [{"result": first[0], "changes": first[1]}, {"result": True, "changes": {"second": True}}]
        lowstate = state_run.LowState([A, B])
        names = {"__context__": {}, "__running__": {state_run.tag(A): {}}, "__opts__": {}}
        lowstate.prefetched[state_run.tag(B)] = one = prefetch.PrefetchBatch(1)
        one.add(B, lambda answers=answers: answers.pop(0), contextvars.copy_context())
        one.start(1)
        run = state_run.Run(False, B, names)
        run.lowstate = lowstate
        ret = prefetch.run_or_collect(run, lambda _, answers=answers: answers.pop(0))
        assert ret["changes"] == ({"second": True} if again else first[1])
        assert lowstate.prefetched == {}


@pytest.mark.parametrize("most, expected", [(32, 6), (3, 3)])
def test_concurrency_is_limited_per_daemon_and_in_total(most, expected):
    begun, together, lock = prefetch.PrefetchBatch(most), threading.Barrier(expected), threading.Lock()
    seen, active, peaks = [], [], []

    def state(daemon):
        with lock:
            seen.append(daemon)
            active.append(daemon)
            peaks.append((len(active), active.count(daemon)))
            first = len(seen) <= expected
        if first:
            together.wait(10)
        with lock:
            active.remove(daemon)

    for number in range(6):
        for daemon in "abc":
            chunk = entry(f"{daemon}{number}", remote=daemon)
            begun.add(chunk, partial(state, daemon), contextvars.copy_context())
    begun.start(2)
    for tag in list(begun.tags):
        begun.answer(tag)
    assert sorted(seen) == ["a"] * 6 + ["b"] * 6 + ["c"] * 6
    assert max(total for total, _ in peaks) == expected
    assert max(of_daemon for _, of_daemon in peaks) == 2


def add_all(batch, *calls):
    """Add states with these calls to a batch, and return their tags."""
    chunks = [entry(f"s{number}") for number in range(len(calls))]
    for chunk, call in zip(chunks, calls):
        batch.add(chunk, call, contextvars.copy_context())
    return [state_run.tag(chunk) for chunk in chunks]


def test_exception_in_one_does_not_stop_the_others():
    """Salt reports an exception as the failure of that state, and continues."""
    begun, seen = prefetch.PrefetchBatch(1), []
    first, second = add_all(begun, lambda: 1 / 0, lambda: seen.append("b"))
    begun.start(1)
    with pytest.raises(ZeroDivisionError):
        begun.answer(first)
    begun.answer(second)
    assert seen == ["b"]


def test_interruption_stops_new_prefetches():
    begun, go, seen = prefetch.PrefetchBatch(1), threading.Event(), []
    first, second = add_all(begun, lambda: go.wait(10), lambda: seen.append("b"))
    begun.start(1)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Timer(0.2, lambda: signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        begun.answer(first)
    signal.signal(signal.SIGINT, before)
    go.set()
    assert begun.answer(second) is None and seen == []
