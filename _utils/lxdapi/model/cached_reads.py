"""
Whether reads of objects may be answered from what was read before.

Who plans a state says so (:func:`cached_reads`), who needs the daemon's word as well (:func:`uncached_reads`).
"""

from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Iterator, NamedTuple, Optional, Tuple

# (the kind that a state is about, how many of that state follow each other); None: reads ask the daemon
_ALLOWED: ContextVar[Optional[Tuple[str, int]]] = ContextVar("lxdapi_cached_reads", default=None)


class CachedObject(NamedTuple):
    """An object that was read some seconds ago: it has no ETag, as nothing is written on its base."""

    metadata: Any
    etag: Any = None


@contextmanager
def cached_reads(kind_name: str, upcoming: int) -> Iterator[None]:
    """
    Within the block reads of objects may be answered from the cache.

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
    """Within the block each read asks the daemon."""
    before = _ALLOWED.set(None)
    try:
        yield
    finally:
        _ALLOWED.reset(before)


def allowed() -> Optional[Tuple[str, int]]:
    """Return what :func:`cached_reads` was called with, None where reads ask the daemon."""
    return _ALLOWED.get()
