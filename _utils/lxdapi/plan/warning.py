"""
Warnings: they are found by their type, because the daemon chooses their UUIDs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lxdapi.model import objects
from lxdapi.model.kinds import KINDS
from lxdapi.plan import converge
from lxdapi.plan.steps import Plan

if TYPE_CHECKING:
    from lxdapi.api import API
    from lxdapi.plan.steps import Step

KIND = KINDS["warning"]


def find_matching(api: API, name: str) -> dict[str, dict[str, Any]]:
    """
    Return ``{uuid: warning}`` of the warnings with this UUID or type, in every project; {} if the daemon has no
    warnings.
    """
    if objects.unsupported_reason(api, KIND):
        return {}
    warnings = api.get(KIND.collection, params={"recursion": 1}).metadata or ()
    return {warning["uuid"]: warning for warning in warnings if name in (warning["uuid"], warning["type"])}


def plan_acknowledge(api: API, name: str) -> list[Step]:
    """Return the steps that acknowledge the matching warnings."""
    uuids = [uuid for uuid, warning in find_matching(api, name).items() if warning["status"] == "new"]
    plans = [converge.plan_present(api, "warning", uuid, {"status": "acknowledged"}) for uuid in uuids]
    return [_with_uuid(uuid, step) for uuid, steps in zip(uuids, plans) for step in steps]


def _with_uuid(uuid, step):
    """Return the step of one of several warnings, with its UUID in the changes."""
    return step._replace(verb="acknowledged", changes={uuid: step.changes}, apply=lambda: step.apply() and None)


def plan_absent(api: API, name: str) -> Plan:
    """Return the steps that delete the matching warnings."""
    plans = [converge.plan_absent(api, "warning", uuid) for uuid in find_matching(api, name)]
    steps = [step._replace(changes={step.changes["deleted"]: step.changes}) for plan in plans for step in plan]
    return Plan(steps, "absent")
