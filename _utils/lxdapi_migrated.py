"""
An instance on another daemon than before, whatever happens on the way.

The order, of which each part can be the last one that is done:

1. What is to be at the target (profiles, networks, storage pools) is looked for.
2. With ``refresh`` a copy is made while the instance runs.
3. A mark in the config of the source says how it was; it is stopped.
4. It is copied to the target; the copy bears a mark with the identity of the source, and when that was last started.
5. The copy is compared with the source: config, devices, profiles and all else, and the names of the snapshots.
6. The copy is started if the source ran.
7. The source is deleted.
8. The mark at the target goes.

A copy with the mark of this source is continued by the next run: one that was never started is brought up to date
from the source; one that was started takes its place, unless the source was started since as well. Anything else that
is on both daemons is a failure: nothing is deleted that is not proven to be a copy.
"""

import logging

import lxdapi_converge as converge
import lxdapi_copy as copies
import lxdapi_creation as creations
import lxdapi_items as items
import lxdapi_meaning as meaning
import lxdapi_migrate as migrate
import lxdapi_names as names
import lxdapi_operation as operations
import lxdapi_plan as plans
import lxdapi_status as statuses
import lxdapi_unfinished as unfinished
from lxdapi_errors import InvalidError, LxdapiError
from lxdapi_kinds import KINDS
from lxdapi_plan import Nothing, Step

log = logging.getLogger(__name__)

KIND = KINDS["instance"]
MARK = copies.MIGRATING
_MARKS = (MARK, unfinished.MARK)
# What a daemon says of one that was never started.
_NEVER = ("1970-01-01", "0001-01-01")


def migrated(source, there, name, change, options):
    """
    Return the steps to an instance that is on one daemon and not on another one any more.

    source, there
        The API of the daemon where it is, and of the one where it is to be.
    change
        ``{"remote": {"old": ..., "new": ...}}``: what the two are called.
    options
        ``mode``, ``pool``, ``target``, ``refresh``, ``allow_stop``, ``timeout``: see the state.
    """
    converge.path_of(KIND, name)
    options = {**options, "timeout": _seconds(options["timeout"])}
    options.update({word: items.truth(word, options[word] or False) for word in ("refresh", "allow_stop")})
    if migrate.is_same(source, there):
        raise InvalidError("both remotes are the same daemon; lxdapi_instance.move moves within one")
    here, found = unfinished.awaited(source, name), unfinished.awaited(there, name)
    if here is None:
        return _without_source(source, there, name, change, found, options)
    creations.refuse_target(there, options["target"])
    here = statuses.settled(source, name, here)
    found = found and _at_rest(there, name)
    way = migrate.way(source, there, options["mode"])
    move = Move(source, there, name, here, found, way, options)
    move.refuse()
    note = f"by {way}" + ("; an earlier move was cut off and is continued" if found else "")
    return [Step("migrated", change, lambda: move.run() or change, note, lambda: creations.lacking(there, move.wanted))]


def _seconds(timeout):
    return migrate.SECONDS if timeout is None else names.seconds(timeout)


def _without_source(source, there, name, change, found, options):
    if found is None:
        words = f"it is neither on {source.endpoint} nor on {there.endpoint}"
        words = converge.nowhere(source) or converge.nowhere(there) or words
        return [Step("migrated", change, lambda: _late(source, there, name, change, options, words), "", lambda: words)]
    unfinished.refuse_half_made(found)
    changes = {mark: {"old": value, "new": None} for mark, value in _marks(found).items()}
    if not changes:
        return Nothing("as declared")
    return [Step("completed", {"config": changes}, lambda: _unmark(there, name))]


def _late(source, there, name, change, options, words):
    """Migrate what was not there in time for the plan; raises if it is not there yet."""
    if converge.read(source, KIND, name) is None:
        raise InvalidError(words)
    return plans.do(migrated(source, there, name, change, options))


def _at_rest(api, name):
    """Return the GET of an instance when nobody is about to do anything with it, as a run that was cut off may be."""
    operations.left_alone(api, converge.path_of(KIND, name))
    return statuses.settled(api, name)


def _marks(found):
    """Return the marks of ours that an instance bears."""
    return {key: found.metadata["config"][key] for key in _MARKS if key in found.metadata["config"]}


def _unmark(api, name):
    converge.update(api, KIND, name, {"config": dict.fromkeys(_MARKS)})


