"""
Which states may be begun before their turn, and which may not.
"""

import signal
import threading
from pathlib import Path

import pytest
from lxdapi.minion import prefetch, state_run

REPO = Path(__file__).resolve().parents[3]
STATE = "lxdapi_instance"


def present(name, source=None, config=None, devices=None, wait_for=None, remote=None, project=None):
    """A state function: nothing but its parameters is looked at."""


def entry(name, fun="present", state=STATE, **more):
    """Return a chunk as Salt has it."""
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


def begun(*chunks, test=False, setting=None, ran=(), **opts):
    """Return the names of what is begun with the first chunk that has not run; none where it runs alone."""
    low = next(chunk for chunk in chunks if chunk["name"] not in ran)
    context, calls = {}, []
    names = {
        "__lowstate__": list(chunks),
        "__instance_id__": "1",
        "__context__": context,
        "__opts__": {"test": test, **opts},
        "__salt__": {"config.get": lambda key, default: setting},
        "__running__": {state_run.tag(chunk): {} for chunk in chunks if chunk["name"] in ran},
        **dict.fromkeys(("present", "absent", "running", "stopped"), present),
    }
    run = state_run.Run(test, low, names)
    prefetch.run_or_collect(run, lambda: calls.append(low["name"]) or {"result": True, "changes": {}})
    assert calls == [low["name"]]
    return [chunk["name"] for chunk in chunks if state_run.tag(chunk) in run.lowstate.prefetched]


A, B, C = entry("a1"), entry("b1"), entry("c1")


def test_what_follows_directly_and_depends_on_nothing_is_begun():
    assert begun(A, B, C) == ["b1", "c1"]
    assert begun(A, B, C, ran=["a1"]) == ["c1"]


def test_so_it_is_where_the_master_orchestrates():
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
def test_a_barrier_and_what_is_behind_it_are_not(middle):
    assert begun(A, middle, C) == []
    assert begun(entry("z1"), A, middle, C)[:1] == ["a1"]


def test_one_that_is_named_by_an_earlier_one_is_not():
    assert begun(entry("a1", source={"type": "copy", "source": "b1"}), B) == []


def test_the_same_name_elsewhere_is_another_one():
    assert begun(A, entry("a1", __id__="2", remote="far"), entry("a1", __id__="3", remote="farther")) == ["a1"] * 2
    here = [entry("a1", __id__=project, project=project) for project in ("p", "q")]
    assert begun(*here) == ["a1"]
    assert begun(A, entry("a1", __id__="2", project="p")) == [], "which can be the remote's own"
    assert begun(A, entry("a1", __id__="2", remote="local")) == []


def test_the_first_may_have_had_requisites_and_must_not_be_tried_again():
    assert begun(entry("a1", require=[{"test": "x"}]), B) == ["b1"]
    for more in ({"retry": {"attempts": 2}}, {"parallel": True}, {"wait_for": {"ready": True}}, {"check_cmd": "true"}):
        assert begun(entry("a1", **more), B) == []


def test_what_runs_before_its_own_turn_begins_nothing():
    """Another one requires it: between the two there is what has not run yet."""
    assert begun(A, B, C, ran=["b1"]) == []


@pytest.mark.parametrize(
    "how", [{"test": True}, {"setting": 0}, {"setting": 1, "failhard": True}, {"global_state_conditions": {"*": ["x"]}}]
)
def test_there_are_runs_in_which_nothing_is(how):
    assert begun(A, B, C, **how) == []
    assert begun(A, B, C, entry("x", state="test", parallel=True)) == []


def test_snapshots_of_one_instance_are_made_one_after_the_other():
    one, two, other = (entry(name, state="lxdapi_instance_snapshot") for name in ("a1/s1", "a1/s2", "b1/s1"))
    assert begun(one, two, other) == []
    assert begun(two, other) == ["b1/s1"]


def test_each_function_that_may_be_is_one_of_ours():
    for state, fun in prefetch.FUNCTIONS:
        assert f"\ndef {fun}(\n    name," in _source(state) or f"\ndef {fun}(name," in _source(state)


def _source(state):
    return (REPO / "_states" / f"{state}.py").read_text(encoding="utf-8")


def test_what_was_refused_with_nothing_done_is_tried_again_at_its_turn_and_nothing_else_is():
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
        one.add(state_run.tag(B), "local", lambda answers=answers: answers.pop(0))
        one.start(1)
        run = state_run.Run(False, B, names)
        run.lowstate = lowstate
        ret = prefetch.run_or_collect(run, lambda answers=answers: answers.pop(0))
        assert ret["changes"] == ({"second": True} if again else first[1])
        assert lowstate.prefetched == {}


@pytest.mark.parametrize("most, expected", [(32, 6), (3, 3)])
def test_each_daemon_has_as_many_at_once_as_it_bears_and_all_together_no_more_than_there_may_be(most, expected):
    begun, together, seen = prefetch.PrefetchBatch(most), threading.Barrier(expected), []

    def state(daemon):
        together.wait(10)
        seen.append(daemon)

    for number in range(6):
        begun.add(f"a{number}", "a", lambda: state("a"))
        begun.add(f"b{number}", "b", lambda: state("b"))
        begun.add(f"c{number}", "c", lambda: state("c"))
    begun.start(2)
    for tag in list(begun.futures):
        begun.answer(tag)
    assert sorted(seen) == ["a"] * 6 + ["b"] * 6 + ["c"] * 6


def test_after_one_that_raised_the_others_run():
    """Salt tells an exception as the failure of that state, and goes on."""
    begun, seen = prefetch.PrefetchBatch(1), []
    begun.add("a", "local", lambda: 1 / 0)
    begun.add("b", "local", lambda: seen.append("b"))
    begun.start(1)
    with pytest.raises(ZeroDivisionError):
        begun.answer("a")
    begun.answer("b")
    assert seen == ["b"]


def test_where_salt_is_interrupted_no_more_are_begun():
    begun, go, seen = prefetch.PrefetchBatch(1), threading.Event(), []
    begun.add("a", "local", lambda: go.wait(10))
    begun.add("b", "local", lambda: seen.append("b"))
    begun.start(1)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Timer(0.2, lambda: signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        begun.answer("a")
    signal.signal(signal.SIGINT, before)
    go.set()
    assert begun.answer("b") is None and seen == []
