"""
Packets in OVN networks: instances reach each other, and the uplink reaches them as declared.
"""

import subprocess
from functools import partial

import pytest

from tests.support.daemons import until
from tests.support.ovn import UPLINK

pytestmark = pytest.mark.mainly("incus")

INSTANCE, FORWARD, BALANCER = "lxdapi_instance", "lxdapi_network_forward", "lxdapi_network_load_balancer"
ADDRESSES = {"web1": "10.70.0.11", "web2": "10.70.0.12"}
SECONDS = 30
# the program that busybox's DHCP client runs with its lease
LEASE = 'test "$1" = bound || exit 0; ip address add "$ip/$mask" dev eth0; ip route add default via "$router"'


@pytest.fixture
def instances(daemon, apply, salt, networks, image):
    """Two running instances on ovn0, with addresses from DHCP, which answer HTTP requests with their names."""
    daemon.import_image(image, alias="busybox")
    for name, address in ADDRESSES.items():
        nic = {"type": "nic", "network": "ovn0", "ipv4.address": address}
        apply.changed(f"{INSTANCE}.present", name, source="busybox", devices={"eth0": nic}, running=True)
        without_offload(daemon, name)
        script = f"""
            echo '#!/bin/sh' >/lease; echo '{LEASE}' >>/lease; chmod +x /lease
            ip link set eth0 up
            udhcpc -i eth0 -n -q -t {SECONDS} -T 1 -s /lease
            mkdir /www; hostname >/www/index.html; httpd -p 8080 -h /www
        """
        outcome = salt.modules[f"{INSTANCE}.run_all"](name, script)
        assert outcome["retcode"] == 0, outcome
    return list(ADDRESSES)


@pytest.fixture
def outside(daemon, networks):
    """Return a function that requests a page from the uplink's gateway, and returns it or None."""
    run = daemon.namespaces.run
    run("ethtool", "-K", UPLINK, "tx", "off")
    run("ip", "link", "set", UPLINK, "up")
    run("ip", "address", "add", "10.60.0.1/24", "dev", UPLINK)
    run("ip", "route", "add", "198.51.100.0/24", "dev", UPLINK)

    def get(url):
        try:
            return run("curl", "--silent", "--fail", "--max-time", "5", url).strip()
        except subprocess.CalledProcessError:
            return None

    yield get
    run("ip", "address", "flush", "dev", UPLINK)


def without_offload(daemon, name):
    """Make an instance compute its checksums: the datapath in user space does not complete them."""
    pid = str(daemon.ask("GET", f"/1.0/instances/{name}/state")["pid"])
    subprocess.run(["nsenter", "-t", pid, "-n", "ethtool", "-K", "eth0", "tx", "off"], check=True, capture_output=True)


def reaches(salt, name, address):
    """Wait until an instance reaches an address, and return whether it does."""
    ping = partial(salt.modules[f"{INSTANCE}.run_all"], name, f"ping -c 1 -W 1 {address}")
    return until(lambda: ping()["retcode"] == 0, SECONDS)


def test_instances_of_a_network_reach_each_other(apply, salt, instances):
    for name, address in ADDRESSES.items():
        apply.unchanged(f"{INSTANCE}.running", name, wait_for={"ipv4": "eth0"})
        for other in {*ADDRESSES.values(), "10.70.0.1"} - {address}:
            assert reaches(salt, name, other)


def test_forward_and_balancer_are_reached_from_outside(apply, daemon, instances, outside):
    port = {"protocol": "tcp", "listen_port": "80", "target_port": "8080", "target_address": ADDRESSES["web1"]}
    forward = "ovn0/198.51.100.6"
    apply.changed(f"{FORWARD}.present", forward, ports=[port])
    assert until(lambda: outside("http://198.51.100.6") == "web1", SECONDS)
    apply.changed(f"{FORWARD}.present", forward, ports=[{**port, "target_address": ADDRESSES["web2"]}])
    assert until(lambda: outside("http://198.51.100.6") == "web2", SECONDS)
    if daemon.server == "lxd":
        return
    backends = [{"name": name, "target_address": address, "target_port": "8080"} for name, address in ADDRESSES.items()]
    port = {"protocol": "tcp", "listen_port": "80", "target_backend": instances}
    apply.changed(f"{BALANCER}.present", "ovn0/198.51.100.5", backends=backends, ports=[port])
    seen = set()
    assert until(lambda: seen.add(outside("http://198.51.100.5")) or seen >= set(instances), SECONDS)
