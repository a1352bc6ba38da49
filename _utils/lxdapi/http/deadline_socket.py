"""
Sockets with a time limit for a whole reply, not for each of its bytes.

requests has no limit for a whole reply: a server that sends one byte at a time can block a request without limit.
urllib3 sets the timeout of the socket before it reads a reply, so the time starts there.
"""

from __future__ import annotations

import socket
import ssl
import time
from typing import TYPE_CHECKING, Any

# The time limit for a connection, which is shorter than that for a reply.
CONNECT_SECONDS = 10

if TYPE_CHECKING:
    _Base = socket.socket
else:
    _Base = object


class _Deadline(_Base):
    """A socket that receives nothing after the time limit, which starts with :meth:`settimeout`."""

    _limit: float | None = None
    _end: float | None = None

    def settimeout(self, value: float | None) -> None:
        """Set and start the time limit for the next replies, in seconds; None: no limit."""
        self._limit = value
        self._end = None if value is None else time.monotonic() + value
        super().settimeout(value)

    def recv_into(self, buffer: Any, nbytes: Any = 0, flags: int = 0) -> int:
        """Return the number of bytes received; raises :class:`TimeoutError` after the time limit."""
        if self._end is None:
            return super().recv_into(buffer, nbytes, flags)
        left = self._end - time.monotonic()
        if left <= 0:
            raise socket.timeout("timed out")
        super().settimeout(left)
        try:
            return super().recv_into(buffer, nbytes, flags)
        finally:
            super().settimeout(self._limit)


class Socket(_Deadline, socket.socket):
    """A plain socket with a deadline."""


class TLSSocket(_Deadline, ssl.SSLSocket):
    """A TLS socket with a deadline."""
