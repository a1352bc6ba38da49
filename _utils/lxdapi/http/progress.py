"""
What lasts is told while it lasts: a line on a terminal, events on Salt's bus.
"""

import re
import sys
import threading
import time
from contextlib import contextmanager
from contextvars import ContextVar
from importlib.util import find_spec

# None where it is not installed. It is loaded for the first line: most runs have no terminal.
tqdm = find_spec("tqdm")
# Until something has lasted this long no line is shown.
AFTER = 3
# How often it is told.
EVERY = 1
# "Unpack: 45% (9.9GB/s)", "rootfs: 12.50MB (25.00MB/s)": what the daemons write for people.
_PERCENT = re.compile(r"(\d+)%")


# Set where many things at once are counted: a line for each would be a screenful.
_MANY = ContextVar("lxdapi_progress", default=False)


@contextmanager
def line(words, total=None, api=None, identity=None):
    """
    Within the block it is told how many bytes were moved: as a line on the terminal, with tqdm; and as events, at most
    one a second and one at the end. Yields a function to be called with the number of bytes that were moved just now.

    words
        What it is, such as ``image``.
    total
        Of all bytes, if that is known.
    api, identity
        Whose ``tell`` is called, and what stands for the operation's id, which there is none of yet: a fingerprint.
    """
    bytes_moved = _Bytes(words, total, api.tell if api is not None else None, identity or words)
    if not _shown():
        yield bytes_moved.add
        bytes_moved.end()
        return
    options = {"unit": "B", "unit_scale": True, "desc": words, "delay": AFTER, "leave": False}
    with _bar(total=total, **options) as bar:
        yield lambda count: (bar.update(count), bytes_moved.add(count))
    bytes_moved.end()


@contextmanager
def counted(words, total, api, identity):
    """
    Within the block it is told how many of several things have come to their end: as a line on the terminal, with tqdm;
    and as events, at most one a second and one at the end. Yields a function to be called with whether one ended well.

    What each of them says of its own progress has no line meanwhile.

    words
        What they are.
    total
        How many there are.
    api, identity
        See :func:`line`.
    """
    ends, shown, before = _Ends(words, total, api.tell, identity), _shown(), _MANY.set(True)
    try:
        if not shown:
            yield ends.add
            return
        with _bar(total=total, desc=words, unit="", delay=AFTER, leave=False) as bar:
            yield lambda good: (ends.add(good), bar.set_postfix_str(ends.failed(), False), bar.update(1))
    finally:
        _MANY.reset(before)
        ends.end()


class _Ends:
    """Counts what has come to its end, whichever thread says so, and tells it."""

    def __init__(self, words, total, tell, identity):
        self._words, self._total, self._tell, self._identity = words, total, tell, identity
        self._ends, self._told, self._lock = [], time.monotonic(), threading.Lock()

    def add(self, good):
        """Count one more."""
        with self._lock:
            self._ends.append(good)
            due = self._tell is not None and time.monotonic() - self._told >= EVERY
            self._told = time.monotonic() if due else self._told
        if due:
            self.end()

    def failed(self):
        """Return in words how many failed, "" for none."""
        count = self._ends.count(False)
        return f"{count} failed" if count else ""

    def end(self):
        """Tell how many there were so far."""
        if self._tell is None or not self._total:
            return
        text = ", ".join(filter(None, [f"{len(self._ends)} of {self._total}", self.failed()]))
        percent = len(self._ends) * 100 // self._total
        self._tell(self._identity, {"description": self._words, "text": text, "percent": percent})


class _Bytes:
    """Counts what was moved, and tells it."""

    def __init__(self, words, total, tell, identity):
        self._words, self._total, self._tell, self._identity = words, total, tell, identity
        self._moved, self._told = 0, time.monotonic()

    def add(self, count):
        """Count more bytes."""
        self._moved += count
        if self._tell is not None and time.monotonic() - self._told >= EVERY:
            self.end()

    def end(self):
        """Tell what was moved so far."""
        if self._tell is None:
            return
        self._told = time.monotonic()
        percent = {"percent": self._moved * 100 // self._total} if self._total else {}
        text = f"{self._moved} of {self._total} bytes" if self._total else f"{self._moved} bytes"
        self._tell(self._identity, {"description": self._words, "text": text, **percent})


def _bar(**options):
    """Return a line of tqdm's."""
    from tqdm import tqdm as made

    return made(**options)


def _shown():
    return tqdm is not None and sys.stderr.isatty() and not _MANY.get()


class Watch:
    """
    The progress of an operation as somebody wants to know it: on the terminal, and as events.

    api
        Whose ``tell`` is called.
    identity
        Of the operation.
    """

    def __init__(self, api, identity):
        self._tell, self._identity = api.tell, identity
        self._began, self._last, self._bar = time.monotonic(), None, None

    @property
    def curious(self):
        """Return True if anybody wants to know."""
        return self._tell is not None or _shown()

    def look(self, operation):
        """Tell what an operation, as the daemon has it, says of its progress, if that is new."""
        found = told(operation)
        if not found or found == self._last:
            return
        self._last = found
        if self._tell is not None:
            self._tell(self._identity, {"description": operation.get("description", ""), **found})
        if _shown() and time.monotonic() - self._began >= AFTER:
            self._show(operation.get("description", ""), found)

    def _show(self, words, found):
        if self._bar is None:
            self._bar = _bar(total=100, bar_format="{desc}", leave=False)
        self._bar.set_description_str(f"{words}: {found['text']}")

    def close(self):
        """The line goes."""
        if self._bar is not None:
            self._bar.close()


def told(operation):
    """
    Return ``{"text": ..., "percent": ...}`` of what a running operation says of its progress, {} for nothing.

    Its metadata has keys such as ``fs_progress`` or ``create_instance_from_image_unpack_progress`` with words for
    people, and ``progress`` with numbers, on all three (LXD 5.0.2, Incus 6.0.4, Incus 7.0.2).
    """
    metadata = operation.get("metadata") or {}
    texts = [value for key, value in sorted(metadata.items()) if key.endswith("_progress") and isinstance(value, str)]
    if not texts:
        return {}
    percent = _PERCENT.search(texts[0])
    return {"text": texts[0], **({"percent": int(percent[1])} if percent else {})}
