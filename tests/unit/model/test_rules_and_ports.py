"""
Lists of elements with an identity: declarations, differences, errors.
"""

import re
import time

import pytest
from lxdapi import validation
from lxdapi.errors import InvalidError
from lxdapi.model import rules_and_ports
from lxdapi.model.kinds import KINDS

ACL, FORWARD, RECORD = (KINDS[word] for word in ("network_acl", "network_forward", "network_zone_record"))
RULES, PORTS, ENTRIES = ACL.items["ingress"], FORWARD.items["ports"], RECORD.items["entries"]
BACKENDS = KINDS["network_load_balancer"].items["backends"]
LISTENS = KINDS["network_load_balancer"].items["ports"]


def compared(spec, declared, there, purge=False):
    """Return the result of :func:`lxdapi.model.rules_and_ports.compare` for a declaration and an actual list."""
    return rules_and_ports.compare(spec, there, rules_and_ports.normalize(spec, "list", declared), purge)


HTTP = {"action": "allow", "protocol": "tcp", "destination_port": "80,443", "state": "enabled"}
DNS = {"action": "allow", "protocol": "udp", "destination_port": "53", "state": "enabled", "description": "names"}

# (declaration, changes, the complete list)
CHANGES = {
    "a new one comes to what is there, with its defaults": (
        [{"action": "drop", "source": "192.0.2.0/24"}],
        {
            "action=drop source=192.0.2.0/24": {
                "old": None,
                "new": {"action": "drop", "source": "192.0.2.0/24", "state": "enabled"},
            }
        },
        [HTTP, DNS, {"action": "drop", "source": "192.0.2.0/24", "state": "enabled"}],
    ),
    "a default is overruled": (
        [{"action": "drop", "state": "logged"}],
        {"action=drop": {"old": None, "new": {"action": "drop", "state": "logged"}}},
        [HTTP, DNS, {"action": "drop", "state": "logged"}],
    ),
    "an attribute changes and the others stay": (
        [{"action": "allow", "protocol": "udp", "destination_port": 53, "state": "logged"}],
        {
            "action=allow protocol=udp destination_port=53": {
                "old": {"state": "enabled"},
                "new": {"state": "logged"},
            }
        },
        [HTTP, {**DNS, "state": "logged"}],
    ),
    "an attribute that is not there comes": (
        [{**HTTP, "description": "web"}],
        {
            "action=allow protocol=tcp destination_port=80,443": {
                "old": {"description": None},
                "new": {"description": "web"},
            }
        },
        [{**HTTP, "description": "web"}, DNS],
    ),
    "an empty text clears an attribute": (
        [{**DNS, "description": None}],
        {
            "action=allow protocol=udp destination_port=53": {
                "old": {"description": "names"},
                "new": {"description": ""},
            }
        },
        [HTTP, {**DNS, "description": ""}],
    ),
    "an empty list removes all": (
        [],
        {
            "action=allow protocol=tcp destination_port=80,443": {"old": HTTP, "new": None},
            "action=allow protocol=udp destination_port=53": {"old": DNS, "new": None},
        },
        [],
    ),
}


@pytest.mark.parametrize("declared, changes, whole", CHANGES.values(), ids=CHANGES)
def test_differences_are_reported_by_item(declared, changes, whole):
    there = [dict(HTTP), dict(DNS)]
    assert compared(RULES, declared, there) == (changes, whole)
    assert there == [HTTP, DNS], "what was read is not altered"


def test_purge_removes_exactly_undeclared_items():
    declared = [{"action": "allow", "protocol": "udp", "destination_port": "53"}]
    gone = {"action=allow protocol=tcp destination_port=80,443": {"old": HTTP, "new": None}}
    assert compared(RULES, declared, [HTTP, DNS], purge=True) == (gone, [DNS])
    assert compared(RULES, declared, [HTTP, DNS]) is None
    assert compared(RULES, declared, [DNS], purge=True) is None


@pytest.mark.parametrize("there", [None, []])
def test_empty_list_on_empty_object_is_no_change(there):
    assert compared(RULES, [], there) is None
    assert compared(RULES, [], there, purge=True) is None
    assert compared(RULES, [HTTP], there)[1] == [HTTP]


