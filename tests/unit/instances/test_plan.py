"""
The order of an instance's steps around a stop and a start, and rejected declarations, with a model of the daemon.
"""

import copy
from types import SimpleNamespace

import pytest
from lxdapi.errors import InvalidError, LxdapiError
from lxdapi.instances import create, partial_creation, plan, power, sources
from lxdapi.plan.state_result import run_state

from tests.support import declared
from tests.support.fake_transport import Paper, failure, sync
from tests.support.model_daemon import INSTANCE, Model, failed

pytestmark = pytest.mark.usefixtures("contract_kept")

C1 = {**INSTANCE, "name": "c1", "config": {"volatile.last_state.power": "STOPPED", "limits.cpu": "1"}}
PATCH, PUT, STATE = "PATCH /1.0/instances/c1", "PUT /1.0/instances/c1", "PUT /1.0/instances/c1/state"
DIGEST = "1" * 64


def instance(status="Stopped", more=None, **options):
    """Return a model with the instance c1 in this status."""
    return Model({"instances/c1": copy.deepcopy({**C1, **(more or {}), "status": status})}, **options)


def stated(model, function, *args, test=False, **options):
    """Return (Salt's answer, the paper) of a function of lxdapi_instance that returns steps."""
    paper = Paper(model, wait_timeout=5)
    ret = run_state("instance", "c1", lambda: function(paper.api, "c1", *args, **options), test=test)
    return ret, paper


def actions(paper):
    """Return the writes in order, with the names of the actions on the state."""
    return [seen.json["action"] if seen.line == STATE else seen.method for seen in paper.seen if seen.method != "GET"]


CPU, NESTING, DROP = {"limits.cpu": 2}, {"security.nesting": True}, {"limits.cpu": None}
RESTART = {"restart_on_change": True}

# (status before, config, running, options) -> (writes, status after)
ORDERS = [
    ("Stopped", CPU, None, {}, ["PATCH"], "Stopped"),
    ("Stopped", CPU, True, {}, ["PATCH", "start"], "Running"),
    ("Stopped", NESTING, True, {}, ["PATCH", "start"], "Running"),
    ("Stopped", CPU, False, {}, ["PATCH"], "Stopped"),
    ("Stopped", DROP, True, {}, ["PUT", "start"], "Running"),
    ("Stopped", {}, True, {}, ["PUT", "start"], "Running"),
    ("Stopped", None, True, {}, ["start"], "Running"),
    ("Running", CPU, None, {}, ["PATCH"], "Running"),
    ("Running", CPU, True, {}, ["PATCH"], "Running"),
    ("Running", CPU, None, RESTART, ["PATCH"], "Running"),
    ("Running", CPU, False, {}, ["stop", "PATCH"], "Stopped"),
    ("Running", NESTING, None, {}, ["PATCH"], "Running"),
    ("Running", NESTING, None, RESTART, ["stop", "PATCH", "start"], "Running"),
    ("Running", NESTING, True, RESTART, ["stop", "PATCH", "start"], "Running"),
    ("Running", NESTING, False, RESTART, ["stop", "PATCH"], "Stopped"),
    ("Running", None, False, {}, ["stop"], "Stopped"),
    ("Frozen", CPU, None, {}, ["PATCH"], "Frozen"),
    ("Frozen", CPU, True, {}, ["PATCH", "unfreeze"], "Running"),
    ("Frozen", NESTING, None, RESTART, ["unfreeze", "stop", "PATCH", "start", "freeze"], "Frozen"),
    ("Frozen", None, False, {}, ["unfreeze", "stop"], "Stopped"),
    ("Error", None, True, {}, ["start"], "Running"),
    ("Running", None, True, {}, [], "Running"),
    ("Stopped", None, None, {}, [], "Stopped"),
]


