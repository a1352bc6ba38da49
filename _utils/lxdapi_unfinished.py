"""
Instances that are not whole: being made right now, or half made by a daemon that died meanwhile.

Both daemons show such an instance as ``Stopped``, like any other. It can be told by its config: whatever was created
to the end has ``volatile.apply_template`` until its first start, and ``volatile.last_state.power`` from then on
(LXD 5.0.2, Incus 6.0.4, Incus 7.0.2; images, copies, empty ones). Whether it was made by lxdapi says a mark of its own,
which is in the config from the POST until the creation is known to be good.
"""

import lxdapi_converge as converge
import lxdapi_operation as operations
import lxdapi_retry as retry
from lxdapi_errors import APIException, APIPreconditionException, APITimeoutException, InvalidError
from lxdapi_kinds import KINDS

KIND = KINDS["instance"]
MARK = "user.lxdapi.creating"
_WHOLE = ("volatile.apply_template", "volatile.last_state.power")
_WORDS = (
    "it is half made: its creation never came to an end (its config has neither volatile.apply_template nor "
    "volatile.last_state.power, and no operation is about it); "
    "delete it and make it anew, or, if it is good, start it once"
)


def is_whole(current):
    """Return True if the instance in a GET's result was created to the end."""
    return any(key in current.metadata["config"] for key in _WHOLE)


def mark_of(current):
    """Return the mark of the creation by lxdapi that is under way, or was; None for none."""
    return current.metadata["config"].get(MARK)


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
    patience = retry.Patience(api.wait_timeout if seconds is None else seconds)
    while True:
        current = current or converge.read(api, KIND, name)
        if is_whole(current) if current else not begun:
            return current
        if not operations.is_about(api, converge.path_of(KIND, name)):
            # it can have become whole between the two looks
            return converge.read(api, KIND, name)
        if not patience.pause():
            url = f"{api.endpoint}/1.0/{converge.path_of(KIND, name)}"
            raise APITimeoutException(error="it is still being made", method="GET", url=url)
        current = None


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
            return converge.remove(once, KIND, name)
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
    for _ in range(converge.TRIES):
        current = converge.read(api, KIND, name)
        if current is None or mark_of(current) is None:
            return
        # PATCH without description empties it: see the table
        body = {"config": {MARK: ""}, "description": current.metadata["description"]}
        try:
            api.patch(converge.path_of(KIND, name), json=body, headers={"If-Match": current.etag})
            return
        except APIPreconditionException as exc:
            lost = exc
    raise lost
