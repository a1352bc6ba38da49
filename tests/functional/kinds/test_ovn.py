"""
Resources of OVN networks on machines without OVN: errors in the daemon's words, and no partial changes.
"""

import pytest

BALANCER, PEER = "lxdapi_network_load_balancer", "lxdapi_network_peer"
TO_WEB = {
    "backends": [{"name": "web1", "target_address": "10.77.9.5", "target_port": "80"}],
    "ports": [{"protocol": "tcp", "listen_port": "80", "target_backend": ["web1"]}],
}


@pytest.fixture
def bridge(daemon):
    """A network that supports neither load balancers nor peers."""
    config = {"ipv4.address": "10.77.9.1/24", "ipv6.address": "none"}
    daemon.ask("POST", "/1.0/networks", {"name": "lxdapi9", "config": config})
    return "lxdapi9"


def test_bridge_refuses_load_balancers_and_peers(apply, bridge, daemon):
    for answer in (apply.predicted, apply.failed):
        balancer = str(answer(f"{BALANCER}.present", f"{bridge}/192.0.2.1", **TO_WEB))
        if daemon.server == "lxd":
            assert "it lacks the API extension network_load_balancer" in balancer
        else:
            assert "does not support load balancers" in balancer
            assert f"GET /1.0/networks/{bridge}/load-balancers/192.0.2.1" in balancer
        peer = str(answer(f"{PEER}.present", f"{bridge}/other", target_network="ovn0", target_project="default"))
        assert "does not support peering" in peer
        assert f"GET /1.0/networks/{bridge}/peers/other" in peer


def test_missing_network_contains_nothing(apply, daemon):
    for state, name in ((BALANCER, "192.0.2.1"), (PEER, "other"), ("lxdapi_network_forward", "192.0.2.1")):
        apply.unchanged(f"{state}.absent", f"nope/{name}")
    comment = apply.failed("lxdapi_network_forward.present", "nope/192.0.2.1")
    assert "network forward nope/192.0.2.1 could not be created: " in comment
    assert "(POST /1.0/networks/nope/forwards)" in comment


def test_refused_ovn_network_leaves_nothing(apply, daemon, raw):
    comment = apply.failed("lxdapi_network.present", "ovn0", type="ovn", config={"network": "none"})
    assert comment.startswith("network ovn0 could not be created: ")
    assert "(POST /1.0/networks)" in comment
    assert raw("networks/ovn0") is None


def test_invalid_declaration_is_refused_before_any_request(apply, daemon):
    port = {"protocol": "tcp", "listen_port": 80, "target_backend": "web1"}
    for declared, words in (
        ({"ports": [port]}, "expected a list of names for ports target_backend"),
        ({"backends": [{"address": "10.77.9.5"}]}, "backends: unknown key address"),
        ({"backends": [{"name": "a"}, {"name": "a"}]}, "duplicate entry in backends: name=a"),
    ):
        assert words in apply.refused(f"{BALANCER}.present", "ovn0/192.0.2.1", **declared)
