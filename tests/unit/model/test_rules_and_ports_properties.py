"""
Laws of lists of elements with an identity, for any declaration and any actual list.
"""

import copy

from hypothesis import given
from hypothesis import strategies as st
from lxdapi.errors import InvalidError
from lxdapi.model import diff, rules_and_ports
from lxdapi.model.kinds import KINDS

RULES = KINDS["network_acl"].items["ingress"]

ADDRESSES = st.sampled_from(
    ["", "192.0.2.1", "192.0.2.1/32", "2001:db8::1", "2001:DB8:0::1", "192.0.2.0/24", "@internal"]
)
LISTS = st.sampled_from(["", "80", "80,443", "443, 80", "1000-2000", " 22"])
DECLARED = st.lists(
    st.fixed_dictionaries(
        {"action": st.sampled_from(["allow", "drop"])},
        optional={
            "protocol": st.sampled_from(["tcp", "udp", None]),
            "source": ADDRESSES,
            "destination_port": LISTS | st.integers(1, 3),
            "state": st.sampled_from(["enabled", "logged"]),
            "description": st.sampled_from(["", "a", "a, b", None]),
        },
    ),
    max_size=4,
)


def normal(declared):
    """Return the canonical elements, without duplicates."""
    kept = []
    for item in declared:
        try:
            kept = rules_and_ports.normalize(RULES, "ingress", [*kept, item])
        except InvalidError as exc:
            assert "duplicate entry" in str(exc)
    return kept


def identities(rules):
    """Return the identities of these rules."""
    return [rules_and_ports._identity(RULES, rule) for rule in rules]


@given(DECLARED, DECLARED, st.booleans())
def test_second_apply_is_silent(declared, there, purge):
    wanted, before = normal(declared), rules_and_ports.create_body(RULES, normal(there))
    part = rules_and_ports.compare(RULES, before, wanted, purge)
    after = before if part is None else part[1]
    assert rules_and_ports.compare(RULES, after, wanted, purge) is None
    assert set(identities(wanted)) <= set(identities(after))
    assert part is None or part[0], "where something changes it is told"


@given(DECLARED.filter(bool), DECLARED)
def test_other_items_survive_without_purge(declared, there):
    wanted, before = normal(declared), rules_and_ports.create_body(RULES, normal(there))
    part = rules_and_ports.compare(RULES, copy.deepcopy(before), wanted)
    after = before if part is None else part[1]
    others = [rule for rule, which in zip(before, identities(before)) if which not in identities(wanted)]
    assert [rule for rule in after if rule in others] == others


@given(DECLARED, DECLARED)
def test_exactly_declared_items_remain_with_purge(declared, there):
    wanted, before = normal(declared), rules_and_ports.create_body(RULES, normal(there))
    part = rules_and_ports.compare(RULES, before, wanted, purge=True)
    after = before if part is None else part[1]
    assert sorted(identities(after), key=repr) == sorted(identities(wanted), key=repr)


@given(DECLARED, st.randoms(use_true_random=False))
def test_another_order_or_spelling_is_silent(declared, random):
    there = rules_and_ports.create_body(RULES, normal(declared))
    again = [{**rule, "destination_port": _respelled(rule.get("destination_port", ""), random)} for rule in there]
    random.shuffle(again)
    if again:
        normalized = rules_and_ports.normalize(RULES, "ingress", again)
        assert rules_and_ports.compare(RULES, there, normalized, purge=True) is None


def _respelled(text, random):
    parts = text.split(",")
    random.shuffle(parts)
    return " ,  ".join(parts)


@given(DECLARED)
def test_normalization_is_idempotent(declared):
    wanted = normal(declared)
    assert rules_and_ports.normalize(RULES, "ingress", wanted) == wanted


WILD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.dates() | st.binary(max_size=2),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2) | st.integers(), inner, max_size=2),
    max_leaves=4,
)
KEYS = st.sampled_from(["type", "value", "ttl", "protocol", "listen_port", "snat", "target_backend", "x"])


@given(WILD | st.lists(st.dictionaries(KEYS, WILD, max_size=3), max_size=2))
def test_any_sls_value_is_normalized_or_refused(declared):
    for word in ("network_zone_record", "network_forward", "network_load_balancer"):
        for field in KINDS[word].items:
            try:
                wanted = diff.normalize(KINDS[word], {field: declared})
            except InvalidError as exc:
                assert field in str(exc)
                continue
            assert diff.normalize(KINDS[word], wanted) == wanted
