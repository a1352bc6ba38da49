"""
Several processes, each with its own Salt states and connection, at one object at the same moment.
"""

import json
import time

import pytest

from tests.support.loader import Loaded
from tests.support.processes import does, race, when
from tests.support.spread import spread

RUNNING, STOPPED = "Running", "Stopped"


@pytest.fixture
def state(tmp_path, daemon):
    """Return the function for a process: apply a state without a proxy."""
    salt = Loaded(tmp_path / "race", {"local": {"endpoint": daemon.socket}})
    return lambda function, name, **arguments: lambda: salt.states[function](name=name, **arguments)


def without_traceback(answers):
    """Return the results of states after a check that none has a traceback."""
    assert "Traceback" not in json.dumps(answers), answers
    return answers


def test_eight_processes_declaring_one_instance_create_one(daemon, state, imported, raw):
    work = state("lxdapi_instance.present", "c1", source="busybox", config={"user.a": "1"}, running=True)
    answers = without_traceback(race(*[work] * 8))
    assert [answer["result"] for answer in answers] == [True] * 8, answers
    assert sum("created" in answer["changes"] for answer in answers) == 1, answers
    found = raw("instances?recursion=1")
    assert [(each["name"], each["status"], each["config"]["user.a"]) for each in found] == [("c1", RUNNING, "1")]
    assert "user.lxdapi.creating" not in found[0]["config"]


@pytest.mark.parametrize("word, path", spread(("profile", "profiles"), ("project", "projects"), ("storage_volume", "")))
def test_eight_processes_declaring_one_object_create_one(daemon, state, raw, word, path):
    name = "default/data" if word == "storage_volume" else "web"
    answers = without_traceback(race(*[state(f"lxdapi_{word}.present", name, config={"user.a": "1"})] * 8))
    assert [answer["result"] for answer in answers] == [True] * 8, answers
    assert sum("created" in answer["changes"] for answer in answers) == 1, answers
    found = raw(f"{path}/web" if path else "storage-pools/default/volumes/custom/data")
    assert found["config"]["user.a"] == "1"


@pytest.mark.mainly("incus")
def test_four_processes_declaring_one_image_upload_one(daemon, state, image, raw):
    answers = race(*[state("lxdapi_image.present", "busybox", source=str(image), aliases=["box"])] * 4)
    assert [answer["result"] for answer in without_traceback(answers)] == [True] * 4, answers
    (found,) = raw("images?recursion=1")
    assert {alias["name"] for alias in found["aliases"]} == {"busybox", "box"}


PAIRS = {
    "delete-delete": ("absent", {}, "absent", {}, {None}),
    "start-stop": ("running", {}, "stopped", {"timeout": 0, "force": True}, {RUNNING, STOPPED}),
    "present-absent": ("present", {"source": "busybox"}, "absent", {}, {STOPPED, None}),
    "freeze-stop": ("frozen", {}, "stopped", {"timeout": 0, "force": True}, {"Frozen", STOPPED}),
}


@pytest.mark.parametrize("pair", ["start-stop", "present-absent", *spread("delete-delete", "freeze-stop")])
def test_conflicting_declarations_end_in_one_of_both(daemon, state, imported, raw, pair):
    one, more, other, more_of_other, ends = PAIRS[pair]
    for _ in range(2):
        # without force, a stop can reach a container before its init is ready for it
        for prepare in ("present", {"source": "busybox"}), ("stopped", {"timeout": 0, "force": True}):
            ret = state(f"lxdapi_instance.{prepare[0]}", "c1", **prepare[1])()
            assert ret["result"] is True, ret
        works = state(f"lxdapi_instance.{one}", "c1", **more), state(f"lxdapi_instance.{other}", "c1", **more_of_other)
        answers = without_traceback(race(*works, *works))
        found = raw("instances/c1")
        assert (found["status"] if found else None) in ends
        if pair == "delete-delete":
            assert [answer["result"] for answer in answers] == [True] * 4, answers
            # Incus 7.0.2 tells both clients that they succeeded
            assert any(answer["changes"] for answer in answers), answers
        # the loser reports the conflict, and the next run of any of them succeeds
        assert all(answer["result"] or answer["comment"] for answer in answers)
        assert works[0]()["result"] is True


