"""
Deletion of what is in a network, a pool or a volume and was not named.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lxdapi.errors import InvalidError
from lxdapi.model import listing, objects
from lxdapi.model.kinds import get_kind
from lxdapi.plan import converge
from lxdapi.plan.steps import Plan

if TYPE_CHECKING:
    from lxdapi.api import API
    from lxdapi.plan.steps import Steps


def plan_purge(api: API, kind_name: str, parent: str, keep: Any) -> Steps:
    """
    Return the steps that leave nothing in a parent but what is named.

    keep
        Names, without the parent's.
    """
    kind = get_kind(kind_name)
    if not isinstance(keep, (list, tuple)):
        raise InvalidError("keep: a list of names is needed")
    kept = {objects.parts_of(kind, f"{parent}/{name}")["name"] for name in keep}
    words = objects.unsupported_reason(api, kind)
    if words or objects.read(api, get_kind(kind.parents[-1]), parent) is None:
        return Plan(summary="absent").with_note(words)
    known = listing.list_objects(api, kind_name, parent)
    gone = [name for name in known if objects.parts_of(kind, name)["name"] not in kept]
    steps = [step for name in gone for step in converge.plan_absent(api, kind_name, name)]
    return [_of_another(step, step.changes["deleted"]) for step in steps]


def _of_another(step, name):
    """Return the deletion of an object as a step of what it was in."""
    return replace(step, verb=f"rid of {name}", changes={name: step.changes})
