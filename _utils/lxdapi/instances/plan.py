"""
Plans for instances, with their additions to the generic plans: sources, power states, and stops for a change.
"""

from __future__ import annotations

import logging
from functools import partial

from lxdapi import validation, yaml_numbers
from lxdapi.cluster import instance_move
from lxdapi.errors import APIException, APINotFoundException, InvalidError, LxdapiError
from lxdapi.http import retry
from lxdapi.instances import (
    cloud_init,
    create,
    device_overrides,
    partial_creation,
    power,
    rebuild,
    sources,
)
from lxdapi.instances import wait_for as waiting
from lxdapi.instances.spec import KIND, parse_fields
from lxdapi.model import diff, objects, project_rules, restart_keys, writes
from lxdapi.model.instance import is_protected
from lxdapi.model.kinds import KINDS
from lxdapi.plan import converge
from lxdapi.plan import steps as plans
from lxdapi.plan.steps import Plan, Step

log = logging.getLogger(__name__)


def plan_present(api, name, spec, fields=None) -> Plan:
    """
    Return the steps that make an instance as declared.

    spec
        A :class:`lxdapi.instances.spec.InstanceSpec`.
    fields
        The result of :func:`fields_of` for it. Default: it is called.

    A change comes before a start of the instance, and after a stop.
    """
    waits = waiting.plan(api, name, spec.conditions)
    declared = fields_of(api, name, spec) if fields is None else fields
    result = partial_creation.wait_until_created(api, name)
    delete = _plan_replacement(api, name, result, spec.replace_partial)
    rename = [] if result is not None else converge.plan_rename_if_absent(api, KIND, spec.renamed_from, name)
    if rename:
        result = objects.read(api, KIND, spec.renamed_from)
    note = device_overrides.check_devices(api, declared, None if delete else result, spec.source)
    if result is None or delete:
        options = {"running": bool(spec.running), "replace_partial": spec.replace_partial}
        creation = create.plan_create(api, name, declared, spec.source, spec.timeout, spec.target, **options)
        created = Plan.of(delete + creation).with_note(note).with_note(yaml_numbers.free_text_note(spec.declared))
        return _with_waits(created, waits, spec.goal or "Stopped")
    stable = power.wait_for_autostart(api, name, power.wait_until_stable(api, name, result), spec.goal)
    plan = _plan_existing(api, name, spec, _without_mark(declared, result), stable, rename)
    return _with_waits(plan.with_note(note), waits, spec.goal or power.status(stable))


def _plan_existing(api, name, spec, declared, result, rename) -> Plan:
    """Return the plan for an existing instance, perhaps still under its old name."""
    power.require_not_ephemeral(result, spec.goal)
    changes = _plan_change(api, name, declared, result, spec.restart_on_change, bool(rename))
    move = instance_move.plan_move(api, name, result, spec.target, spec.move, spec.timeout)
    steps = _plan_existing_with_move(api, name, result, spec.goal, changes, move)
    rebuild_steps, note = rebuild.plan_image_check(api, name, result, spec.source, spec.image_changed)
    if rebuild_steps and spec.snapshot_before:
        raise InvalidError(
            "snapshot_before: the daemon cannot rebuild an instance with snapshots (image_changed); omit it"
        )
    plan = instance_move.with_location_note(
        api, result, spec.target, spec.move, rename + rebuild_steps + steps
    ).with_note(note)
    if rename or not spec.snapshot_before:
        return plan
    # imported here, because few instances need it
    from lxdapi.instances import snapshots

    return snapshots.with_rollback_snapshot(api, name, plan)


def fields_of(api, name, spec):
    """
    Return the declared fields with ``cloud_init`` and ``devices_override`` merged in; raises for an architecture that
    the server lacks.
    """
    _require_architecture(api, spec.fields)
    config = cloud_init.merge(api, spec.fields.get("config"), spec.cloud_init)
    devices = device_overrides.merge(api, name, spec.fields, spec.devices_override, spec.source, spec.renamed_from)
    merged = {"config": config, "devices": devices}
    return {**spec.fields, **{field: value for field, value in merged.items() if value is not None}}


def _with_waits(plan: Plan, waits: list[Step], status: str) -> Plan:
    """Return the plan followed by the waits; raises if the instance does not run at the end."""
    if not waits:
        return plan
    if status != "Running":
        raise InvalidError(
            f"wait_for requires a running instance, and this one will be {status}: declare running: true"
        )
    return plan.then(waits)


def plan_power(api, name, goal, timeout=None, force=False, wait_for=None) -> Plan:
    """Return the steps of :func:`lxdapi.instances.power.plan_status`, and the waits after them."""
    waits = waiting.plan(api, name, waiting.parse_conditions(wait_for))
    return _with_waits(Plan.of(power.plan_status(api, name, goal, timeout, force)), waits, goal)


