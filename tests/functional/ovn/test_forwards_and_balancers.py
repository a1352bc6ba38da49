"""
Forwards and load balancers of OVN networks.
"""

import pytest

FORWARD, BALANCER = "lxdapi_network_forward", "lxdapi_network_load_balancer"
WEB = {"name": "web", "target_address": "10.70.0.5", "target_port": "80,81"}
PORT = {"protocol": "tcp", "listen_port": "90,91", "target_backend": ["web"]}


@pytest.fixture
def targets(daemon):
    """Return a function that reads the targets of a listen address past the daemon, in OVN."""

    def read(address):
        (found,) = daemon.ovn.run("ovn-nbctl", "--bare", "--columns=vips", "find", "Load_Balancer").splitlines()
        pairs = dict(each.split("=", 1) for each in found.split())
        return {listen.rpartition(":")[2]: target for listen, target in pairs.items() if address in listen}

    return read


@pytest.mark.mainly("incus")
def test_life_of_a_forward(apply, networks, raw, targets):
    name, port = "ovn0/198.51.100.6", {"protocol": "tcp", "listen_port": "90,91", "target_address": "10.70.0.5"}
    assert apply.changed(f"{FORWARD}.present", name, ports=[port], config={"user.a": 1}) == {"created": name}
    apply.unchanged(f"{FORWARD}.present", name, ports=[{**port, "listen_port": "91, 90"}])
    changes = apply.changed(f"{FORWARD}.present", name, ports=[{**port, "target_port": "80-81"}], description="x")
    assert set(changes) == {"ports", "description"}
    assert targets("198.51.100.6") == {"90": "10.70.0.5:80", "91": "10.70.0.5:81"}
    apply.changed(f"{FORWARD}.present", name, ports=[{**port, "listen_port": "91,90"}])
    assert targets("198.51.100.6") == {"91": "10.70.0.5:80", "90": "10.70.0.5:81"}
    assert apply.changed(f"{FORWARD}.absent", name) == {"deleted": name}
    apply.changed(f"{FORWARD}.present", "ovn0/2001:DB8:1::6", config={"target_address": "fd70::5"})
    assert raw("networks/ovn0/forwards/2001:db8:1::6")["config"] == {"target_address": "fd70::5"}


def test_life_of_a_load_balancer(apply, daemon, networks, raw):
    name = "ovn0/198.51.100.5"
    if daemon.server == "lxd":
        assert "lacks the API extension" in apply.failed(f"{BALANCER}.present", name, backends=[WEB])
        return
    declared = {"description": "one", "config": {"user.a": "1"}, "backends": [WEB], "ports": [PORT]}
    assert apply.changed(f"{BALANCER}.present", name, **declared) == {"created": name}
    found = raw("networks/ovn0/load-balancers/198.51.100.5")
    assert {key: found[key] for key in ("description", "config")} == {"description": "one", "config": {"user.a": "1"}}
    other = {"name": "other", "target_address": "10.70.0.6", "target_port": "82,83"}
    changes = apply.changed(f"{BALANCER}.present", name, backends=[other], ports=[{**PORT, "description": "x"}])
    assert set(changes) == {"backends", "ports"}
    apply.changed(f"{BALANCER}.present", name, ports=[{**PORT, "target_backend": ["other", "web"]}])
    changes = apply.changed(f"{BALANCER}.present", name, ports=[PORT], backends=[WEB], purge=True)
    assert set(changes["backends"]) == {"name=other"}
    apply.changed(f"{BALANCER}.present", name, ports=[], config={})
    assert apply.changed(f"{BALANCER}.absent", name) == {"deleted": name}


@pytest.mark.mainly("incus")
def test_order_of_listen_ports_counts_with_several_targets(apply, daemon, networks, targets):
    name = "ovn0/198.51.100.5"
    if daemon.server == "lxd":
        assert "lacks the API extension" in apply.failed(f"{BALANCER}.present", name, ports=[PORT])
        return
    apply.changed(f"{BALANCER}.present", name, backends=[WEB], ports=[PORT])
    assert targets("198.51.100.5") == {"90": "10.70.0.5:80", "91": "10.70.0.5:81"}
    changes = apply.changed(f"{BALANCER}.present", name, ports=[{**PORT, "listen_port": "91,90"}])
    (pair,) = changes["ports"].values()
    assert pair == {"old": {"listen_port": "90,91"}, "new": {"listen_port": "91,90"}}
    assert targets("198.51.100.5") == {"91": "10.70.0.5:80", "90": "10.70.0.5:81"}
    apply.changed(f"{BALANCER}.present", name, backends=[{**WEB, "target_port": "80"}])
    apply.unchanged(f"{BALANCER}.present", name, ports=[PORT])
