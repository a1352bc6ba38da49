"""
Plans all instances of a fleet from one listing.
"""

from typing import Any, Dict, NamedTuple, Optional

from lxdapi.errors import LxdapiError
from lxdapi.fleet import declaration, listing
from lxdapi.instances import plan as instances
from lxdapi.instances import power
from lxdapi.model.cached_reads import CachedObject
from lxdapi.model.instance import is_protected
from lxdapi.plan.steps import Plan


class InstancePlan(NamedTuple):
    """
    The plan of one instance, or the error that prevents it.

    plan
        None if there is an error.
    error
        Why there is no plan.
    declared
        The declared fields of an instance that must exist.
    """

    plan: Optional[Plan]
    error: Optional[LxdapiError] = None
    declared: Optional[Dict[str, Any]] = None

    @classmethod
    def of(cls, make):
        """Return the plan of the steps that ``make`` returns, or the error that it raises."""
        try:
            return cls(Plan.of(make()))
        except LxdapiError as exc:
            return cls(None, exc)

    def plan_or_raise(self) -> Plan:
        """Return the plan or raise the error."""
        if self.plan is None:
            raise self.error or LxdapiError("the instance has no plan")
        return self.plan


class Planner:
    """
    Plans the instances of a fleet from one listing.

    definitions
        ``{name: definition}`` of the whole fleet: see :func:`lxdapi.fleet.declaration.parse_definitions`.
    """

    def __init__(self, api, definitions):
        self._api, self.listing, self._definitions = api, listing.Listing(api), definitions

    def plan(self, name) -> InstancePlan:
        """Return the :class:`InstancePlan` for a declared instance."""
        definition = self._definitions[name]
        try:
            with self.listing.cached_reads():
                if definition.absent:
                    return InstancePlan(instances.plan_absent(self._api, name, definition.force))
                fields = instances.fields_of(self._api, name, definition.spec)
                return InstancePlan(instances.plan_present(self._api, name, definition.spec, fields), None, fields)
        except LxdapiError as exc:
            return InstancePlan(None, exc)

    def purge(self, name) -> InstancePlan:
        """Return the :class:`InstancePlan` that deletes an undeclared instance."""
        with self.listing.cached_reads():
            return InstancePlan.of(lambda: instances.plan_absent(self._api, name))

    def undeclared(self):
        """Return ``{name: reason to keep it}`` of the undeclared instances, "" if it may be deleted."""
        named = {*self._definitions, *filter(None, map(declaration.copy_source, self._definitions.values()))}
        named |= {definition.spec.renamed_from for definition in self._definitions.values()}
        entries = self.listing.instances
        return {name: _keep_reason(entries[name]) for name in sorted(set(entries) - named)}


def _keep_reason(entry):
    """Return why an instance must not be purged, "" if it may be."""
    status = power.status(CachedObject(entry))
    if status != "Stopped":
        return f"it is {status}"
    if not listing.is_steady(entry):
        return "its creation may not have ended"
    return "it has security.protection.delete" if is_protected(entry) else ""
