"""
ACLs with the subjects that only OVN networks have.
"""

PRESENT, NETWORK = "lxdapi_network_acl.present", "lxdapi_network.present"
ALLOW = {"action": "allow", "state": "enabled"}


def test_acl_of_a_network_names_its_peers(apply, daemon, networks, raw):
    for number, other in ((0, 1), (1, 0)):
        peer = {"name": f"to-ovn{other}", "target_network": f"ovn{other}", "target_project": "default"}
        daemon.ask("POST", f"/1.0/networks/ovn{number}/peers", peer)
    rules = [{**ALLOW, "source": "@internal,web"}, {**ALLOW, "source": "@ovn0/to-ovn1", "protocol": "tcp"}]
    assert apply.changed(PRESENT, "web", ingress=rules) == {"created": "web"}
    assert apply.changed(NETWORK, "ovn0", config={"security.acls": "web"})["config"].keys() == {"security.acls"}
    apply.unchanged(PRESENT, "web", ingress=[{**ALLOW, "source": "web, @internal"}])
    changes = apply.changed(
        PRESENT, "web", ingress=rules[1:], egress=[{**ALLOW, "destination": "@external"}], purge=True
    )
    assert set(changes) == {"egress", "ingress"}
    assert raw("network-acls/web")["ingress"] == rules[1:]
    apply.changed(NETWORK, "ovn0", config={"security.acls": None})
    assert apply.changed("lxdapi_network_acl.absent", "web") == {"deleted": "web"}