SAME = {
    "spaces": (RULES, {**HTTP, "destination_port": " 80 , 443 "}, HTTP),
    "the order of a list": (RULES, {**HTTP, "destination_port": "443,80"}, HTTP),
    "a number": (
        RULES,
        {"action": "allow", "protocol": "icmp4", "icmp_type": 8},
        {"action": "allow", "protocol": "icmp4", "icmp_type": "8"},
    ),
    "a network": (
        RULES,
        {"action": "drop", "source": "2001:DB8:0::/32"},
        {"action": "drop", "source": "2001:db8::/32"},
    ),
    "an address as a network": (
        RULES,
        {"action": "drop", "source": "192.0.2.1"},
        {"action": "drop", "source": "192.0.2.1/32"},
    ),
    "nothing, and a key that is not there": (
        RULES,
        {"action": "drop", "source": "", "icmp_code": None},
        {"action": "drop"},
    ),
    "white space around a text": (
        RULES,
        {"action": "drop", "description": " a\n"},
        {"action": "drop", "description": "a"},
    ),
    "an attribute that is empty": (RULES, {"action": "drop", "description": ""}, {"action": "drop"}),
    "an address to be sent to": (
        PORTS,
        {"protocol": "tcp", "listen_port": 80, "target_address": "2001:DB8:0::1"},
        {"protocol": "tcp", "listen_port": "80", "target_address": "2001:db8::1"},
    ),
    "ports to be sent to": (
        PORTS,
        {"protocol": "tcp", "listen_port": "80,81", "target_port": "8080, 8081"},
        {"protocol": "tcp", "listen_port": "80,81", "target_port": "8080,8081"},
    ),
    "no source NAT": (
        PORTS,
        {"protocol": "tcp", "listen_port": "80", "snat": "no"},
        {"protocol": "tcp", "listen_port": "80"},
    ),
    "a time to live in words": (
        ENTRIES,
        {"type": "A", "value": "192.0.2.1", "ttl": "300"},
        {"type": "A", "value": "192.0.2.1", "ttl": 300},
    ),
    "no time to live": (ENTRIES, {"type": "A", "value": "192.0.2.1", "ttl": None}, {"type": "A", "value": "192.0.2.1"}),
    "the order of names": (
        LISTENS,
        {"protocol": "tcp", "listen_port": "80", "target_backend": ["b", "a"]},
        {"protocol": "tcp", "listen_port": "80", "target_backend": ["a", "b"]},
    ),
    "the order of names there": (
        LISTENS,
        {"protocol": "tcp", "listen_port": "80", "target_backend": ["a", "b"]},
        {"protocol": "tcp", "listen_port": "80", "target_backend": ["b", "a"]},
    ),
    "a backend's address": (
        BACKENDS,
        {"name": "a", "target_address": "2001:DB8::1"},
        {"name": "a", "target_address": "2001:db8::1"},
    ),
}


@pytest.mark.parametrize("spec, declared, there", SAME.values(), ids=SAME)
def test_two_spellings_of_one_item_are_equal(spec, declared, there):
    assert compared(spec, [declared], [there]) is None
    assert compared(spec, [declared], [there], purge=True) is None


DIFFERENT = {
    "the order of ports to be sent to": (
        PORTS,
        {"protocol": "tcp", "listen_port": "80,81", "target_port": "8081,8080"},
        {"protocol": "tcp", "listen_port": "80,81", "target_port": "8080,8081"},
    ),
    "a description in other words": (
        PORTS,
        {"protocol": "tcp", "listen_port": "80", "description": "a, b"},
        {"protocol": "tcp", "listen_port": "80", "description": "a,b"},
    ),
    "a source NAT": (
        PORTS,
        {"protocol": "tcp", "listen_port": "80", "snat": True},
        {"protocol": "tcp", "listen_port": "80"},
    ),
    "a time to live": (
        ENTRIES,
        {"type": "A", "value": "192.0.2.1", "ttl": 0},
        {"type": "A", "value": "192.0.2.1", "ttl": 1},
    ),
    "names": (
        LISTENS,
        {"protocol": "tcp", "listen_port": "80", "target_backend": ["a"]},
        {"protocol": "tcp", "listen_port": "80", "target_backend": ["a", "b"]},
    ),
}


