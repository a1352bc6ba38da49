"""
Bulk changes: one PATCH for each instance, concurrently, and one listing afterwards that verifies them all.

A PATCH of the difference keeps every other key, whoever wrote it meanwhile. It does not keep the description (see the
table of kinds), so that is repeated from a recent listing. The daemons lose one of two simultaneous writes: so lxdapi
reads all instances again, and updates those that are not as declared like any other instance (see
:func:`lxdapi.model.writes.update`).
"""

import time
from functools import partial
from typing import Dict

from lxdapi.errors import APIException
from lxdapi.fleet import listing
from lxdapi.fleet.planner import InstancePlan
from lxdapi.http import retry
from lxdapi.model import diff, project_rules, verification, writes
from lxdapi.model.cached_reads import CachedObject
from lxdapi.plan.steps import Plan, Step

KIND = listing.KIND


class BulkPatch:
    """
    The pending and written PATCHes of a fleet.

    entries
        The :class:`lxdapi.fleet.listing.Listing` that they were planned from.
    """

    def __init__(self, api, entries):
        self._api, self._written, self._listing = api, {}, entries

    def verify_later(self, name: str, planned: InstancePlan) -> Plan:
        """Return a plan in which a change of one PATCH is a step that is verified later."""
        plan = planned.plan_or_raise()
        if not self._is_patchable(name, planned):
            return plan
        patch = partial(self._patch, name, planned.declared)
        return plan.with_steps(
            step._replace(apply=project_rules.in_turn(self._api, KIND, step.changes, patch)) for step in plan
        )

    def _is_patchable(self, name, planned):
        entry, steps = self._listing.read_fresh(name), list(planned.plan)
        if [step.verb for step in steps] != ["updated"] or entry is None or planned.declared is None:
            return False
        delta = diff.compare(KIND, planned.declared, entry)
        return bool(delta) and not delta.removes and delta.changes == steps[0].changes

    def _patch(self, name, declared):
        entry = self._listing.read_fresh(name)
        delta = diff.compare(KIND, declared, entry) if entry else None
        if delta is None or delta.removes:
            return writes.update(self._api, KIND, name, declared)
        if not delta:
            return {}
        try:
            writes.write(self._api, KIND, name, CachedObject(entry), delta).wait()
        except APIException as exc:
            if not (retry.is_outcome_unknown(exc) or retry.is_busy(exc)):
                raise
            changes = dict(delta.changes) if retry.is_outcome_unknown(exc) else {}
            diff.merge_changes(changes, writes.update(self._api, KIND, name, declared))
            return changes
        self._written[name] = declared
        return delta.changes

    def plan_missing(self) -> Dict[str, Plan]:
        """Return ``{name: steps}`` that repeat lost writes; a failed listing is raised."""
        written, self._written = self._written, {}
        if not written:
            return {}
        time.sleep(verification.RACE)
        entries = listing.list_instances(self._api)
        lost = [name for name in written if self._is_lost(entries, name, written)]
        return {name: Plan.of([self._write_again(name, written[name])]) for name in lost}

    def _is_lost(self, entries, name, written):
        return name not in entries or bool(diff.compare(KIND, written[name], entries[name]))

    def _write_again(self, name, declared):
        return Step("updated", {}, partial(writes.update, self._api, KIND, name, declared))