class Move:
    """
    One instance on its way.

    here, found
        The results of its GETs at the source and at the target; ``found`` is None where there is none.
    """

    def __init__(self, source, there, name, here, found, way, options):
        self.source, self.there, self.name = source, there, name
        self.here, self.found, self.way, self.options = here, found, way, options
        self.wanted = copies.fields(here.metadata, options["pool"], moved=True)
        self.was = self._was()

    def _was(self):
        """Return the status that it had before anything was done, by an earlier run too."""
        status, when = statuses.status(self.here), self.here.metadata["last_used_at"]
        word, _, marked = (self.here.metadata["config"].get(MARK) or "").partition(" ")
        return word if word and status == "Stopped" and marked == when else status

    def _identity(self, found):
        """Return the mark of a copy of the source as it is now."""
        return f"{found['config'].get('volatile.uuid')} {found['last_used_at']}"

    def refuse(self):
        """Raise for what cannot be moved, or what nobody can prove to be a copy."""
        unfinished.refuse_half_made(self.here)
        config = self.here.metadata.get("expanded_config") or self.here.metadata["config"]
        if str(config.get("security.protection.delete")).lower() in meaning.TRUE:
            raise InvalidError("security.protection.delete: the source could not be deleted afterwards")
        status = statuses.status(self.here)
        if status == "Error":
            raise InvalidError("it is in Error: nobody can tell whether it runs")
        if status != "Stopped":
            statuses.refuse_vanishing(self.here, "Stopped")
            if not self.options["allow_stop"]:
                raise InvalidError(f"it is {status}; allow_stop: True stops it for the move, and starts it there")
        if self.found is not None:
            self._refuse_stranger()
        migrate.refuse_snapshots(self.source, self.there, self.name)

    def _refuse_stranger(self):
        uuid = self.here.metadata["config"].get("volatile.uuid")
        mark = self.found.metadata["config"].get(MARK) or ""
        both = f"there is one on {self.source.endpoint} and one on {self.there.endpoint}"
        if not uuid or mark.partition(" ")[0] != uuid:
            raise InvalidError(f"{both}, which is no copy of an earlier move: delete the wrong one")
        if self._was_started() and (mark != self._identity(self.here.metadata) or self._runs()):
            raise InvalidError(f"{both}, and both were started since an earlier move was cut off: delete the wrong one")

    def _was_started(self):
        """Return True if the copy was started: somebody may have worked with it."""
        return self._has_run(self.found)

    @staticmethod
    def _has_run(found):
        used = str(found.metadata.get("last_used_at") or _NEVER[0])
        return statuses.status(found) != "Stopped" or not used.startswith(_NEVER)

    def _runs(self):
        return statuses.status(self.here) != "Stopped"

    def run(self):
        """Move it."""
        copies.refuse_lacking(self.there, self.wanted)
        if self.found is None or not self._was_started():
            self._bring()
        self._hand_over()

    def _bring(self):
        """The target has a copy that was compared with the source, and runs if that did; else all is as it was."""
        try:
            if self.options["refresh"] and self._runs() and self.found is None:
                self._transfer(loose=True)
            self._stop()
            self._transfer()
            copies.mended(self.there, self.name, self.wanted)
            self._compare_snapshots()
            self._start()
        except LxdapiError as exc:
            exc.changes = self._undone()
            raise

    def _stop(self):
        if self._runs():
            mark = f"{self.was} {self.here.metadata['last_used_at']}"
            converge.update(self.source, KIND, self.name, {"config": {MARK: mark}})
            here = statuses.status(_at_rest(self.source, self.name))
            plans.do(statuses.steps_to(self.source, self.name, here, "Stopped"))

    def _transfer(self, loose=False):
        """Copy the source as it is now, anew or what has changed since."""
        now = self.source.get(converge.path_of(KIND, self.name))
        if self.found is not None and not unfinished.is_whole(self.found):
            unfinished.rid(self.there, self.name, unfinished.mark_of(self.found))
            self.found = None
        mark = self._identity(now.metadata)
        options = {"refresh": self.found is not None, "allow_inconsistent": loose}
        if self.found is not None:
            converge.update(self.there, KIND, self.name, {"config": {MARK: mark}})
        there = self.there, self.name, self.way, options, self.options["timeout"], self.options["target"]
        transfer = migrate.Transfer(self.source, self.name, *there)
        fields = {**self.wanted, "config": {**self.wanted["config"], MARK: mark}}
        copies.transferred(transfer, fields)
        self.found = self.there.get(converge.path_of(KIND, self.name))

    def _compare_snapshots(self):
        ours, theirs = (sorted(copies.snapshots(api, self.name)) for api in (self.source, self.there))
        if ours != theirs:
            words = f"it has the snapshots {', '.join(theirs) or 'none'}, not {', '.join(ours) or 'none'}"
            raise LxdapiError(f"the copy on {self.there.endpoint} is not whole: {words}")

    def _start(self):
        here = statuses.status(statuses.settled(self.there, self.name))
        if self.was != here:
            plans.do(statuses.steps_to(self.there, self.name, here, self.was))

    def _undone(self):
        """
        Remove the copy, which is ours, and start the source again; returns what is changed in the end all the same.

        The source is started only where the copy is known to be gone: two that run are worse than none.
        """
        try:
            self._remove_copy()
            now = statuses.status(statuses.settled(self.source, self.name))
            if now == "Stopped" and self.was != now:
                plans.do(statuses.steps_to(self.source, self.name, now, self.was))
            if self.source.get(converge.path_of(KIND, self.name)).metadata["config"].get(MARK):
                _unmark(self.source, self.name)
        except LxdapiError as exc:
            log.warning(
                "lxdapi: instance %s is not as it was; the next run goes on: %s", self.name, plans.explained(exc)
            )
            return {} if self.was == "Stopped" else {"status": {"old": self.was, "new": "Stopped"}}
        return {}

    def _remove_copy(self):
        found = unfinished.awaited(self.there, self.name)
        if found is None:
            return
        mark = found.metadata["config"].get(MARK) or ""
        uuid = self.here.metadata["config"].get("volatile.uuid")
        if not uuid or mark.partition(" ")[0] != uuid:
            raise InvalidError("what is at the target is no copy of ours")
        plans.do(statuses.steps_to(self.there, self.name, statuses.status(found), "Stopped", 0, True))
        converge.remove(self.there, KIND, self.name)

    def _hand_over(self):
        """The copy takes the place of the source."""
        self._start()
        converge.remove(self.source, KIND, self.name)
        try:
            _unmark(self.there, self.name)
        except LxdapiError as exc:  # it is moved; the next run takes the mark away
            log.warning("lxdapi: instance %s keeps its mark: %s", self.name, plans.explained(exc))