@pytest.mark.parametrize("spec, declared, there", DIFFERENT.values(), ids=DIFFERENT)
def test_another_attribute_changes_the_same_item(spec, declared, there):
    (pair,), whole = [
        list(part.values()) if isinstance(part, dict) else part for part in compared(spec, [declared], [there])
    ]
    assert len(whole) == 1 and None not in pair.values()
    assert compared(spec, [declared], whole) is None


def test_address_differs_from_its_network():
    changes, whole = compared(
        RULES, [{"action": "drop", "source": "192.0.2.0/25"}], [{"action": "drop", "source": "192.0.2.0/24"}]
    )
    assert len(whole) == 2 and list(changes) == ["action=drop source=192.0.2.0/25"]


def test_value_in_another_case_is_another_record():
    assert compared(ENTRIES, [{"type": "TXT", "value": "A"}], [{"type": "TXT", "value": "a"}])[1][1]["value"] == "A"


@pytest.mark.parametrize(
    "field, spec", [("ports", PORTS), ("entries", ENTRIES), ("backends", BACKENDS), ("ingress", RULES)]
)
def test_create_body_has_defaults_for_undeclared_keys(field, spec):
    item = dict.fromkeys(spec.identity, "x")
    assert rules_and_ports.create_body(spec, [item]) == [{**spec.defaults, **item}]
    for key in spec.defaults:
        assert rules_and_ports.create_body(spec, [{**item, key: "own"}])[0][key] == "own"


REFUSED = [
    (RULES, {"action": "allow"}, "mappings"),
    (RULES, "allow", "mappings"),
    (RULES, 5, "mappings"),
    (RULES, ["allow"], "mappings"),
    (RULES, [None], "mappings"),
    (RULES, [["allow"]], "mappings"),
    (RULES, [{"acton": "allow"}], "list: unknown key acton; choose from: action, protocol"),
    (RULES, [{5: "allow"}], "unknown key 5"),
    (RULES, [{None: "allow"}], "unknown key None"),
    (RULES, [{"action": 1.5}], "list action"),
    (RULES, [{"action": ["allow"]}], "list action"),
    (RULES, [{"action": {"allow": 1}}], "list action"),
    (RULES, [{"action": "a\x00"}], "list action"),
    (RULES, [{"source": "\ud800"}], "list source"),
    (RULES, [{"description": b"x"}], "list description"),
    (RULES, [{"action": "allow"}, {"action": "allow"}], "action=allow"),
    (
        RULES,
        [{"action": "allow", "source": "::1"}, {"action": "allow", "source": "0:0::1/128"}],
        "duplicate entry in list",
    ),
    (RULES, [{"action": "allow", "source": ""}, {"action": "allow"}], "duplicate entry in list"),
    (RULES, [{}, {}], "duplicate entry in list"),
    (ENTRIES, [{"type": "A", "value": "x", "ttl": True}], "expected a whole number for list ttl"),
    (ENTRIES, [{"type": "A", "value": "x", "ttl": False}], "expected a whole number for list ttl"),
    (ENTRIES, [{"type": "A", "value": "x", "ttl": 1.0}], "expected a whole number for list ttl"),
    (ENTRIES, [{"type": "A", "value": "x", "ttl": -1}], "expected a whole number for list ttl"),
    (ENTRIES, [{"type": "A", "value": "x", "ttl": "1h"}], "expected a whole number for list ttl"),
    (ENTRIES, [{"type": "A", "value": "x", "ttl": "-1"}], "expected a whole number for list ttl"),
    (ENTRIES, [{"type": "A", "value": "x", "ttl": "٣"}], "expected a whole number for list ttl"),
    (ENTRIES, [{"type": "A", "value": "x", "ttl": ""}], "expected a whole number for list ttl"),
    (ENTRIES, [{"type": "A", "value": "x", "ttl": "9" * 5000}], "expected a whole number for list ttl"),
    (ENTRIES, [{"type": "A", "value": "x", "ttl": [1]}], "expected a whole number for list ttl"),
    (PORTS, [{"protocol": "tcp", "listen_port": "80", "snat": "maybe"}], "expected true or false for list snat"),
    (PORTS, [{"protocol": "tcp", "listen_port": "80", "snat": []}], "expected true or false for list snat"),
    (PORTS, [{"protocol": "tcp", "listen_port": "80", "snat": None}], "expected true or false for list snat"),
    (PORTS, [{"protocol": "tcp", "listen_port": "80", "snat": 2}], "expected true or false for list snat"),
    (PORTS, [{"protocol": "tcp", "listen_port": [80]}], "list listen_port"),
    (PORTS, [{"protocol": "tcp", "listen_port": "80", "target_address": 1.5}], "list target_address"),
    (
        LISTENS,
        [{"protocol": "tcp", "listen_port": "80", "target_backend": "a"}],
        "expected a list of names for list target_backend",
    ),
    (
        LISTENS,
        [{"protocol": "tcp", "listen_port": "80", "target_backend": [1]}],
        "expected a list of names for list target_backend",
    ),
    (
        LISTENS,
        [{"protocol": "tcp", "listen_port": "80", "target_backend": {"a": 1}}],
        "expected a list of names for list target_backend",
    ),
]