def plan_move(api, name, target, timeout=None) -> list[Step]:
    """Return the steps that move an existing instance to a cluster member; raises if the instance does not exist."""
    result = power.wait_until_stable(api, name)
    return _plan_existing_with_move(
        api, name, result, None, None, instance_move.plan_move(api, name, result, target, True, timeout)
    )


def _plan_existing_with_move(api, name, result, goal, changes, move) -> list[Step]:
    """Return the steps for an existing instance, which is stopped and moved first."""
    status = power.status(result)
    if move is None:
        return _plan_in_order(api, name, status, goal, changes)
    stays_stopped = goal == "Stopped"
    steps = _plan_in_order(api, name, status, "Stopped" if stays_stopped else None, (move, True))
    return steps + _plan_in_order(api, name, "Stopped" if stays_stopped else status, goal, changes)


def _plan_replacement(api, name, result, replace_partial) -> list[Step]:
    """Return the step that deletes a partial creation, none for a complete instance; raises if it may hold data."""
    finding = partial_creation.examine(api, name, result) if result else None
    if finding is None or finding.created:
        return []
    if not (finding.is_replaceable or replace_partial):
        raise InvalidError(partial_creation.describe(finding))
    delete = partial(partial_creation.delete_partial, api, name, result, replace_partial)
    reason = "" if finding.is_replaceable else ", and replace_partial is declared"
    return [Step("deleted", {"deleted": name}, delete, f"it was a partial creation: {finding.evidence}{reason}")]


def _without_mark(declared, result):
    """Return the declared fields with the removal of the mark of a creation that succeeded."""
    if partial_creation.CREATING_KEY not in result.metadata["config"] or declared.get("config") == {}:
        return declared
    return {**declared, "config": {**(declared.get("config") or {}), partial_creation.CREATING_KEY: None}}


def plan_create_new(api, name, settings) -> list[Step]:
    """Return the steps that create an instance without looking for an existing one, which the daemon refuses."""
    objects.path_of(KIND, name)
    declared = parse_fields({field: value for field, value in settings.items() if field != "source"})
    source = sources.parse_source(settings.get("source"))
    _require_architecture(api, declared)
    return create.plan_create(api, name, declared, source, shared=False)


def plan_update(api, name, settings) -> Plan:
    """Return the steps that update an existing instance as declared; raises if it does not exist."""
    declared = parse_fields(settings)
    _require_architecture(api, declared)
    return converge.plan_changes(api, KIND, name, declared, api.get(objects.path_of(KIND, name)))


def _require_architecture(api, declared):
    """Raise for an architecture that the server lacks: the daemons accept any text and ignore it (all three)."""
    architecture = declared.get("architecture")
    environment = (api.server.get("environment") or {}) if architecture else {}
    architectures = environment.get("architectures") or ()
    # in a cluster another member may have it
    if architectures and architecture not in architectures and not api.clustered:
        raise InvalidError(f"architecture {architecture!r}: the server supports only {', '.join(architectures)}")


def _plan_in_order(api, name, status, goal, changes) -> list[Step]:
    """Return the steps for an existing instance: the change comes before a start and after a stop."""
    if not changes:
        return _plan_status(api, name, status, goal)
    change, stop = changes
    if status == "Stopped" or not (stop or goal == "Stopped"):
        return [change] + _plan_status(api, name, status, goal)
    if goal == "Stopped":
        return power.plan_transition(api, name, status, "Stopped") + [change]
    return _plan_stop_change_start(api, name, status, goal, change)


def _plan_stop_change_start(api, name, status, goal, change) -> list[Step]:
    """
    Return the steps that stop the instance, change it and start it; a refused change starts it again.

    The stop and the change are one step. An instance that somebody else stopped meanwhile stays stopped, unless
    ``goal`` is set.
    """
    original_statuses, status_change = [], {"status": {"old": status, "new": "Stopped"}}
    note = "; ".join(filter(None, [change.note, "the instance is stopped for the change"]))

    def apply():
        original_status = power.stop_for(api, name)
        original_statuses.append(original_status)
        stop_changes = {} if original_status == "Stopped" else {"status": {"old": original_status, "new": "Stopped"}}
        try:
            actual = change.apply()
        except APIException as exc:
            exc.changes = {**_start_after_refusal(api, name, original_status, exc, stop_changes), **exc.changes}
            raise
        return {**stop_changes, **(change.changes if actual is None else actual)}

    stopped = change._replace(changes={**status_change, **change.changes}, apply=apply, note=note, deferrable=False)
    steps = _plan_status(api, name, "Stopped", goal or status)
    if goal is None:
        steps = [step._replace(apply=partial(_apply_unless_stopped, original_statuses, step)) for step in steps]
    return [stopped, *steps]


def _apply_unless_stopped(original_statuses, step):
    """Apply a step unless somebody else had stopped the instance."""
    return {} if original_statuses == ["Stopped"] else step.apply()