@pytest.mark.parametrize("before, config, running, options, done, after", ORDERS)
def test_changes_are_ordered_around_stop_and_start(before, config, running, options, done, after):
    model = instance(before)
    arguments = ({"config": config}, None, running)
    predicted, paper = stated(model, declared.present, *arguments, test=True, **options)
    assert paper.writes == []
    ret, paper = stated(model, declared.present, *arguments, **options)
    assert actions(paper) == done
    assert model.objects["instances/c1"]["status"] == after
    assert ret["result"] is True and predicted["result"] is (None if done else True)
    assert ret["changes"] == predicted["changes"] and bool(ret["changes"]) is bool(done)
    again, paper = stated(model, declared.present, *arguments, **options)
    assert (again["changes"], paper.writes) == ({}, [])


def test_ready_is_running():
    ret, paper = stated(instance("Ready"), declared.present, {}, None, True)
    assert (ret["changes"], paper.writes) == ({}, [])
    assert stated(instance("Ready"), power.plan_status, "Running")[0]["changes"] == {}
    assert actions(stated(instance("Ready"), power.plan_status, "Stopped")[1]) == ["stop"]


def test_change_that_waits_for_a_start_is_reported():
    ret, _ = stated(instance("Running"), declared.present, {"config": {**NESTING, **CPU}})
    assert "security.nesting takes effect at the next start" in ret["comment"]
    assert "limits.cpu takes" not in ret["comment"]
    assert "next start" not in stated(instance("Stopped"), declared.present, {"config": NESTING})[0]["comment"]


@pytest.mark.parametrize(
    "key", ["raw.lxc", "limits.kernel.nofile", "security.privileged", "security.idmap.isolated", "nvidia.runtime"]
)
def test_non_live_key_needs_a_restart(key):
    _, paper = stated(instance("Running"), declared.present, {"config": {key: "true"}}, None, None, True)
    assert actions(paper) == ["stop", "PATCH", "start"]


@pytest.mark.parametrize("old, new", [(["default"], ["default", "web"]), (["web", "default"], ["default"])])
def test_profile_that_is_gained_or_lost_can_need_a_restart(old, new):
    model = instance("Running", {"profiles": old})
    model.objects["profiles/web"] = {"config": {**NESTING, **CPU, "raw.lxc": ""}, "description": "", "devices": {}}
    model.objects["instances/c1"]["config"]["raw.lxc"] = "own"
    ret, paper = stated(model, declared.present, {"profiles": new})
    assert "; security.nesting takes effect at the next start (set restart_on_change" in ret["comment"]
    assert "GET /1.0/profiles/default" not in paper.lines


def test_note_of_a_virtual_machine_names_a_restart():
    model = instance("Running", {"type": "virtual-machine"})
    ret, _ = stated(model, declared.present, {"config": {**CPU, "raw.qemu": "-x"}})
    assert ret["comment"].endswith(
        "; raw.qemu requires a restart of the virtual machine (set restart_on_change: true to restart now)"
    )


def test_refused_change_restarts_the_stopped_instance():
    model = instance("Running", faults={"PATCH instances/c1": [failure(500, "Invalid config")]})
    ret, paper = stated(model, declared.present, {"config": NESTING}, None, None, True)
    assert ret["result"] is False
    assert ret["changes"] == {}
    assert "could not be updated: Invalid config (PATCH /1.0/instances/c1)" in ret["comment"]
    assert actions(paper) == ["stop", "PATCH", "start"]
    assert model.objects["instances/c1"]["status"] == "Running"


def test_failed_start_leaves_creation_in_changes():
    model = Model(ends={"PUT instances/c1/state": [failed("Failed to start device")]})
    ret, _ = stated(model, declared.present, {}, "none", True)
    assert (ret["result"], ret["changes"]) == (False, {"created": "c1"})
    assert "could not be started: Failed to start device" in ret["comment"]


