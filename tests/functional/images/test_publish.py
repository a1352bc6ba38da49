"""
Images published from instances and snapshots, and their export to files.
"""

import hashlib
import os
import stat
import subprocess

import pytest
from lxdapi.errors import LxdapiError

from tests.support.images import split_image


@pytest.fixture
def instance(apply, imported):
    """A stopped instance."""
    apply("lxdapi_instance.present", "c1", source="busybox")
    return "c1"


def test_an_instance_becomes_an_image_once(apply, instance, raw):
    declared = {"instance": "c1", "properties": {"owner": "web"}, "expires_at": "2031-01-31", "compression": "none"}
    changes = apply.changed("lxdapi_image.published", "golden", **declared)
    assert changes["published"]["new"].startswith("c1 20")
    made = raw(f"images/{raw('images/aliases/golden')['target']}")
    assert made["properties"]["owner"] == "web"
    assert made["properties"]["lxdapi.published"].startswith(changes["published"]["new"])
    assert (made["expires_at"], made["public"]) == ("2031-01-31T00:00:00Z", False)
    assert apply.changed("lxdapi_image.published", "golden", **{**declared, "public": True})
    apply("lxdapi_instance.present", "c2", source="golden", running=True)
    assert raw("instances/c2")["status"] == "Running"


def test_lost_alias_is_restored_without_new_image(apply, instance, daemon, raw):
    apply("lxdapi_image.published", "golden", instance="c1")
    target = raw("images/aliases/golden")["target"]
    daemon.ask("DELETE", "/1.0/images/aliases/golden")
    changes = apply.changed("lxdapi_image.published", "golden", instance="c1", aliases=["more"])
    assert set(changes) == {"aliases"} and raw("images/aliases/more")["target"] == target


@pytest.mark.parametrize("delete_old", [False, True])
def test_recreated_snapshot_becomes_another_image(apply, instance, daemon, raw, delete_old):
    daemon.ask("POST", "/1.0/instances/c1/snapshots", {"name": "s"})
    declared = {"instance": "c1/s", "compression": "none", "delete_old": delete_old}
    first = apply.changed("lxdapi_image.published", "golden", **declared)["published"]
    old = raw("images/aliases/golden")["target"]
    daemon.ask("DELETE", "/1.0/instances/c1/snapshots/s")
    daemon.ask("POST", "/1.0/instances/c1/snapshots", {"name": "s"})
    changes = apply.changed("lxdapi_image.published", "golden", **declared)
    assert changes["published"]["old"] == first["new"] != changes["published"]["new"]
    assert raw("images/aliases/golden")["target"] != old
    assert (raw(f"images/{old}") is None) == delete_old == ("deleted" in changes)


def test_running_instance_is_published_only_by_force(apply, imported, raw):
    apply("lxdapi_instance.present", "c1", source="busybox", running=True)
    assert "c1 is Running; set force: true to stop it" in apply.failed(
        "lxdapi_image.published", "golden", instance="c1"
    )
    assert raw("images/aliases/golden") is None
    ret = apply.predicted("lxdapi_image.published", "golden", instance="c1", force=True)
    assert "stopped for the publication" in ret["comment"]
    apply.changed("lxdapi_image.published", "golden", instance="c1", force=True)
    assert raw("instances/c1")["status"] == "Running"


def test_failed_publication_leaves_instance_running(apply, imported, raw):
    apply("lxdapi_instance.present", "c1", source="busybox", running=True)
    declared = {"instance": "c1", "force": True, "compression": "bogus"}
    assert "bogus" in apply.failed("lxdapi_image.published", "golden", **declared)
    assert raw("instances/c1")["status"] == "Running"
    assert len(raw("images")) == 1


@pytest.mark.parametrize(
    "name, words", [("none", "instance none does not exist"), ("c1/none", "instance snapshot c1/none does not exist")]
)
def test_missing_instance_or_snapshot_is_named(apply, salt, instance, name, words):
    assert words in apply.failed("lxdapi_image.published", "golden", instance=name)
    assert words in apply.predicted("lxdapi_image.published", "golden", instance=name)["comment"]


def test_instance_is_published_from_the_command_line(salt, instance, raw):
    digest = salt.modules["lxdapi_image.publish"]("c1", aliases=["golden"], properties={"owner": "x"})
    assert raw("images/aliases/golden")["target"] == digest
    assert raw(f"images/{digest}")["properties"]["owner"] == "x"


def test_image_is_exported_completely_and_private(salt, image, imported, tmp_path):
    path = tmp_path / "out.tar.gz"
    path.write_text("old")
    assert salt.modules["lxdapi_image.export"]("busybox", str(path)) == {"fingerprint": imported, "files": [str(path)]}
    assert path.read_bytes() == image.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    (tmp_path / "d").mkdir()
    assert salt.modules["lxdapi_image.export"](imported, str(tmp_path / "d"))["files"] == [
        str(tmp_path / "d" / imported)
    ]


def test_split_image_is_exported_and_imported(apply, salt, tmp_path):
    metadata, rootfs = split_image(tmp_path)
    apply("lxdapi_image.present", "box", source=str(metadata), rootfs=str(rootfs))
    out = tmp_path / "out"
    found = salt.modules["lxdapi_image.export"]("box", str(out))
    assert found["files"] == [str(out), f"{out}.root"]
    assert out.read_bytes() == metadata.read_bytes()
    assert (tmp_path / "out.root").read_bytes() == rootfs.read_bytes()
    assert found["fingerprint"] == hashlib.sha256(metadata.read_bytes() + rootfs.read_bytes()).hexdigest()


def test_failed_export_keeps_the_old_file(salt, daemon, imported, tmp_path):
    full = tmp_path / "full"
    full.mkdir()
    export = salt.modules["lxdapi_image.export"]
    for path, words in [
        (str(tmp_path / "none" / "x"), "cannot write .*: No such file"),
        ("relative", "absolute path"),
        (5, "absolute path"),
    ]:
        with pytest.raises(Exception, match=words):
            export("busybox", path)
    with pytest.raises(Exception, match="image nope does not exist"):
        export("nope", str(full / "x"))
    assert os.listdir(full) == []


@pytest.mark.mainly("incus")
@pytest.mark.parametrize("split", [False, True])
def test_a_disk_that_is_full_leaves_the_old_file(apply, salt, imported, tmp_path, split):
    name = "busybox"
    if split:
        metadata, rootfs = split_image(tmp_path)
        apply("lxdapi_image.present", "box", source=str(metadata), rootfs=str(rootfs))
        name = "box"
    full = tmp_path / "full"
    full.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", full], check=True)
    try:
        (full / "x").write_bytes(b"old")
        with pytest.raises(LxdapiError, match="cannot write .*: No space left on device"):
            salt.modules["lxdapi_image.export"](name, str(full / "x"))
        assert ((full / "x").read_bytes(), os.listdir(full)) == (b"old", ["x"])
    finally:
        subprocess.run(["umount", full], check=True)
