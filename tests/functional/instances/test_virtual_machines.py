"""
Virtual machines, with an emulated processor and without an agent inside: see vm_daemon.py.
"""

import pytest

from tests.support.loader import Loaded
from tests.support.processes import Process
from tests.support.vm_daemon import CONFIG, ROOT, VmDaemon

# Incus 7.0.2 runs in its own root file system, which has no QEMU.
KINDS = ("lxd", "incus")


def pytest_generate_tests(metafunc):
    """Run a test with each of these daemons that is selected."""
    kinds = [kind for kind in metafunc.config.getoption("--daemon") if kind in KINDS]
    metafunc.parametrize("machines", kinds, indirect=True)


@pytest.fixture(scope="module")
def machines(request):
    """A daemon with support for virtual machines, and without any instances."""
    daemon = VmDaemon.in_new_directory(request.param)
    try:
        yield daemon.start().preseed()
        daemon.wipe()
    finally:
        daemon.stop()
        daemon.remove()


def test_machine_with_failed_first_start_keeps_its_data(machines, tmp_path):
    state = Loaded(tmp_path, {"local": {"endpoint": machines.socket}}).states["lxdapi_instance.present"]
    declared = {"name": "v1", "source": "none", "type": "vm", "devices": ROOT}
    broken = {**declared, "config": {**CONFIG, "raw.qemu": "-nonsense"}, "running": True}
    ret = Process(lambda: state(**broken)).result()
    assert (ret["result"], ret["changes"]) == (False, {"created": "v1"}), ret
    machine = machines.ask("GET", "/1.0/instances/v1")["config"]["volatile.uuid"]
    ret = state(**declared, config=CONFIG, running=True)
    assert ret["result"] is True, ret
    assert ret["changes"]["status"] == {"old": "Stopped", "new": "Running"}
    assert "deleted" not in ret["changes"]
    found = machines.ask("GET", "/1.0/instances/v1")
    assert (found["status"], found["config"]["volatile.uuid"]) == ("Running", machine)
    assert (state(**declared, config=CONFIG, running=True)["changes"]) == {}
