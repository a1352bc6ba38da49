"""
What instances need beyond the table: sources, and the order of changes around a stop.
"""

import logging
from dataclasses import replace
from functools import partial

from lxdapi import validation
from lxdapi.cluster import instance_move
from lxdapi.errors import APIException, APINotFoundException, InvalidError, LxdapiError
from lxdapi.http import retry
from lxdapi.images import simplestreams
from lxdapi.instances import cloud_init, create, device_overrides, partial_creation, power, rebuild, snapshots
from lxdapi.instances import wait_for as waiting
from lxdapi.instances.spec import KIND, type_of
from lxdapi.model import diff, objects, writes
from lxdapi.plan import converge
from lxdapi.plan import steps as plans
from lxdapi.plan.steps import Plan, Step

log = logging.getLogger(__name__)

# Keys whose documentation on Incus 6.0.4 (/1.0/metadata/configuration) says: no live update. For
# security.nesting it says the contrary, but it was seen to take effect at a start only (both daemons).
NEEDS_RESTART = (
    "agent.nic_config",
    "limits.memory.hugepages",
    "linux.sysctl.",
    "nvidia.",
    "raw.idmap",
    "raw.lxc",
    "raw.qemu",
    "raw.seccomp",
    "security.agent.metrics",
    "security.csm",
    "security.devlxd",
    "security.guestapi",
    "security.idmap.",
    "security.iommu",
    "security.nesting",
    "security.privileged",
    "security.secureboot",
    "security.sev",
    "security.syscalls.",
)


def plan_present(api, name, spec, fields=None):
    """
    Return the steps to an instance as declared.

    spec
        A :class:`lxdapi.instances.spec.InstanceSpec`.
    fields
        What :func:`fields_of` returned of it; None: it is called.

    A stopped instance is changed before it is started, and a running one that shall be stopped is
    stopped first.
    """
    waits = waiting.plan(api, name, spec.conditions)
    wanted = fields_of(api, name, spec) if fields is None else fields
    current = partial_creation.wait_until_created(api, name)
    deletion = _plan_replacement(api, name, current, spec.replace_partial)
    renamed = [] if current is not None else converge.plan_rename_if_absent(api, KIND, spec.renamed_from, name)
    if renamed:
        current = objects.read(api, KIND, spec.renamed_from)
    if current is None or deletion:
        new = {"running": bool(spec.running), "replace_partial": spec.replace_partial}
        made = create.plan_create(api, name, wanted, spec.source, spec.timeout, spec.target, **new)
        return _with_waits(deletion + made, waits, spec.goal or "Stopped")
    now = power.wait_for_autostart(api, name, power.wait_until_stable(api, name, current), spec.goal)
    plan = _plan_existing(api, name, spec, _without_mark(wanted, current), now, renamed)
    return _with_waits(plan, waits, spec.goal or power.status(now))


def _plan_existing(api, name, spec, wanted, now, renamed):
    """Return the plan for an instance that is there, perhaps under its old name."""
    power.require_not_ephemeral(now, spec.goal)
    changes = _plan_change(api, name, wanted, now, spec.restart_on_change, bool(renamed))
    moving = instance_move.plan_move(api, name, now, spec.target, spec.move, spec.timeout)
    steps = _plan_existing_with_move(api, name, now, spec.goal, changes, moving)
    rebuilt, note = rebuild.plan_image_check(api, name, now, spec.source, spec.image_changed)
    if rebuilt and spec.snapshot_before:
        raise InvalidError("snapshot_before: an instance that has a snapshot cannot be rebuilt (image_changed)")
    plan = instance_move.with_location_note(api, now, spec.target, spec.move, renamed + rebuilt + steps).with_note(note)
    return snapshots.with_rollback_snapshot(api, name, plan) if spec.snapshot_before and not renamed else plan


def fields_of(api, name, spec):
    """Return the declared fields with canonical values, with config and devices that are declared by other words."""
    config = cloud_init.merge(api, spec.fields.get("config"), spec.cloud_init)
    devices = device_overrides.merge(api, name, spec.fields, spec.devices_override, spec.source, spec.renamed_from)
    return normalize(api, {**spec.fields, "config": config, "devices": devices})


def _with_waits(plan, waits, there):
    """Return the plan with the waits at its end; raises where it leads to an instance that does not run."""
    if not waits:
        return plan
    if there != "Running":
        raise InvalidError(f"wait_for: it is {there} in the end; running: true is needed")
    plan = Plan.of(plan)
    return plan.with_steps([*plan, *waits])


