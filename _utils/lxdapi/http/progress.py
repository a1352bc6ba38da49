"""
The progress of long operations and transfers: a line of tqdm on a terminal, and events on Salt's bus.
"""

from __future__ import annotations

import re
import sys
import threading
import time
from contextlib import closing, contextmanager
from contextvars import ContextVar
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Callable, Iterator

if TYPE_CHECKING:
    from lxdapi.api import API

# None if it is not installed. The first line loads it, because most runs have no terminal.
tqdm = find_spec("tqdm")
# Seconds before the first line, and between two events.
AFTER = 3
EVERY = 1
# The daemons write texts such as "Unpack: 45% (9.9GB/s)" and "rootfs: 12.50MB (25.00MB/s)".
_PERCENT = r"(\d+)%"
# Set while many tasks are counted: a line for each would fill the screen.
_MANY = ContextVar("lxdapi_progress", default=False)


@contextmanager
def count_bytes(
    description: str, total: int | None = None, api: API | None = None, identity: str | None = None
) -> Iterator[Callable[[int], Any]]:
    """
    Show the transferred bytes within the block: as a line, and as events, at most one a second and one at the end.
    Yields a function to call with the number of bytes of each piece.

    description
        The content, such as ``image``.
    total
        The number of all bytes, None if unknown.
    api, identity
        The API whose ``on_progress`` is called, and its argument instead of an operation's id, such as a fingerprint.
    """
    counter = _Counter(
        description, total, api.on_progress if api is not None else None, identity or description, " bytes"
    )
    with closing(_bar(desc=description, total=total, unit="B", unit_scale=True)) as bar:
        yield lambda count: (bar.update(count), counter.add(count))
    counter.send()


@contextmanager
def count(description: str, total: int, api: API, identity: str) -> Iterator[Callable[[bool], Any]]:
    """
    Show within the block how many tasks have ended: as a line, and as events, at most one a second and one at the end.
    Yields a function to call with True for a task that succeeded, False for one that failed.

    The tasks have no lines of their own meanwhile.

    description
        A name for the tasks.
    total
        The number of tasks.
    api, identity
        See :func:`count_bytes`.
    """
    counter = _Counter(description, total, api.on_progress if total else None, identity)

    def count_one(succeeded):
        counter.add(1, failed=not succeeded)
        bar.set_postfix_str(counter.failures, False)
        bar.update(1)

    with closing(_bar(desc=description, total=total, unit="")) as bar:
        before = _MANY.set(True)
        try:
            yield count_one
        finally:
            _MANY.reset(before)
            counter.send()


class _Counter:
    """A counter for several threads that sends events."""

    def __init__(self, description, total, on_progress, identity, unit=""):
        self._description, self._total, self._unit = description, total, unit
        self._on_progress, self._identity = on_progress, identity
        self._count, self._failed, self._sent, self._lock = 0, 0, time.monotonic(), threading.Lock()

    def add(self, count, failed=False):
        """Add to the count."""
        with self._lock:
            self._count, self._failed, now = self._count + count, self._failed + failed, time.monotonic()
            due = now - self._sent >= EVERY
            self._sent = now if due else self._sent
        if due:
            self.send()

    @property
    def failures(self):
        """Return how many failed, as text; "" if all succeeded."""
        return f"{self._failed} failed" if self._failed else ""

    def send(self):
        """Send an event with the count so far."""
        if self._on_progress is None:
            return
        text = f"{self._count} of {self._total}{self._unit}" if self._total else f"{self._count}{self._unit}"
        percent = {"percent": self._count * 100 // self._total} if self._total else {}
        progress = ", ".join(filter(None, [text, self.failures]))
        self._on_progress(self._identity, {"description": self._description, "text": progress, **percent})


class _NoBar:
    def update(self, count):
        pass

    def set_description_str(self, text):
        pass

    def set_postfix_str(self, text, refresh):
        pass

    def close(self):
        pass


def _bar(**options):
    """Return a line of tqdm, or an invisible one."""
    if not _is_visible():
        return _NoBar()
    from tqdm import tqdm as bar

    return bar(delay=AFTER, leave=False, **options)


def _is_visible():
    return tqdm is not None and sys.stderr.isatty() and not _MANY.get()


class Watch:
    """
    The progress of an operation, on the terminal and as events.

    api
        The API whose ``on_progress`` is called.
    identity
        The id of the operation.
    """

    def __init__(self, api: API, identity: str) -> None:
        self._on_progress, self._identity = api.on_progress, identity
        self._began = time.monotonic()
        self._last: dict[str, Any] | None = None
        self._bar: Any = None

    @property
    def is_observed(self) -> bool:
        """Return True if somebody sees the progress."""
        return self._on_progress is not None or _is_visible()

    def show(self, operation: dict[str, Any]) -> None:
        """Show the progress of an operation if it has changed."""
        progress, description = progress_of(operation), operation.get("description", "")
        if not progress or progress == self._last:
            return
        self._last = progress
        if self._on_progress is not None:
            self._on_progress(self._identity, {"description": description, **progress})
        if time.monotonic() - self._began >= AFTER:
            self._bar = self._bar or _bar(total=100, bar_format="{desc}")
            self._bar.set_description_str(f"{description}: {progress['text']}")

    def close(self) -> None:
        """Remove the line."""
        if self._bar is not None:
            self._bar.close()


def progress_of(operation: dict[str, Any]) -> dict[str, Any]:
    """
    Return ``{"text": ..., "percent": ...}`` of a running operation, or {}.

    Its metadata has keys such as ``fs_progress`` or ``create_instance_from_image_unpack_progress`` with text,
    and ``progress`` with numbers, on all three (LXD 5.0.2, Incus 6.0.4, Incus 7.0.2).
    """
    metadata = operation.get("metadata") or {}
    texts = [value for key, value in sorted(metadata.items()) if key.endswith("_progress") and isinstance(value, str)]
    if not texts:
        return {}
    percent = re.search(_PERCENT, texts[0])
    return {"text": texts[0], **({"percent": int(percent[1])} if percent else {})}
