"""
Lists of the objects of every kind, also of those inside others: forwards of networks, snapshots of volumes.
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
        List only the objects in this one: ``lxdbr0`` for the forwards of a network. Default: in all parents, with a
        request for each.
    """
    kind = get_kind(kind_name)
    objects.require(api, kind)
    if not kind.of_server:
        objects.require_project(api)
    if parent and not kind.parents:
        raise InvalidError(f"parent: a {kind.label} has no parent; omit it")
    if not kind.path:
        return {kind_name: api.get("").metadata}
    return {name: metadata for name, metadata, _ in list_everything(api, kind, parent)}


def find(api: API, kind_name: str, name: str) -> dict[str, Any] | None:
    """Return the metadata of an object, None if it does not exist; raises if its project does not exist."""
    kind = get_kind(kind_name)
    result = objects.read(api, kind, name)
    if result is None:
        if not kind.of_server:
            objects.require_project(api)
        return None
    return result.metadata


def list_everything(api: API, kind: Kind, parent: str | None = None) -> list[tuple[str, dict[str, Any], str | None]]:
    """
    Return (name, object, member of the cluster that it is on or None) of all of a kind: of volumes on local
    pools there may be several of one name.
    """
    if not kind.parents:
        return _list_collection(api, kind, "", None)
    parents = [(parent, None, None)] if parent else list_everything(api, get_kind(kind.parents[-1]))
    return [entry for name, _, member in parents for entry in _list_in_parent(api, kind, name, bool(parent), member)]


def _list_in_parent(api, kind, parent, strict, member):
    """Return the objects in a parent; for a parent that cannot have any, [], or the error if it was named."""
    try:
        return _list_collection(api, kind, parent, member)
    except APINotFoundException:
        if strict:
            raise
    except APIException as exc:
        # 400: a macvlan network has no forwards, a bridge no peers
        if strict or exc.result.response.status_code != 400:
            raise
    return []


def _list_collection(api, kind, parent, member):
    parts = objects.parts_of(kind, f"{parent}/{_PLACEHOLDERS[kind.rule]}", existing=True) if parent else {}
    params = {"recursion": 1, **({"target": member} if member else {})}
    listed = api.get(validation.path(kind.collection, **parts), params=params, stream=True).metadata or ()
    if kind.cluster.local and kind.listed_with_parent and api.clustered:
        listed = _snapshots_on_member(api.at(member) if member else api, kind, parent, listed)
    prefix = f"{parent}/" if parent else ""
    listed = [metadata for metadata in listed if _is_of_kind(kind, metadata)]
    return [(prefix + _own_name(kind, metadata), metadata, member_of(kind, metadata, member)) for metadata in listed]


def _snapshots_on_member(api, kind, parent, listed):
    """
    Return a volume's snapshots, each read by itself: LXD 5.0.2 lists those of the member that answers, whatever the
    target, and those of all members beside the volumes.
    """
    parent_kind, volume = get_kind(kind.parents[-1]), parent.rpartition("/")[2]
    path = validation.path(parent_kind.collection, **objects.parts_of(parent_kind, parent))
    others = api.get(path, params={"recursion": 1}).metadata or ()
    others = [metadata for metadata in others if metadata["name"].rpartition("/")[0] == volume]
    others = [metadata for metadata in others if api.target in (None, metadata["location"])]
    names = sorted({_own_name(kind, metadata) for metadata in (*listed, *others)})
    results = [objects.read(api, kind, f"{parent}/{name}") for name in names]
    return [result.metadata for result in results if result is not None]


def member_of(kind: Kind, metadata: dict[str, Any], parent_member: str | None) -> str | None:
    """Return the member of the cluster that an object is on, if a state can name it."""
    location = metadata.get("location") if kind.cluster.local else None
    return (location if location not in (None, "", "none") else None) or parent_member


# A valid name for each rule, to build the path of a collection.
_PLACEHOLDERS = {
    "address": "::",
    "instance": "a",
    "plain": "a",
    "snapshot": "a",
    "token": "a",
    "any": "a",
    "fingerprint": "0" * 64,
}


def _own_name(kind, metadata):
    name = metadata[kind.key or "fingerprint"]
    return name.rpartition("/")[2] if kind.listed_with_parent else name


def _is_of_kind(kind, metadata):
    """
    Return True for an object of the kind: interfaces of the machine stand beside networks, and snapshots
    (``volume/snapshot``) beside volumes on LXD 5.0.2 and Incus 6.0.4.
    """
    return metadata.get("managed", True) and not (kind.parents and "/" in _own_name(kind, metadata))