TIMES = 15
ALL_KEYS = {f"user.{own}.{n}" for own in "abcd" for n in range(TIMES)}


def edits(state, word, name, own):
    """Return states that set one key each, different for each process."""
    return [state(f"lxdapi_{word}.present", name, config={f"user.{own}.{n}": str(n)}) for n in range(TIMES)]


@pytest.mark.parametrize("word, name", spread(("instance", "c1"), ("profile", "web")))
def test_four_processes_editing_different_keys_lose_none(daemon, state, raw, word, name):
    """
    A daemon can lose one of two writes with If-Match, because it checks and writes in two steps: see the daemon facts.
    """
    state(f"lxdapi_{word}.present", name, **({"source": "none"} if word == "instance" else {}))()
    answers = race(*[lambda own=own: [edit() for edit in edits(state, word, name, own)] for own in "abcd"])
    assert [ret for each in answers for ret in each if ret["result"] is not True] == []
    assert {key for each in answers for ret in each for key in ret["changes"]["config"]} == ALL_KEYS
    assert set(raw(f"{word}s/{name}")["config"]) >= ALL_KEYS


@pytest.mark.mainly("incus7")
def test_profile_edits_during_instance_starts_are_reported(daemon, state, imported, raw):
    state("lxdapi_profile.present", "web")()
    settings = {"source": "busybox", "profiles": ["default", "web"], "running": True}
    fleet = [state("lxdapi_instance.present", f"c{n}", **settings) for n in range(4)]
    works = [lambda own=own: [edit() for edit in edits(state, "profile", "web", own)] for own in "abcd"]
    *answers, made = without_traceback(race(*works, lambda: [make() for make in fleet]))
    assert [ret["comment"] for each in answers for ret in each if ret["result"] is not True] == []
    assert {key for each in answers for ret in each for key in ret["changes"].get("config", ())} == ALL_KEYS
    assert [ret["result"] for ret in made] == [True] * 4, made
    assert set(raw("profiles/web")["config"]) >= ALL_KEYS
    assert [each["status"] for each in raw("instances?recursion=1")] == [RUNNING] * 4


@pytest.mark.mainly("lxd")
def test_snapshot_during_stop_succeeds_or_gives_reason(daemon, state, stubborn, raw):
    stop = state("lxdapi_instance.stopped", stubborn, timeout=1, force=True)
    snapshots = [state("lxdapi_instance_snapshot.present", f"{stubborn}/s{n}") for n in range(2)]
    stopped, *made = without_traceback(race(stop, *snapshots))
    assert stopped["result"] is True, stopped
    assert raw(f"instances/{stubborn}")["status"] == STOPPED
    for number, answer in enumerate(made):
        assert answer["result"] is (raw(f"instances/{stubborn}/snapshots/s{number}") is not None), answer


def meanwhile(act):
    """Return a function for the proxy that acts past it and returns the real reply."""

    def reply(true):
        act()
        return true

    return reply


# it starts a new instance with a separate request
@pytest.mark.mainly("lxd")
def test_instance_deleted_by_others_before_start_is_reported(apply, proxy, daemon, imported, raw):
    delete = meanwhile(lambda: daemon.ask("DELETE", "/1.0/instances/c1"))
    proxy.arm("swap", method="GET", path="/operations/.*/wait", reply=delete)
    ret = apply("lxdapi_instance.present", "c1", source="busybox", running=True)
    assert (ret["result"], ret["changes"]) == (False, {"created": "c1"}), ret
    assert "could not be started: " in ret["comment"]
    assert "not found" in ret["comment"]
    assert raw("instances/c1") is None


@pytest.mark.mainly("lxd")
def test_instance_gone_before_running_is_reported(apply, proxy, daemon, imported, raw):
    apply("lxdapi_instance.present", "c1", source="busybox")
    delete = meanwhile(lambda: daemon.ask("DELETE", "/1.0/instances/c1"))
    proxy.arm("swap", method="GET", path="/instances/c1$", reply=delete)
    comment = apply.failed("lxdapi_instance.running", "c1")
    assert "not found" in comment
    assert raw("instances/c1") is None


