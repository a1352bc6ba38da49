"""
The order of an export: each object after those that it names.
"""

import itertools

import pytest
from lxdapi.reports.dependencies import Entry, in_order


def network(name, **config):
    """Return a network with this config."""
    return Entry("network", name, {"config": config})


def acl(name, *sources):
    """Return an ACL with a rule for each source."""
    return Entry("network_acl", name, {"ingress": [{"action": "allow", "source": source} for source in sources]})


def names(entries):
    """Return the names of the entries, those of bare ones in brackets."""
    return " ".join(f"({each.name})" if each.bare else each.name for each in in_order(entries))


def peer(name, target=None):
    """Return a peer that is connected to a network."""
    return Entry("network_peer", name, {"target_network": target})


@pytest.mark.parametrize(
    "entries, order",
    [
        ([acl("a"), acl("b"), network("c")], "a b c"),
        ([network("a", network="b"), network("b")], "b a"),
        ([network("a", parent="b"), network("b", **{"bridge.external_interfaces": "c,d"}), network("c")], "c b a"),
        ([network("a", **{"dns.zone.forward": "b.test"}), Entry("network_zone", "b.test", {})], "b.test a"),
        ([acl("a", "c"), acl("b"), acl("c", "192.0.2.1,b")], "b c a"),
        ([acl("a", "a,@internal")], "a"),
        ([acl("a", "$b"), Entry("network_address_set", "b", {})], "b a"),
        ([acl("a", "b"), acl("b", "a")], "(a) (b) a b"),
        ([acl("a", "@n/p"), network("n"), peer("n/p")], "n n/p a"),
        ([acl("a", "@n/p"), network("n", **{"security.acls": "a"}), peer("n/p")], "(a) n n/p a"),
        (
            [acl("a", "@n/p"), acl("b", "@n/p"), network("n", **{"security.acls": "b"}), peer("n/p")],
            "(b) n n/p a b",
        ),
        ([acl("a", "@n/p"), network("m"), network("n"), peer("n/p", "m"), peer("m/q", "n")], "m m/q n n/p a"),
        ([network("a", network="b"), network("b", network="a")], "b a"),
    ],
)
def test_objects_follow_those_that_they_name(entries, order):
    assert names(entries) == order


def test_any_order_of_objects_leads_to_a_creatable_one():
    entries = [
        acl("a", "b,@n/p"),
        acl("b", "a"),
        network("n", network="u", **{"security.acls": "b"}),
        network("u"),
        peer("n/p"),
    ]
    for shuffled in itertools.permutations(entries):
        created = []
        for each in in_order(shuffled):
            needed = {"a": {"b", "n/p"}, "b": {"a"}, "n": {"b", "u"}, "n/p": {"n"}}.get(each.name, set())
            assert each.bare or needed <= set(created), (each, created)
            created.append(each.name)
        assert set(created) == {"a", "b", "n", "n/p", "u"}
