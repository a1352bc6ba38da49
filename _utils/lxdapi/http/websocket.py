"""
The websockets of an operation.

lxdapi does the handshakes, those of all websockets at the same time: websocket-client reads a reply byte by byte, which
takes longer than everything else, and logs the URL with its secret. websocket-client does the frames.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import select
import socket
import sys
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Iterable, Iterator, Mapping
from urllib.parse import urlencode

from lxdapi.errors import APIConnectionException, APIException, APITimeoutException
from lxdapi.http import upgrade

if TYPE_CHECKING:
    from lxdapi.api import API

# The first websocket imports it, because that takes 6 ms and most runs have no websocket.
if find_spec("websocket") is None:
    raise ImportError("No module named 'websocket': install websocket-client for Salt's Python", name="websocket")

# The time limit for a handshake, and for the rest of a frame.
FRAME_SECONDS = 30
_BLOCK = 65536
# RFC 6455.
_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_UPGRADE = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13")
# Opcodes: the rest of a message, text, bytes, a ping.
_MORE, _TEXT, _BYTES, _PING = 0, 1, 2, 9


@contextmanager
def open_channels(
    api: API, path: str, query: Mapping[str, str], secrets: Mapping[str, str]
) -> Iterator[dict[str, Channel]]:
    """
    Yield {name: :class:`Channel`} of an operation's websockets, which are closed afterwards.

    path, query
        The address of the operation.
    secrets
        {name: secret}; the last websocket is opened when the others are connected.

    Raises :class:`APIException`.
    """
    sockets = {}
    try:
        *first, last = secrets
        for group in (first, [last]):
            for name in group:
                sockets[name] = Connection(api, path, query, secrets[name])
            for name in group:
                sockets[name].accept()
        yield {name: Channel(sock) for name, sock in sockets.items()}
    finally:
        for sock in sockets.values():
            sock.close()


def connect(api: API, path: str, query: Mapping[str, str], secret: str) -> Connection:
    """
    Return the :class:`Connection` of one of an operation's websockets. The caller closes it.

    path, query
        The address of the operation.
    secret
        The secret of the websocket.

    Raises :class:`APIException`.
    """
    sock = Connection(api, path, query, secret)
    try:
        sock.accept()
    except BaseException:
        sock.close()
        raise
    return sock


def wait_for_data(channels: Iterable[Channel], seconds: float) -> list[Channel]:
    """Wait for data, at most this number of seconds, and return the channels that have some."""
    buffered = [channel for channel in channels if channel.has_data]
    if buffered:
        return buffered
    poll = select.poll()  # unlike select() it takes descriptors above 1023
    by_descriptor = {channel.fileno(): channel for channel in channels}
    for descriptor in by_descriptor:
        poll.register(descriptor, select.POLLIN)
    return [by_descriptor[descriptor] for descriptor, _ in poll.poll(max(0.0, seconds) * 1000)]


class Channel:
    """One websocket: the daemon sends bytes, and an empty text at their end."""

    def __init__(self, sock: Connection) -> None:
        import websocket as library

        self._errors = (library.WebSocketException, OSError)
        self._websocket: Any = library.WebSocket(skip_utf8_validation=True)
        self._websocket.sock = sock  # type: ignore[assignment]  # the library needs only these methods
        self._websocket.connected = True
        self._sock = sock

    def fileno(self) -> int:
        """Return the descriptor of the socket."""
        return self._sock.fileno()

    @property
    def has_data(self) -> bool:
        """Return True if something was received that has not been read."""
        return self._sock.pending() > 0

    def receive(self) -> bytes | None:
        """
        Return the bytes of the next frame (maybe empty), or None at the end of the stream.

        Raises :class:`APIConnectionException` if the connection broke before the end.
        """
        try:
            frame = self._websocket.recv_frame()
            if frame.opcode == _PING:
                self._send_pong(frame.data)
        except self._errors as exc:
            raise _connection_error(exc, self._sock.place) from None
        if frame.opcode in (_MORE, _BYTES):
            return frame.data
        return None if frame.opcode == _TEXT else b""

    def _send_pong(self, data):
        try:
            self._websocket.pong(data)
        except self._errors:
            pass  # the caller still reads the data that arrived before the daemon hung up

    def send(self, data: bytes) -> None:
        """Send bytes in frames; raises OSError or an error of websocket-client."""
        for start in range(0, len(data), _BLOCK):
            self._websocket.send(data[start : start + _BLOCK], _BYTES)

    def send_end(self) -> None:
        """Send the end of the stream, unless the other side has hung up."""
        self._send_text("")

    def send_json(self, data: Any) -> None:
        """Send JSON data, unless the other side has hung up."""
        self._send_text(json.dumps(data))

    def _send_text(self, text):
        try:
            self._websocket.send(text, _TEXT)
        except self._errors:
            pass

    def send_all(self, pieces: Iterable[bytes]) -> None:
        """Send bytes and the end of the stream; stop silently if the other side does not take them."""
        self._sock.settimeout(None)  # the command may read it at any time; close() ends the wait
        try:
            for piece in pieces:
                self.send(piece)
        except self._errors:
            return
        self.send_end()


class Connection:
    """
    A socket for frames, after :meth:`accept`. It receives large pieces, because the library reads each part of a frame
    separately.
    """

    def __init__(self, api: API, path: str, query: Mapping[str, str], secret: str) -> None:
        self.place = f"{api.endpoint}{path}/websocket"
        self._sock = sock = upgrade.dial(api)
        self._data, self._at = b"", 0
        self.settimeout, self.gettimeout, self.setblocking = sock.settimeout, sock.gettimeout, sock.setblocking
        self.fileno, self.send, self.sendall = sock.fileno, sock.send, sock.sendall
        self._key = base64.b64encode(os.urandom(16)).decode("ascii")
        target = f"{path}/websocket?{urlencode({**query, 'secret': secret})}"
        lines = [f"GET {target} HTTP/1.1", "Host: lxd", *_UPGRADE, f"Sec-WebSocket-Key: {self._key}", "", ""]
        try:
            self.settimeout(FRAME_SECONDS)
            self.sendall("\r\n".join(lines).encode("ascii"))
        except OSError as exc:
            self.close()
            raise _connection_error(exc, self.place) from None

    def accept(self) -> None:
        """Read the reply to the handshake; raises :class:`APIException` unless it is a websocket."""
        try:
            first, *lines = self._read_head().decode("latin-1").split("\r\n")
        except OSError as exc:
            raise _connection_error(exc, self.place) from None
        status = first.split(" ")[1:2]
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        digest = hashlib.sha1(f"{self._key}{_GUID}".encode("ascii"), usedforsecurity=False).digest()
        if status != ["101"] or headers.get("sec-websocket-accept") != base64.b64encode(digest).decode("ascii"):
            answer = f"HTTP {status[0]}{self._error_text()}" if status else "no reply"
            raise APIException(error=f"the daemon did not open the websocket: {answer}", method="GET", url=self.place)

    def _read_head(self):
        """Return the head of an HTTP reply and keep the bytes after it; raises OSError if there is no head."""
        data = b""
        while b"\r\n\r\n" not in data:
            more = self._sock.recv(_BLOCK)
            if not more or len(data) > _BLOCK:
                raise ConnectionError("expected the head of a reply")
            data += more
        head, _, rest = data.partition(b"\r\n\r\n")
        self._data, self._at = rest, 0
        return head

    def _error_text(self):
        """Return the daemon's error message of a refusal, if it arrived with the head."""
        try:
            return f": {json.loads(self._data)['error']}"
        except (ValueError, KeyError, TypeError):
            return ""

    def pending(self) -> int:
        """Return the number of bytes that were received and not read: a poll does not report them."""
        decrypted = getattr(self._sock, "pending", None)
        return len(self._data) - self._at or (decrypted() if decrypted else 0)

    def recv(self, size: int) -> bytes:
        """Return up to this number of bytes."""
        if self._at == len(self._data):
            if size >= _BLOCK // 4:
                return self._sock.recv(size)
            self._data, self._at = self._sock.recv(_BLOCK), 0
        piece = self._data[self._at : self._at + size]
        self._at += len(piece)
        return piece

    def close(self) -> None:
        """Close the connection; this wakes a sending thread."""
        try:
            self._sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._sock.close()


def _connection_error(exc, place):
    """Return the exception of lxdapi for an error of a socket or of websocket-client."""
    if isinstance(exc, (socket.timeout, getattr(sys.modules.get("websocket"), "WebSocketTimeoutException", ()))):
        return APITimeoutException(error=f"no reply within {FRAME_SECONDS} s", method="GET", url=place)
    reason = getattr(exc, "strerror", None) or "the connection broke"
    return APIConnectionException(error=f"the websocket failed: {reason}", method="GET", url=place)