@pytest.mark.parametrize("running, done", [(True, ["start"]), (None, []), (False, [])])
def test_new_instance_is_created_in_one_request(running, done):
    model = Model({f"images/{DIGEST}": {"fingerprint": DIGEST}, "images/aliases/busybox": {"target": DIGEST}})
    wanted = {"config": CPU, "devices": {"d": {"type": "none"}}, "profiles": [], "type": "vm", "ephemeral": False}
    predicted, paper = stated(model, declared.present, wanted, "busybox", running, test=True)
    assert paper.writes == []
    ret, paper = stated(model, declared.present, wanted, "busybox", running)
    assert actions(paper) == ["POST", *done]
    sent = next(seen for seen in paper.seen if seen.method == "POST").json
    assert partial_creation.mark_of(SimpleNamespace(metadata=sent)) == sent["config"].pop("volatile.uuid")
    assert sent == {
        "name": "c1",
        "config": {"limits.cpu": "2"},
        "devices": {"d": {"type": "none"}},
        "profiles": [],
        "type": "virtual-machine",
        "ephemeral": False,
        "source": {"type": "image", "alias": "busybox"},
    }
    started = {"status": {"old": "Stopped", "new": "Running"}} if running else {}
    assert ret["changes"] == predicted["changes"] == {"created": "c1", **started}
    assert ret["comment"] == f"instance c1 was created{' and started' if running else ''}"
    assert stated(model, declared.present, wanted, "busybox", running)[0]["changes"] == {}


def test_image_keys_are_written_after_the_create():
    model = Model()
    stated(model, declared.present, {"config": {"image.os": "mine"}}, "none")
    assert model.objects["instances/c1"]["config"]["image.os"] == "mine"
    _, paper = stated(Model(), declared.present, {"config": {"user.a": "b"}}, "none")
    assert actions(paper) == ["POST"]


@pytest.mark.parametrize(
    "source, rest",
    [
        ("none", {"type": "none"}),
        ({"type": "none"}, {"type": "none"}),
        ("a/b", {"type": "image", "fingerprint": DIGEST}),
        (DIGEST, {"type": "image", "fingerprint": DIGEST}),
        ({"alias": "a/b"}, {"type": "image", "fingerprint": DIGEST}),
        ({"type": "copy", "source": "c0"}, {"type": "copy", "source": "c0"}),
        ({"server": "https://x", "alias": "d"}, {"type": "image", "server": "https://x", "alias": "d"}),
    ],
)
def test_source_is_translated_for_the_daemon(source, rest):
    paper = Paper(Model({"images/aliases/a/b": {"target": DIGEST}, f"images/{DIGEST}": {}}))
    assert sources.resolve_alias(paper.api, sources.parse_source(source)) == rest


def origin():
    """Return a model with an instance and a snapshot to copy."""
    facts = {"description": "d", "ephemeral": True, "profiles": ["web"], "config": {"user.a": "b"}}
    return instance("Running", facts)


@pytest.mark.parametrize("project", [{}, {"project": "p"}])
@pytest.mark.parametrize("snapshot", [None, "s1"])
def test_copy_sends_what_the_daemon_does_not_copy(project, snapshot):
    model = origin()
    source = {"type": "copy", "source": "c1", **project}
    if snapshot:
        source["source"] += f"/{snapshot}"
        model.objects[f"instances/c1/snapshots/{snapshot}"] = {"profiles": ["old"], "name": snapshot}
    paper = Paper(model, wait_timeout=5)
    create.create(paper.api, "c2", {"description": "mine"}, source)
    sent = next(seen for seen in paper.seen if seen.method == "POST").json
    assert list(sent.pop("config")) == ["volatile.uuid"]
    assert sent == {
        "name": "c2",
        "architecture": "x86_64",
        "description": "mine",
        "ephemeral": True,
        "profiles": ["old"] if snapshot else ["web"],
        "type": "container",
        "source": source,
    }
    asked = [seen.query.get("project") for seen in paper.seen if "/instances/c1" in seen.path]
    assert set(asked) == {project.get("project")}, "the origin is read where it is"


@pytest.mark.parametrize("source", [{"type": "copy"}, {"type": "copy", "source": None}, {"type": "copy", "source": 5}])
def test_copy_without_source_is_refused_before_any_request(source):
    paper = Paper(Model())
    with pytest.raises(InvalidError):
        plan.plan_create_new(paper.api, "c2", {"source": source})
    assert paper.seen == []


