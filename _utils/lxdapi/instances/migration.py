"""
An instance on another daemon than before, whatever happens on the way.

The order, of which each part can be the last one that is done:

1. What is to be at the target (profiles, networks, storage pools) is looked for.
2. With ``refresh`` a copy is made while the instance runs.
3. A mark in the config of the source says how it was; it is stopped.
4. It is copied to the target; the copy bears a mark with the identity of the source, when that was last started, and
   the run that makes it.
5. The copy is compared with the source: config, devices, profiles and all else, and the snapshots; if the source is
   still as it was before the transfer, a digest of that makes the mark of the copy a proof.
6. The copy is started if the source ran.
7. The source is deleted, if it still has that digest, and the copy that mark.
8. The mark at the target goes.

A copy with the mark of this source is continued by the next run: one that was never started is brought up to date
from the source; one that was started takes its place if it was proven, and the source is as it was then. That a copy
was started proves nothing: its daemon does so after a crash (boot.autostart). Anything else that is on both daemons is
a failure: nothing is deleted that is not proven to be a copy, and of two runs at once none deletes the other's.

What no daemon tells is that a file was written into a stopped instance.
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
from lxdapi.model.kinds import KINDS
from lxdapi.plan import steps
from lxdapi.plan.steps import Plan, Step

log = logging.getLogger(__name__)

KIND = KINDS["instance"]
MARK = copies.MIGRATING
_MARKS = (MARK, partial_creation.MARK)
# The words of the mark of a copy, of which the last one is there if it is proven, and how many say whose it is.
_PROOF, _RUN = ("uuid", "last_used_at", "run", "digest"), 3
# What a daemon says of one that was never started.
_NEVER = ("1970-01-01", "0001-01-01")


def plan_migration(source, there, name, change, options):
    """
    Return the steps to an instance that is on one daemon and not on another one any more.

    source, there
        The API of the daemon where it is, and of the one where it is to be.
    change
        ``{"remote": {"old": ..., "new": ...}}``: what the two are called.
    options
        ``mode``, ``pool``, ``target``, ``refresh``, ``allow_stop``, ``timeout``: see the state.
    """
    objects.path_of(KIND, name)
    options = {**options, "timeout": _seconds(options["timeout"])}
    options.update({word: validation.truth(word, options[word] or False) for word in ("refresh", "allow_stop")})
    if transfer.is_same(source, there):
        raise InvalidError("both remotes are the same daemon; lxdapi_instance.move moves within one")
    here, found = partial_creation.wait_until_created(source, name), partial_creation.wait_until_created(there, name)
    if here is None:
        return _plan_without_source(source, there, name, change, found, options)
    create.require_target(there, options["target"])
    here = power.wait_until_stable(source, name, here)
    found = found and _read_at_rest(there, name)
    way = transfer.choose_route(source, there, options["mode"])
    move = Migration(source, there, name, here, found, way, options)
    move.require_movable()
    note = f"by {way}" + ("; an earlier move was cut off and is continued" if found else "")
    return [Step("migrated", change, move.run, note, partial(create.missing_prerequisites, there, move.wanted))]


def _seconds(timeout):
    return transfer.SECONDS if timeout is None else validation.parse_seconds(timeout)


def _plan_without_source(source, there, name, change, found, options):
    if found is None:
        words = f"it is neither on {source.endpoint} nor on {there.endpoint}"
        words = objects.missing_project_reason(source) or objects.missing_project_reason(there) or words
        late = partial(_migrate_late, source, there, name, change, options, words)
        return [Step("migrated", change, late, missing=lambda: words)]
    partial_creation.require_created(there, name, found)
    changes = {mark: {"old": value, "new": None} for mark, value in _marks(found).items()}
    if not changes:
        return Plan()
    return [Step("completed", {"config": changes}, partial(_unmark, there, name))]


def _migrate_late(source, there, name, change, options, words):
    """Migrate what was not there in time for the plan; raises if it is not there yet."""
    if objects.read(source, KIND, name) is None:
        raise InvalidError(words)
    return steps.apply(plan_migration(source, there, name, change, options))


def _read_at_rest(api, name):
    """Return the GET of an instance when nobody is about to do anything with it, as a run that was cut off may be."""
    operations.wait_until_idle(api, objects.path_of(KIND, name))
    return power.wait_until_stable(api, name)


def _marks(found):
    """Return the marks of ours that an instance bears."""
    return {key: found.metadata["config"][key] for key in _MARKS if key in found.metadata["config"]}


def _unmark(api, name):
    writes.update(api, KIND, name, {"config": dict.fromkeys(_MARKS)})


def _format_snapshots(snapshots):
    return ", ".join(f"{name} of {when}" for name, when in snapshots) or "none"


def _delete(api, name, may):
    """Delete an instance; before each try it is looked whether it may be, which raises if not. False: it is gone."""
    once, patience = api.without_retries(), retry.Backoff(api.retry_timeout)
    while may():
        try:
            return writes.delete(once, KIND, name)
        except APIException as exc:
            if not ((retry.is_busy(exc) or retry.is_outcome_unknown(exc)) and patience.sleep(exc)):
                raise
    return None


class Migration:
    """
    One instance on its way.

    here, found
        The results of its GETs at the source and at the target; ``found`` is None where there is none.
    """

    def __init__(self, source, there, name, here, found, way, options):
        self.source, self.there, self.name = source, there, name
        self.here, self.found, self.way, self.options = here, found, way, options
        self.wanted = copies.copied_fields(here.metadata, options["pool"], moved=True)
        self.was = self._original_status()
        self.mark, self.continued = self._mark_of(found) if found else [], found is not None

    def _original_status(self):
        """Return the status that it had before anything was done, by an earlier run too."""
        status, when = power.status(self.here), self.here.metadata["last_used_at"]
        word, _, marked = (self.here.metadata["config"].get(MARK) or "").partition(" ")
        return word if word and status == "Stopped" and marked == when else status

    @staticmethod
    def _identity(now):
        """Return the first words of the mark of a copy of the source as it is now."""
        return [str(now.metadata["config"].get("volatile.uuid")), now.metadata["last_used_at"]]

    @staticmethod
    def _mark_of(found):
        """Return the words of the mark of a copy: identity of the source (2), run, and the digest if it is proven."""
        return (found.metadata["config"].get(MARK) or "").split()

    def _digest(self, now):
        """Return a word for all that the source is now, with its snapshots, as far as its daemon tells."""
        fields, restored = (
            copies.copied_fields(now.metadata, moved=True),
            now.metadata["config"].get(transfer.GENERATION),
        )
        whole = [fields, restored, copies.list_snapshots(self.source, self.name), self._identity(now)]
        return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()[:16]

    def require_movable(self):
        """Raise for what cannot be moved, or what nobody can prove to be a copy."""
        partial_creation.require_created(self.source, self.name, self.here)
        config = self.here.metadata.get("expanded_config") or self.here.metadata["config"]
        if str(config.get("security.protection.delete")).lower() in validation.TRUE:
            raise InvalidError("security.protection.delete: the source could not be deleted afterwards")
        status = power.status(self.here)
        if status == "Error":
            raise InvalidError("it is in Error: nobody can tell whether it runs")
        if status != "Stopped":
            power.require_not_ephemeral(self.here, "Stopped")
            if not self.options["allow_stop"]:
                raise InvalidError(f"it is {status}; allow_stop: True stops it for the move, and starts it there")
        if self.found is not None:
            self._require_ours()
        transfer.require_transferable_snapshots(self.source, self.there, self.name)

    def _require_ours(self):
        identity = self._identity(self.here)
        both = f"there is one on {self.source.endpoint} and one on {self.there.endpoint}"
        if identity[0] != (self.mark or [None])[0]:
            raise InvalidError(f"{both}, which is no copy of an earlier move: delete the wrong one")
        if not self._was_started():
            return
        if self.mark[:2] != identity or self._is_running():
            raise InvalidError(f"{both}, and both were started since an earlier move was cut off: delete the wrong one")
        if not self._is_proven():
            raise InvalidError(f"{both}, which was started and is not proven to be whole: delete the wrong one")

    def _is_proven(self):
        return len(self.mark) == len(_PROOF)

    def _was_started(self):
        """Return True if the copy was started: somebody may have worked with it."""
        return self._has_run(self.found)

    @staticmethod
    def _has_run(found):
        used = str(found.metadata.get("last_used_at") or _NEVER[0])
        return power.status(found) != "Stopped" or not used.startswith(_NEVER)

    def _is_running(self):
        return power.status(self.here) != "Stopped"

    def run(self):
        """Move it."""
        copies.require_prerequisites(self.there, self.wanted)
        brought = self.found is None or not self._was_started()
        if brought:
            self._copy_phase()
        try:
            self._switch_over()
        except LxdapiError as exc:
            exc.changes = {"copied": {"old": None, "new": self.there.endpoint}} if brought else {}
            raise

    def _copy_phase(self):
        """The target has a copy that was compared with the source, and runs if that did; else all is as it was."""
        try:
            if self.options["refresh"] and self._is_running() and self.found is None:
                self._transfer(loose=True)
            self._stop()
            digest = self._transfer()
            copies.repair(self.there, self.name, self.wanted)
            self._compare_snapshots()
            self._mark_proven(digest)
            self._start()
        except LxdapiError as exc:
            exc.changes = self._roll_back()
            raise

    def _stop(self):
        if self._is_running():
            mark = f"{self.was} {self.here.metadata['last_used_at']}"
            writes.update(self.source, KIND, self.name, {"config": {MARK: mark}})
            here = power.status(_read_at_rest(self.source, self.name))
            steps.apply(power.plan_transition(self.source, self.name, here, "Stopped"))

    def _transfer(self, loose=False):
        """Copy the source as it is now, anew or what has changed since; returns the digest of what it is."""
        now = self.source.get(objects.path_of(KIND, self.name))
        digest = self._digest(now)
        self.wanted = copies.copied_fields(now.metadata, self.options["pool"], moved=True)
        if self.found is not None and partial_creation.looks_partial(self.found) and not self._is_proven():
            _delete(self.there, self.name, self._is_partial)
            self.found = None
        self.mark = [*self._identity(now), random.token_hex(8)]
        if self.found is not None:
            self._write_mark()
        self._carry(loose)
        self.found = self.there.get(objects.path_of(KIND, self.name))
        return digest

    def _is_partial(self):
        """Return True if the copy is still the one that looks partial: all that it can have is at the source."""
        copy = partial_creation.wait_until_created(self.there, self.name)
        return copy is not None and partial_creation.looks_partial(copy) and self._mark_of(copy) == self.mark

    def _carry(self, loose):
        """
        Do the transfer. After an earlier move was cut off, one that fails at once is tried again: what is left of that
        one may be in its way, and ends by itself; of a broken transfer a source knows after 30 s (Incus 6.0.4).
        """
        patience = retry.Backoff(self.source.retry_timeout if self.continued else 0)
        while True:
            try:
                return copies.run_transfer(self._transport(loose), self._mark())
            except APIOperationException as exc:
                if not patience.sleep(exc):
                    raise
            operations.wait_until_idle(self.source, objects.path_of(KIND, self.name))

    def _transport(self, loose):
        target = self.options["target"] if self.found is None else None
        options = {"refresh": self.found is not None, "allow_inconsistent": loose}
        there = self.there, self.name, self.way, options, self.options["timeout"], target
        return transfer.Transfer(self.source, self.name, *there)

    def _mark(self):
        return {**self.wanted, "config": {**self.wanted["config"], MARK: " ".join(self.mark)}}

    def _write_mark(self):
        writes.update(self.there, KIND, self.name, {"config": {MARK: " ".join(self.mark)}})

    def _compare_snapshots(self):
        ours, theirs = (sorted(copies.list_snapshots(api, self.name)) for api in (self.source, self.there))
        if ours != theirs:
            words = f"it has the snapshots {_format_snapshots(theirs)}, not {_format_snapshots(ours)}"
            raise LxdapiError(f"the copy on {self.there.endpoint} is not whole: {words}")

    def _mark_proven(self, digest):
        """The mark of the copy, which was compared, says that it is whole."""
        self._is_as_copied(digest)
        self.mark = [*self.mark, digest]
        self._write_mark()

    def _source_now(self):
        """Return the digest of the source, "" unless it is stopped, None if it is gone."""
        now = objects.read(self.source, KIND, self.name)
        if now is None:
            return None
        try:
            return self._digest(now) if power.status(now) == "Stopped" else ""
        except APINotFoundException:  # meanwhile: the next look will tell
            return ""

    def _is_as_copied(self, digest):
        """Return True if the source is as it was copied, False if it is gone; raises if it is not, or the copy not."""
        now = self._source_now()
        if now not in (None, digest):  # a run that was cut off may be deleting it
            operations.wait_until_idle(self.source, objects.path_of(KIND, self.name))
            now = self._source_now()
        if now is None:
            return False
        if now != digest:
            raise LxdapiError(f"somebody started or changed it on {self.source.endpoint} meanwhile")
        copy = objects.read(self.there, KIND, self.name)
        if copy is None or self._mark_of(copy) != self.mark:
            raise LxdapiError(f"the copy on {self.there.endpoint} is another one by now, or gone")
        return True

    def _start(self):
        """The copy runs if the source did; one that somebody started by himself is not stopped."""
        here = power.status(power.wait_until_stable(self.there, self.name))
        if self.was not in (here, "Stopped"):
            steps.apply(power.plan_transition(self.there, self.name, here, self.was))

    def _roll_back(self):
        """
        Remove the copy, which is ours, and start the source again; returns what is changed in the end all the same.

        The source is started only where the copy is known to be gone: two that run are worse than none.
        """
        try:
            self._remove_copy()
            now = power.status(power.wait_until_stable(self.source, self.name))
            if now == "Stopped" and self.was != now:
                steps.apply(power.plan_transition(self.source, self.name, now, self.was))
            if self.source.get(objects.path_of(KIND, self.name)).metadata["config"].get(MARK):
                _unmark(self.source, self.name)
        except LxdapiError as exc:
            log.warning("lxdapi: instance %s is not as it was; the next run goes on: %s", self.name, exc.explain())
            return {} if self.was == "Stopped" else {"status": {"old": self.was, "new": "Stopped"}}
        return {}

    def _remove_copy(self):
        found = partial_creation.wait_until_created(self.there, self.name)
        if found is None or self._mark_of(found)[:1] != self._identity(self.here)[:1]:
            return  # that somebody made one of this name is no reason for the source to stand still
        self._is_ours(found)
        steps.apply(power.plan_transition(self.there, self.name, power.status(found), "Stopped", 0, True))
        _delete(self.there, self.name, self._is_ours)

    def _is_ours(self, found=None):
        """Return True if the copy is of this run, False if it is gone; raises if it is not, or all that there is."""
        operations.wait_until_idle(self.source, objects.path_of(KIND, self.name))
        found = found or objects.read(self.there, KIND, self.name)
        if found is None:
            return False
        if self._mark_of(found)[:_RUN] != self.mark[:_RUN]:
            raise InvalidError("another run is at work on the copy")
        if objects.read(self.source, KIND, self.name) is None:
            raise InvalidError("the copy is all that there is")
        return True

    def _switch_over(self):
        """The copy takes the place of the source."""
        digest = self.mark[-1]
        self._is_as_copied(digest)
        self._start()
        _delete(self.source, self.name, lambda: self._is_as_copied(digest))
        try:
            _unmark(self.there, self.name)
        except LxdapiError as exc:  # it is moved; the next run takes the mark away
            log.warning("lxdapi: instance %s keeps its mark: %s", self.name, exc.explain())
