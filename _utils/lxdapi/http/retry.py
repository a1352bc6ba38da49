"""
Retries: which failed requests are sent again, when, and when a read verifies a write instead.

================================================  ==========================================================
what happened                                     what is done
================================================  ==========================================================
nothing was sent: no socket, connection refused   any method again, where this daemon has answered before in
                                                  this run (it restarts); else a failure at once
the daemon refused before it acted: "busy         any method again
running a stop operation", not ready yet
a read broke off, half a reply, 503               again
a write broke off, half a reply, no reply,        the object is read: done, or not done and sent again; after
503, the operation vanished                       a time-out only read
anything else                                     a failure
================================================  ==========================================================

Again means: after a pause that grows, with jitter, for ``retry_timeout`` seconds and never beyond the time
that the call has as a whole.
"""

from __future__ import annotations

import logging
import re
import secrets as random
import time
from typing import TYPE_CHECKING, Any, Callable

from lxdapi.errors import (
    APIConnectionException,
    APIException,
    APIOperationException,
    APIOutcomeUnknownException,
    APIProtocolException,
    APITimeoutException,
    APIUnavailableException,
)

if TYPE_CHECKING:
    from lxdapi.api import API
    from lxdapi.http.result import APIResult

log = logging.getLogger(__name__)

RETRY_SECONDS = 20
READS = ("GET", "HEAD")
# The time limit of a read after a failed one, until a request succeeds again.
_DEGRADED_SECONDS = 5
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 2.0
# No status distinguishes these from other failures: the daemons use 400, 500 and failed operations (LXD 5.0.2,
# Incus 6.0.4). Incus 6.0.4 reports "Invalid PID" for the state of an instance around a stop, LXD 5.0.2 "A matching ..."
# for one that somebody else changes at that moment. After a daemon died during a creation, the tar that it started
# still writes to the storage for some seconds (all three).
_BUSY = (
    r"[Ii]nstance is busy running a|[Ii]sn't ready yet|[Nn]ot ready yet|Invalid PID|"
    r"A matching non-reusable operation has now succeeded|"
    r"Error deleting storage volume: .*directory not empty"
)
# With 500 or 503: the daemon may have done the write nevertheless, as it did without a quorum (LXD 5.0.2, Incus 6.0.4).
# Incus 7.0.2 reports "closed" while it shuts down.
_DATABASE = r"database is (closed|locked)|no available \w+ leader"
# For a profile that was saved while one of its instances is busy: a repetition would change nothing (all three).
_SAVED = r"change still saved"


class Backoff:
    """
    The time limit for an action and its repetitions, with growing pauses.

    seconds
        The limit from now on, including the pauses.
    longest
        The longest pause in seconds.
    """

    def __init__(self, seconds: float, longest: float = _LONGEST_PAUSE) -> None:
        self._end = time.monotonic() + seconds
        self._pause, self._longest = _FIRST_PAUSE, longest

    def sleep(self, error: APIException | None = None) -> bool:
        """
        Sleep a little longer than the last time and return True; return False at once when the time is over.

        error
            The reason, for the log.
        """
        pause = self._pause * random.SystemRandom().uniform(0.5, 1.0)
        if time.monotonic() + pause >= self._end:
            return False
        if error is not None:
            log.info("lxdapi: %s; repeated in %.1f s", error.explain(), pause)
        time.sleep(pause)
        self._pause = min(self._pause * 2, self._longest)
        return True


