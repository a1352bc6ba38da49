"""
Lists of the objects of every kind, also of those that are in others: forwards of networks, snapshots of volumes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lxdapi import validation
from lxdapi.errors import APIException, APINotFoundException, InvalidError
from lxdapi.model import objects
from lxdapi.model.kinds import get_kind

if TYPE_CHECKING:
    from lxdapi.api import API
    from lxdapi.model.schema import Kind


def list_objects(api: API, kind_name: str, parent: str | None = None) -> dict[str, dict[str, Any]]:
    """
    Return ``{name: object}`` of every object of a kind.

    parent
        Only of those in it: ``lxdbr0`` for a network's forwards. None: in all that there are, with a
        request for each.
    """
    kind = get_kind(kind_name)
    objects.require(api, kind)
    if not kind.of_server:
        objects.require_project(api)
    if parent and not kind.parents:
        raise InvalidError(f"parent: the kind {kind.label} is in nothing else")
    if not kind.path:
        return {kind_name: api.get("").metadata}
    return {name: found for name, found, _ in list_everything(api, kind, parent)}


def find(api: API, kind_name: str, name: str) -> dict[str, Any] | None:
    """Return the object of that name, None if there is none; raises if there is no such project."""
    kind = get_kind(kind_name)
    current = objects.read(api, kind, name)
    if current is None:
        if not kind.of_server:
            objects.require_project(api)
        return None
    return current.metadata


def list_everything(api: API, kind: Kind, parent: str | None = None) -> list[tuple[str, dict[str, Any], str | None]]:
    """
    Return (name, object, member of the cluster that it is on or None) of all of a kind: of volumes on local
    pools there may be several of one name.
    """
    if not kind.parents:
        return _collection(api, kind, "", None)
    above = [(parent, None, None)] if parent else list_everything(api, get_kind(kind.parents[-1]))
    return [each for name, _, member in above for each in _within(api, kind, name, bool(parent), member)]


def _within(api, kind, parent, strict, member):
    """Return the objects in a parent; none, unless asked for by name, where it cannot have any."""
    try:
        return _collection(api, kind, parent, member)
    except APINotFoundException:
        if strict:
            raise
    except APIException as exc:
        # 400: a macvlan network has no forwards, a bridge no peers
        if strict or exc.result.response.status_code != 400:
            raise
    return []


def _collection(api, kind, parent, member):
    parts = objects.parts_of(kind, f"{parent}/{_ANY[kind.rule]}", existing=True) if parent else {}
    params = {"recursion": 1, **({"target": member} if member else {})}
    found = api.get(validation.path(kind.collection, **parts), params=params).metadata or ()
    if kind.cluster.local and kind.listed_with_parent and api.clustered:
        found = _of_the_member(api.at(member) if member else api, kind, parent, found)
    before = f"{parent}/" if parent else ""
    found = [each for each in found if _is_of_kind(kind, each)]
    return [(before + _own(kind, each), each, member_of(kind, each, member)) for each in found]


def _of_the_member(api, kind, parent, found):
    """
    Return a volume's snapshots, as they are read one by one: LXD 5.0.2 lists those of the member that is asked,
    whatever the target; and those of all members beside the volumes.
    """
    above, volume = get_kind(kind.parents[-1]), parent.rpartition("/")[2]
    path = validation.path(above.collection, **objects.parts_of(above, parent))
    beside = api.get(path, params={"recursion": 1}).metadata or ()
    beside = [each for each in beside if each["name"].rpartition("/")[0] == volume]
    beside = [each for each in beside if api.target in (None, each["location"])]
    known = sorted({_own(kind, each) for each in (*found, *beside)})
    there = [objects.read(api, kind, f"{parent}/{name}") for name in known]
    return [each.metadata for each in there if each is not None]


def member_of(kind: Kind, found: dict[str, Any], parents: str | None) -> str | None:
    """Return the member of the cluster that an object is on, where the state can be told."""
    here = found.get("location") if kind.cluster.local else None
    return (here if here not in (None, "", "none") else None) or parents


# A name that a rule takes, where only the collection is asked for.
_ANY = {
    "address": "::",
    "instance": "a",
    "plain": "a",
    "snapshot": "a",
    "token": "a",
    "any": "a",
    "fingerprint": "0" * 64,
}


def _own(kind, found):
    name = found[kind.key or "fingerprint"]
    return name.rpartition("/")[2] if kind.listed_with_parent else name


def _is_of_kind(kind, found):
    """
    Return True for an object of the kind: interfaces of the machine stand beside networks, and snapshots
    (``volume/snapshot``) beside volumes on LXD 5.0.2 and Incus 6.0.4.
    """
    return found.get("managed", True) and not (kind.parents and "/" in _own(kind, found))
