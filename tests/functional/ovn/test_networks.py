"""
OVN networks and their uplink.
"""

import subprocess

import pytest

from tests.functional.ovn.conftest import UPLINK_CONFIG

PRESENT, ABSENT = "lxdapi_network.present", "lxdapi_network.absent"


def test_life_of_an_uplink_and_its_network(apply, daemon, raw, subnet):
    assert apply.changed(PRESENT, "uplink", type="physical", config=UPLINK_CONFIG) == {"created": "uplink"}
    declared = {**subnet(0), "user.a": "1"}
    assert apply.changed(PRESENT, "ovn0", type="ovn", config=declared) == {"created": "ovn0"}
    assert raw("networks/ovn0")["config"].items() >= declared.items()
    changes = apply.changed(PRESENT, "ovn0", config={"user.a": None, "dns.domain": "shop.test"})
    assert changes["config"]["user.a"] == {"old": "1", "new": None}
    apply.unchanged(PRESENT, "ovn0", config={"ipv6.address": "FD70:0::1/64", "ipv4.nat": "yes"})
    routes = {"ipv4.routes": "198.51.100.0/24,203.0.113.0/24"}
    assert set(apply.changed(PRESENT, "uplink", config=routes)["config"]) == set(routes)
    assert "type is 'ovn' and cannot be changed to 'bridge'" in apply.failed(PRESENT, "ovn0", type="bridge")
    assert "it is used by networks/ovn0" in apply.predicted(ABSENT, "uplink")["comment"]
    for name in ("ovn0", "uplink"):
        assert apply.changed(ABSENT, name) == {"deleted": name}


def test_empty_config_keeps_what_the_network_requires(apply, networks, raw, subnet):
    apply.changed(PRESENT, "ovn0", config={"user.a": "1"})
    assert "user.a" in apply.changed(PRESENT, "ovn0", config={})["config"]
    assert raw("networks/ovn0")["config"].items() >= subnet(0).items()
    assert "parent" not in apply.changed(PRESENT, "uplink", config={})["config"]
    assert raw("networks/uplink")["config"]["parent"] == UPLINK_CONFIG["parent"]


@pytest.mark.mainly("incus")
def test_refused_network_leaves_nothing(apply, daemon, raw, subnet):
    comment = apply.failed(PRESENT, "ovn0", type="ovn", config=subnet(0))
    assert comment.startswith("network ovn0 could not be created: ")
    assert raw("networks/ovn0") is None


BRIDGE_CONFIG = {
    "ipv4.address": "10.61.0.1/24",
    "ipv4.dhcp.ranges": "10.61.0.2-10.61.0.99",
    "ipv4.ovn.ranges": "10.61.0.100-10.61.0.199",
    "ipv6.address": "none",
}


@pytest.fixture
def bridge(apply, daemon):
    """
    The bridge "br0". Incus connects it to OVN by a bridge of Open vSwitch, which must become one in user space as soon
    as it exists.
    """
    apply.changed(PRESENT, "br0", type="bridge", config=BRIDGE_CONFIG)
    query = {"database": "global", "query": "SELECT id FROM networks WHERE name = 'br0'"}
    ((number,),) = daemon.ask("POST", "/internal/sql", query)["Results"][0]["rows"]
    name = f"{daemon.server}ovn{number}"
    wait = ["ovs-vsctl", "--no-wait", "wait-until", "bridge", name]
    change = ["set", "bridge", name, "datapath_type=netdev"]
    with subprocess.Popen(daemon.ovn.entered([*wait, "--", *change])) as watching:
        yield "br0"
        watching.terminate()


@pytest.mark.mainly("incus")
def test_bridge_is_the_uplink_of_a_network(apply, daemon, bridge, raw, subnet):
    declared = {**subnet(0), "network": bridge}
    assert apply.changed(PRESENT, "ovn0", type="ovn", config=declared) == {"created": "ovn0"}
    found = raw("networks/ovn0")["config"]
    assert found.items() >= declared.items() and found["volatile.network.ipv4.address"] == "10.61.0.100"
    assert raw("networks/br0")["used_by"] == ["/1.0/networks/ovn0"]
    assert "it is used by networks/ovn0" in apply.predicted(ABSENT, bridge)["comment"]
    changes = apply.changed(PRESENT, bridge, config={"ipv4.ovn.ranges": "10.61.0.100-10.61.0.150", "user.a": "1"})
    assert set(changes["config"]) == {"ipv4.ovn.ranges", "user.a"}
    for name in ("ovn0", bridge):
        assert apply.changed(ABSENT, name) == {"deleted": name}
