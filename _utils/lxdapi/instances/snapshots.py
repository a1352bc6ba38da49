"""
Snapshots of instances and volumes: their kinds, restores, and changes with a rollback.
"""

import re
from datetime import datetime, timedelta, timezone
from functools import partial

from lxdapi import validation
from lxdapi.errors import APIException, InvalidError, LxdapiError
from lxdapi.http import operations, retry
from lxdapi.instances import power
from lxdapi.model import diff, listing, objects, writes
from lxdapi.model.kinds import RESTORED_FROM_KEY, get_kind
from lxdapi.plan import steps as plans
from lxdapi.plan.steps import Plan, Step

# A restore copies a whole disk on some pools.
RESTORE_SECONDS = 3600
ROLLBACK_PREFIX = "lxdapi-before-"
_ROLLBACK_DAYS = 7
# The beginning of an unset time.
_NO_TIME = "0001-"
# The kind by the number of parts in the name of a snapshot, and in the name of its owner.
_SNAPSHOT_KINDS = {2: "instance_snapshot", 3: "volume_snapshot"}
_KINDS_BY_OWNER = {1: "instance_snapshot", 2: "volume_snapshot"}


def kind_name_of(name):
    """Return the kind name of a snapshot: ``web1/before`` is an instance's, ``default/data/before`` a volume's."""
    return _kind_name_by_parts(_SNAPSHOT_KINDS, "snapshot name", name, "INSTANCE/SNAPSHOT or POOL/VOLUME/SNAPSHOT")


def snapshot_kind_of(name):
    """Return the kind name of the snapshots of an instance, ``web1``, or of a volume, ``default/data``."""
    return _kind_name_by_parts(_KINDS_BY_OWNER, "name", name, "INSTANCE or POOL/VOLUME")


def _kind_name_by_parts(kind_names, what, name, shape):
    kind_name = kind_names.get(name.count("/") + 1) if isinstance(name, str) else None
    if kind_name is None:
        raise InvalidError.of_value(what, shape, name)
    return kind_name


def settings_of(name, settings):
    """Return the declared fields of a snapshot; raises :class:`InvalidError` for one that its kind lacks."""
    declared = {field: value for field, value in settings.items() if value is not None}
    kind = get_kind(kind_name_of(name))
    validation.require_known(kind.label, declared, kind.known, "field")
    return declared


def list_times(api, name):
    """
    Return ``{snapshot: {"created_at": ..., "expires_at": ...}}`` of an instance or volume; None for an unset time.
    """
    kind_name = snapshot_kind_of(name)
    snapshots = listing.list_objects(api, kind_name, name)
    if not snapshots:
        api.get(
            objects.path_of(*_owner(get_kind(kind_name), f"{name}/x"))
        )  # raises if the owner does not exist: Incus lists its snapshots as empty
    return {each.rpartition("/")[2]: _parse_times(snapshots[each]) for each in sorted(snapshots)}


def _parse_times(metadata):
    times = {key: metadata.get(key) or _NO_TIME for key in ("created_at", "expires_at")}
    return {key: None if time.startswith(_NO_TIME) else time for key, time in times.items()}


def plan_restore(api, kind_name, name, timeout=None) -> list[Step]:
    """
    Return the steps that restore an instance or volume from this snapshot.

    kind_name
        ``instance_snapshot`` or ``volume_snapshot``.
    timeout
        Seconds for the restore. Default: 3600.

    A later snapshot with the same name counts as another one.
    """
    kind, timeout = get_kind(kind_name), validation.parse_seconds(timeout)
    timeout = RESTORE_SECONDS if timeout is None else timeout
    snapshot = objects.read(api, kind, name)
    apply = partial(_restore_marked, api, kind, name, timeout)
    if snapshot is None:
        return [Step("restored", {"restored": {"old": None, "new": name}}, apply, "it does not exist yet")]
    old, new = _restore_marks(api, kind, name, snapshot)
    return [] if old == new else [Step("restored", {"restored": {"old": old, "new": new}}, apply)]