def send_with_retries(
    api: API, method: str, exchange: Callable[[float], APIResult], seconds: float, resendable: bool = True
) -> APIResult:
    """
    Return the result of a transaction, without validating it; repeats the transaction while that may help.

    exchange
        Called with its time limit in seconds; returns a result or raises.
    seconds
        The time limit for all repetitions.
    resendable
        False: the request can only be sent once, such as a stream.
    """
    end = time.monotonic() + seconds
    backoff = Backoff(0 if api.endpoint_pool.degraded else min(seconds, api.retry_timeout))
    left = min(seconds, _DEGRADED_SECONDS) if api.endpoint_pool.degraded and method in READS else seconds
    while True:
        try:
            result = exchange(left)
            api.endpoint_pool.mark_up()
            result.validate()
            api.endpoint_pool.degraded = False
            return result
        except APIException as exc:
            error = exc
        repeatable = _may_repeat(api, method, error, resendable)
        if not repeatable or not (api.endpoint_pool.fail_over(error) or backoff.sleep(error)):
            # otherwise each of three hundred consecutive states would wait as long
            api.endpoint_pool.degraded = (
                api.endpoint_pool.degraded or repeatable or (method in READS and isinstance(error, APITimeoutException))
            )
            return _give_up(api, error)
        left = max(0.1, end - time.monotonic())


def _give_up(api, error):
    if error.result is not None:
        return error.result
    # the next call must not wait as long
    api.endpoint_pool.has_answered = api.endpoint_pool.has_answered and not is_unsent(error)
    raise error


def _may_repeat(api, method, error, resendable):
    if is_unsent(error):
        return error.fleeting and (api.endpoint_pool.has_answered or api.endpoint_pool.has_untried)
    if not resendable:
        return False
    return is_busy(error) or (method in READS and is_incomplete(error))


def is_unsent(error: APIException) -> bool:
    """Return True if it is certain that nothing of the request reached the daemon."""
    return isinstance(error, APIConnectionException) and not error.sent


def is_busy(error: APIException) -> bool:
    """Return True if the daemon refused for the moment, before it did anything."""
    return not (_is_final(error) or is_saved(error)) and says_busy(error.error)


def is_saved(error: APIException) -> bool:
    """Return True if the daemon reports that it saved the object, and that a later step failed."""
    return bool(re.search(_SAVED, error.error))


def says_busy(text: str) -> bool:
    """Return True if this error of a daemon is about a busy object."""
    return bool(re.search(_BUSY, text))


def _is_final(error):
    """Return True for a failed operation: reading it again returns the same failure."""
    return isinstance(error, APIOperationException) and error.method in READS and error.started_by is None


def is_incomplete(error: APIException) -> bool:
    """Return True if the reply is incomplete, or does not come from the daemon."""
    if isinstance(error, APIProtocolException):
        return error.result is not None and not 300 <= error.result.response.status_code < 400
    interrupted = bool(re.search(_DATABASE, error.error)) and not _is_final(error)
    return interrupted or isinstance(error, (APIConnectionException, APIUnavailableException))


def is_outcome_unknown(error: APIException) -> bool:
    """Return True if it is unknown whether the write was done: read the object to find out."""
    timed_out = isinstance(error, APITimeoutException) and error.result is None
    return timed_out or isinstance(error, APIOutcomeUnknownException) or (is_incomplete(error) and not is_unsent(error))


def is_refusal(error: APIException) -> bool:
    """Return True if the daemon itself refused the request."""
    return error.result is not None and not isinstance(error, APITimeoutException) and not is_outcome_unknown(error)


def write_verified(api: API, act: Callable[[], Any], verify: Callable[[], Any]) -> Any:
    """
    Do a write, and verify it if its reply was lost; returns the result of ``act`` or ``verify``.

    act
        Sends the write and waits for its end. An error whose ``created`` is True is raised at once.
    verify
        Called without arguments after a lost reply: waits for running operations, reads the object, and returns None if
        the write was not done.

    Raises the last error of ``act`` if the write was not done and cannot be repeated.
    """
    backoff, outcome_unknown = None, False
    while True:
        try:
            return act()
        except APIException as exc:
            error = exc
        backoff = backoff or Backoff(api.retry_timeout)
        outcome_unknown = outcome_unknown or is_outcome_unknown(error)
        # the daemon may refuse a repeated create because the first one succeeded
        verified = verify() if outcome_unknown else None
        if verified is not None:
            return verified
        repeatable = is_busy(error) or (is_outcome_unknown(error) and not isinstance(error, APITimeoutException))
        if error.created or not repeatable or not backoff.sleep(error):
            raise error
