"""
The body of an upload: files and the bytes between them, never completely in memory.

On a unix socket the kernel moves the bytes of a file (sendfile): an import of 1 GB is as fast as a bare one. TLS must
encrypt them, so they are read in blocks.
"""

from __future__ import annotations

import io
import os
import secrets as random
import socket
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Callable, Iterator, NamedTuple, NoReturn, Sequence

from lxdapi.errors import InvalidError
from lxdapi.http import progress
from lxdapi.http.requirements import RequestField

if TYPE_CHECKING:
    from lxdapi.api import API

# How much of a file is sent between two progress reports.
_SLICE = 16 * 1024 * 1024
# The blocks in which connections send: with the 16 KiB of urllib3 an import takes a third longer.
BLOCK = 1024 * 1024


class Slice(NamedTuple):
    """A part of an open file, as an item of a body; a connection to a unix socket passes it to the kernel."""

    file: Any
    offset: int
    size: int
    what: str

    def send(self, sock: socket.socket) -> None:
        """Send the part; raises :class:`InvalidError` if the file has become too short for it."""
        if sock.sendfile(self.file, self.offset, self.size) < self.size:
            self.require_complete()

    def blocks(self) -> Iterator[memoryview]:
        """Yield its bytes in blocks, each valid until the next one."""
        self.file.seek(self.offset)
        buffer, left = memoryview(bytearray(min(BLOCK, self.size))), self.size
        while left:
            count = self.file.readinto(buffer[: min(len(buffer), left)])
            if not count:
                self.require_complete()
            yield buffer[:count]
            left -= count

    def require_complete(self) -> NoReturn:
        """Raise for a file that is shorter than it was."""
        raise InvalidError(f"{self.what} {self.file.name} became shorter during the upload: repeat it")


class Body:
    """
    The body of an upload, for ``data`` of a request, which can be sent once.

    requests reads the length; urllib3 sends the items: bytes, and each :class:`Slice` of a file if the connection can
    send one.
    """

    def __init__(self, parts: list[bytes | Slice], local: bool, show: Callable[[int], Any]) -> None:
        self._parts, self._local, self._show = parts, local, show

    def __len__(self):
        return _size(self._parts)

    def __iter__(self):
        for part in self._parts:
            if isinstance(part, bytes):
                yield part
            else:
                yield from self._slices(part)

    def _slices(self, part):
        for begin in range(0, part.size, _SLICE):
            piece = part._replace(offset=begin, size=min(_SLICE, part.size - begin))
            if self._local:
                yield piece
            else:
                yield from piece.blocks()
            self._show(piece.size)


def open_file(path: str, label: str = "image file") -> io.FileIO:
    """Return the file, open for reading; raises :class:`InvalidError` for one that cannot be sent."""
    if not isinstance(path, str):
        raise InvalidError.of_value(f"the {label}", "a path", path)
    try:
        file = open(path, "rb", buffering=0)
    except (OSError, ValueError) as exc:
        raise InvalidError(f"cannot read the {label} {path}: {getattr(exc, 'strerror', exc)}") from exc
    if not os.fstat(file.fileno()).st_size:
        file.close()
        raise InvalidError(f"the {label} {path} is empty: check the file")
    return file


def body(
    api: API,
    stack: ExitStack,
    parts: Sequence[str | bytes],
    what: str = "image file",
    description: str = "image",
    identity: str | None = None,
) -> Body:
    """
    Return the :class:`Body` of these parts, one after the other.

    stack
        An :class:`contextlib.ExitStack`, in which the files stay open and the progress is shown.
    parts
        Paths of files, as text, and bytes.
    what
        The name of such a file in an error.
    description, identity
        For the progress: see :func:`lxdapi.http.progress.count_bytes`.
    """
    items = [part if isinstance(part, bytes) else _open_slice(stack, part, what) for part in parts]
    on_bytes = stack.enter_context(progress.count_bytes(description, _size(items), api, identity))
    return Body(items, api.local, on_bytes)


def _size(parts: list[bytes | Slice]) -> int:
    return sum(len(part) if isinstance(part, bytes) else part.size for part in parts)


def _open_slice(stack, path, label):
    file = stack.enter_context(open_file(path, label))
    return Slice(file, 0, os.fstat(file.fileno()).st_size, label)


def form(fields: Sequence[tuple[str, str]]) -> tuple[list[str | bytes], str]:
    """
    Return (parts for :func:`body`, content type) of a multipart form with a file for each field.

    fields
        ``[(name, path), ...]``, in their order.
    """
    boundary = random.token_hex(16)
    parts: list[str | bytes] = []
    for name, path in fields:
        field = RequestField(name=name, data=b"", filename=os.path.basename(path))
        field.make_multipart(content_type="application/octet-stream")
        parts.extend((f"--{boundary}\r\n{field.render_headers()}".encode(), path, b"\r\n"))
    return [*parts, f"--{boundary}--\r\n".encode()], f"multipart/form-data; boundary={boundary}"