def _owner(kind, name):
    return get_kind(kind.parents[-1]), name.rpartition("/")[0]


def _restore_marks(api, kind, name, snapshot):
    """Return (the mark of the last restore, the mark of a restore from this snapshot)."""
    metadata = api.get(objects.path_of(*_owner(kind, name))).metadata
    return metadata["config"].get(RESTORED_FROM_KEY), f"{name.rpartition('/')[2]} {snapshot.metadata['created_at']}"


def restore(api, name, timeout=None):
    """Restore an instance or a volume from this snapshot and return the changes."""
    timeout = validation.parse_seconds(timeout)
    return _restore_marked(api, get_kind(kind_name_of(name)), name, RESTORE_SECONDS if timeout is None else timeout)


def _restore_marked(api, kind, name, timeout):
    """Restore, mark the snapshot as restored and return the changes. An earlier state may have created the snapshot."""
    snapshot = api.get(objects.path_of(kind, name))
    old, new = _restore_marks(api, kind, name, snapshot)
    _restore_exactly(api, kind, name, snapshot.metadata, timeout, {"config": {RESTORED_FROM_KEY: new}})
    return {"restored": {"old": old, "new": new}}


def _restore_exactly(api, kind, name, snapshot, timeout, fields):
    """Restore the owner of a snapshot, then write these fields and the previous description."""
    owner_kind, owner = _owner(kind, name)
    path = objects.path_of(owner_kind, owner)
    metadata = api.get(path).metadata
    body, options = {"restore": snapshot["name"]}, {"timeout": max(timeout, api.timeout)}
    # after a lost reply, a repetition has the same result, once the first restore has ended
    retry.write_verified(
        api, lambda: api.put(path, json=body, **options).wait(timeout), lambda: operations.wait_until_idle(api, path)
    )
    fields = {**_description(metadata, snapshot, api, path), **fields}
    if fields:
        writes.update(api, owner_kind, owner, fields)


def _description(metadata, snapshot, api, path):
    """Return the description to write back: a restore of an instance empties it (LXD 5.0.2, Incus 6.0.4)."""
    lost = "description" not in snapshot and not api.get(path).metadata["description"]
    return {"description": metadata["description"]} if lost and metadata["description"] else {}


def with_rollback_snapshot(api, name, plan: Plan, now=None) -> Plan:
    """
    Return the plan of a change to an existing instance as one step that first creates a snapshot.

    plan
        The change. A plan that changes nothing but the power state is returned unchanged.
    now
        The time, a :class:`datetime.datetime` with its zone. Default: the time of the clock.

    If a step fails, lxdapi restores the files, the config and the status of the instance from the snapshot, unless
    nothing has changed, and deletes the snapshot. Otherwise the snapshot stays for seven days, until the daemon deletes
    it. The snapshots are numbered, so that test mode knows the name; if somebody else takes the number meanwhile, the
    next one is used.
    """
    changes = {}
    for step in plan:
        diff.merge_changes(changes, step.changes)
    if not set(changes) - {"status"}:
        return plan
    number, expires_at = _next_number(api, name), _expiry(now)
    note = "; ".join(dict.fromkeys(step.note for step in plan if step.note))

    def snapshot_change(full_name):
        return {"snapshots": {full_name.partition("/")[2]: {"old": None, "new": expires_at}}}

    def apply():
        now = power.wait_until_stable(api, name)
        snapshot = _create_numbered(api, name, number, expires_at)
        return {
            **snapshot_change(snapshot),
            **_apply_or_roll_back(api, get_kind(_SNAPSHOT_KINDS[2]), snapshot, plan, now, snapshot_change(snapshot)),
        }

    def missing():
        return "; ".join(filter(None, (step.missing() for step in plan)))

    step = Step("updated", {**snapshot_change(f"/{ROLLBACK_PREFIX}{number}"), **changes}, apply, note, missing)
    return plan.with_steps([step])


