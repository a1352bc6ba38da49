"""
The changes of a write whose answer was an error, with a model of the daemon's objects.
"""

import copy

import pytest
from lxdapi.errors import APIUnappliedException
from lxdapi.model.kinds import KINDS
from lxdapi.model.writes import update
from lxdapi.plan import converge
from lxdapi.plan.state_result import run_state

from tests.support.fake_transport import Paper, failure
from tests.support.model_daemon import INSTANCE, PROFILE, Model

pytestmark = pytest.mark.usefixtures("contract_kept")

PATH = "profiles/web"
WANTED = {"config": {"user.a": "1", "user.b": "2"}}
BOTH = {"config": {"user.a": {"old": None, "new": "1"}, "user.b": {"old": None, "new": "2"}}}
SAVED = "The following instances failed to update (profile change still saved):\n - Project: default, Instance: c1: "
WORDS = f"{SAVED}Failed to start device"
BUSY = f'{SAVED}Instance is busy running a "start" operation\n'


def saves(**config):
    """Return a function that saves this in the profile."""
    return lambda model: model.objects[PATH]["config"].update(config)


def web(**more):
    """Return a model with the profile web."""
    return Model({PATH: copy.deepcopy(PROFILE)}, **more)


def applied(model, wanted=None):
    """Return (Salt's answer, the paper) for a declaration of the profile, by a client with time for retries."""
    paper = Paper(model, retry_timeout=0.5)
    plan = lambda: converge.plan_present(paper.api, "profile", "web", wanted or WANTED)  # noqa: E731
    return run_state("profile", "web", plan), paper


def saved_in_spite(words, **config):
    """Return a model whose next PATCH saves this and answers with an error."""
    return web(meanwhile={f"PATCH {PATH}": [saves(**config)]}, faults={f"PATCH {PATH}": [failure(500, words)]})


def test_write_saved_despite_error_is_in_changes():
    ret, paper = applied(saved_in_spite(WORDS, **WANTED["config"]))
    assert (ret["result"], ret["changes"]) == (False, BOTH)
    assert ret["comment"] == (
        "profile web was updated (config user.a, user.b), but an object that uses it did not apply the change: "
        f"{WORDS} (PATCH /1.0/profiles/web)"
    )
    assert paper.writes == ["PATCH /1.0/profiles/web"], "sent again it would change nothing"


@pytest.mark.parametrize("words, result", [("LXD VM agent isn't currently running", True), ("boom", False)])
def test_machine_without_agent_has_the_saved_change(words, result):
    path, declared = "instances/v1", {"config": {"user.a": "1"}}
    saved = {"config": {}, "description": "", "type": "virtual-machine", "status": "Running"}
    save = lambda model: model.objects[path]["config"].update({"user.a": "1"})  # noqa: E731
    more = {"meanwhile": {f"PATCH {path}": [save]}, "faults": {f"PATCH {path}": [failure(500, words)]}}
    paper = Paper(Model({path: saved}, **more), retry_timeout=0.5)
    ret = run_state("instance", "v1", lambda: converge.plan_present(paper.api, "instance", "v1", declared))
    assert (ret["result"], ret["changes"]) == (result, {"config": {"user.a": {"old": None, "new": "1"}}}), ret
    assert paper.writes == [f"PATCH /1.0/{path}"]


def test_partly_saved_write_has_that_part_in_changes():
    ret, _ = applied(saved_in_spite("boom", **{"user.a": "1"}))
    assert (ret["result"], ret["changes"]) == (False, {"config": {"user.a": BOTH["config"]["user.a"]}})
    assert ret["comment"] == "profile web could not be updated: boom (PATCH /1.0/profiles/web)"


def test_refusal_without_effect_has_no_changes():
    ret, _ = applied(web(faults={f"PATCH {PATH}": [failure(500, "boom")]}))
    assert (ret["result"], ret["changes"]) == (False, {})


def test_writes_before_a_refusal_are_in_changes():
    lose = lambda model: model.objects[PATH]["config"].pop("user.b")  # noqa: E731
    refuse = lambda model: model.faults.update({f"PATCH {PATH}": [failure(500, "boom")]})  # noqa: E731
    model = web(meanwhile={f"GET {PATH}": [lambda _: None, lambda model: [lose(model), refuse(model)]]})
    ret, _ = applied(model)
    assert (ret["result"], ret["changes"]) == (False, BOTH), "both were written, and one of them was lost again"


@pytest.mark.parametrize(
    "status, key, result",
    [
        ("Stopped", "limits.processes", True),
        ("Running", "limits.processes", False),
        ("Running", "user.a", True),
        ("Stopping", "user.a", False),
        (None, "limits.processes", True),
    ],
)
def test_busy_instance_is_verified(status, key, result):
    model = saved_in_spite(BUSY, **{key: "1"})
    model.objects.update({"instances/c1": {**INSTANCE, "status": status}} if status else {})
    ret, paper = applied(model, {"config": {key: "1"}})
    assert (ret["result"], ret["changes"]) == (result, {"config": {key: {"old": None, "new": "1"}}})
    assert len(paper.writes) == 1


def test_instance_that_becomes_idle_is_awaited():
    stop = lambda model: model.objects["instances/c1"].update(status="Stopped")  # noqa: E731
    model = saved_in_spite(BUSY, **{"limits.cpu": "1"})
    model.objects["instances/c1"] = {**INSTANCE, "status": "Stopping"}
    model.meanwhile["GET instances/c1"] = [lambda _: None, stop]
    assert applied(model, {"config": {"limits.cpu": "1"}})[0]["result"] is True


def test_command_line_error_carries_the_saved_changes():
    paper = Paper(saved_in_spite(WORDS, **WANTED["config"]))
    with pytest.raises(APIUnappliedException) as caught:
        update(paper.api, KINDS["profile"], "web", WANTED)
    assert caught.value.changes == BOTH
    assert (caught.value.status, caught.value.method, caught.value.path) == (500, "PATCH", "/1.0/profiles/web")
