"""
The writes: create, update, rename and remove an object, each settled by reading it where its answer was lost.
"""

import lxdapi_diff as diff
import lxdapi_names as names
import lxdapi_retry as retry
import lxdapi_server as server
from lxdapi_errors import (
    APIException,
    APINotFoundException,
    APIOperationException,
    APIPreconditionException,
    APIProtocolException,
    APITimeoutException,
)
from lxdapi_object import parts_of, path_of, read

# How often a write is tried when somebody else keeps changing the object between read and write.
TRIES = 10


def create(api, kind, name, wanted, timeout=None, extra=None):
    """
    Create the object with the declared fields, in one call, and wait for it.

    extra
        What the body has beyond the fields: an instance's ``source``.
    """
    parts = parts_of(kind, name)
    own = {kind.key: parts["name"]} if kind.key else {}
    body = {**diff.created(kind, wanted), **own, **(extra or {})}
    api.post(names.path(kind.collection, **parts), json=body, **patience(api, kind)).wait(timeout)


def created(api, kind, name, wanted, shared=True):
    """
    Create the object; returns None if that was done by this, what it changed if somebody else was faster.

    shared
        False: that somebody else was faster is a failure.
    """
    if not kind.provable:
        _ = api.server  # when it was started is compared with afterwards
    try:
        done = retry.settle(
            api, lambda: create(api, kind, name, wanted), lambda: _found_created(api, kind, name, wanted)
        )
    except APIException as exc:
        if not (shared and retry.is_refusal(exc) and _is_there(api, kind, name)):
            raise
        return update(api, kind, name, wanted)
    return None if done is None else {"created": name}


def _found_created(api, kind, name, wanted):
    """Return what is there after a create whose answer was lost, made as declared; None if there is nothing."""
    if not _is_there(api, kind, name):
        return None
    if not kind.provable and api.restarted():
        remove(api, kind, name)
        return None
    return update(api, kind, name, wanted) or {}


def _is_there(api, kind, name):
    """Return True if the object is there as a whole, False if there is none or, in a cluster, a part of it."""
    found = read(api, kind, name)
    return found is not None and found.metadata.get("status") not in ("Pending", "Errored")


def patience(api, kind):
    """Return how long a write waits for its reply: where the daemon works before it answers, as for an operation."""
    return {"timeout": max(api.timeout, api.wait_timeout)} if kind.slow else {}


def update(api, kind, name, wanted, current=None, purge=False):
    """
    Make the fields as declared and return what changed.

    Read, compared and written with If-Match, again and again while somebody else is faster, so
    that nothing set meanwhile is lost, and as long as the daemon is busy. A write whose answer was lost is found
    done, or still to be done, when it is read again.
    """
    tries, waiting, changes, undone = 0, None, {}, None
    while True:
        current = current or api.get(path_of(kind, name))
        delta = diff.compare(kind, wanted, current.metadata, purge)
        if not delta:
            return changes
        if undone is not None and not _may_repeat(undone, tries, waiting):
            raise undone
        tries += 1
        try:
            done = write(api, kind, name, current, delta).wait()
        except APIException as exc:
            if not (isinstance(exc, APIPreconditionException) or retry.is_busy(exc) or retry.is_lost(exc)):
                if kind.patch_whole and exc.status:
                    server.put_back(api, kind, current, delta)
                raise
            changes = delta.changes if retry.is_lost(exc) else changes
            current, undone, waiting = None, exc, waiting or retry.Patience(api.retry_timeout)
            continue
        if kind.checked:
            _refuse_undone(kind, wanted, done, delta.changes)
        return delta.changes


def _may_repeat(error, tries, waiting):
    """Return True, after a pause where one may help, if a write that was not done is to be sent again."""
    if isinstance(error, APITimeoutException):
        return False
    # without the pause four processes at one profile are in each other's way for ever
    return waiting.pause(error) or (isinstance(error, APIPreconditionException) and tries < TRIES)


def _refuse_undone(kind, wanted, done, changes):
    """Raise if the daemon accepted a write and did not do all of it; the error has the changes that it did."""
    current = done.api.get(done.request.url)
    undone = diff.compare(kind, wanted, current.metadata).changes
    if undone:
        words = f"the daemon accepted it, but {', '.join(undone)} did not become as declared"
        error = APIProtocolException(done, words)
        error.changes = {field: change for field, change in changes.items() if field not in undone}
        raise error


def write(api, kind, name, current, delta):
    """Send the difference: by PATCH what is added or changed, by a PUT of the whole what goes."""
    headers = {"If-Match": current.etag} if current.etag else {}
    partial = kind.patch and (kind.patch_unsets or not delta.removes)
    repeated = kind.patch_with if partial else kind.written(current.metadata)
    body = {field: current.metadata[field] for field in repeated if field in current.metadata}
    touched = server.touched(kind, current, delta) if kind.patch_whole else delta.touched
    body.update(touched if partial else delta.fields)
    method = "PATCH" if partial else "PUT"
    return api.request(method, path_of(kind, name), json=body, headers=headers, **patience(api, kind))


def remove(api, kind, name, force=False):
    """Delete the object and wait; returns {} if somebody else deleted it meanwhile, which is as good."""
    options = {"params": {"force": 1} if force else None, **patience(api, kind)}
    act = lambda: api.delete(path_of(kind, name), **options).wait() and None  # noqa: E731
    gone = lambda: None if read(api, kind, name) is not None else True  # noqa: E731
    try:
        retry.settle(api, act, gone)
    except APINotFoundException:
        return {}
    except APIOperationException:
        if read(api, kind, name) is not None:
            raise
        return {}
    return None


def rename(api, kind, old, name):
    """Rename the object and wait; the daemon refuses a name that is taken."""
    body = {kind.key: parts_of(kind, name)["name"]}
    act = lambda: api.post(path_of(kind, old), json=body, **patience(api, kind)).wait() and None  # noqa: E731
    retry.settle(api, act, lambda: _found_renamed(api, kind, old, name))


def _found_renamed(api, kind, old, name):
    there = read(api, kind, old) is None and read(api, kind, name) is not None
    return True if there else None
