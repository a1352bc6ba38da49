"""
The rows of networks and related kinds.
"""

from tests.functional.matrix.row import Row

OWN = {"user.keep": "me", "user.drop": "x"}
ADDRESSES = {"ipv4.address": "10.77.9.1/24", "ipv6.address": "none"}
BRIDGE = ("POST", "networks", {"name": "lxdapi9", "type": "bridge", "config": ADDRESSES})
ZONE = ("POST", "network-zones", {"name": "shop.test"})
WEB = {"action": "allow", "protocol": "tcp", "destination_port": "80,443", "state": "enabled"}
NO_MAIL = {"action": "reject", "protocol": "tcp", "destination_port": "25", "state": "enabled"}
HTTP = {"protocol": "tcp", "listen_port": "80,443", "target_address": "10.77.9.5"}
SSH = {"protocol": "tcp", "listen_port": "22", "target_address": "10.77.9.6"}
CONNECTIONS = {"ovn.northbound_connection": "unix:/nb.sock", "ovn.southbound_connection": "unix:/sb.sock"}
FILLED = {"description": "", "target_port": ""}
A_RECORD = {"type": "A", "value": "192.0.2.10", "ttl": 300}
TEXT_RECORD = {"type": "TXT", "value": "made by Salt"}

ROWS = {
    "network": Row(
        "lxdapi_network",
        "lxdapi8",
        "networks/lxdapi8",
        create={"description": "one", "config": {"ipv4.address": "10.77.8.1/24", "ipv6.address": "none", **OWN}},
        created={"type": "bridge", "description": "one", "managed": True},
        edit={"config": {"ipv4.address": "10.77.7.1/24", "ipv4.nat": True}},
        edited={"type": "bridge", "description": "one"},
        edit_changes={
            "config": {
                "ipv4.address": {"old": "10.77.8.1/24", "new": "10.77.7.1/24"},
                "ipv4.nat": {"old": None, "new": "true"},
            }
        },
        alike={"type": "bridge", "config": {"ipv4.address": "auto", "ipv4.nat": "1"}},
        drop={"config": {"user.drop": None, "ipv4.nat": None}},
        dropped={"config": {"ipv4.address": "10.77.7.1/24", "ipv6.address": "none", "user.keep": "me"}},
        clear={"config": {}},
        cleared={"config": {}},
        create_only={"type": ("macvlan", "type is 'bridge' and cannot be changed to 'macvlan'")},
        rename=("lxdapi7", "networks/lxdapi7"),
    ),
    "network-macvlan": Row(
        "lxdapi_network",
        "lan",
        "networks/lan",
        needs=(BRIDGE,),
        create={"type": "macvlan", "config": {"parent": "lxdapi9", **OWN}},
        created={"type": "macvlan", "description": "", "config": {"parent": "lxdapi9", **OWN}},
        edit={"config": {"mtu": 1400}, "type": "macvlan"},
        edited={"type": "macvlan", "config": {"parent": "lxdapi9", "mtu": "1400", **OWN}},
        edit_changes={"config": {"mtu": {"old": None, "new": "1400"}}},
        drop={"config": {"user.drop": None, "mtu": None}},
        dropped={"config": {"parent": "lxdapi9", "user.keep": "me"}},
        clear={"config": {}},
        cleared={"config": {"parent": "lxdapi9"}},
        create_only={"type": ("bridge", "type is 'macvlan' and cannot be changed to 'bridge'")},
        rename=("wan", "networks/wan"),
    ),
    "network_acl": Row(
        "lxdapi_network_acl",
        "web",
        "network-acls/web",
        create={
            "description": "one",
            "ingress": [{"action": "allow", "protocol": "tcp", "destination_port": "80,443"}],
            "config": OWN,
        },
        created={"description": "one", "config": OWN, "ingress": [WEB], "egress": []},
        edit={
            "ingress": [{"action": "allow", "protocol": "tcp", "destination_port": "443, 80", "state": "logged"}],
            "egress": [NO_MAIL],
        },
        edited={
            "description": "one",
            "config": OWN,
            "ingress": [{**WEB, "state": "logged"}],
            "egress": [NO_MAIL],
        },
        edit_changes={
            "ingress": {
                "action=allow protocol=tcp destination_port=443, 80": {
                    "old": {"state": "enabled"},
                    "new": {"state": "logged"},
                }
            },
            "egress": {"action=reject protocol=tcp destination_port=25": {"old": None, "new": NO_MAIL}},
        },
        alike={"egress": [{"destination_port": 25, "protocol": "tcp", "action": "reject"}]},
        drop={"config": {"user.drop": None}, "egress": []},
        dropped={"config": {"user.keep": "me"}, "ingress": [{**WEB, "state": "logged"}], "egress": []},
        clear={"config": {}, "ingress": [], "egress": []},
        cleared={"config": {}, "ingress": [], "egress": []},
        extension="network_acl",
        rename=("web2", "network-acls/web2"),
    ),
    "network_address_set": Row(
        "lxdapi_network_address_set",
        "web",
        "network-address-sets/web",
        create={"addresses": ["192.0.2.1", "2001:db8::1"], "config": OWN},
        created={"config": OWN, "description": ""},
        edit={"addresses": ["2001:DB8::1", "198.51.100.0/24"]},
        edited={"config": OWN},
        edit_changes={"addresses": {"new": ["198.51.100.0/24", "2001:db8::1"]}},
        alike={"addresses": ["198.51.100.0/24", "2001:0db8::1"]},
        drop={"config": {"user.drop": None}},
        dropped={"config": {"user.keep": "me"}},
        clear={"config": {}, "addresses": []},
        cleared={"config": {}, "addresses": []},
        extension="network_address_set",
        rename=("web2", "network-address-sets/web2"),
    ),
    "network_forward": Row(
        "lxdapi_network_forward",
        "lxdapi9/192.0.2.10",
        "networks/lxdapi9/forwards/192.0.2.10",
        needs=(BRIDGE,),
        create={"description": "one", "ports": [HTTP], "config": {"target_address": "10.77.9.4", **OWN}},
        created={
            "description": "one",
            "config": {"target_address": "10.77.9.4", **OWN},
            "ports": [{**FILLED, **HTTP}],
        },
        edit={"ports": [SSH, {"protocol": "tcp", "listen_port": "443, 80", "target_address": "10.77.9.7"}]},
        edited={"description": "one", "config": {"target_address": "10.77.9.4", **OWN}},
        edit_changes={
            "ports": {
                "protocol=tcp listen_port=443, 80": {
                    "old": {"target_address": "10.77.9.5"},
                    "new": {"target_address": "10.77.9.7"},
                },
                "protocol=tcp listen_port=22": {"old": None, "new": SSH},
            }
        },
        alike={"ports": [{"listen_port": 22, "protocol": "tcp", "description": ""}]},
        drop={"config": {"user.drop": None, "target_address": None}},
        dropped={"config": {"user.keep": "me"}},
        clear={"config": {}, "ports": []},
        cleared={"config": {}, "ports": []},
        description="first line\n\n  second: 'é'",
        extension="network_forward",
    ),
    "network_integration": Row(
        "lxdapi_network_integration",
        "ic",
        "network-integrations/ic",
        create={"description": "one", "config": {**CONNECTIONS, **OWN}},
        created={"type": "ovn", "description": "one", "config": {**CONNECTIONS, **OWN}},
        edit={"config": {"ovn.transit.pattern": "ts-{{ peerName }}"}, "description": "two"},
        edited={"config": {"ovn.transit.pattern": "ts-{{ peerName }}", **CONNECTIONS, **OWN}, "description": "two"},
        edit_changes={
            "config": {"ovn.transit.pattern": {"old": None, "new": "ts-{{ peerName }}"}},
            "description": {"old": "one", "new": "two"},
        },
        alike={"type": "ovn", "description": "two"},
        drop={"config": {"user.drop": None, "ovn.transit.pattern": None}},
        dropped={"config": {"user.keep": "me", **CONNECTIONS}},
        clear={"config": {}},
        cleared={"config": CONNECTIONS},
        extension="network_integrations",
        rename=("ic2", "network-integrations/ic2"),
    ),
    "network_zone": Row(
        "lxdapi_network_zone",
        "shop.test",
        "network-zones/shop.test",
        create={"description": "one", "config": {"dns.nameservers": "ns1.test", **OWN}},
        created={"description": "one", "config": {"dns.nameservers": "ns1.test", **OWN}},
        edit={"config": {"dns.nameservers": "ns1.test,ns2.test"}},
        edited={"description": "one", "config": {"dns.nameservers": "ns1.test,ns2.test", **OWN}},
        edit_changes={"config": {"dns.nameservers": {"old": "ns1.test", "new": "ns1.test,ns2.test"}}},
        drop={"config": {"user.drop": None, "dns.nameservers": None}},
        dropped={"config": {"user.keep": "me"}},
        clear={"config": {}},
        cleared={"config": {}},
        extension="network_dns",
    ),
    "network_zone_record": Row(
        "lxdapi_network_zone_record",
        "shop.test/www",
        "network-zones/shop.test/records/www",
        needs=(ZONE,),
        create={"description": "one", "entries": [A_RECORD], "config": OWN},
        created={"description": "one", "entries": [A_RECORD], "config": OWN},
        edit={"entries": [TEXT_RECORD, {**A_RECORD, "ttl": 60}]},
        edited={"description": "one", "entries": [{**A_RECORD, "ttl": 60}, TEXT_RECORD], "config": OWN},
        edit_changes={
            "entries": {
                "type=TXT value=made by Salt": {"old": None, "new": TEXT_RECORD},
                "type=A value=192.0.2.10": {"old": {"ttl": 300}, "new": {"ttl": 60}},
            }
        },
        alike={"entries": [{**A_RECORD, "ttl": "60"}, {**TEXT_RECORD, "ttl": 0}]},
        drop={"config": {"user.drop": None}, "entries": [{**A_RECORD, "ttl": None}]},
        dropped={"config": {"user.keep": "me"}, "entries": [{"type": "A", "value": "192.0.2.10"}, TEXT_RECORD]},
        clear={"config": {}, "entries": []},
        cleared={"config": {}, "entries": []},
        extension="network_dns_records",
    ),
    "network_zone_record-apex": Row(
        "lxdapi_network_zone_record",
        "shop.test/@",
        "network-zones/shop.test/records/@",
        needs=(ZONE,),
        create={},
        created={"description": "", "config": {}},
        edit={"entries": [A_RECORD], "config": OWN},
        edited={"entries": [A_RECORD], "config": OWN},
        edit_changes={
            "entries": {"type=A value=192.0.2.10": {"old": None, "new": A_RECORD}},
            "config": {"user.keep": {"old": None, "new": "me"}, "user.drop": {"old": None, "new": "x"}},
        },
        drop={"config": {"user.drop": None}},
        dropped={"entries": [A_RECORD], "config": {"user.keep": "me"}},
        extension="network_dns_records",
    ),
}
