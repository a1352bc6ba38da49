"""
The writes: create, update, rename and delete an object. If a reply is lost, a read verifies what was done.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from lxdapi import validation
from lxdapi.errors import (
    APIException,
    APINotFoundException,
    APIOperationException,
    APIOutcomeUnknownException,
    APIPreconditionException,
    APITimeoutException,
    APIUnappliedException,
    APIUndoneException,
    InvalidError,
)
from lxdapi.http import operations, retry
from lxdapi.model import diff, verification
from lxdapi.model.cached_reads import CachedObject
from lxdapi.model.objects import parts_of, path_of, read

if TYPE_CHECKING:
    from lxdapi.api import API, APIResult
    from lxdapi.model.diff import Delta
    from lxdapi.model.schema import Kind

# How often a write is tried when somebody else keeps changing the object between read and write.
TRIES = 10
# The longest pause in seconds before the next try. With the usual 2 s, two of 180 edits of a profile by six processes,
# beside the start of eight of its instances, were overtaken each time for 20 s (LXD 5.0.2, Incus 6.0.4, Incus 7.0.2).
_LONGEST_PAUSE = 0.3


def create(
    api: API,
    kind: Kind,
    name: str,
    declared: dict[str, Any],
    timeout: float | None = None,
    extra: dict[str, Any] | None = None,
) -> None:
    """
    Create the object with the declared fields, in one call, and wait for it.

    extra
        Additions to the body beyond the fields: the ``source`` of an instance.
    """
    _send_creation(api, kind, name, declared, extra).wait(timeout)


def _send_creation(api, kind, name, declared, extra=None):
    """Return the result of the request that creates an object: the daemon has accepted it."""
    parts = parts_of(kind, name)
    name_field = {kind.key: parts["name"]} if kind.key else {}
    later = kind.fields_after_create(parts["name"], declared)
    fields = {field: value for field, value in declared.items() if field not in later}
    body = {**diff.create_body(kind, fields), **name_field, **(extra or {})}
    return api.post(validation.path(kind.collection, **parts), json=body, **write_timeout(api, kind))


def create_or_adopt(
    api: API, kind: Kind, name: str, declared: dict[str, Any], shared: bool = True
) -> dict[str, Any] | None:
    """
    Create the object and return None; if somebody else created it first, update it and return the changes.

    shared
        False: raise if somebody else created it first.
    """
    if not kind.create.verifiable:
        _ = api.server  # remember when the daemon started, to see a restart
    accepted = []

    def send():
        accepted.append(_send_creation(api, kind, name, declared))
        accepted[-1].wait()

    try:
        outcome = retry.write_verified(api, send, lambda: _verify_created(api, kind, name, declared, accepted))
    except APIException as exc:
        result = read(api, kind, name) if shared and retry.is_refusal(exc) else None
        if result is None or _is_partial(kind, result):
            raise
        require_immutable_unchanged(kind, declared, result)
        return update(api, kind, name, declared)
    return None if outcome is None else {"created": name}


def _verify_created(api, kind, name, declared, accepted):
    """Return the changes after a create whose reply was lost: the object is updated; None if it does not exist."""
    operations.wait_until_idle(api, path_of(kind, name))
    result = read(api, kind, name)
    if result is None or _is_partial(kind, result):
        return None
    if not kind.create.verifiable and api.has_restarted():
        if not accepted:
            raise doubtful_error(api, kind, name)
        delete(api, kind, name)
        return None
    require_immutable_unchanged(kind, declared, result)
    return update(api, kind, name, declared) or {}


def doubtful_error(api: API, kind: Kind, name: str) -> APIOutcomeUnknownException:
    """Return the error for an object that exists after the daemon died during its creation, and is not proven ours."""
    text = (
        f"the daemon restarted during the creation: {kind.label} {name} exists, but may be incomplete or somebody "
        "else's; delete it if nobody needs it, and repeat the creation"
    )
    return APIOutcomeUnknownException(error=text, method="GET", url=f"{api.endpoint}/1.0/{path_of(kind, name)}")


def require_immutable_unchanged(kind: Kind, declared: dict[str, Any], result: APIResult) -> None:
    """Raise :class:`InvalidError` if a declared create-only field differs."""
    differences = diff.immutable_differences(kind, declared, result.metadata)
    if differences:
        raise InvalidError("; ".join(differences))


def _is_partial(kind, result):
    """Return True if only a part of an object exists, on some members of a cluster."""
    return kind.cluster.parts and result.metadata.get("status") in ("Pending", "Errored")


def write_timeout(api: API, kind: Kind) -> dict[str, float]:
    """Return the time limit of a write: that of an operation if the daemon works before it answers."""
    return {"timeout": max(api.timeout, api.wait_timeout)} if kind.write.slow else {}


def update(
    api: API, kind: Kind, name: str, declared: dict[str, Any], result: APIResult | None = None, purge: bool = False
) -> dict[str, Any]:
    """
    Update the declared fields that differ, and return what the writes of this call changed.

    lxdapi reads, compares, writes with If-Match and reads again, until no difference is left. The second read shows
    whether a write was done that somebody else overtook, that the daemon was too busy for, or whose reply was lost. The
    last read is required too: the daemons compare the ETag and write in two steps, so they lose one of two simultaneous
    writes (22 to 41 of 100 edits of a profile by two clients; LXD 5.0.2, Incus 6.0.4, Incus 7.0.2). It can be deferred:
    see :mod:`lxdapi.model.verification`.

    The ``changes`` of an exception were written before it. A refusal does not prove that the daemon wrote nothing: see
    :class:`lxdapi.errors.APIUnappliedException`.
    """
    attempts = Attempts(api, kind, name, declared, purge)
    # a write must not be based on a cached object
    return attempts.complete(None if isinstance(result, CachedObject) else result)


class Attempts:
    """
    Writes that are repeated until an object is as declared; the parameters are those of :func:`update`.

    changes
        The changes of the writes that the daemon accepted, and of those whose reply was lost.
    before
        The object as it was read for the last write.
    """

    def __init__(self, api: API, kind: Kind, name: str, declared: dict[str, Any], purge: bool) -> None:
        self.api, self.path = api, path_of(kind, name)
        self._kind, self._name, self._declared, self._purge = kind, name, declared, purge
        self._count = self._undone = 0
        self._waiting: Any = None
        self._failed: APIException | None = None
        self._contended = False
        self._unapplied: list[tuple[APIException, dict[str, Any]]] = []
        # the first part of a write, if it was done, and the object before it
        self._first: tuple[diff.Delta, dict[str, Any]] | None = None
        self.changes: dict[str, Any] = {}
        self.before: dict[str, Any] = {}

    def complete(self, result: APIResult | None = None) -> dict[str, Any]:
        """Write until the object is as declared, unless its verification is deferred, and return the changes."""
        try:
            self._run(result)
            self._require_applied()
        except APIException as exc:
            exc.changes = self.changes
            exc.hint = exc.hint or self._kind.refusal_hint(self._declared, self.before, exc.error)
            raise
        return self.changes

    def read(self) -> APIResult:
        """Return the result of a GET of the object."""
        return self.api.get(self.path)

    def release(self) -> None:
        """Release the object and the reply of the last write: many updates wait for their verification."""
        self.before, accepted = {}, self._failed
        self._failed = accepted and APIUndoneException(None, accepted.error, accepted.method, accepted.url)

    def is_as_declared(self, metadata: dict[str, Any]) -> bool:
        """Return True if an object that was read has the declared fields."""
        return not self._compare(metadata)

    def _compare(self, metadata):
        return diff.compare(self._kind, self._declared, metadata, self._purge)

    def _run(self, result):
        while True:
            try:
                result = result or self.read()
            except APIException:
                if self._is_accepted():
                    return
                raise
            delta = self._compare(result.metadata)
            if not delta and self._is_finished():
                return
            if delta:
                self._start_attempt(delta)
                self._write(result, delta)
                if self._is_accepted():
                    if self._count == 1 and not self._unapplied and verification.defer(self):
                        return
                    # a client that read before this write may still overwrite it: without the pause, 25 of 100 reads
                    # missed that
                    time.sleep(verification.RACE)
            result = None

    def _require_applied(self):
        """Raise if a user of the object did not apply a saved change."""
        for error, changes in self._unapplied:
            if not self._kind.is_applied(self.api, error, changes):
                raise APIUnappliedException.of(error)

    def _is_finished(self):
        """Return True if the object is as declared and stays so: if others write as well, it is read twice."""
        contended, self._contended = self._contended, False
        return not (contended and retry.Backoff(1).sleep())

    def _is_accepted(self):
        """Return True if the daemon accepted the last write; then it was done, even if no read can prove it."""
        return isinstance(self._failed, APIUndoneException)

    def _start_attempt(self, delta):
        """Count an attempt; pause if that may help, raise if the remaining changes cannot be tried again."""
        self._count += 1
        if self._failed is not None and not self._may_repeat(delta):
            self.changes = diff.subtract_changes(self.changes, delta.changes)
            raise self._failed

    def _may_repeat(self, delta):
        error = self._failed
        if isinstance(error, APIPreconditionException):
            # without the pause, four processes that write one profile block each other forever
            return self._waiting.sleep(error) or self._count <= TRIES
        if isinstance(error, APIUndoneException):
            self._failed, self._undone = _undone_error(error.result, delta, error.method, error.url), self._undone + 1
            return not self._kind.ignores_writes and self._undone < TRIES
        return not isinstance(error, APITimeoutException) and self._waiting.sleep(error)

    def _write(self, result, delta):
        """Write the difference, or its first part; raises for a refusal."""
        self.before, first = result.metadata, self._kind.first_part(delta, result.metadata)
        if first:
            delta, self._first = first, (first, self.before)
        try:
            reply = write(self.api, self._kind, self._name, result, delta).wait()
        except APIException as exc:
            if not retry.is_saved(exc):
                self._handle_error(exc, result, delta)
                return
            reply = exc.result
            self._unapplied.append((exc, delta.changes))
        diff.merge_changes(self.changes, delta.changes)
        self._contended = self._contended or self._failed is not None
        self._failed = None if first else _undone_error(reply, delta)

    def _handle_error(self, error, result, delta):
        """Raise a final error; keep any other one, because a read of the object decides what comes next."""
        overtaken, lost = isinstance(error, APIPreconditionException), retry.is_outcome_unknown(error)
        if not (overtaken or lost or retry.is_busy(error)):
            self._undo_first_part()
            if error.status:
                self._kind.roll_back(self.api, result, delta)
            self._raise_refusal(error, delta)
            return
        self._failed, self._waiting = error, self._waiting or retry.Backoff(self.api.retry_timeout, _LONGEST_PAUSE)
        self._contended = self._contended or overtaken
        diff.merge_changes(self.changes, delta.changes if lost else {})

    def _undo_first_part(self):
        """Undo the first part of a write whose rest the daemon refused."""
        if not self._first:
            return
        first, before = self._first
        try:
            result = self.read()
            undo = self._kind.undo_first_part(first, before, result.metadata)
            write(self.api, self._kind, self._name, result, undo).wait()
        except APIException:
            return  # the refusal is reported, and changes has the first part
        self.changes = diff.subtract_changes(self.changes, first.changes)

    def _raise_refusal(self, error, delta):
        """Raise the error of a refusal, unless everything was saved and applied; a read shows what was saved."""
        try:
            left = self._compare(self.read().metadata).changes
        except APIException:
            raise error from None
        diff.merge_changes(self.changes, diff.subtract_changes(delta.changes, left))
        if left:
            raise error
        if not self._kind.is_applied(self.api, error, delta.changes):
            raise APIUnappliedException.of(error)


def _undone_error(result, delta, method=None, url=None):
    """Return the error for a write that the daemon accepted without making all of its changes."""
    text = f"the daemon accepted the write, but {', '.join(delta.changes)} did not become as declared"
    return APIUndoneException(result, text, method, url)


def write(api: API, kind: Kind, name: str, result: APIResult, delta: Delta) -> APIResult:
    """Send the difference: by PATCH if the kind supports it, otherwise by a PUT of the whole object."""
    headers = {"If-Match": result.etag} if result.etag else {}
    method, body = "PATCH", kind.write.patch(result, delta) if kind.write.patch else None
    if body is None:
        repeated = {field: result.metadata[field] for field in kind.put_fields(result.metadata)}
        method, body = "PUT", {**repeated, **delta.fields}
    return api.request(method, path_of(kind, name), json=body, headers=headers, **write_timeout(api, kind))


def delete(api: API, kind: Kind, name: str, force: bool = False) -> dict[str, Any] | None:
    """Delete the object and wait; returns {} if somebody else deleted it meanwhile."""
    options = {"params": {"force": 1} if force else None, **write_timeout(api, kind)}

    def delete():
        api.delete(path_of(kind, name, existing=True), **options).wait()

    try:
        retry.write_verified(api, delete, lambda: _verify_deleted(api, kind, name))
    except APINotFoundException:
        return {}
    except APIOperationException:
        if read(api, kind, name) is not None:
            raise
        return {}
    return None


def _verify_deleted(api, kind, name):
    operations.wait_until_idle(api, path_of(kind, name, existing=True))
    return None if read(api, kind, name) is not None else True


def rename(api: API, kind: Kind, old: str, name: str) -> None:
    """Rename the object and wait; the daemon refuses a name that is taken."""
    body = {kind.key: parts_of(kind, name)["name"]}

    def post():
        api.post(path_of(kind, old, existing=True), json=body, **write_timeout(api, kind)).wait()

    retry.write_verified(api, post, lambda: _verify_renamed(api, kind, old, name))


def _verify_renamed(api, kind, old, name):
    renamed = read(api, kind, old) is None and read(api, kind, name) is not None
    return True if renamed else None
