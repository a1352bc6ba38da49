"""
Snapshots of instances and volumes by name, their rotation, and the rollback of a failed change.
"""

import re
from datetime import datetime, timedelta, timezone

import pytest
from lxdapi.api import API
from lxdapi.errors import LxdapiError
from lxdapi.instances import plan, power, snapshots
from lxdapi.model import objects
from lxdapi.plan import steps as plans
from lxdapi.plan.state_result import run_state
from lxdapi.plan.steps import Plan, Step

from tests.support import declared

VOLUME = "storage-pools/default/volumes/custom/data"
# resource: (its name, its REST path)
OWNERS = {"instance": ("c1", "instances/c1"), "volume": ("default/data", VOLUME)}


@pytest.fixture(params=OWNERS)
def owner(request, apply):
    """(name, REST path) of an instance or a volume without snapshots."""
    if request.param == "instance":
        apply("lxdapi_instance.present", "c1", source="none")
    else:
        apply("lxdapi_storage_volume.present", "default/data")
    return OWNERS[request.param]


@pytest.fixture
def names(raw):
    """Return the names of the snapshots at a REST path."""
    return lambda path: sorted(each.rpartition("/")[2] for each in raw(f"{path}/snapshots"))


@pytest.fixture
def api(proxy):
    """An API of the daemon."""
    return API.factory(str(proxy.socket))


@pytest.mark.mainly("incus7")
def test_snapshot_state_works_for_instances_and_volumes(apply, owner, raw):
    name, path = owner
    expiry = {"expires_at": "2040-01-31T00:00:00Z"}
    assert apply.changed("lxdapi_snapshot.present", f"{name}/s1", **expiry) == {"created": f"{name}/s1"}
    assert raw(f"{path}/snapshots/s1")["expires_at"] == "2040-01-31T00:00:00Z"
    renamed = apply.changed("lxdapi_snapshot.present", f"{name}/s2", renamed_from="s1")
    assert renamed == {"name": {"old": f"{name}/s1", "new": f"{name}/s2"}}
    assert apply.changed("lxdapi_snapshot.restored", f"{name}/s2")["restored"]["new"].startswith("s2 ")
    assert apply.changed("lxdapi_snapshot.absent", f"{name}/s2") == {"deleted": f"{name}/s2"}
    assert raw(f"{path}/snapshots/s2") is None


@pytest.mark.mainly("incus")
@pytest.mark.parametrize(
    "name, more, words",
    [
        ("s1", {}, "expected INSTANCE/SNAPSHOT or POOL/VOLUME/SNAPSHOT for snapshot name"),
        ("a/b/c/d", {}, "expected INSTANCE/SNAPSHOT or POOL/VOLUME/SNAPSHOT for snapshot name"),
        ("c1/s1", {"description": "x"}, "instance snapshot: unknown field description"),
        ("default/data/s1", {"stateful": True}, "volume snapshot: unknown field stateful"),
    ],
)
def test_invalid_snapshot_is_refused_before_any_request(apply, name, more, words):
    assert words in apply.refused("lxdapi_snapshot.present", name, **more)


def test_rotation_creates_one_and_deletes_only_its_own(apply, owner, names, daemon):
    name, path = owner
    old = [f"lxdapi-2026010{day}T000000Z" for day in (1, 2, 3)]
    for each in [*old, "before", "lxdapi-before-1", "lxdapi-20260101"]:
        daemon.ask("POST", f"/1.0/{path}/snapshots", {"name": each})
    changes = apply.changed("lxdapi_snapshot.rotated", name, daily=3)["snapshots"]
    (made,) = (each for each, change in changes.items() if change["old"] is None)
    assert made == datetime.now(timezone.utc).strftime("lxdapi-%Y%m%dT000000Z")
    assert [each for each, change in changes.items() if change["new"] is None] == old[:1]
    assert names(path) == sorted([*old[1:], made, "before", "lxdapi-before-1", "lxdapi-20260101"])
    assert set(apply.changed("lxdapi_snapshot.rotated", name, keep_last=1)["snapshots"]) == set(old[1:])


