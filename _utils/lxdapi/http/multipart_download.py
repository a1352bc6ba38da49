"""
A streaming splitter for multipart forms: the daemons send a split image as a form with two files.
"""

from __future__ import annotations

import hashlib
from typing import IO, Any, Callable, Iterable

from lxdapi.errors import LxdapiError

# The largest boundary, or head of a part.
_LONGEST = 65536


class MultipartWriter:
    """
    A writable file that writes each part of a form into its own file, and anything else into the first one.

    Only a form begins with ``--``: an image is a compressed tarball, or begins with the name of a file.

    files
        Functions that open the files, each called when its part begins.
    """

    def __init__(self, files: Iterable[Callable[[], IO[bytes]]]) -> None:
        self._waiting = list(files)
        self._file: Any = None  # None before the first part
        self._boundary: bytes | None = None
        self._held, self._inside, self._over = b"", False, False
        self._digest = hashlib.sha256()

    @property
    def name(self) -> str:
        """Return the name of the current file, for errors."""
        return getattr(self._file, "name", "the image")

    @property
    def is_form(self) -> bool:
        """Return True if it was a form."""
        return bool(self._boundary)

    def write(self, block: bytes) -> None:
        """Process the next bytes."""
        if self._over:  # the daemons end a form twice (LXD 5.0.2, Incus 6.0.4)
            return
        self._held += block
        if self._boundary is None and not self._detect_form():
            return
        while self._held and self._process_held():
            pass

    def end(self, whole: str) -> str:
        """
        Return the sha256 of all parts together; raises if one is missing.

        whole
            The sha256 of all bytes.
        """
        if not self.is_form:
            return whole
        if not self._over or self._waiting:
            raise LxdapiError("incomplete image: the daemon did not send all of it; repeat the export")
        return self._digest.hexdigest()

    def _detect_form(self):
        """Return True once it is known whether it is a form."""
        line, newline, _ = self._held.partition(b"\r\n")
        if len(self._held) < 2:
            return False
        if not line.startswith(b"--"):
            self._boundary, self._inside = b"", True
            self._open_next()
        elif newline:
            # the first boundary has the form of the others
            self._boundary, self._held, self._inside = b"\r\n" + line, self._held[len(line) :], False
        return self._boundary is not None or self._await_more(line)

    def _process_held(self):
        """Process a part or a head from the held bytes; returns False if more bytes are needed."""
        if not self._boundary:
            self._write_held(len(self._held))
            return False
        if not self._inside:
            if self._held.startswith(b"--"):
                self._over = True
                return False
            head, end, rest = self._held.partition(b"\r\n\r\n")
            if not end:
                return self._await_more(head)
            self._held, self._inside = rest, True
            self._open_next()
            return True
        position = self._held.find(self._boundary)
        if position < 0:
            self._write_held(max(0, len(self._held) - len(self._boundary)))
            return False
        self._write_held(position)
        self._held, self._inside = self._held[len(self._boundary) :], False
        return True

    def _write_held(self, count):
        """Write this number of the held bytes."""
        self._file.write(self._held[:count])
        if self._boundary:
            self._digest.update(self._held[:count])
        self._held = self._held[count:]

    def _open_next(self):
        if not self._waiting:
            raise LxdapiError("expected an image of at most two parts, the daemon sent more")
        self._file = self._waiting.pop(0)()

    def _await_more(self, text):
        if len(text) > _LONGEST:
            raise LxdapiError("invalid image: the daemon sent a form without valid boundaries")
        return False
