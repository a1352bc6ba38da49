"""
Whether a cache may answer reads of objects, and which one.

The planning of a state allows it (:func:`cached_reads`); :func:`uncached_reads` forbids it.
"""

from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Iterator, NamedTuple, Optional


class Permission(NamedTuple):
    """The arguments of :func:`cached_reads`."""

    kind_name: str
    upcoming: int
    cache: Any


# None: reads ask the daemon
_ALLOWED: ContextVar[Optional[Permission]] = ContextVar("lxdapi_cached_reads", default=None)


class CachedObject(NamedTuple):
    """An object that was read some seconds ago. It has no ETag, because no write may be based on it."""

    metadata: Any
    etag: Any = None


@contextmanager
def cached_reads(kind_name: str, upcoming: int, cache: Any = None) -> Iterator[None]:
    """
    Allow a cache to answer reads of objects, within the block.

    kind_name, upcoming
        The kind that a state is about, and how many such states follow each other.
    cache
        A :class:`lxdapi.model.read_cache.ReadCache`. Default: that of the :class:`lxdapi.api.API`.
    """
    before = _ALLOWED.set(Permission(kind_name, upcoming, cache))
    try:
        yield
    finally:
        _ALLOWED.reset(before)


@contextmanager
def uncached_reads() -> Iterator[None]:
    """Send every read to the daemon, within the block."""
    before = _ALLOWED.set(None)
    try:
        yield
    finally:
        _ALLOWED.reset(before)


def current_permission() -> Optional[Permission]:
    """Return the :class:`Permission` of this block, None if the daemon must answer reads."""
    return _ALLOWED.get()