@pytest.mark.parametrize("source", ["c0/..", "c0/a/b", "c0/", "../c0", "c0/ "])
def test_copy_from_invalid_name_is_refused(source):
    model = origin()
    paper = Paper(model)
    with pytest.raises(LxdapiError):
        create.create(paper.api, "c2", {}, {"type": "copy", "source": source})
    assert paper.writes == []


def test_undeclared_description_survives_each_write():
    for config in (CPU, DROP):
        model = instance("Stopped", {"description": "mine"})
        stated(model, declared.present, {"config": config})
        assert model.objects["instances/c1"]["description"] == "mine"


@pytest.mark.parametrize("source", ["nothing", "2" * 64, {"alias": "nothing"}])
def test_missing_source_is_reported_with_its_path(source):
    model = Model(faults={"POST instances": [failure(400, "Instance type not specified")]})
    ret, paper = stated(model, declared.present, {}, source)
    assert (ret["result"], ret["changes"], paper.writes) == (False, {}, ["POST /1.0/instances"])
    assert "GET /1.0/images/" in ret["comment"]


@pytest.mark.parametrize("source", [5, ["a"], {"alias": "a\n"}, {"fingerprint": "abc"}])
def test_invalid_source_is_refused(source):
    paper = Paper(Model())
    with pytest.raises(InvalidError):
        sources.resolve_alias(paper.api, sources.parse_source(source))
    assert paper.seen == []


@pytest.mark.parametrize(
    "options",
    [
        {"running": "maybe"},
        {"restart_on_change": "maybe"},
        {"move": "maybe"},
        {"running": "Running"},
        {"running": 2},
        {"running": []},
        {"wanted": {"type": "jail"}},
    ],
)
def test_invalid_declaration_is_refused_before_any_request(options):
    ret, paper = stated(instance(), declared.present, **{"wanted": {}, **options})
    assert (ret["result"], ret["changes"], paper.seen) == (False, {}, [])


@pytest.mark.parametrize("status", ["Running", "Frozen"])
def test_a_stop_that_would_delete_is_refused(status):
    for function, args in ((declared.present, ({}, None, False)), (power.plan_status, ("Stopped",))):
        ret, paper = stated(instance(status, {"ephemeral": True}), function, *args)
        assert (ret["result"], ret["changes"], paper.writes) == (False, {}, [])
        assert "ephemeral" in ret["comment"]


def test_ephemeral_instance_is_not_restarted_for_a_change():
    model = instance("Running", {"ephemeral": True})
    _, paper = stated(model, declared.present, {"config": NESTING}, None, None, True)
    assert actions(paper) == ["PATCH"]


@pytest.mark.parametrize(
    "before, goal, done",
    [
        ("Stopped", "Running", ["start"]),
        ("Frozen", "Running", ["unfreeze"]),
        ("Running", "Stopped", ["stop"]),
        ("Frozen", "Stopped", ["unfreeze", "stop"]),
        ("Running", "Frozen", ["freeze"]),
        ("Stopped", "Frozen", ["start", "freeze"]),
    ]
    + [(status, status, []) for status in ("Running", "Stopped", "Frozen")],
)
def test_each_power_state_is_reached_from_each_other(before, goal, done):
    model = instance(before)
    predicted, _ = stated(model, power.plan_status, goal, test=True)
    ret, paper = stated(model, power.plan_status, goal)
    assert actions(paper) == done
    assert ret["changes"] == predicted["changes"] == ({"status": {"old": before, "new": goal}} if done else {})
    assert stated(model, power.plan_status, goal)[0]["changes"] == {}


def test_power_state_of_missing_instance_is_a_failure():
    ret, paper = stated(Model(), power.plan_status, "Running")
    assert (ret["result"], paper.writes) == (False, [])


def test_transitional_status_is_awaited():
    answers = [sync({**C1, "status": word}) for word in ("Stopping", "Stopping", "Stopped")]
    ret, paper = stated(Model(faults={"GET instances/c1": answers}), power.plan_status, "Stopped")
    assert (ret["result"], ret["changes"], len(paper.seen)) == (True, {}, 3)


