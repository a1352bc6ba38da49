"""
Deferred verification: one list verifies the updates of many states.

Each update reads the object again after its write, because the daemons can lose a write (see
:func:`lxdapi.model.writes.update`). States that run at the same time defer this read. Then a list of the objects
proves the same as a GET of each one: its entries have the same data (:data:`lxdapi.model.read_cache.LISTED`). An update
that the list does not prove continues where it was interrupted.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from functools import partial
from typing import TYPE_CHECKING, Any, Callable, Iterator

from lxdapi.errors import APIException
from lxdapi.model.read_cache import collection_key, name_in

if TYPE_CHECKING:
    from lxdapi.model.writes import Attempts

# The time within which a simultaneous write of another client can still undo ours, in seconds.
RACE = 0.02


class Deferral:
    """
    The update of a state that is verified later.

    attempts
        The update.
    answer
        Continues the update and returns the answer of the state.

    ``is_verified``: None before :func:`verify`, then whether the update is proven.
    """

    def __init__(self, attempts: Attempts, answer: Callable[[], Any]) -> None:
        self.attempts, self.answer = attempts, answer
        self.is_verified: bool | None = None


# The deferred verifications of a state; None: each update is verified at once.
_DEFERRALS: ContextVar[list[Deferral] | None] = ContextVar("lxdapi_deferrals", default=None)
_FINISH: ContextVar[Callable[[Callable[[], Any]], Any] | None] = ContextVar("lxdapi_finish", default=None)


def collect(act: Callable[[], Any]) -> tuple[Any, Deferral | None]:
    """Call a function that may defer a verification; returns its result, and what it deferred."""
    deferrals: list[Deferral] = []
    before = _DEFERRALS.set(deferrals)
    try:
        result = act()
    finally:
        _DEFERRALS.reset(before)
    return result, deferrals[0] if deferrals else None


@contextmanager
def deferrable(finish: Callable[[Callable[[], Any]], Any]) -> Iterator[None]:
    """
    Allow an update to defer its verification, within the block.

    finish
        Called with a function that continues the update, returns the answer of the state.
    """
    before = _FINISH.set(finish)
    try:
        yield
    finally:
        _FINISH.reset(before)


def defer(attempts: Attempts) -> bool:
    """Defer the verification of an update if its caller allows that, and return whether it does."""
    deferrals, finish = _DEFERRALS.get(), _FINISH.get()
    if deferrals is None or finish is None:
        return False
    attempts.release()
    # in the context of the state, which has the patterns of its secrets
    deferrals.append(Deferral(attempts, partial(copy_context().run, finish, attempts.complete)))
    return True


def verify(deferrals: list[Deferral]) -> None:
    """Set whether each update is proven, by one list of its collection if that costs less than a GET of each object."""
    time.sleep(RACE)
    groups: dict[Any, list[Deferral]] = {}
    for each in deferrals:
        groups.setdefault(collection_key(each.attempts.api, each.attempts.path), []).append(each)
    for group in groups.values():
        first = group[0].attempts
        listed = first.api.cache.list_after_writes(first.api, first.path, len(group)) if first.api.cache else {}
        for each in group:
            entry = listed.get(name_in(each.attempts.path))
            each.is_verified = bool(entry and each.attempts.is_as_declared(entry)) or _is_proven(each.attempts)


def _is_proven(attempts):
    """Return True if a GET shows the object as declared, or fails: the daemon accepted the write."""
    try:
        return attempts.is_as_declared(attempts.read().metadata)
    except APIException:
        return True