def _create_numbered(api, name, number, expires_at):
    """Create the snapshot before a change, with this or the next free number, and return its name."""
    kind = get_kind(_SNAPSHOT_KINDS[2])
    while True:
        snapshot = f"{name}/{ROLLBACK_PREFIX}{number}"
        try:
            writes.create_or_adopt(api, kind, snapshot, {"expires_at": expires_at}, shared=False)
            return snapshot
        except APIException as exc:
            if not retry.is_refusal(exc) or objects.read(api, kind, snapshot) is None:
                raise
        number = max(number + 1, _next_number(api, name))


def _next_number(api, name):
    """Return the number of the next rollback snapshot."""
    snapshots = listing.list_objects(api, _SNAPSHOT_KINDS[2], name)
    matches = [re.fullmatch(rf"{ROLLBACK_PREFIX}(\d+)", each.partition("/")[2]) for each in snapshots]
    return 1 + max((int(each[1]) for each in matches if each), default=0)


def _expiry(now):
    """Return the midnight at which a snapshot made now expires, after seven full days."""
    now = datetime.now(timezone.utc) if now is None else now.astimezone(timezone.utc)
    return (now + timedelta(days=_ROLLBACK_DAYS + 1)).strftime("%Y-%m-%dT00:00:00Z")


def _apply_or_roll_back(api, kind, snapshot, steps, original, snapshot_change):
    """Apply the steps and return their changes; a failure rolls them back and raises."""
    changes = {}
    try:
        for step in steps:
            actual = step.apply()
            diff.merge_changes(changes, step.changes if actual is None else actual)
        return changes
    except LxdapiError as exc:
        diff.merge_changes(changes, getattr(exc, "changes", {}))
        raise _error_with(exc, *_roll_back(api, kind, snapshot, original, {**snapshot_change, **changes})) from exc


def _error_with(exc, outcome, changes):
    error = LxdapiError(f"{exc.explain()}; {outcome}")
    error.changes = changes
    return error


def _roll_back(api, kind, snapshot, original, changes):
    """Roll a failed change back; return (the outcome as a sentence, the changes that remain)."""
    _, name = _owner(kind, snapshot)
    snapshot_name = snapshot.rpartition("/")[2]
    try:
        operations.wait_until_idle(api, objects.path_of(*_owner(kind, snapshot)))
        outcome = _undo(api, kind, snapshot, original)
    except LxdapiError as exc:
        status = _describe_status(api, name)
        return (
            f"it could not be restored from the snapshot {snapshot_name}, which stays: {exc.explain()}{status}",
            changes,
        )
    try:
        writes.delete(api, kind, snapshot)
    except LxdapiError as exc:
        remaining = {"snapshots": changes["snapshots"]}
        return f"{outcome}; the snapshot {snapshot_name} could not be deleted: {exc.explain()}", remaining
    return outcome, {}


def _undo(api, kind, snapshot, original):
    """Restore the original state of the instance; return the outcome as a sentence."""
    _, name = _owner(kind, snapshot)
    result, original_status = power.wait_until_stable(api, name), power.status(original)
    is_unchanged = result.etag == original.etag and result.metadata["description"] == original.metadata["description"]
    if is_unchanged and power.status(result) == original_status:
        return "nothing was changed"
    metadata = api.get(objects.path_of(kind, snapshot)).metadata
    _restore_exactly(api, kind, snapshot, metadata, RESTORE_SECONDS, {"description": original.metadata["description"]})
    status = power.status(power.wait_until_stable(api, name))
    plans.apply(power.plan_transition(api, name, status, original_status))
    return f"it was restored from the snapshot made before, and is {original_status} again"


def _describe_status(api, name):
    """Return the current status for the end of a message: LXD 5.0.2 leaves a failed restore stopped."""
    try:
        return f"; it is {power.status(power.wait_until_stable(api, name))} now"
    except LxdapiError:
        return ""
