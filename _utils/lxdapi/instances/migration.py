"""
Moves an instance to another daemon, safely against a crash at any point.

The migration can be interrupted after each of these steps:

1. Check that the target has the profiles, networks and storage pools.
2. With ``refresh``: make a copy while the instance runs.
3. Write a mark with the power state into the config of the source, and stop the source.
4. Copy it to the target. The copy has a mark with the identity of the source, the time of its last start, and the run.
5. Compare the copy with the source: config, devices, profiles, all other fields, and the snapshots. If the source is
   still unchanged since the transfer, add a digest of it to the mark of the copy: the copy is proven.
6. Start the copy if the source ran.
7. Delete the source, if it still has that digest and the copy that mark.
8. Remove the mark at the target.

The next run continues with a copy that has the mark of this source. It refreshes a copy that was never started. A
proven copy that was started replaces the source, if the source is still unchanged. A start alone proves nothing: the
daemon starts the copy after a crash (boot.autostart). Any other instance that exists on both daemons is an error:
lxdapi deletes nothing that is not provably a copy, and simultaneous runs never delete each other's copies.

No daemon reports that somebody wrote a file into a stopped instance.
"""

import hashlib
import json
import logging
import secrets as random
from functools import partial

from lxdapi import validation
from lxdapi.errors import APIException, APINotFoundException, APIOperationException, InvalidError, LxdapiError
from lxdapi.http import operations, retry
from lxdapi.instances import copy as copies
from lxdapi.instances import create, partial_creation, power, transfer
from lxdapi.model import objects, writes
from lxdapi.model.instance import is_protected
from lxdapi.model.kinds import KINDS
from lxdapi.plan import steps
from lxdapi.plan.steps import Plan, Step

log = logging.getLogger(__name__)

KIND = KINDS["instance"]
MIGRATING_KEY = copies.MIGRATING_KEY
_MARKS = (MIGRATING_KEY, partial_creation.CREATING_KEY)
# The words of the mark of a copy (the last one only if it is proven), and the number of words that identify the run.
_PROOF, _RUN = ("uuid", "last_used_at", "run", "digest"), 3
# The beginnings of last_used_at of an instance that was never started.
_NEVER = ("1970-01-01", "0001-01-01")


def plan_migration(source_api, target_api, name, change, options) -> Plan:
    """
    Return the steps that move an instance from one daemon to another.

    source_api, target_api
        The APIs of the daemon that has the instance, and of its new daemon.
    change
        ``{"remote": {"old": ..., "new": ...}}``: the names of the two.
    options
        ``mode``, ``pool``, ``target``, ``refresh``, ``allow_stop``, ``timeout``: see the state.
    """
    objects.path_of(KIND, name)
    options = {**options, "timeout": _parse_timeout(options["timeout"])}
    options.update({option: validation.flag(option, options[option]) for option in ("refresh", "allow_stop")})
    if transfer.is_same_daemon(source_api, target_api):
        raise InvalidError("both remotes are the same daemon; use lxdapi_instance.move")
    source_result, target_result = (
        partial_creation.wait_until_created(source_api, name),
        partial_creation.wait_until_created(target_api, name),
    )
    if source_result is None:
        return _plan_without_source(source_api, target_api, name, change, target_result, options)
    create.require_target(target_api, options["target"])
    source_result = power.wait_until_stable(source_api, name, source_result)
    target_result = target_result and _read_when_idle(target_api, name)
    route = transfer.choose_route(source_api, target_api, options["mode"])
    migration = Migration(source_api, target_api, name, source_result, target_result, route, options)
    migration.require_movable()
    note = f"by {route}" + ("; an interrupted migration continues" if target_result else "")
    missing = partial(create.missing_prerequisites, target_api, migration.fields)
    return Plan.of([Step("migrated", change, migration.run, note, missing)])


def _parse_timeout(timeout):
    return transfer.SECONDS if timeout is None else validation.parse_seconds(timeout)


def _plan_without_source(source_api, target_api, name, change, target_result, options) -> Plan:
    if target_result is None:
        reason = f"it exists neither on {source_api.address_text} nor on {target_api.address_text}"
        reason = objects.missing_project_reason(source_api) or objects.missing_project_reason(target_api) or reason
        act = partial(_migrate_late, source_api, target_api, name, change, options, reason)
        return Plan.of([Step("migrated", change, act, missing=lambda: reason)])
    partial_creation.require_created(target_api, name, target_result)
    changes = {mark: {"old": value, "new": None} for mark, value in _marks_of(target_result).items()}
    if not changes:
        return Plan()
    return Plan.of([Step("completed", {"config": changes}, partial(_remove_marks, target_api, name))])


