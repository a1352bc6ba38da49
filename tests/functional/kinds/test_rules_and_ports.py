"""
Rules, ports and entries: each element has an identity and is changed on its own.
"""

import pytest

ACL = "lxdapi_network_acl.present"
FORWARD = "lxdapi_network_forward.present"
RECORD = "lxdapi_network_zone_record.present"
HTTPS = {"action": "allow", "protocol": "tcp", "destination_port": "443"}
SSH = {"action": "allow", "protocol": "tcp", "destination_port": "22", "source": "192.0.2.0/24"}
THEIRS = {"action": "drop", "state": "enabled", "source": "198.51.100.1"}


@pytest.fixture
def acl(daemon, apply):
    """An ACL with a foreign rule."""
    daemon.ask("POST", "/1.0/network-acls", {"name": "web", "ingress": [THEIRS], "egress": [THEIRS]})
    return "web"


@pytest.fixture
def forward(daemon):
    """A forward with a foreign port."""
    config = {"ipv4.address": "10.77.9.1/24", "ipv6.address": "fd42:77::1/64"}
    daemon.ask("POST", "/1.0/networks", {"name": "lxdapi9", "config": config})
    port = {"protocol": "udp", "listen_port": "53", "target_address": "10.77.9.2"}
    daemon.ask("POST", "/1.0/networks/lxdapi9/forwards", {"listen_address": "192.0.2.1", "ports": [port]})
    return "lxdapi9/192.0.2.1"


@pytest.fixture
def record(daemon):
    """A record with a foreign entry."""
    daemon.ask("POST", "/1.0/network-zones", {"name": "shop.test"})
    entries = [{"type": "A", "value": "192.0.2.9"}]
    daemon.ask("POST", "/1.0/network-zones/shop.test/records", {"name": "www", "entries": entries})
    return "shop.test/www"


def test_added_rule_leaves_the_others(apply, acl, raw):
    changes = apply.changed(ACL, acl, ingress=[HTTPS])
    words = "action=allow protocol=tcp destination_port=443"
    assert changes == {"ingress": {words: {"old": None, "new": {**HTTPS, "state": "enabled"}}}}
    found = raw("network-acls/web")
    assert found["ingress"] == [THEIRS, {**HTTPS, "state": "enabled"}]
    assert found["egress"] == [THEIRS]


def test_rule_state_and_description_are_updated_in_place(apply, acl, raw):
    apply.changed(ACL, acl, ingress=[HTTPS, SSH])
    changes = apply.changed(ACL, acl, ingress=[{**HTTPS, "state": "disabled", "description": "for now"}])
    assert list(changes["ingress"].values()) == [
        {
            "old": {"state": "enabled", "description": None},
            "new": {"state": "disabled", "description": "for now"},
        }
    ]
    apply.unchanged(ACL, acl, ingress=[HTTPS])
    assert [rule["state"] for rule in raw("network-acls/web")["ingress"]] == ["enabled", "disabled", "enabled"]
    apply.changed(ACL, acl, ingress=[{**HTTPS, "description": None, "state": "enabled"}])
    assert raw("network-acls/web")["ingress"][1] == {**HTTPS, "state": "enabled"}


def test_order_and_spelling_of_rules_are_no_change(apply, acl):
    apply.changed(ACL, acl, ingress=[{**HTTPS, "destination_port": "80,443", "source": "192.0.2.1,2001:db8::1"}, SSH])
    other = {
        "source": "2001:0DB8::1, 192.0.2.1/32",
        "destination_port": "443, 80",
        "protocol": "tcp",
        "action": "allow",
    }
    apply.unchanged(ACL, acl, ingress=[SSH, other])
    apply.unchanged(ACL, acl, ingress=[{**SSH, "destination_port": 22, "description": "", "icmp_type": None}])


def test_rule_with_another_port_is_another_rule(apply, acl, raw):
    apply.changed(ACL, acl, ingress=[HTTPS])
    assert len(apply.changed(ACL, acl, ingress=[{**HTTPS, "destination_port": "8443"}])["ingress"]) == 1
    assert [rule.get("destination_port") for rule in raw("network-acls/web")["ingress"]] == [None, "443", "8443"]


def test_invalid_rules_are_refused_before_any_request(apply, daemon):
    for rules, words in (
        (
            [HTTPS, {**HTTPS, "state": "logged"}],
            "duplicate entry in ingress: action=allow protocol=tcp destination_port=443",
        ),
        ([{"port": 80}], "ingress: unknown key port; choose from: action, protocol, source"),
        (HTTPS, "expected a list of mappings for ingress"),
        (["allow"], "expected a list of mappings for ingress"),
    ):
        assert words in apply.refused(ACL, "web", ingress=rules)