@pytest.mark.parametrize("spec, declared, words", REFUSED, ids=[str(number) for number in range(len(REFUSED))])
def test_invalid_list_is_refused_and_named(spec, declared, words):
    with pytest.raises(InvalidError, match=words) as caught:
        rules_and_ports.normalize(spec, "list", declared)
    assert re.search(r"\blist\b", str(caught.value))


@pytest.mark.parametrize("value", [True, "true", "Yes", 1, "1", "ON"])
def test_truth_is_accepted_in_any_spelling(value):
    assert validation.truth("x", value) is True


@pytest.mark.parametrize("value", [False, "false", "No", 0, "0", "off"])
def test_untruth_is_accepted_in_any_spelling(value):
    assert validation.truth("x", value) is False


@pytest.mark.parametrize("value", [None, "", "y", 2, 1.0, [], {}, "truefalse"])
def test_invalid_boolean_is_refused(value):
    with pytest.raises(InvalidError, match="expected true or false for x"):
        validation.truth("x", value)


def test_thousands_of_rules_take_no_time():
    many = [{"action": "allow", "source": f"10.{n // 256}.{n % 256}.0/24"} for n in range(3000)]
    begun = time.monotonic()
    assert compared(RULES, many, many[:1500])[1][1500:] == [{**rule, "state": "enabled"} for rule in many[1500:]]
    assert time.monotonic() - begun < 3


@pytest.mark.parametrize("given, number", [(300, 300), ("300", 300), (0, 0), (None, 0), ("007", 7)])
def test_number_is_accepted_as_text(given, number):
    (entry,) = rules_and_ports.normalize(ENTRIES, "entries", [{"type": "A", "value": "192.0.2.1", "ttl": given}])
    assert entry["ttl"] == number and isinstance(entry["ttl"], int)


def test_order_of_ports_matters_beside_target_ports():
    there = [{"protocol": "tcp", "listen_port": "80,81", "target_address": "10.0.0.2", "target_port": "8080,8081"}]
    declared = {"protocol": "tcp", "listen_port": "81,80", "target_address": "10.0.0.2"}
    pair = {"old": {"listen_port": "80,81"}, "new": {"listen_port": "81,80"}}
    turned = {**declared, "target_port": "8080,8081"}
    assert compared(PORTS, [turned], there) == ({"protocol=tcp listen_port=81,80": pair}, [turned])
    assert compared(PORTS, [declared], there)[0] == {"protocol=tcp listen_port=81,80": pair}
    assert compared(PORTS, [declared], [{**there[0], "target_port": "8080"}]) is None


@pytest.mark.parametrize("nothing", [None, ""])
def test_null_means_the_default(nothing):
    rule = {"action": "drop", "state": nothing}
    assert compared(RULES, [rule], [])[1] == [{"action": "drop", "state": "enabled"}]
    assert compared(RULES, [rule], [{"action": "drop", "state": "logged"}])[1][0]["state"] == "enabled"
