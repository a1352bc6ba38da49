"""
A full disk, a daemon that has just started, and an instance whose settings keep it from starting.
"""

import os
import subprocess
import tempfile
import time

import pytest

from tests.support.daemons import until
from tests.support.loader import Loaded

MIB = 1024 * 1024


@pytest.fixture
def small(daemon):
    """Create a storage pool "small" of this size and return its folder."""
    folder = tempfile.mkdtemp(prefix="lxsmall", dir="/tmp")
    inside = ["nsenter", f"--mount=/proc/{daemon.pid}/ns/mnt"]
    mounted = []

    def make(size):
        subprocess.run([*inside, "mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True)
        mounted.append(folder)
        daemon.ask("POST", "/1.0/storage-pools", {"name": "small", "driver": "dir", "config": {"source": folder}})
        return folder

    yield make
    daemon.wipe()
    for each in mounted:
        subprocess.run([*inside, "umount", "-l", each], check=True)
    os.rmdir(folder)


@pytest.fixture
def files_in(daemon):
    """Return the paths of all files below a folder, as the daemon sees it."""

    def files(folder):
        command = ["nsenter", f"--mount=/proc/{daemon.pid}/ns/mnt", "find", folder, "-type", "f"]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()

    return files


ROOT = {"root": {"type": "disk", "path": "/", "pool": "small"}}


@pytest.mark.mainly("incus")
def test_create_on_full_disk_fails_and_leaves_nothing(apply, imported, raw, small, files_in):
    folder = small(MIB)
    comment = apply.failed("lxdapi_instance.present", "c1", source="busybox", devices=ROOT, running=True)
    assert "could not be created: " in comment
    assert "pace" in comment
    assert raw("instances/c1") is None
    assert files_in(folder) == []


@pytest.mark.mainly("lxd")
def test_snapshot_on_full_disk_fails_and_leaves_nothing(apply, imported, raw, small, files_in):
    folder = small(3 * MIB)
    apply.changed("lxdapi_instance.present", "c1", source="busybox", devices=ROOT)
    before = files_in(folder)
    comment = apply.failed("lxdapi_instance_snapshot.present", "c1/s0")
    assert "could not be created: " in comment
    assert "pace" in comment
    assert raw("instances/c1/snapshots/s0") is None
    assert files_in(folder) == before
    apply.unchanged("lxdapi_instance.present", "c1", devices=ROOT)


@pytest.mark.mainly("incus7")
def test_autostarting_instance_is_not_started_twice(apply, daemon, imported, raw, tmp_path):
    salt = Loaded(tmp_path / "direct", {"local": {"endpoint": daemon.socket, "timeout": 30}})
    state = lambda: salt.states["lxdapi_instance.running"](name="c1")  # noqa: E731
    apply("lxdapi_instance.present", "c1", source="busybox", config={"boot.autostart": True}, running=True)
    assert state()["result"] is True
    for _ in range(2):
        daemon.stop()
        assert not os.path.exists(daemon.socket)
        daemon.launch()
        ret = state()
        assert (ret["result"], ret["changes"]) == (True, {}), ret
        assert raw("instances/c1")["status"] == "Running"
        daemon.start()


def test_failed_start_is_fast_and_repaired_instance_starts(apply, imported, raw):
    broken = {"raw.lxc": "lxc.rootfs.path = /nope"}
    began = time.monotonic()
    ret = apply("lxdapi_instance.present", "c1", source="busybox", config=broken, running=True)
    assert time.monotonic() - began < 30
    assert (ret["result"], ret["changes"]) == (False, {"created": "c1"}), ret
    assert "could not be started" in ret["comment"]
    # the daemon cleans up for some more seconds
    ret = apply("lxdapi_instance.present", "c1", config={"raw.lxc": None}, running=True)
    assert ret["result"] is True, ret
    assert raw("instances/c1")["status"] == "Running"
    apply.unchanged("lxdapi_instance.present", "c1", running=True)


@pytest.mark.mainly("incus")
def test_an_instance_that_failed_to_start_can_be_deleted_at_once(apply, imported, raw):
    broken = {"raw.lxc": "lxc.rootfs.path = /nope"}
    apply("lxdapi_instance.present", "c1", source="busybox", config=broken, running=True)
    ret = apply("lxdapi_instance.absent", "c1", force=True)
    assert ret["result"] is True, ret
    assert until(lambda: raw("instances/c1") is None, 1)
