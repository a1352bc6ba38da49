"""
What warnings need beyond the table: they are named by their type, for their UUIDs are the daemon's.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lxdapi.model import objects
from lxdapi.model.kinds import KINDS
from lxdapi.plan import converge

if TYPE_CHECKING:
    from lxdapi.api import API
    from lxdapi.plan.steps import Step

KIND = KINDS["warning"]


def find_matching(api: API, name: str) -> dict[str, dict[str, Any]]:
    """
    Return ``{uuid: warning}`` of those with this UUID or this type, in every project; none where the daemon
    has no warnings.
    """
    if objects.unsupported_reason(api, KIND):
        return {}
    found = api.get(KIND.collection, params={"recursion": 1}).metadata or ()
    return {each["uuid"]: each for each in found if name in (each["uuid"], each["type"])}


def plan_acknowledge(api: API, name: str) -> list[Step]:
    """Return the steps that acknowledge them."""
    new = [uuid for uuid, each in find_matching(api, name).items() if each["status"] == "new"]
    steps = [converge.plan_present(api, "warning", uuid, {"status": "acknowledged"}) for uuid in new]
    return [_with_uuid(uuid, step) for uuid, found in zip(new, steps) for step in found]


def _with_uuid(uuid, step):
    """Return the step of one of several warnings, with its UUID in the changes."""
    return replace(step, verb="acknowledged", changes={uuid: step.changes}, apply=lambda: step.apply() and None)


def plan_absent(api: API, name: str) -> list[Step]:
    """Return the steps that remove them."""
    steps = [converge.plan_absent(api, "warning", uuid) for uuid in find_matching(api, name)]
    return [replace(step, changes={step.changes["deleted"]: step.changes}) for found in steps for step in found]
