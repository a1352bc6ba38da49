"""
Snapshots, and the content of instances and volumes after a restore.
"""

from pathlib import Path

import pytest

VOLUME = "storage-pools/default/volumes/custom/data"


@pytest.fixture
def mark(daemon):
    """Write or read the text of a file in c1, past the code under test."""
    path = "/1.0/instances/c1/files?path=/mark"
    prefix = "X-Incus" if daemon.server == "incus" else "X-LXD"

    def mark(text=None):
        if text is not None:
            headers = {f"{prefix}-type": "file", f"{prefix}-write": "overwrite"}
            status, reply = daemon.request("POST", path, text.encode(), headers)
            assert status == 200, reply
        status, content = daemon.request("GET", path)
        assert status == 200, content
        return content.decode()

    return mark


@pytest.mark.parametrize("running", [True, pytest.param(False, marks=pytest.mark.mainly("incus7"))])
def test_restore_brings_back_files_config_and_power_state(apply, imported, raw, mark, running):
    declared = {"description": "one", "config": {"user.a": "1"}}
    apply("lxdapi_instance.present", "c1", source="busybox", running=running, **declared)
    mark("before")
    apply.changed("lxdapi_instance_snapshot.present", "c1/snap0")
    made = raw("instances/c1/snapshots/snap0")["created_at"]
    mark("after")
    apply("lxdapi_instance.present", "c1", config={"user.a": "2", "user.b": "3"})
    changes = apply.changed("lxdapi_instance_snapshot.restored", "c1/snap0")
    assert changes == {"restored": {"old": None, "new": f"snap0 {made}"}}
    found = raw("instances/c1")
    assert mark() == "before"
    assert (found["status"], found["description"]) == ("Running" if running else "Stopped", "one")
    assert (found["config"]["user.a"], found["config"].get("user.b")) == ("1", None)
    mark("later")
    apply("lxdapi_instance.present", "c1", config={"user.a": "4"})
    apply.unchanged("lxdapi_instance_snapshot.restored", "c1/snap0")
    assert mark() == "later"


@pytest.mark.mainly("incus")
def test_newer_snapshot_of_same_name_is_restored(apply, daemon, raw):
    apply("lxdapi_instance.present", "c1", source="none")
    apply("lxdapi_instance_snapshot.present", "c1/snap0")
    first = apply.changed("lxdapi_instance_snapshot.restored", "c1/snap0")["restored"]["new"]
    apply("lxdapi_instance_snapshot.absent", "c1/snap0")
    apply("lxdapi_instance_snapshot.present", "c1/snap0")
    second = apply.changed("lxdapi_instance_snapshot.restored", "c1/snap0")["restored"]
    assert second["old"] == first != second["new"]
    assert raw("instances/c1")["config"]["user.lxdapi.restored"] == second["new"]


@pytest.mark.mainly("lxd")
@pytest.mark.parametrize(
    "function, name",
    [
        ("lxdapi_instance_snapshot", "c1/snap0"),
        ("lxdapi_volume_snapshot", "default/data/snap0"),
    ],
)
def test_restore_of_future_snapshot_is_predicted(apply, daemon, function, name):
    predicted = apply.predicted(f"{function}.restored", name)
    assert (predicted["result"], predicted["changes"]) == (None, {"restored": {"old": None, "new": name}})
    assert predicted["comment"].endswith("it does not exist yet")
    comment = apply.failed(f"{function}.restored", name)
    assert "not found" in comment.lower()


def test_missing_parent_has_no_snapshots(apply, daemon):
    for function, name in (("lxdapi_instance_snapshot", "c1/a"), ("lxdapi_volume_snapshot", "default/data/a")):
        apply.unchanged(f"{function}.absent", name)
        comment = apply.failed(f"{function}.present", name)
        assert "could not be created" in comment and "POST /1.0/" in comment


def test_volume_is_restored_and_keeps_its_description(apply, daemon, raw):
    apply("lxdapi_storage_volume.present", "default/data", description="one", config={"user.a": "1"})
    file = Path(daemon.directory) / "storage-pools/default/custom/default_data/mark"
    file.write_text("before")
    apply.changed("lxdapi_volume_snapshot.present", "default/data/snap0", description="as it was")
    made = raw(f"{VOLUME}/snapshots/snap0")["created_at"]
    file.write_text("after, and longer")
    changes = apply.changed("lxdapi_volume_snapshot.restored", "default/data/snap0")
    assert changes == {"restored": {"old": None, "new": f"snap0 {made}"}}
    assert file.read_text() == "before"
    found = raw(VOLUME)
    assert (found["description"], found["config"]["user.a"]) == ("one", "1")
    file.write_text("later")
    apply.unchanged("lxdapi_volume_snapshot.restored", "default/data/snap0")
    assert file.read_text() == "later"


@pytest.mark.mainly("lxd")
def test_volume_of_running_instance_is_not_restored(apply, imported, raw):
    apply("lxdapi_storage_volume.present", "default/data")
    apply("lxdapi_volume_snapshot.present", "default/data/snap0")
    disk = {"type": "disk", "pool": "default", "source": "data", "path": "/data"}
    apply("lxdapi_instance.present", "c1", source="busybox", devices={"data": disk}, running=True)
    comment = apply.failed("lxdapi_volume_snapshot.restored", "default/data/snap0")
    assert "volume snapshot default/data/snap0 could not be restored: " in comment
    assert f"PUT /1.0/{VOLUME}" in comment
    assert "user.lxdapi.restored" not in raw(VOLUME)["config"]


def test_stateful_snapshot_of_stopped_instance_is_refused(apply, daemon, raw):
    apply("lxdapi_instance.present", "c1", source="none")
    comment = apply.failed("lxdapi_instance_snapshot.present", "c1/snap0", stateful=True)
    assert "instance snapshot c1/snap0 could not be created: " in comment
    assert "POST /1.0/instances/c1/snapshots" in comment
    assert raw("instances/c1/snapshots/snap0") is None


@pytest.mark.mainly("incus")
def test_invalid_time_or_name_is_refused_before_any_request(apply, daemon):
    for function, name in (("lxdapi_instance_snapshot", "c1/a"), ("lxdapi_volume_snapshot", "default/data/a")):
        for text in ("tomorrow", "2040-13-01T00:00:00Z", "3d"):
            assert "expected a time (2030-01-31T00:00:00Z) for expires_at" in apply.refused(
                f"{function}.present", name, expires_at=text
            )
    for function, name, words in (
        ("lxdapi_instance_snapshot", "c1", "expected INSTANCE/NAME for instance snapshot name"),
        ("lxdapi_instance_snapshot", "c1/a/b", "expected INSTANCE/NAME for instance snapshot name"),
        (
            "lxdapi_volume_snapshot",
            "default/data",
            "expected STORAGE_POOL/STORAGE_VOLUME/NAME for volume snapshot name",
        ),
        ("lxdapi_instance_snapshot", "c1/..", "is not valid"),
        ("lxdapi_volume_snapshot", "default//a", "is not valid"),
    ):
        assert words in apply.refused(f"{function}.present", name)


def test_volume_snapshot_has_the_declared_description(apply, daemon, raw):
    apply("lxdapi_storage_volume.present", "default/data", description="of the volume")
    apply.changed("lxdapi_volume_snapshot.present", "default/data/snap0", description="")
    assert raw(f"{VOLUME}/snapshots/snap0")["description"] == ""
    apply.changed("lxdapi_volume_snapshot.present", "default/data/snap1")
    assert raw(f"{VOLUME}/snapshots/snap1")["description"] == "of the volume"