def plan_power(api, name, goal, timeout=None, force=False, wait_for=None):
    """Return the steps of :func:`lxdapi.instances.power.plan_status`, and the waits after them."""
    waits = waiting.plan(api, name, waiting.conditions(wait_for))
    return _with_waits(power.plan_status(api, name, goal, timeout, force), waits, goal)


def plan_move(api, name, target, timeout=None):
    """Return the steps that move an existing instance to a member of the cluster; raises if there is none."""
    now = power.wait_until_stable(api, name)
    return _plan_existing_with_move(
        api, name, now, None, None, instance_move.plan_move(api, name, now, target, True, timeout)
    )


def _plan_existing_with_move(api, name, now, goal, changes, moving):
    """Return the steps for an instance that is there: it is moved first, for which it is stopped."""
    here = power.status(now)
    if moving is None:
        return _plan_in_order(api, name, here, goal, changes)
    stays = goal == "Stopped"
    steps = _plan_in_order(api, name, here, "Stopped" if stays else None, (moving, True))
    return steps + _plan_in_order(api, name, "Stopped" if stays else here, goal, changes)


def _plan_replacement(api, name, current, replace_partial):
    """Return the step that deletes a partial creation, none for any other; raises for one that may hold data."""
    finding = partial_creation.examine(api, name, current) if current else None
    if finding is None or finding.created:
        return []
    if not (finding.is_replaceable or replace_partial):
        raise InvalidError(partial_creation.describe(finding))
    delete = partial(partial_creation.delete_partial, api, name, current, replace_partial)
    why = "" if finding.is_replaceable else ", and replace_partial is declared"
    return [Step("deleted", {"deleted": name}, delete, f"it was a partial creation: {finding.words}{why}")]


def _without_mark(wanted, current):
    """Return the declared fields, and that the mark of a creation goes, which came to its end after all."""
    if partial_creation.MARK not in current.metadata["config"] or wanted.get("config") == {}:
        return wanted
    return {**wanted, "config": {**(wanted.get("config") or {}), partial_creation.MARK: None}}


def plan_create_new(api, name, settings):
    """Return the steps to a new instance, whether there is one or not: the daemon refuses a second one."""
    objects.path_of(KIND, name)
    wanted = {field: given for field, given in settings.items() if field != "source"}
    return create.plan_create(api, name, normalize(api, wanted), settings.get("source"), shared=False)


def plan_update(api, name, settings):
    """Return the steps that make an existing instance as declared; raises if there is none."""
    wanted = normalize(api, settings)
    return converge.plan_changes(api, KIND, name, wanted, api.get(objects.path_of(KIND, name)))


def normalize(api, wanted):
    """Return the declared fields with canonical values; an architecture that the server lacks is refused."""
    # the daemon takes any word and does not keep it (all three); in a cluster another member may have it
    word = simplestreams.ARCHITECTURES.get(str(wanted.get("architecture")), wanted.get("architecture"))
    wanted = diff.normalize(KIND, {**wanted, "architecture": word, "type": type_of(wanted.get("type"))})
    found = (api.server.get("environment") or {}) if word else {}
    known = found.get("architectures") or ()
    if known and word not in known and not api.clustered:
        raise InvalidError(f"architecture {word!r}: the server has {', '.join(known)}")
    return wanted


def _plan_in_order(api, name, here, goal, changes):
    """Return the steps for an instance that is there: the change before a start, and after a stop."""
    if not changes:
        return _plan_status(api, name, here, goal)
    change, stop = changes
    if here == "Stopped" or not (stop or goal == "Stopped"):
        return [change] + _plan_status(api, name, here, goal)
    if goal == "Stopped":
        return power.plan_transition(api, name, here, "Stopped") + [change]
    return _around(api, name, here, goal, change)


def _around(api, name, here, goal, change):
    """
    Return the steps of a change that the instance is stopped for, and started after; refused, it runs again.

    The stop and the change are one step. One that somebody else stopped meanwhile stays so, unless ``goal`` says more.
    """
    before, changes = [], {"status": {"old": here, "new": "Stopped"}}
    note = "; ".join(filter(None, [change.note, "it is stopped for that"]))

    def apply():
        was = power.stop_for(api, name)
        before.append(was)
        done = {} if was == "Stopped" else {"status": {"old": was, "new": "Stopped"}}
        try:
            actual = change.apply()
        except APIException as exc:
            exc.changes = {**_start_after_refusal(api, name, was, exc, done), **exc.changes}
            raise
        return {**done, **(change.changes if actual is None else actual)}

    stopped = replace(change, changes={**changes, **change.changes}, apply=apply, note=note)
    steps = _plan_status(api, name, "Stopped", goal or here)
    if goal is None:
        steps = [replace(step, apply=partial(_unless_stopped, before, step)) for step in steps]
    return [stopped, *steps]


