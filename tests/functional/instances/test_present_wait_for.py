"""
``present`` and ``running`` wait for conditions inside, and a failed change is rolled back to a snapshot.
"""

import pytest

from tests.support.images import busybox_image

READY = {"ready": True}


def test_new_instance_is_awaited_and_second_run_is_silent(apply, imported):
    declared = {"source": "busybox", "running": True, "wait_for": READY}
    assert apply.changed("lxdapi_instance.present", "c1", **declared)["created"] == "c1"


def test_running_waits_as_well(apply, imported):
    apply("lxdapi_instance.present", "c1", source="busybox")
    wait_for = [READY, {"cmd": "test -d /proc/1"}]
    assert set(apply("lxdapi_instance.running", "c1", wait_for=wait_for)["changes"]) == {"status"}
    again = apply("lxdapi_instance.running", "c1", wait_for=wait_for)
    assert (again["result"], again["changes"], again["comment"]) == (True, {}, "instance c1 is as declared")


def test_unmet_condition_fails_with_changes_and_last_output(apply, imported, raw):
    declared = {"source": "busybox", "running": True, "wait_for": {"cmd": "echo nearly; false", "timeout": 0.2}}
    ret = apply("lxdapi_instance.present", "c1", **declared)
    assert (ret["result"], set(ret["changes"])) == (False, {"created", "status"})
    assert (
        "is not ready: command 'echo nearly; false' has not succeeded after 0.2 s; last observed: exit code 1: nearly"
        in (ret["comment"])
    )
    assert apply.predicted("lxdapi_instance.present", "c1", **declared)["comment"] == "instance c1 is as declared"
    assert apply.failed("lxdapi_instance.present", "c1", **declared)


@pytest.mark.mainly("incus")
@pytest.mark.parametrize("declared", [{"running": False}, {}])
def test_wait_for_needs_a_running_instance(apply, imported, raw, declared):
    comment = apply.failed("lxdapi_instance.present", "c1", source="busybox", wait_for=READY, **declared)
    assert "wait_for requires a running instance, and this one will be Stopped: declare running: true" in comment
    assert raw("instances/c1") is None


@pytest.mark.mainly("incus")
@pytest.mark.parametrize(
    "wait_for, words",
    [({"ipv5": "eth0"}, "unknown condition ipv5"), (["ready"], "a list of mappings"), ({"port": 0}, "1 to 65535")],
)
def test_invalid_wait_for_is_refused_before_any_request(apply, daemon, wait_for, words):
    for state in ("present", "running"):
        assert words in apply.refused(f"lxdapi_instance.{state}", "c1", wait_for=wait_for)


def test_failed_change_is_rolled_back_from_snapshot(apply, imported, raw):
    apply("lxdapi_instance.present", "c1", source="busybox", config={"user.a": "1"}, running=True)
    good = {"config": {"user.a": "2"}, "snapshot_before": True}
    changes = apply.changed("lxdapi_instance.present", "c1", **good)
    assert set(changes) == {"config", "snapshots"}
    (name,) = changes["snapshots"]
    assert raw(f"instances/c1/snapshots/{name}")["config"]["user.a"] == "1"
    bad = {"config": {"user.a": "3", "limits.cpu": "lots"}, "snapshot_before": True}
    ret = apply("lxdapi_instance.present", "c1", **bad)
    assert (ret["result"], ret["changes"]) == (False, {}), ret
    assert "nvalid" in ret["comment"]
    found = raw("instances/c1")
    assert (found["status"], found["config"]["user.a"]) == ("Running", "2")
    assert raw("instances/c1/snapshots?recursion=1")[0]["name"].endswith(name)
    assert len(raw("instances/c1/snapshots")) == 1


@pytest.fixture
def newer(daemon, tmp_path):
    """Import another image, point the alias at it, and return its fingerprint."""

    def made():
        fingerprint = daemon.import_image(busybox_image(tmp_path / "newer.tar.gz", os="newer"))
        daemon.ask("PUT", "/1.0/images/aliases/busybox", {"target": fingerprint})
        return fingerprint

    return made


def test_instance_of_older_image_is_reported_or_rebuilt(apply, imported, newer, raw, daemon):
    declared = {"source": "busybox", "config": {"user.a": "1"}, "running": True}
    apply("lxdapi_instance.present", "c1", **declared)
    apply.unchanged("lxdapi_instance.present", "c1", image_changed="rebuild", **declared)
    fingerprint = newer()
    apply.unchanged("lxdapi_instance.present", "c1", **declared)
    comment = apply.unchanged("lxdapi_instance.present", "c1", image_changed="report", **declared)["comment"]
    assert imported in comment and fingerprint in comment and "image_changed: rebuild" in comment
    if "instances_rebuild" not in daemon.ask("GET", "/1.0")["api_extensions"]:
        words = apply.failed("lxdapi_instance.present", "c1", image_changed="rebuild", **declared)
        assert "lacks the API extension instances_rebuild" in words
        return
    changes = apply.changed("lxdapi_instance.present", "c1", image_changed="rebuild", **declared)
    assert changes == {"image": {"old": imported, "new": fingerprint}}
    found = raw("instances/c1")
    assert (found["status"], found["config"]["user.a"]) == ("Running", "1")
    assert found["config"]["volatile.base_image"] == fingerprint


@pytest.mark.mainly("incus")
def test_rebuild_with_snapshot_before_is_refused(apply, imported, newer, raw):
    declared = {"source": "busybox", "snapshot_before": True, "image_changed": "rebuild"}
    apply("lxdapi_instance.present", "c1", source="busybox")
    newer()
    assert "the daemon cannot rebuild an instance with snapshots" in apply.failed(
        "lxdapi_instance.present", "c1", **declared
    )
    assert raw("instances/c1/snapshots") == []
    assert "expected one of ignore, report, rebuild for image_changed" in apply.failed(
        "lxdapi_instance.present", "c1", image_changed="x"
    )
