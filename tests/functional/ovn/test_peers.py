"""
Network peers: a peering works when each of two networks has a peer for the other.
"""

import pytest

from tests.support.loader import Loaded
from tests.support.processes import race

PRESENT, ABSENT = "lxdapi_network_peer.present", "lxdapi_network_peer.absent"
TO_OVN1 = {"target_network": "ovn1", "target_project": "default"}
TO_OVN0 = {"target_network": "ovn0", "target_project": "default"}
PEERS = ("networks/ovn0/peers/to-ovn1", "networks/ovn1/peers/to-ovn0")


@pytest.fixture
def statuses(raw):
    """Return a function that reads the statuses of both peers."""
    return lambda: [found and found["status"] for found in map(raw, PEERS)]


@pytest.fixture
def errored(apply, networks, statuses):
    """The name of a peer whose other half was deleted."""
    apply(PRESENT, "ovn0/to-ovn1", description="one", config={"user.a": "1", "user.b": "2"}, **TO_OVN1)
    apply(PRESENT, "ovn1/to-ovn0", **TO_OVN0)
    assert statuses() == ["Created", "Created"]
    apply(ABSENT, "ovn1/to-ovn0")
    assert statuses() == ["Errored", None]
    return "ovn0/to-ovn1"


def test_life_of_a_peering(apply, networks, raw, statuses):
    declared = {"description": "one", "config": {"user.a": "1"}, **TO_OVN1}
    assert apply.changed(PRESENT, "ovn0/to-ovn1", **declared) == {"created": "ovn0/to-ovn1"}
    assert statuses() == ["Pending", None]
    assert raw(PEERS[0])["config"] == {"user.a": "1"}
    apply.changed(PRESENT, "ovn1/to-ovn0", **TO_OVN0)
    assert statuses() == ["Created", "Created"]
    changes = apply.changed(PRESENT, "ovn0/to-ovn1", description="", config={"user.a": None, "user.b": 2})
    assert set(changes) == {"description", "config"}
    refused = apply.failed(PRESENT, "ovn0/to-ovn1", target_network="ovn2")
    assert "target_network is 'ovn1' and cannot be changed to 'ovn2'" in refused
    for name in ("ovn0/to-ovn1", "ovn1/to-ovn0"):
        assert apply.changed(ABSENT, name) == {"deleted": name}


def test_peer_with_a_lost_reply_is_created_once(apply, networks, proxy, raw):
    proxy.arm("drop_reply", method="POST", path="/peers$")
    ret = apply(PRESENT, "ovn0/to-ovn1", config={"user.a": "1"}, **TO_OVN1)
    assert (ret["result"], ret["changes"]) == (True, {"created": "ovn0/to-ovn1"}), ret
    assert raw(PEERS[0])["config"] == {"user.a": "1"}
    assert raw("networks/ovn0/peers") == ["/1.0/networks/ovn0/peers/to-ovn1"]


@pytest.mark.mainly("incus")
def test_four_processes_declaring_one_peer_create_one(networks, daemon, raw, tmp_path):
    salt = Loaded(tmp_path / "race", {"local": {"endpoint": daemon.socket}})
    answers = race(*[lambda: salt.states[PRESENT](name="ovn0/to-ovn1", config={"user.a": "1"}, **TO_OVN1)] * 4)
    assert [answer["result"] for answer in answers] == [True] * 4, answers
    assert sum("created" in answer["changes"] for answer in answers) == 1, answers
    assert raw(PEERS[0])["config"] == {"user.a": "1"}


def test_errored_peer_is_created_again(apply, errored, raw, statuses):
    predicted = apply.predicted(PRESENT, errored, config={"user.a": "3"}, **TO_OVN1)
    assert "the peer of the other network was deleted" in predicted["comment"]
    changes = apply.changed(PRESENT, errored, config={"user.a": "3"}, **TO_OVN1)
    assert changes == {"deleted": errored, "created": errored}
    found = raw(PEERS[0])
    assert (found["description"], found["config"]) == ("one", {"user.a": "3", "user.b": "2"})
    apply.changed(PRESENT, "ovn1/to-ovn0", **TO_OVN0)
    assert statuses() == ["Created", "Created"]


@pytest.mark.mainly("incus")
def test_errored_peer_in_use_names_its_users(apply, daemon, errored, statuses):
    rule = {"action": "allow", "state": "enabled", "source": "@ovn0/to-ovn1"}
    daemon.ask("POST", "/1.0/network-acls", {"name": "web", "ingress": [rule]})
    comment = apply.failed(PRESENT, errored, **TO_OVN1)
    assert comment.startswith(f"network peer {errored} could not be deleted: ")
    assert "its status is Errored" in comment and "it is used by network-acls/web" in comment
    assert statuses() == ["Errored", None]
    apply.changed(PRESENT, errored, description="two")


def test_life_of_a_remote_peer(apply, daemon, networks, raw):
    declared = {"type": "remote", "target_integration": "region", "config": {"user.a": "1"}}
    if daemon.server == "lxd":
        assert "lacks the API extension network_integrations" in apply.failed(PRESENT, "ovn0/region", **declared)
        return
    connections = {
        "ovn.northbound_connection": daemon.ovn.socket("ovn_ic_nb_db"),
        "ovn.southbound_connection": daemon.ovn.socket("ovn_ic_sb_db"),
    }
    apply.changed("lxdapi_network_integration.present", "region", config=connections)
    assert apply.changed(PRESENT, "ovn0/region", **declared) == {"created": "ovn0/region"}
    found = raw("networks/ovn0/peers/region")
    assert (found["status"], found["type"], found["config"]) == ("Created", "remote", {"user.a": "1"})
    comment = apply.failed(PRESENT, "ovn0/region", target_integration="other")
    assert "target_integration is 'region' and cannot be changed to 'other'" in comment
    apply.failed("lxdapi_network_integration.absent", "region")
    apply.changed(ABSENT, "ovn0/region")
    apply.changed("lxdapi_network_integration.absent", "region")
