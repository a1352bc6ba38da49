"""
Purge: delete the objects in a network, a pool or a volume that are not named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lxdapi.errors import InvalidError
from lxdapi.model import listing, objects
from lxdapi.model.kinds import get_kind
from lxdapi.plan import converge
from lxdapi.plan.steps import Plan

if TYPE_CHECKING:
    from lxdapi.api import API


def plan_purge(api: API, kind_name: str, parent: str, keep: Any) -> Plan:
    """
    Return the steps that delete the objects in a parent whose names are not listed.

    keep
        The names to keep, without the parent's.
    """
    kind = get_kind(kind_name)
    if not isinstance(keep, (list, tuple)):
        raise InvalidError.of_value("keep", "a list of names", keep)
    kept = {objects.parts_of(kind, f"{parent}/{name}")["name"] for name in keep}
    reason = objects.unsupported_reason(api, kind)
    if reason or objects.read(api, get_kind(kind.parents[-1]), parent) is None:
        return Plan(summary="absent").with_note(reason)
    existing = listing.list_everything(api, kind, parent)
    unnamed = [(name, member) for name, _, member in existing if objects.parts_of(kind, name)["name"] not in kept]
    steps = [step for name, member in unnamed for step in converge.plan_absent(_at(api, member), kind_name, name)]
    return Plan.of(_as_parent_step(step, step.changes["deleted"]) for step in steps)


def _at(api, member):
    return api.at(member) if member else api


def _as_parent_step(step, name):
    """Return the deletion of an object as a step of its parent."""
    return step._replace(verb=f"pruned of {name}", changes={name: step.changes})