@pytest.mark.mainly("lxd")
def test_rotation_of_missing_resource_is_reported(apply, raw):
    for name, words in (("c9", "instance c9 does not exist"), ("default/none", "volume default/none does not exist")):
        predicted = apply.predicted("lxdapi_snapshot.rotated", name, daily=1)
        assert predicted["result"] is None and words in predicted["comment"]
        assert words in apply.failed("lxdapi_snapshot.rotated", name, daily=1)


@pytest.mark.mainly("lxd")
def test_functions_match_states_and_refuse_existing_names(salt, owner, names):
    name, path = owner
    call = lambda verb, *words, **more: salt.modules[f"lxdapi_snapshot.{verb}"](*words, **more)  # noqa: E731
    assert call("create", f"{name}/s1", expires_at="2040-01-31T00:00:00Z") == {"created": f"{name}/s1"}
    with pytest.raises(LxdapiError):
        call("create", f"{name}/s1")
    assert call("list", name)["s1"]["expires_at"] == "2040-01-31T00:00:00Z"
    assert call("expire", f"{name}/s1", "")["expires_at"]["old"] == "2040-01-31T00:00:00Z"
    assert call("list", name)["s1"]["expires_at"] is None
    assert call("restore", f"{name}/s1") and call("restore", f"{name}/s1")
    assert call("rename", f"{name}/s1", "s2") and names(path) == ["s2"]
    assert call("delete", f"{name}/s2") == {"deleted": f"{name}/s2"}
    assert (call("delete", f"{name}/s2"), call("list", name)) == ({}, {})
    with pytest.raises(LxdapiError, match="not found"):
        call("list", "default/none" if "/" in name else "c9")


def changing(api, config, name="c1", **more):
    """Return the steps of the state to change an instance."""
    return declared.present(api, name, {"config": config}, **more)


def broken(words="it broke"):
    """Return a step that fails."""

    def act():
        raise LxdapiError(words)

    return Step("broken", {"broken": {"old": None, "new": True}}, act)


def answer(api, steps, test=False):
    """Return Salt's answer for a change of c1 with a snapshot before it."""
    return run_state("instance", "c1", lambda: snapshots.with_rollback_snapshot(api, "c1", Plan.of(steps)), test=test)


def test_successful_change_keeps_its_rollback_snapshot(apply, api, raw, names):
    apply("lxdapi_instance.present", "c1", source="none", config={"user.a": "1"})
    steps = changing(api, {"user.a": "2"})
    predicted = answer(api, steps, test=True)
    ret = answer(api, steps)
    expiry = (datetime.now(timezone.utc) + timedelta(days=8)).strftime("%Y-%m-%dT00:00:00Z")
    assert (
        ret["changes"]
        == predicted["changes"]
        == {
            "snapshots": {"lxdapi-before-1": {"old": None, "new": expiry}},
            "config": {"user.a": {"old": "1", "new": "2"}},
        }
    )
    assert (predicted["result"], ret["result"]) == (None, True)
    found = raw("instances/c1/snapshots/lxdapi-before-1")
    assert (found["config"]["user.a"], found["expires_at"]) == ("1", expiry)
    assert answer(api, changing(api, {"user.a": "2"})) == {
        **ret,
        "changes": {},
        "comment": "instance c1 is as declared",
    }
    assert list(answer(api, changing(api, {"user.a": "3"}))["changes"]["snapshots"]) == ["lxdapi-before-2"]
    assert names("instances/c1") == ["lxdapi-before-1", "lxdapi-before-2"]


@pytest.mark.mainly("incus7")
def test_concurrent_changes_have_separate_snapshots(apply, api, raw, names):
    apply("lxdapi_instance.present", "c1", source="none", config={"user.a": "1"})
    first, second = (
        snapshots.with_rollback_snapshot(api, "c1", changing(api, {key: "2"})) for key in ("user.a", "user.b")
    )
    assert list(plans.apply(first)["snapshots"]) == ["lxdapi-before-1"]
    assert list(plans.apply(second)["snapshots"]) == ["lxdapi-before-2"] == names("instances/c1")[1:]
    assert (raw("instances/c1")["config"]["user.a"], raw("instances/c1")["config"]["user.b"]) == ("2", "2")


