"""
The fleet state: one listing, one comparison, and concurrent changes.
"""

from lxdapi import masking
from lxdapi.errors import LxdapiError
from lxdapi.fleet import bulk_patch, declaration, name_ranges, summary
from lxdapi.fleet.planner import Planner
from lxdapi.fleet.runner import FleetRunner
from lxdapi.http import progress
from lxdapi.model import diff
from lxdapi.plan.state_result import run_state


def run(name, test, fleet, connect):
    """
    Return Salt's answer for a fleet.

    name
        The state's name.
    test
        True: report what would be done.
    fleet
        A :class:`lxdapi.fleet.declaration.FleetSpec`.
    connect
        Called without arguments, returns the API.
    """
    ret = {"name": name, "changes": {}, "result": True, "comment": ""}
    with masking.marked_keys(fleet.sensitive):
        try:
            work = _FleetRun(connect(), fleet)
        except LxdapiError as exc:
            return failed_answer(ret, f"it could not be read: {exc.explain()}")
        return work.predict(ret) if test else work.apply(ret)


def failed_answer(ret, reason):
    """Return the answer of a fleet that failed before anything was started."""
    return {**ret, "result": False, "comment": f"fleet {ret['name']}: {reason}"}


class _FleetRun:
    """One run of a fleet state."""

    def __init__(self, api, fleet):
        self._api, self._fleet, self._run = api, fleet, FleetRunner(fleet.concurrency, fleet.batches.max_failures)
        self._planning, self._notes = Planner(api, fleet.definitions), []

    def predict(self, ret):
        """Return the answer in test mode."""
        planned = {name: self._planning.plan(name) for name in self._fleet.definitions}
        going = self._names_to_purge()
        planned.update({name: self._planning.purge(name) for name in going})
        # test mode also reads the missing prerequisites of steps
        with self._planning.listing.cached_reads():
            answers = {
                name: run_state("instance", name, each.plan_or_raise, test=True) for name, each in planned.items()
            }
        return summary.answer(ret, answers, notes=self._notes)

    def apply(self, ret):
        """Apply the declaration and return the answer."""
        pending = self._pending(self._fleet.definitions)
        with progress.count(f"fleet {ret['name']}", len(pending), self._api, ret["name"]) as self._run.on_progress:
            self._run_batches(pending)
        self._run.on_progress = None
        self._purge()
        return summary.answer(ret, self._run.answers, self._run.unstarted, notes=self._notes)

    def _run_batches(self, pending):
        for number, batch in enumerate(self._fleet.batches.split(list(pending))):
            if self._run.is_aborted():
                self._run.record_unstarted(batch)
                continue
            if number:  # the first plan is outdated
                self._planning = Planner(self._api, self._fleet.definitions)
                pending = self._pending(batch)
            self._converge({name: pending[name] for name in batch if name in pending})

    def _pending(self, names):
        """Return the plans that have steps; for the others the answer is recorded."""
        planned = {name: self._planning.plan(name) for name in names}
        for name, each in planned.items():
            if not each.plan:
                self._run.record(name, run_state("instance", name, each.plan_or_raise))
        return {name: each for name, each in planned.items() if each.plan}

    def _converge(self, pending):
        changes = bulk_patch.BulkPatch(self._api, self._planning.listing)
        plans = {name: changes.verify_later(name, each) for name, each in pending.items()}
        self._run.run(plans, {name: declaration.prerequisite_of(self._fleet.definitions, name) for name in plans})
        self._repeat_lost_patches(changes)

    def _repeat_lost_patches(self, changes):
        """Verify all PATCHes by a new listing and repeat the lost ones."""
        try:
            planned = changes.plan_missing()
        except LxdapiError as exc:
            self._notes.append(f"the changes could not be verified: {exc.explain()}")
            return
        runner = FleetRunner(self._fleet.concurrency)
        runner.run(planned)
        for name, answer in runner.answers.items():
            first_answer = self._run.answers[name]
            diff.merge_changes(first_answer["changes"], answer["changes"])
            self._run.record(name, first_answer if answer["result"] else {**answer, "changes": first_answer["changes"]})

    def _names_to_purge(self):
        """Return the undeclared instances to delete; note those that stay."""
        undeclared = self._planning.undeclared() if self._fleet.purge else {}
        names = [name for name, reason in undeclared.items() if not reason and self._fleet.purge == declaration.STOPPED]
        groups = {}
        for name in undeclared.keys() - set(names):
            groups.setdefault(undeclared[name] if self._fleet.purge == declaration.STOPPED else "", []).append(name)
        notes = [
            name_ranges.fold(group) + (f" ({reason})" if reason else "") for reason, group in sorted(groups.items())
        ]
        self._notes += [f"not declared, and kept: {', '.join(notes)}"] if notes else []
        return names

    def _purge(self):
        """Delete undeclared stopped instances after everything else succeeded."""
        names = self._names_to_purge()
        if not names:
            return
        if self._run.failures() or self._run.unstarted:
            self._notes.append(f"not declared, and not deleted because something failed: {name_ranges.fold(names)}")
            return
        self._planning = Planner(self._api, self._fleet.definitions)
        undeclared = self._planning.undeclared()
        planned = {name: self._planning.purge(name) for name in names if undeclared.get(name) == ""}
        self._run.run({name: each.plan for name, each in planned.items() if each.plan})