@pytest.mark.mainly("incus7")
def test_instance_stopped_and_deleted_by_others_during_stop(apply, daemon, stubborn, raw):
    def end():
        daemon.ask("PUT", "/1.0/instances/s1/state", {"action": "stop", "force": True, "timeout": 5})
        daemon.ask("DELETE", "/1.0/instances/s1")

    with when(lambda: does(daemon, "Stopping"), end):
        ret = apply("lxdapi_instance.stopped", stubborn, timeout=20)
    assert "Traceback" not in ret["comment"]
    assert ret["result"] is True or "not found" in ret["comment"], ret
    assert raw("instances/s1") is None


def is_busy(reply):
    """Return the end of an operation that failed because the instance was busy."""
    words = 'Failed instance creation: Instance is busy running a "update" operation'
    return {**reply, "metadata": {**reply["metadata"], "status": "Failure", "status_code": 400, "err": words}}


def test_start_refused_as_busy_is_retried_without_new_create(apply, proxy, daemon, imported, raw):
    def fail(reply):
        if raw("instances/c1")["status"] == RUNNING:
            daemon.ask("PUT", "/1.0/instances/c1/state", {"action": "stop", "force": True})
        return is_busy(reply)

    proxy.arm("swap", method="GET", path="/operations/.*/wait", reply=fail)
    ret = apply("lxdapi_instance.present", "c1", source="busybox", running=True)
    assert ret["changes"]["created"] == "c1", ret
    assert len([path for method, path, *_ in proxy.writes() if method == "POST"]) == 1
    if daemon.server != "lxd":  # it does not start the instance within the creation
        assert (ret["result"], ret["changes"]["status"]) == (True, {"old": "Stopped", "new": RUNNING}), ret
        assert raw("instances/c1")["status"] == RUNNING


@pytest.mark.mainly("lxd")
def test_alias_moved_by_others_ends_as_declared(apply, proxy, daemon, imported, raw):
    daemon.ask("POST", "/1.0/images/aliases", {"name": "box", "target": imported})
    edit = {"target": imported, "description": "by somebody else"}
    move = meanwhile(lambda: daemon.ask("PUT", "/1.0/images/aliases/box", edit))
    proxy.arm("swap", method="GET", path="/images/aliases/box", reply=move)
    ret = apply("lxdapi_image_alias.present", "box", target=imported, description="ours")
    assert ret["result"] is True, ret
    assert raw("images/aliases/box")["description"] == "ours"


@pytest.mark.mainly("incus7")
def test_alias_created_by_others_is_accepted(apply, proxy, daemon, imported, raw):
    body = {"name": "box", "target": imported, "description": "theirs"}
    make = meanwhile(lambda: daemon.ask("POST", "/1.0/images/aliases", body))
    proxy.arm("swap", method="GET", path="/images/aliases/box", reply=make)
    ret = apply("lxdapi_image_alias.present", "box", target=imported, description="ours")
    assert ret["result"] is True, ret
    assert "created" not in ret["changes"]
    assert raw("images/aliases/box")["description"] == "ours"


@pytest.mark.parametrize("number", [*spread(8), pytest.param(32, marks=pytest.mark.long)])
def test_many_concurrent_instances_are_started_and_deleted(daemon, state, imported, raw, number):
    names = [f"c{n}" for n in range(number)]
    began = time.monotonic()
    answers = race(*[state("lxdapi_instance.present", name, source="busybox", running=True) for name in names])
    up = time.monotonic() - began
    assert [answer for answer in answers if answer["result"] is not True] == []
    assert {(each["name"], each["status"]) for each in raw("instances?recursion=1")} == {(n, RUNNING) for n in names}
    answers = race(*[state("lxdapi_instance.absent", name, force=True) for name in names])
    assert [answer for answer in answers if answer["result"] is not True] == []
    assert raw("instances") == []
    print(f"{number} instances: up after {up:.1f} s, gone after {time.monotonic() - began:.1f} s")