@pytest.mark.parametrize("status", ["Running", pytest.param("Stopped", marks=pytest.mark.mainly("incus"))])
def test_late_failure_restores_files_config_and_power_state(apply, api, imported, raw, names, daemon, status):
    declared = {"description": "web", "config": {"user.a": "1"}}
    apply("lxdapi_instance.present", "c1", source="busybox", running=status == "Running", **declared)
    headers = {f"X-{api.dialect}-type": "file"}
    write = lambda text: daemon.request("POST", "/1.0/instances/c1/files?path=/mark", text, headers)  # noqa: E731
    write(b"before")
    files = Step("written", {"files": {"old": 1, "new": 2}}, lambda: write(b"after") and None)
    other = "Stopped" if status == "Running" else "Running"
    status_steps = power.plan_transition(api, "c1", status, other)
    ret = answer(api, [*status_steps, files, *changing(api, {"user.a": "2", "user.b": "1"}), broken()])
    assert (ret["result"], ret["changes"]) == (False, {}), ret
    words = f"it broke; it was restored from the snapshot made before, and is {status} again"
    assert ret["comment"] == f"instance c1 could not be updated: {words}"
    found = raw("instances/c1")
    assert (found["status"], found["description"]) == (status, "web")
    assert (found["config"]["user.a"], found["config"].get("user.b")) == ("1", None)
    assert daemon.request("GET", "/1.0/instances/c1/files?path=/mark")[1] == b"before"
    assert names("instances/c1") == []
    apply.unchanged("lxdapi_instance.present", "c1", running=status == "Running", **declared)


@pytest.mark.mainly("incus")
def test_a_change_that_the_daemon_refuses_stops_nothing(apply, api, imported, raw, names):
    apply("lxdapi_instance.present", "c1", source="busybox", running=True)
    pid = raw("instances/c1/state")["pid"]
    ret = answer(api, changing(api, {"limits.cpu": "lots"}))
    assert (ret["result"], ret["changes"]) == (False, {})
    assert re.search(r"could not be updated: .*Invalid CPU limit.*; nothing was changed$", ret["comment"], re.DOTALL), (
        ret
    )
    assert (raw("instances/c1/state")["pid"], names("instances/c1")) == (pid, [])


@pytest.mark.mainly("incus7")
def test_start_or_no_change_needs_no_snapshot(apply, api, imported, names):
    apply("lxdapi_instance.present", "c1", source="busybox")
    start, wait = power.plan_transition(api, "c1", "Stopped", "Running"), [Step("waited", {}, lambda: None)]
    for harmless in map(Plan.of, ([], start, wait)):
        assert snapshots.with_rollback_snapshot(api, "c1", harmless) is harmless


@pytest.mark.mainly("lxd")
def test_failed_rollback_is_reported_and_snapshot_stays(apply, api, imported, raw, names, proxy):
    apply("lxdapi_instance.present", "c1", source="busybox", running=True)
    proxy.arm("status", method="PUT", path=r"/1\.0/instances/c1($|\?)", status=500, error="In use")
    steps = [*power.plan_transition(api, "c1", "Running", "Stopped"), broken()]
    ret = answer(api, steps)
    assert "it could not be restored from the snapshot lxdapi-before-1, which stays: In use" in ret["comment"], ret
    assert "it is Stopped now" in ret["comment"]
    assert list(ret["changes"]["snapshots"]) == ["lxdapi-before-1"] == names("instances/c1")
    assert ret["changes"]["status"] == {"old": "Running", "new": "Stopped"}


@pytest.mark.mainly("incus")
def test_failed_snapshot_prevents_the_change(apply, api, raw, proxy):
    apply("lxdapi_instance.present", "c1", source="none", config={"user.a": "1"})
    steps = changing(api, {"user.a": "2"})
    proxy.arm("status", method="POST", path=r".*/snapshots", status=500, error="no space left on device")
    ret = answer(api, steps)
    assert (ret["result"], ret["changes"]) == (False, {}) and "no space left on device" in ret["comment"]
    assert raw("instances/c1")["config"]["user.a"] == "1"
    assert objects.read(api, plan.KIND, "c1").metadata["status"] == "Stopped"