def test_endless_transitional_status_is_given_up():
    paper = Paper(instance("Starting"))
    with pytest.raises(LxdapiError, match="still Starting after 0.3 s"):
        power.wait_until_stable(paper.api, "c1", timeout=0.3)
    assert len(paper.seen) < 10


@pytest.mark.parametrize("timeout, force, bodies", [
    (5, False, [{"action": "stop", "timeout": 5}]),
    (None, False, [{"action": "stop", "timeout": 30}]),
    (5, True, [{"action": "stop", "timeout": 5}]),
    (0, True, [{"action": "stop", "force": True}]),
])  # fmt: skip
def test_stop_sends_timeout_and_force_only_if_declared(timeout, force, bodies):
    ret, paper = stated(instance("Running"), power.plan_status, "Stopped", timeout, force)
    assert [seen.json for seen in paper.seen if seen.line == STATE] == bodies
    assert ret["changes"].get("forced", False) is bodies[0].get("force", False)


def test_failed_stop_is_forced_only_with_force_and_reported():
    for force, result in ((False, False), (True, True)):
        model = instance("Running", ends={"PUT instances/c1/state": [failed("shutting down failed")]})
        ret, paper = stated(model, power.plan_status, "Stopped", 1, force)
        assert ret["result"] is result
        assert actions(paper) == ["stop"] * (1 + force)
        assert ret["changes"].get("forced", False) is force
        assert force or "shutting down failed" in ret["comment"]


@pytest.mark.parametrize(
    "before, goal, action",
    [("Stopped", "Running", "start"), ("Running", "Stopped", "stop"), ("Running", "Frozen", "freeze")]
    + [("Frozen", "Running", "unfreeze")],
)
def test_power_change_by_others_is_no_failure(before, goal, action):
    def first(model):
        model.objects["instances/c1"]["status"] = goal

    line = "PUT instances/c1/state"
    model = instance(before, meanwhile={line: [first]}, ends={line: [failed(f"already {action}")]})
    ret, _ = stated(model, power.plan_status, goal)
    assert ret["result"] is True, ret["comment"]


@pytest.mark.parametrize("status, force, done", [
    ("Stopped", False, ["DELETE"]),
    ("Running", True, ["stop", "DELETE"]),
    ("Frozen", True, ["stop", "DELETE"]),
    ("Error", True, ["stop", "DELETE"]),
])  # fmt: skip
def test_running_instance_is_deleted_with_force(status, force, done):
    model = instance(status)
    predicted, _ = stated(model, plan.plan_absent, force, test=True)
    ret, paper = stated(model, plan.plan_absent, force)
    assert actions(paper) == done and model.objects == {}
    assert predicted["changes"] == ret["changes"] and ret["changes"]["deleted"] == "c1"
    assert all(seen.json.get("force") for seen in paper.seen if seen.line == STATE), "no graceful stop"
    assert stated(model, plan.plan_absent, force)[0]["changes"] == {}


@pytest.mark.parametrize("status", ["Running", "Frozen", "Ready"])
@pytest.mark.parametrize("test", [True, False])
def test_running_instance_is_not_deleted_without_force(status, test):
    ret, paper = stated(instance(status), plan.plan_absent, False, test=test)
    assert (ret["result"], ret["changes"], paper.writes) == (False, {}, [])
    assert "force" in ret["comment"]


@pytest.mark.parametrize("force", [False, True])
def test_stopping_instance_is_awaited_and_deleted(force):
    model = instance("Stopped", faults={"GET instances/c1": [sync({**C1, "status": "Stopping"})]})
    ret, _ = stated(model, plan.plan_absent, force)
    assert (ret["result"], ret["changes"]) == (True, {"deleted": "c1"}), ret["comment"]


def test_ephemeral_instance_deleted_by_its_stop_is_deleted():
    model = instance("Running", {"ephemeral": True})
    model._act = lambda path, action: model._delete(path, None)
    ret, _ = stated(model, plan.plan_absent, True)
    assert ret["result"] is True and ret["changes"]["deleted"] == "c1"
