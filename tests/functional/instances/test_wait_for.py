"""
Waiting for conditions of an instance, and the error if they are not met.
"""

import threading

import pytest
from salt.exceptions import CommandExecutionError

CLOUD_INIT = "#!/bin/sh\ncat /mnt/status\ngrep -q error /mnt/status && exit 1\nexit 0\n"


@pytest.fixture
def run(salt, c1):
    """Run a command in the container."""
    return lambda command: salt.modules["lxdapi_instance.run"](c1, command)


@pytest.fixture
def wait(salt, c1):
    """Wait for a condition of the container."""
    return lambda what, **limit: salt.modules["lxdapi_instance.wait_for"](c1, what, **limit)


@pytest.fixture
def missed(wait):
    """Return the error of a wait that fails."""

    def called(what, timeout=0.2):
        with pytest.raises(CommandExecutionError) as caught:
            wait(what, timeout=timeout)
        return str(caught.value)

    return called


def test_condition_already_met_is_not_awaited(daemon, c1, wait, missed, run, proxy):
    assert wait([{"agent": True, "ready": True}, {"ready": True, "timeout": 5}], timeout=0)
    assert proxy.writes() == []
    daemon.ask("POST", "/1.0/networks", {"name": "br0", "config": {"ipv4.address": "none", "ipv6.address": "none"}})
    nic = {"eth0": {"type": "nic", "network": "br0", "name": "eth0"}}
    assert daemon.request("PATCH", "/1.0/instances/c1", {"devices": nic})[0] in (200, 202)
    run("ip link set lo up; ip addr add 127.0.0.1/8 dev lo")
    words = missed({"ipv4": "eth0"})
    assert (
        "no IPv4 address on eth0 after 0.2 s; last observed: " in words
        and "lo: 127.0.0.1" in words
        and "eth0: none" in words
    )
    late = threading.Timer(0.2, lambda: run("ip link set eth0 up; ip addr add 10.99.0.7/24 dev eth0"))
    late.start()
    assert wait({"ipv4": "eth0"}, timeout=20)
    late.join()
    assert "10.99.0.7" in missed({"ipv6": "eth0"})
    run("ip addr add fd00::7/64 dev eth0 nodad || ip addr add fd00::7/64 dev eth0")
    assert wait([{"ipv4": "eth0", "ipv6": "eth0"}], timeout=20)
    assert "eth9" in missed({"ipv4": "eth9"}) and "address on lo" in missed({"ipv4": "lo"})


@pytest.mark.mainly("lxd")
def test_command_port_and_cloud_init_are_checked_inside(wait, missed, run, salt):
    assert "exit code 1: not yet" in missed({"cmd": "test -e /mnt/x || { echo not yet; exit 1; }"})
    late = threading.Timer(0.2, lambda: run("touch /mnt/x; (nc -l -p 8080 >/dev/null 2>&1 &) >/dev/null 2>&1"))
    late.start()
    assert wait([{"cmd": "test -e /mnt/x"}, {"port": 8080}], timeout=20)
    late.join()
    assert "nobody listens on port 81 after 0.2 s; last observed: ports [8080]" in missed({"port": 81})
    assert missed({"cloud-init": True}, timeout=30) == "cloud-init is not installed in the instance"
    salt.modules["lxdapi_instance.exec"](
        "c1", "cat > /bin/cloud-init; chmod 755 /bin/cloud-init; echo status: running > /mnt/status", stdin=CLOUD_INIT
    )
    assert "observed: status: running" in missed({"cloud-init": True})
    late = threading.Timer(0.2, lambda: run("echo status: done > /mnt/status"))
    late.start()
    assert wait({"cloud-init": True}, timeout=20)
    late.join()
    run("printf 'status: error\\ndetail:\\nno such module' > /mnt/status")
    words = missed({"cloud-init": True}, timeout=30)
    assert words.startswith("cloud-init failed: ") and "no such module" in words


@pytest.mark.mainly("incus")
def test_hanging_command_and_missing_instance_are_reported(missed, daemon, salt):
    assert "exit code 137" in missed({"cmd": "exec sleep 60"})
    daemon.ask("PUT", "/1.0/instances/c1/state", {"action": "stop", "force": True})
    assert "is not running" in missed({"cmd": "true"})
    assert "no IPv4 address on eth0" in missed({"ipv4": "eth0"})
    assert "status Stopped" in missed({"ready": True}) and "0 processes" in missed({"agent": True})
    with pytest.raises(CommandExecutionError, match="not found"):
        salt.modules["lxdapi_instance.wait_for"]("nowhere", {"agent": True})