def _start_after_refusal(api, name, original_status, error, stop_changes):
    """Start the instance again after a refused change and return the changes that remain."""
    if not retry.is_refusal(error):
        return stop_changes  # the daemon may still do it
    try:
        plans.apply(power.plan_transition(api, name, "Stopped", original_status))
    except LxdapiError as exc:
        log.warning("lxdapi: could not start instance %s again: %s", name, exc.explain())
        return stop_changes
    return {}


def _plan_status(api, name, status, goal) -> list[Step]:
    """Return the steps to the power state, none without a goal."""
    return power.plan_transition(api, name, status, goal) if goal else []


def _plan_change(api, name, declared, result, restart_on_change, reread_always=False) -> tuple[Step, bool] | None:
    """Return (the update step, whether to stop for it), None if the instance is as declared."""
    plan = converge.plan_changes(api, KIND, name, declared, result)
    if not plan.steps:
        return None
    missing = partial(create.missing_prerequisites, api, declared)
    steps = [step._replace(missing=missing) for step in plan]
    if reread_always:
        steps = [_with_reread(api, name, declared, steps[0])]
    if power.status(result) == "Stopped":
        return _with_reread(api, name, declared, steps[0]), False
    instance_type, devices = result.metadata["type"], result.metadata["devices"]
    pending = restart_keys.list_keys(api, instance_type, _add_profiles(api, result, steps[0].changes), devices)
    if not pending or (restart_on_change and not result.metadata["ephemeral"]):
        return _with_reread(api, name, declared, steps[0]), bool(pending)
    notes = [steps[0].note, restart_keys.instance_note(instance_type, pending)]
    return steps[0]._replace(note="; ".join(filter(None, notes))), False


def _add_profiles(api, result, changes):
    """Return the changes of an instance, with those that come from profiles that it gains or loses."""
    pair = changes.get("profiles")
    if pair is None:
        return changes
    gained_or_lost = set(pair["old"]) ^ set(pair["new"])
    profiles = [objects.read(api, KINDS["profile"], name) for name in sorted(gained_or_lost)]
    added = {"config": {}, "devices": {}}
    for profile in filter(None, profiles):
        for field, entries in added.items():
            for key, value in profile.metadata[field].items():
                if key not in result.metadata[field]:
                    entries[key] = {"old": None, "new": value}
    return {**changes, **{field: {**entries, **changes.get(field, {})} for field, entries in added.items()}}


def _with_reread(api, name, declared, step) -> Step:
    """Return the update step with a fresh read before the update: a stop before it changes the object."""
    update = partial(writes.update, api, KIND, name, declared)
    return step._replace(apply=project_rules.in_turn(api, KIND, step.changes, update))


def plan_absent(api, name, force=False) -> Plan:
    """Return the steps that delete an instance; a running one only with ``force``, a protected one never."""
    force = validation.flag("force", force)
    result = objects.read(api, KIND, name)
    if result is None:
        return Plan(summary="absent").with_note(objects.missing_project_reason(api))
    result = power.wait_until_stable(api, name, result)
    if is_protected(result.metadata):  # before a stop for the deletion
        raise InvalidError(
            "it is protected: set security.protection.delete to false first, in its config or in that of its profile"
        )
    status = power.status(result)
    if status != "Stopped" and not force:
        raise InvalidError(f"it is {status}; set force: true to stop and delete it")
    stop_steps = [] if status == "Stopped" else power.plan_transition(api, name, status, "Stopped", 0, True)
    stop_changes, ephemeral = {}, result.metadata.get("ephemeral")

    def stop_it(step):
        try:
            stop_changes.update(step.apply())
        except APINotFoundException:  # somebody else deleted it
            return {}
        return dict(stop_changes)

    def apply():
        changes = _delete(api, name, force)
        return (
            {"deleted": name, **changes} if ephemeral and stop_changes else changes
        )  # the stop deletes an ephemeral instance

    stop_steps = [step._replace(apply=partial(stop_it, step)) for step in stop_steps]
    return Plan.of([*stop_steps, Step("deleted", {"deleted": name}, apply)])


def _delete(api, name, force):
    """Delete an instance and return the changes; one that was started meanwhile is stopped only with ``force``."""
    changes, backoff = {}, retry.Backoff(api.retry_timeout)
    while True:
        try:
            deleted = writes.delete(api, KIND, name)
            return changes if deleted == {} else {**changes, "deleted": name}
        except APIException as exc:
            if not (force and retry.is_refusal(exc) and backoff.sleep()):
                raise
            result = objects.read(api, KIND, name)
            status = "Stopped" if result is None else power.status(power.wait_until_stable(api, name, result))
            if status == "Stopped":
                raise
        diff.merge_changes(changes, plans.apply(power.plan_transition(api, name, status, "Stopped", 0, True)))