def test_refused_rule_leaves_the_others(apply, acl, raw):
    before = raw("network-acls/web")
    comment = apply.failed(ACL, acl, ingress=[HTTPS, {"action": "allow", "destination_port": "80"}])
    assert "network ACL web could not be updated" in comment
    assert "(PUT /1.0/network-acls/web)" in comment
    assert raw("network-acls/web") == before


def test_added_port_leaves_others_and_target_changes_in_place(apply, forward, raw):
    port = {"protocol": "tcp", "listen_port": "80,443", "target_address": "10.77.9.5"}
    changes = apply.changed(FORWARD, forward, ports=[port])
    assert changes == {"ports": {"protocol=tcp listen_port=80,443": {"old": None, "new": port}}}
    apply.unchanged(FORWARD, forward, ports=[{**port, "listen_port": "443, 80"}])
    declared = {"protocol": "udp", "listen_port": 53, "target_port": 5353, "description": "names\n"}
    changes = apply.changed(FORWARD, forward, ports=[declared])
    assert changes == {
        "ports": {
            "protocol=udp listen_port=53": {
                "old": {"description": "", "target_port": ""},
                "new": {"description": "names", "target_port": "5353"},
            }
        }
    }
    ports = {each["listen_port"]: each for each in raw("networks/lxdapi9/forwards/192.0.2.1")["ports"]}
    assert set(ports) == {"53", "80,443"}
    assert (ports["53"]["target_address"], ports["53"]["target_port"]) == ("10.77.9.2", "5353")


def test_spelling_of_forward_address_is_no_change(apply, forward, raw):
    apply.changed(FORWARD, forward, description="one\ntwo\n")
    assert raw("networks/lxdapi9/forwards/192.0.2.1")["description"] == "one\ntwo"
    apply.changed(FORWARD, "lxdapi9/2001:DB8:0::1", description="six")
    apply.unchanged(FORWARD, "lxdapi9/2001:db8::1", description="six")
    assert raw("networks/lxdapi9/forwards/2001:db8::1")["description"] == "six"


def test_snat_is_refused_where_the_daemon_would_drop_it(apply, forward, daemon, raw):
    declared = [{"protocol": "udp", "listen_port": "53", "snat": True}]
    if daemon.name == "incus7":
        apply.changed(FORWARD, forward, ports=declared)
        assert raw("networks/lxdapi9/forwards/192.0.2.1")["ports"][0]["snat"] is True
    else:
        assert "lacks the API extension network_forward_snat" in apply.failed(FORWARD, forward, ports=declared)


def test_added_entry_leaves_the_others(apply, record, raw):
    entry = {"type": "TXT", "value": "v=spf1 -all", "ttl": 60}
    changes = apply.changed(RECORD, record, entries=[entry])
    assert changes == {"entries": {"type=TXT value=v=spf1 -all": {"old": None, "new": entry}}}
    assert raw("network-zones/shop.test/records/www")["entries"] == [{"type": "A", "value": "192.0.2.9"}, entry]
    changes = apply.changed(RECORD, record, entries=[{"type": "A", "value": "192.0.2.9", "ttl": "600"}])
    assert changes == {"entries": {"type=A value=192.0.2.9": {"old": {"ttl": None}, "new": {"ttl": 600}}}}


def test_undeclared_items_are_named(apply, acl, forward, raw):
    words = "not declared, and kept without purge: ingress action=drop source=198.51.100.1"
    for ret in (apply.predicted(ACL, acl, ingress=[HTTPS]), apply(ACL, acl, ingress=[HTTPS])):
        assert ret["comment"].endswith(f"; {words}"), ret
    assert apply.unchanged(ACL, acl, ingress=[HTTPS])["comment"] == f"network ACL web is as declared; {words}"
    assert "not declared" not in apply.unchanged(ACL, acl, description="")["comment"]
    assert "not declared" not in apply(ACL, acl, ingress=[HTTPS], purge=True)["comment"]
    port = {"protocol": "tcp", "listen_port": "80", "target_address": "10.77.9.5"}
    comment = apply(FORWARD, forward, ports=[port])["comment"]
    assert comment.endswith("; not declared, and kept without purge: ports protocol=udp listen_port=53")


@pytest.mark.mainly("incus")
def test_address_of_a_record_is_one_in_each_spelling(apply, daemon):
    apply("lxdapi_network_zone.present", "lan.example")
    apply(RECORD, "lan.example/web", entries=[{"type": "AAAA", "value": "2001:DB8::1"}])
    for value in ("2001:db8:0::1", "2001:0DB8::0001"):
        ret = apply.unchanged(RECORD, "lan.example/web", entries=[{"type": "AAAA", "value": value}])
        assert "not declared" not in ret["comment"]
