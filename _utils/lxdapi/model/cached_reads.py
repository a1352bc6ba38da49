"""
Whether the cache may answer reads of objects.

The planning of a state allows it (:func:`cached_reads`); :func:`uncached_reads` forbids it.
"""

from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Iterator, NamedTuple, Optional, Tuple

# (the kind that a state is about, how many of that state follow each other); None: reads ask the daemon
_ALLOWED: ContextVar[Optional[Tuple[str, int]]] = ContextVar("lxdapi_cached_reads", default=None)


class CachedObject(NamedTuple):
    """An object that was read some seconds ago. It has no ETag, because no write may be based on it."""

    metadata: Any
    etag: Any = None


@contextmanager
def cached_reads(kind_name: str, upcoming: int) -> Iterator[None]:
    """
    Allow the cache to answer reads of objects, within the block.

    kind_name, upcoming
        The kind that a state is about, and how many such states follow each other.
    """
    before = _ALLOWED.set((kind_name, upcoming))
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


def current_permission() -> Optional[Tuple[str, int]]:
    """Return the arguments of :func:`cached_reads`, None where the daemon has to answer reads."""
    return _ALLOWED.get()