def _migrate_late(source_api, target_api, name, change, options, reason):
    """Migrate an instance that did not exist when the plan was made; raises if it still does not exist."""
    if objects.read(source_api, KIND, name) is None:
        raise InvalidError(reason)
    return steps.apply(plan_migration(source_api, target_api, name, change, options))


def _read_when_idle(api, name):
    """Return the result of an instance once no operation on it is running, for example of an interrupted run."""
    operations.wait_until_idle(api, objects.path_of(KIND, name))
    return power.wait_until_stable(api, name)


def _marks_of(result):
    """Return the marks of lxdapi in an instance's config."""
    return {key: result.metadata["config"][key] for key in _MARKS if key in result.metadata["config"]}


def _remove_marks(api, name):
    writes.update(api, KIND, name, {"config": dict.fromkeys(_MARKS)})


def _format_snapshots(snapshots):
    return ", ".join(f"{name} of {created_at}" for name, created_at in snapshots) or "none"


def _delete(api, name, may_delete):
    """
    Delete an instance; ``may_delete`` is called before each try and raises to forbid it.

    Returns None if the instance no longer exists.
    """
    api_without_retries, backoff = api.without_retries(), retry.Backoff(api.retry_timeout)
    while may_delete():
        try:
            return writes.delete(api_without_retries, KIND, name)
        except APIException as exc:
            if not ((retry.is_busy(exc) or retry.is_outcome_unknown(exc)) and backoff.sleep(exc)):
                raise
    return None


