"""
Exclusive ownership on request: ``purge``, ``purged``, and an empty list; never by default.
"""

import pytest

OTHERS = {
    "lxdapi_network_acl": (
        "web",
        "network-acls/web",
        "ingress",
        [{"action": "drop", "state": "enabled"}, {"action": "allow", "state": "enabled", "protocol": "tcp"}],
        {"action": "reject", "protocol": "udp"},
    ),
    "lxdapi_network_forward": (
        "lxdapi9/192.0.2.1",
        "networks/lxdapi9/forwards/192.0.2.1",
        "ports",
        [
            {"protocol": "udp", "listen_port": "53", "target_address": "10.77.9.2"},
            {"protocol": "tcp", "listen_port": "53", "target_address": "10.77.9.2"},
        ],
        {"protocol": "tcp", "listen_port": "80", "target_address": "10.77.9.3"},
    ),
    "lxdapi_network_zone_record": (
        "shop.test/www",
        "network-zones/shop.test/records/www",
        "entries",
        [{"type": "A", "value": "192.0.2.9"}, {"type": "A", "value": "192.0.2.8"}],
        {"type": "AAAA", "value": "2001:db8::1"},
    ),
}
NETWORK = {"name": "lxdapi9", "config": {"ipv4.address": "10.77.9.1/24", "ipv6.address": "fd42:77::1/64"}}
NEEDS = {
    "lxdapi_network_forward": {"/1.0/networks": NETWORK},
    "lxdapi_network_zone_record": {"/1.0/network-zones": {"name": "shop.test"}},
}


class Owned:
    """An object with two foreign elements in its list, and one that will be declared."""

    def __init__(self, state, raw):
        self.state, self._raw = f"{state}.present", raw
        self.name, self.path, self.field, self.theirs, self.ours = OTHERS[state]

    def count(self):
        """Return the number of elements."""
        return len(self._raw(self.path)[self.field] or ())


@pytest.fixture(params=sorted(OTHERS))
def owned(request, apply, daemon, raw):
    """Each kind with a list of elements."""
    found = Owned(request.param, raw)
    for path, body in NEEDS.get(request.param, {}).items():
        daemon.ask("POST", path, body)
    apply(found.state, found.name, **{found.field: found.theirs})
    assert found.count() == 2
    return found


def test_undeclared_items_need_purge_or_empty_list_to_be_removed(apply, owned, proxy):
    apply.unchanged(owned.state, owned.name, purge=True)
    assert owned.count() == 2
    changes = apply.changed(owned.state, owned.name, **{owned.field: [owned.ours]})
    assert (len(changes[owned.field]), owned.count()) == (1, 3)
    changes = apply.changed(owned.state, owned.name, purge=True, **{owned.field: [owned.theirs[0]]})
    assert [pair["new"] for pair in changes[owned.field].values()] == [None, None]
    assert owned.count() == 1
    changes = apply.changed(owned.state, owned.name, **{owned.field: []})
    assert (len(changes[owned.field]), owned.count()) == (1, 0)


def test_purge_adds_and_removes_in_one_write(apply, owned, proxy):
    proxy.clear()
    ret = apply(owned.state, owned.name, purge=True, **{owned.field: [owned.ours, owned.theirs[0]]})
    assert (len(ret["changes"][owned.field]), owned.count()) == (2, 2)
    assert [entry[0] for entry in proxy.writes()] == ["PUT"]


def test_image_aliases_are_removed_only_by_purge(apply, imported, raw):
    apply("lxdapi_image_alias.present", "theirs/1", target=imported)
    apply.changed("lxdapi_image.present", "box", fingerprint=imported, aliases=["more"])
    assert {each["name"] for each in raw(f"images/{imported}")["aliases"]} == {"box", "busybox", "more", "theirs/1"}
    changes = apply.changed("lxdapi_image.present", "box", fingerprint=imported, aliases=["more"], purge=True)
    assert changes == {
        "aliases": {
            "busybox": {"old": imported, "new": None},
            "theirs/1": {"old": imported, "new": None},
        }
    }
    assert {each["name"] for each in raw(f"images/{imported}")["aliases"]} == {"box", "more"}


@pytest.fixture
def forwards(daemon):
    """A network with three forwards."""
    daemon.ask("POST", "/1.0/networks", NETWORK)
    for address in ("192.0.2.1", "192.0.2.2", "2001:db8::1"):
        daemon.ask("POST", "/1.0/networks/lxdapi9/forwards", {"listen_address": address})
    return "networks/lxdapi9/forwards"


def test_undeclared_forwards_are_purged(apply, forwards, raw):
    assert "192.0.2.300" in apply.failed("lxdapi_network_forward.purged", "lxdapi9", keep=["192.0.2.300"])
    changes = apply.changed("lxdapi_network_forward.purged", "lxdapi9", keep=["192.0.2.1", "2001:0db8::1"])
    assert changes == {"lxdapi9/192.0.2.2": {"deleted": "lxdapi9/192.0.2.2"}}
    assert sorted(path.rpartition("/")[2] for path in raw(forwards)) == ["192.0.2.1", "2001:db8::1"]
    apply.changed("lxdapi_network_forward.purged", "lxdapi9", keep=[])
    assert raw(forwards) == []


def test_purged_names_deletions_and_accepts_missing_network(apply, forwards):
    declared = {"keep": ["192.0.2.1", "2001:db8::1"]}
    predicted = apply.predicted("lxdapi_network_forward.purged", "lxdapi9", **declared)
    assert predicted["comment"] == "network forward lxdapi9 would be pruned of lxdapi9/192.0.2.2"
    ret = apply("lxdapi_network_forward.purged", "lxdapi9", **declared)
    assert ret["comment"] == "network forward lxdapi9 was pruned of lxdapi9/192.0.2.2"
    apply.unchanged("lxdapi_network_forward.purged", "lxdapi8", keep=[])


def test_purge_with_keep_null_is_refused_before_any_request(apply, forwards, raw):
    assert "expected a list of names for keep" in apply.refused("lxdapi_network_forward.purged", "lxdapi9", keep=None)
    assert len(raw(forwards)) == 3
