"""
Instances that are not whole: being made right now, or half made by a daemon that died meanwhile.

Both daemons show such an instance as ``Stopped``, like any other. It can be told by its config: whatever was created
to the end has ``volatile.apply_template`` until its first start, and ``volatile.last_state.power`` from then on
(LXD 5.0.2, Incus 6.0.4, Incus 7.0.2; images, copies, empty ones). Whether it was made by lxdapi says its
``volatile.uuid``, which lxdapi gives it: half of that is a digest of the other half.
"""

import hashlib
import secrets as random
import uuid

from lxdapi.errors import APIException, APIPreconditionException, APITimeoutException, InvalidError
from lxdapi.http import operations, retry
from lxdapi.model import objects, writes
from lxdapi.model.cached_reads import CachedObject, uncached_reads
from lxdapi.model.kinds import KINDS

KIND = KINDS["instance"]
# Where the uuid is another's (a move from another daemon keeps it): until the creation is known to be good.
MARK = "user.lxdapi.creating"
_UUID = "volatile.uuid"
_WHOLE = ("volatile.apply_template", "volatile.last_state.power")
_WORDS = (
    "it is half made: its creation never came to an end (its config has neither volatile.apply_template nor "
    "volatile.last_state.power, and no operation is about it); "
    "delete it and make it anew, or, if it is good, start it once"
)


def is_whole(current):
    """Return True if the instance in a GET's result was created to the end."""
    return any(key in current.metadata["config"] for key in _WHOLE)


def marked(config):
    """
    Return (the config of a new instance with a mark of our own, that mark).

    A ``volatile.uuid`` that a create sends is kept (LXD 5.0.2, Incus 6.0.4, Incus 7.0.2), so nothing has to be taken
    away afterwards.
    """
    key, mark = (MARK, random.token_hex(8)) if _UUID in config else (_UUID, str(_signed(random.token_bytes(8))))
    return {**config, key: mark}, mark


def _signed(half):
    """Return a random uuid whose other half is a digest of the one that is given, 8 bytes."""
    half = half[:6] + bytes([half[6] & 0x0F | 0x40]) + half[7:]
    return uuid.UUID(bytes=half + hashlib.sha256(b"lxdapi" + half).digest()[:8], version=4)


def mark_of(current):
    """Return the mark that an instance got from lxdapi, which made it or began to; None for none."""
    config = current.metadata["config"]
    return config.get(MARK) or _ours(config.get(_UUID))


def _ours(text):
    try:
        found = uuid.UUID(text or "")
    except ValueError:
        return None
    return text if _signed(found.bytes[:8]) == found else None


def awaited(api, name, current=None, seconds=None, begun=False):
    """
    Return the instance once nobody is making it any more, None if there is none.

    current
        What a GET returned just now; None: it is read.
    seconds
        How long it is waited for; None: as long as for an operation.
    begun
        True: its creation may have begun, although there is no instance yet.
    """
    current = current or objects.read(api, KIND, name)
    if is_whole(current) if current else not begun:
        return current
    with uncached_reads():
        current = objects.read(api, KIND, name) if isinstance(current, CachedObject) else current
        return _awaited(api, name, current, retry.Patience(api.wait_timeout if seconds is None else seconds), begun)


def _awaited(api, name, current, patience, begun):
    while not (is_whole(current) if current else not begun):
        if not operations.is_about(api, objects.path_of(KIND, name)):
            # it can have become whole between the two looks
            return objects.read(api, KIND, name)
        if not patience.pause():
            url = f"{api.endpoint}/1.0/{objects.path_of(KIND, name)}"
            raise APITimeoutException(error="it is still being made", method="GET", url=url)
        current = objects.read(api, KIND, name)
    return current


def rid(api, name, mark):
    """
    Delete the instance that bears this mark if it is still half made; returns {} if it is not.

    Another run may have made it anew: so it is looked at before each try, and one that is busy is not waited for.
    """
    once, patience = api.impatient(), retry.Patience(api.retry_timeout)
    while True:
        current = awaited(api, name)
        if current is None or is_whole(current) or mark_of(current) != mark:
            return {}
        try:
            return writes.remove(once, KIND, name)
        except APIException as exc:
            if not (retry.is_busy(exc) and patience.pause(exc)):
                raise


def refuse_half_made(current):
    """Raise :class:`InvalidError` for one that is half made."""
    if not is_whole(current):
        raise InvalidError(_WORDS)


def unmark(api, name):
    """Take the mark away from an instance that is whole; somebody else having deleted it is as good."""
    retry.settle(api, lambda: _unmark(api, name), lambda: None)


def _unmark(api, name):
    for _ in range(writes.TRIES):
        current = objects.read(api, KIND, name)
        if current is None or mark_of(current) is None:
            return
        # PATCH without description empties it: see the table
        body = {"config": {MARK: ""}, "description": current.metadata["description"]}
        try:
            api.patch(objects.path_of(KIND, name), json=body, headers={"If-Match": current.etag})
            return
        except APIPreconditionException as exc:
            lost = exc
    raise lost