class Migration:
    """
    The migration of one instance.

    source_result, target_result
        The results of its GETs at the source and at the target; ``target_result``: None if it does not exist.
    """

    def __init__(self, source_api, target_api, name, source_result, target_result, route, options):
        self.source_api, self.target_api, self.name = source_api, target_api, name
        self.source_result, self.target_result, self.route, self.options = source_result, target_result, route, options
        self.fields = self._fields_of(source_result)
        self.original_status = self._original_status()
        self.mark, self.continued = self._mark_of(target_result) if target_result else [], target_result is not None

    def _fields_of(self, result):
        """Return the fields that the copy gets."""
        fields = copies.fields_for_copy(result.metadata, self.options["pool"], moved=True)
        return transfer.without_refused_keys(self.target_api, fields)

    def _original_status(self):
        """Return the power state before the migration, or before an interrupted earlier run of it."""
        status, last_used_at = power.status(self.source_result), self.source_result.metadata["last_used_at"]
        marked_status, _, marked_last_used_at = (
            self.source_result.metadata["config"].get(MIGRATING_KEY) or ""
        ).partition(" ")
        return (
            marked_status if marked_status and status == "Stopped" and marked_last_used_at == last_used_at else status
        )

    @staticmethod
    def _identity(result):
        """Return the first two words of the mark that a copy of this source bears."""
        return [str(result.metadata["config"].get("volatile.uuid")), result.metadata["last_used_at"]]

    @staticmethod
    def _mark_of(result):
        """Return the words of a copy's mark: identity of the source (2), run, and the digest if it is proven."""
        return (result.metadata["config"].get(MIGRATING_KEY) or "").split()

    def _digest(self, result):
        """Return a digest of everything that the daemon reports about the source, with its snapshots."""
        fields, generation = (
            copies.fields_for_copy(result.metadata, moved=True),
            result.metadata["config"].get(transfer.GENERATION),
        )
        state = [fields, generation, copies.list_snapshots(self.source_api, self.name), self._identity(result)]
        return hashlib.sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()[:16]

    def require_movable(self):
        """Raise if the instance cannot be moved, or if the one at the target is not provably its copy."""
        partial_creation.require_created(self.source_api, self.name, self.source_result)
        if is_protected(self.source_result.metadata):
            raise InvalidError("security.protection.delete forbids deleting the source: unset it first")
        status = power.status(self.source_result)
        if status == "Error":
            raise InvalidError("its status is Error, so it may still run: stop it first")
        if status != "Stopped":
            power.require_not_ephemeral(self.source_result, "Stopped")
            if not self.options["allow_stop"]:
                raise InvalidError(
                    f"it is {status}; set allow_stop: true to stop it for the migration and start it there"
                )
        if self.target_result is not None:
            self._require_ours()
        transfer.require_transferable_snapshots(self.source_api, self.target_api, self.name)

    def _require_ours(self):
        identity = self._identity(self.source_result)
        both_exist = f"{self.name} exists on {self.source_api.address_text} and on {self.target_api.address_text}"
        if identity[0] != (self.mark or [None])[0]:
            raise InvalidError(f"{both_exist}, and the latter is not from an earlier migration: delete one")
        if not self._was_started():
            return
        if self.mark[:2] != identity or self._is_running():
            raise InvalidError(f"{both_exist}, and both were started since an interrupted migration: delete one")
        if not self._is_proven():
            raise InvalidError(f"{both_exist}, and the latter was started but may be incomplete: delete one")

    def _is_proven(self):
        return len(self.mark) == len(_PROOF)

    def _was_started(self):
        """Return True if the copy was ever started: somebody may have worked with it."""
        return self._has_run(self.target_result)

    @staticmethod
    def _has_run(result):
        last_used_at = str(result.metadata.get("last_used_at") or _NEVER[0])
        return power.status(result) != "Stopped" or not last_used_at.startswith(_NEVER)

    def _is_running(self):
        return power.status(self.source_result) != "Stopped"

    def run(self):
        """Migrate the instance."""
        copies.require_prerequisites(self.target_api, self.fields)
        brought = self.target_result is None or not self._was_started()
        if brought:
            self._copy_phase()
        try:
            self._switch_over()
        except LxdapiError as exc:
            exc.changes = {"copied": {"old": None, "new": self.target_api.address_text}} if brought else {}
            raise

    def _copy_phase(self):
        """Make a verified copy at the target and start it if the source ran; on failure roll back."""
        try:
            if self.options["refresh"] and self._is_running() and self.target_result is None:
                self._transfer(loose=True)
            self._stop()
            digest = self._transfer()
            copies.repair(self.target_api, self.name, self.fields)
            self._compare_snapshots()
            self._mark_proven(digest)
            self._start()
        except LxdapiError as exc:
            exc.changes = self._roll_back()
            raise

    def _stop(self):
        if self._is_running():
            mark = f"{self.original_status} {self.source_result.metadata['last_used_at']}"
            writes.update(self.source_api, KIND, self.name, {"config": {MIGRATING_KEY: mark}})
            status = power.status(_read_when_idle(self.source_api, self.name))
            steps.apply(power.plan_transition(self.source_api, self.name, status, "Stopped"))

    def _transfer(self, loose=False):
        """Copy the source, or refresh the copy, and return the digest of the source."""
        result = self.source_api.get(objects.path_of(KIND, self.name))
        digest = self._digest(result)
        self.fields = self._fields_of(result)
        if (
            self.target_result is not None
            and partial_creation.looks_partial(self.target_result)
            and not self._is_proven()
        ):
            _delete(self.target_api, self.name, self._is_partial)
            self.target_result = None
        self.mark = [*self._identity(result), random.token_hex(8)]
        if self.target_result is not None:
            self._write_mark()
        self._transfer_with_retries(loose)
        self.target_result = self.target_api.get(objects.path_of(KIND, self.name))
        return digest

    def _is_partial(self):
        """Return True if the copy still looks partial and bears our mark: the source has all its data."""
        result = partial_creation.wait_until_created(self.target_api, self.name)
        return result is not None and partial_creation.looks_partial(result) and self._mark_of(result) == self.mark

    def _transfer_with_retries(self, loose):
        """
        Do the transfer. After an interrupted migration, repeat a transfer that fails at once: the earlier transfer may
        block it, and ends by itself; a source notices a broken transfer after 30 s (Incus 6.0.4).
        """
        backoff = retry.Backoff(self.source_api.retry_timeout if self.continued else 0)
        while True:
            try:
                return copies.run_transfer(self._transfer_to_run(loose), self._marked_fields())
            except APIOperationException as exc:
                if not backoff.sleep(exc):
                    raise
            operations.wait_until_idle(self.source_api, objects.path_of(KIND, self.name))

    def _transfer_to_run(self, loose):
        target = self.options["target"] if self.target_result is None else None
        options = {"refresh": self.target_result is not None, "allow_inconsistent": loose}
        destination = self.target_api, self.name, self.route, options, self.options["timeout"], target
        return transfer.Transfer(self.source_api, self.name, *destination)

    def _marked_fields(self):
        return {**self.fields, "config": {**self.fields["config"], MIGRATING_KEY: " ".join(self.mark)}}

    def _write_mark(self):
        writes.update(self.target_api, KIND, self.name, {"config": {MIGRATING_KEY: " ".join(self.mark)}})

    def _compare_snapshots(self):
        source_snapshots, target_snapshots = (
            sorted(copies.list_snapshots(api, self.name)) for api in (self.source_api, self.target_api)
        )
        if source_snapshots != target_snapshots:
            difference = (
                f"it has the snapshots {_format_snapshots(target_snapshots)}, not {_format_snapshots(source_snapshots)}"
            )
            raise LxdapiError(f"the copy on {self.target_api.address_text} is incomplete: {difference}")

    def _mark_proven(self, digest):
        """Mark the compared copy as proven."""
        self._source_is_unchanged(digest)
        self.mark = [*self.mark, digest]
        self._write_mark()

    def _source_digest(self):
        """Return the digest of the source, "" unless it is stopped, None if it is gone."""
        result = objects.read(self.source_api, KIND, self.name)
        if result is None:
            return None
        try:
            return self._digest(result) if power.status(result) == "Stopped" else ""
        except APINotFoundException:  # deleted meanwhile: the next read shows it
            return ""

    def _source_is_unchanged(self, digest):
        """Return True if the source is unchanged, False if it is gone; raises if the source or the copy changed."""
        current_digest = self._source_digest()
        if current_digest not in (None, digest):  # an interrupted run may be deleting it
            operations.wait_until_idle(self.source_api, objects.path_of(KIND, self.name))
            current_digest = self._source_digest()
        if current_digest is None:
            return False
        if current_digest != digest:
            raise LxdapiError(
                f"somebody started or changed it on {self.source_api.address_text} meanwhile: run the state again"
            )
        result = objects.read(self.target_api, KIND, self.name)
        if result is None or self._mark_of(result) != self.mark:
            raise LxdapiError(
                f"somebody replaced or deleted the copy on {self.target_api.address_text}: run the state again"
            )
        return True

    def _start(self):
        """Start the copy if the source ran; a copy that somebody else started keeps running."""
        status = power.status(power.wait_until_stable(self.target_api, self.name))
        if self.original_status not in (status, "Stopped"):
            steps.apply(power.plan_transition(self.target_api, self.name, status, self.original_status))

    def _roll_back(self):
        """
        Delete our copy, start the source again and return the changes that remain.

        Start the source only if the copy certainly does not exist: two running instances are worse than none.
        """
        try:
            self._remove_copy()
            status = power.status(power.wait_until_stable(self.source_api, self.name))
            if status == "Stopped" and self.original_status != status:
                steps.apply(power.plan_transition(self.source_api, self.name, status, self.original_status))
            if self.source_api.get(objects.path_of(KIND, self.name)).metadata["config"].get(MIGRATING_KEY):
                _remove_marks(self.source_api, self.name)
        except LxdapiError as exc:
            log.warning(
                "lxdapi: could not roll back the migration of instance %s; the next run continues it: %s",
                self.name,
                exc.explain(),
            )
            return (
                {} if self.original_status == "Stopped" else {"status": {"old": self.original_status, "new": "Stopped"}}
            )
        return {}

    def _remove_copy(self):
        result = partial_creation.wait_until_created(self.target_api, self.name)
        if result is None or self._mark_of(result)[:1] != self._identity(self.source_result)[:1]:
            return  # an instance of somebody else must not keep the source stopped
        self._may_delete_copy(result)
        steps.apply(power.plan_transition(self.target_api, self.name, power.status(result), "Stopped", 0, True))
        _delete(self.target_api, self.name, self._may_delete_copy)

    def _may_delete_copy(self, result=None):
        """Return True if the copy is of this run, False if it is gone; raises if it must stay."""
        operations.wait_until_idle(self.source_api, objects.path_of(KIND, self.name))
        result = result or objects.read(self.target_api, KIND, self.name)
        if result is None:
            return False
        if self._mark_of(result)[:_RUN] != self.mark[:_RUN]:
            raise InvalidError("another run is writing the copy: wait until it has ended")
        if objects.read(self.source_api, KIND, self.name) is None:
            raise InvalidError("the source no longer exists, so the copy must stay")
        return True

    def _switch_over(self):
        """Delete the unchanged source after the copy has started."""
        digest = self.mark[-1]
        self._source_is_unchanged(digest)
        self._start()
        _delete(self.source_api, self.name, lambda: self._source_is_unchanged(digest))
        try:
            _remove_marks(self.target_api, self.name)
        except LxdapiError as exc:  # the migration is complete; the next run removes the mark
            log.warning("lxdapi: could not remove the migration mark of instance %s: %s", self.name, exc.explain())
