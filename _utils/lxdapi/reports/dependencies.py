"""
The order in which objects can be created: each after the objects that it names.

A network needs its uplink, its ACLs and zones; an ACL needs the ACLs, address sets and peers in its rules, and of a
peering both peers. So an ACL of a network that names a peer of the same network needs itself: it is created without
rules first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from lxdapi.model import equality
from lxdapi.model.kinds import get_kind

# {kind: {pattern of config keys: the kind of the objects that such a key names}}
_NAMED = {
    "network": {
        r"network|parent|bridge\.external_interfaces": "network",
        r"security\.acls": "network_acl",
        r"dns\.zone\..*": "network_zone",
    },
}
# The marks before the names in a rule, where no mark is an ACL.
_MARKS = {"@": "network_peer", "$": "network_address_set"}


class Entry(NamedTuple):
    """
    An object.

    kind_name, name, metadata
        Its kind, its name, and its data.
    member
        The member of the cluster that it is on, or None.
    bare
        True: without its rules, which follow in another entry.
    """

    kind_name: str
    name: str
    metadata: dict[str, Any]
    member: str | None = None
    bare: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """Return kind and name."""
        return self.kind_name, self.name


def in_order(entries: Iterable[Entry]) -> list[Entry]:
    """Return the entries so that each follows those that it needs, and otherwise in the given order."""
    order = _Order(entries)
    for key in order.needs:
        order.add(key, bare=key in order.split)
        order.add(key)
    return order.entries


def _needs(entry: Entry) -> Iterator[tuple[str, str]]:
    """Yield kind and name of each object that an object needs: those of the same kind and of a later one."""
    kind = get_kind(entry.kind_name)
    if kind.parents:
        yield kind.parents[-1], entry.name.rpartition("/")[0]
    for key, value in (entry.metadata.get("config") or {}).items():
        for pattern, named in _NAMED.get(entry.kind_name, {}).items():
            if re.fullmatch(pattern, key):
                yield from ((named, name) for name in sorted(equality.split_set(value)))
    for rule in (rule for field in ("egress", "ingress") for rule in entry.metadata.get(field) or ()):
        for subject in sorted(equality.split_set(rule.get("source")) | equality.split_set(rule.get("destination"))):
            yield _MARKS.get(subject[:1], "network_acl"), subject.lstrip("@$")


def _peering(entry):
    """Return (a network, the network that it is connected to) of a peer."""
    target = entry.metadata.get("target_network")
    return (entry.name.partition("/")[0], target) if target else ("", "")


class _Order:
    """
    A walk through the objects and what they need.

    needs
        ``{key: the keys of the objects that it needs}``.
    split
        The keys of the objects that need themselves, but not to be created without rules.
    entries
        Those that were added.
    """

    def __init__(self, entries):
        self._by_key: dict[tuple[str, str], list[Entry]] = {}
        for entry in entries:
            self._by_key.setdefault(entry.key, []).append(entry)
        self._peers = {_peering(entry): entry.key for each in self._by_key.values() for entry in each}
        self.needs = {key: self._find_needs(key) for key in self._by_key}
        self.split = {key for key in self._by_key if get_kind(key[0]).items and self._needs_itself(key)}
        self.entries: list[Entry] = []
        self._added: set[tuple[tuple[str, str], bool]] = set()

    def _find_needs(self, key):
        needs = {need for entry in self._by_key[key] for need in _needs(entry) if need in self._by_key and need != key}
        others = (_peering(entry)[::-1] for need in needs for entry in self._by_key[need])
        return sorted(needs | {self._peers[other] for other in others if other in self._peers and all(other)})

    def _needs_itself(self, key):
        found, left = set(), list(self.needs[key])
        while left:
            each = left.pop()
            left += [need for need in self.needs[each] if need not in found]
            found.update(self.needs[each])
        return key in found

    def add(self, key, bare=False):
        """Add an object after those that it needs."""
        if (key, bare) in self._added:
            return
        self._added.add((key, bare))
        for need in () if bare else self.needs[key]:
            self.add(need, bare=need in self.split)
        self.entries += [entry._replace(bare=bare) for entry in self._by_key[key]]
