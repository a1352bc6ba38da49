"""
OVN networks and their uplink.
"""

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
