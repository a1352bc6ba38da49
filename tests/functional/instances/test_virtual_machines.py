"""
Virtual machines, with an emulated processor and without an agent inside: see vm_daemon.py.
"""

import pytest
from lxdapi.errors import LxdapiError

from tests.support.loader import Loaded
from tests.support.processes import Process
from tests.support.two_daemons import STATE, WAY, essence, found, snapshots
from tests.support.vm_daemon import CONFIG, ROOT, VmDaemon

MACHINE = {"source": "none", "type": "vm", "devices": ROOT, "config": CONFIG}
NO_AGENT = "VM agent isn't currently running"


@pytest.fixture(scope="module")
def daemon(request):
    """A daemon with support for virtual machines; the tests share its instances."""
    started = VmDaemon.in_new_directory(request.param)
    try:
        yield started.start().preseed()
        started.wipe()
    finally:
        started.stop()
        started.remove()


@pytest.fixture
def v2(apply):
    """A running machine, the same in each test."""
    apply("lxdapi_instance.present", "v2", **MACHINE, running=True)
    return "v2"


@pytest.mark.mainly("lxd")
def test_machine_with_failed_first_start_keeps_its_data(daemon, apply):
    broken = {**MACHINE, "config": {**CONFIG, "raw.qemu": "-cpu nope"}, "running": True}
    ret = Process(lambda: apply("lxdapi_instance.present", "v1", **broken)).result()
    assert (ret["result"], ret["changes"]) == (False, {"created": "v1"}), ret
    assert "; qemu.log: qemu-system-x86_64: unable to find CPU model 'nope'" in ret["comment"], ret
    machine = daemon.ask("GET", "/1.0/instances/v1")["config"]["volatile.uuid"]
    ret = apply("lxdapi_instance.present", "v1", **MACHINE, running=True)
    assert ret["result"] is True, ret
    assert ret["changes"]["status"] == {"old": "Stopped", "new": "Running"}
    assert "deleted" not in ret["changes"]
    actual = daemon.ask("GET", "/1.0/instances/v1")
    assert (actual["status"], actual["config"]["volatile.uuid"]) == ("Running", machine)
    apply.unchanged("lxdapi_instance.present", "v1", **MACHINE, running=True)


@pytest.mark.mainly("incus7")
def test_machine_changes_its_power_state(apply, v2):
    changes = apply.changed("lxdapi_instance.frozen", v2)
    assert changes == {"status": {"old": "Running", "new": "Frozen"}}
    apply.changed("lxdapi_instance.running", v2)
    changes = apply.changed("lxdapi_instance.stopped", v2, timeout=0, force=True)
    assert changes["status"] == {"old": "Running", "new": "Stopped"}


@pytest.mark.mainly("incus7")
def test_command_without_an_agent_fails_with_the_reason(apply, salt, v2):
    with pytest.raises(LxdapiError, match=NO_AGENT):
        salt.modules["lxdapi_instance.exec"](v2, "true")
    for condition in ({"cmd": "true"}, {"port": 80}, {"cloud-init": True}):
        assert NO_AGENT in apply.failed("lxdapi_instance.running", v2, wait_for={**condition, "timeout": 0})
    comment = apply.failed("lxdapi_instance.running", v2, wait_for={"agent": True, "timeout": 0})
    assert "its agent does not answer (processes: -1)" in comment
    comment = apply.failed("lxdapi_file.managed", "/etc/motd", instance=v2, contents="x")
    assert NO_AGENT in comment
    assert salt.modules["lxdapi_instance.metrics"](v2)["processes"] == 0


@pytest.mark.mainly("incus7")
def test_machine_is_edited_copied_and_restored(apply, daemon, v2):
    apply.changed("lxdapi_instance.present", v2, config={"user.a": "1"}, description="one", running=True)
    apply.changed("lxdapi_snapshot.present", f"{v2}/before")
    apply("lxdapi_instance.stopped", v2, timeout=0, force=True)
    changes = apply.changed(
        "lxdapi_instance.present",
        v2,
        config={"user.a": "2", "limits.memory": "96MiB"},
        devices={"root": {"size": "80MiB"}},
    )
    assert set(changes) == {"config", "devices"}
    assert "cannot be changed" in apply.failed("lxdapi_instance.present", v2, type="container")
    for name, source in (("v3", v2), ("v4", f"{v2}/before")):
        apply.changed("lxdapi_instance.present", name, source={"type": "copy", "source": source})
    copies = [found(daemon, name)["config"]["user.a"] for name in ("v3", "v4")]
    assert (copies, found(daemon, "v3")["type"]) == (["2", "1"], "virtual-machine")
    apply.changed("lxdapi_instance_snapshot.restored", f"{v2}/before")
    assert found(daemon, v2)["config"]["user.a"] == "1"
    apply.changed("lxdapi_instance.absent", "v3")


@pytest.mark.mainly("incus7")
def test_backup_of_a_machine_is_imported(apply, daemon, v2, tmp_path):
    path = str(tmp_path / "v2.tar.gz")
    apply("lxdapi_instance.stopped", v2, timeout=0, force=True)
    apply.changed("lxdapi_instance.exported", v2, path=path, compression="none")
    apply.changed("lxdapi_instance.present", "v5", source={"type": "backup", "path": path}, running=True)
    assert found(daemon, "v5")["type"] == "virtual-machine"


@pytest.mark.mainly("incus7")
def test_stopped_machine_is_migrated(daemon, v2, apply, tmp_path, watched):
    apply("lxdapi_snapshot.present", f"{v2}/kept")
    apply("lxdapi_instance.stopped", v2, timeout=0, force=True)
    before, kept = essence(found(daemon, v2)), snapshots(daemon, v2)
    target = VmDaemon.in_new_directory(daemon.name)
    try:
        target.start().preseed()
        remotes = {"here": {"endpoint": daemon.socket}, "there": {"endpoint": target.socket}}
        ret = Loaded(tmp_path / "two", remotes).states[STATE](name=v2, **WAY)
        assert ret["result"] is True, ret
        assert (essence(found(target, v2)), snapshots(target, v2)) == (before, kept)
        assert found(daemon, v2) is None
    finally:
        target.stop()
        target.remove()


@pytest.mark.mainly("lxd")
def test_running_machine_is_refused_what_needs_a_restart(apply, v2):
    comment = apply.failed("lxdapi_instance.present", v2, config={"limits.disk.priority": 7})
    assert "cannot be updated when VM is running" in comment
    note = "limits.disk.priority requires a restart of the virtual machine (set restart_on_change: true to restart now)"
    assert comment.endswith(f"; {note}"), comment
    ret = apply("lxdapi_instance.present", v2, config={"limits.cpu": 2, "security.secureboot": True})
    note = "security.secureboot requires a restart of the virtual machine (set restart_on_change: true to restart now)"
    assert ret["result"] is True and ret["comment"].endswith(f"; {note}"), ret