def _unless_stopped(before, step):
    """Do a step unless somebody else had stopped the instance."""
    return {} if before == ["Stopped"] else step.apply()


def _start_after_refusal(api, name, here, error, done):
    """Start what was stopped for a change that was refused; returns what is changed in the end all the same."""
    if not retry.is_refusal(error):
        return done  # it may still be done
    try:
        plans.apply(power.plan_transition(api, name, "Stopped", here))
    except LxdapiError as exc:
        log.warning("lxdapi: instance %s does not run again: %s", name, exc.explain())
        return done
    return {}


def _plan_status(api, name, here, goal):
    """Return the steps to the status that is wanted; frozen is running where only that is asked."""
    return power.plan_transition(api, name, here, goal) if goal else []


def _plan_change(api, name, wanted, now, restart_on_change, afresh=False):
    """Return (the update step, whether to stop for it), None if the instance is as declared."""
    steps = converge.plan_changes(api, KIND, name, wanted, now)
    if not steps:
        return None
    steps = [replace(step, missing=partial(create.missing_prerequisites, api, wanted)) for step in steps]
    if afresh:
        steps = [_reread(api, name, wanted, steps[0])]
    late = keys_needing_restart(now, steps[0].changes)
    if not late or power.status(now) == "Stopped" or (restart_on_change and not now.metadata["ephemeral"]):
        return _reread(api, name, wanted, steps[0]), bool(late)
    words = f"{', '.join(late)} takes effect at the next start (restart_on_change: True restarts)"
    return replace(steps[0], note=words), False


def _reread(api, name, wanted, step):
    """Return the update step reading again first: a stop before it changes the object."""
    return replace(step, apply=partial(writes.update, api, KIND, name, wanted))


def keys_needing_restart(now, changes):
    """Return what of the changes a running instance takes over at its next start only."""
    config = [key for key in changes.get("config", ()) if key.startswith(NEEDS_RESTART)]
    if now.metadata["type"] == "virtual-machine":
        config += [key for key in changes.get("config", ()) if key.startswith("limits.")]
        config += changes.get("devices", ())
    return sorted(config)


def plan_absent(api, name, force=False):
    """Return the steps to the absence of an instance; a running one is stopped only by ``force``."""
    force = validation.truth("force", force or False)
    current = objects.read(api, KIND, name)
    if current is None:
        return Plan(summary="absent").with_note(objects.missing_project_reason(api))
    current = power.wait_until_stable(api, name, current)
    here = power.status(current)
    if here != "Stopped" and not force:
        raise InvalidError(f"it is {here}; force: True stops and deletes it")
    stop = [] if here == "Stopped" else power.plan_transition(api, name, here, "Stopped", 0, True)
    stopped, ephemeral = {}, current.metadata.get("ephemeral")

    def stop_it(step):
        try:
            stopped.update(step.apply())
        except APINotFoundException:  # somebody else deleted it
            return {}
        return dict(stopped)

    def apply():
        done = _delete(api, name, force)
        return {"deleted": name, **done} if ephemeral and stopped else done  # an ephemeral one is gone by the stop

    stop = [replace(step, apply=partial(stop_it, step)) for step in stop]
    return stop + [Step("deleted", {"deleted": name}, apply)]


def _delete(api, name, force):
    """Delete an instance and return what changed; one that somebody started meanwhile is stopped only by ``force``."""
    done, patience = {}, retry.Backoff(api.retry_timeout)
    while True:
        try:
            gone = writes.delete(api, KIND, name)
            return done if gone == {} else {**done, "deleted": name}
        except APIException as exc:
            if not (force and retry.is_refusal(exc) and patience.sleep()):
                raise
            current = objects.read(api, KIND, name)
            here = "Stopped" if current is None else power.status(power.wait_until_stable(api, name, current))
            if here == "Stopped":
                raise
        diff.merge_changes(done, plans.apply(power.plan_transition(api, name, here, "Stopped", 0, True)))
