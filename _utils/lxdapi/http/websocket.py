"""
The websockets of an operation.

The handshakes are ours, those of all websockets at once: websocket-client reads an answer byte by byte, which takes
longer than all the rest, and logs the URL with its secret. The frames are websocket-client's.
"""

import base64
import hashlib
import json
import os
import select
import socket
import sys
from contextlib import contextmanager
from importlib.util import find_spec
from urllib.parse import urlencode

from lxdapi.errors import APIConnectionException, APITimeoutException
from lxdapi.http import upgrade as stream

# It is imported for the first websocket, which most runs do not have: that takes 6 ms.
if find_spec("websocket") is None:
    raise ImportError("No module named 'websocket': install websocket-client", name="websocket")

# For a handshake, and for the rest of a frame that has begun.
FRAME_SECONDS = 30
_BLOCK = 65536
# RFC 6455.
_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_UPGRADE = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13")
# Opcodes: the rest of a message, text, bytes, a ping.
_MORE, _TEXT, _BYTES, _PING = 0, 1, 2, 9


@contextmanager
def connected(api, path, query, words):
    """
    Yield {name: :class:`Channel`} of an operation's websockets, which are closed afterwards.

    path, query
        Of the operation.
    words
        {name: secret}; the last one is asked for when the others are there.

    Raises :class:`APIConnectionException`.
    """
    sockets, keys = {}, {}
    place = f"{api.endpoint}{path}/websocket"
    try:
        *first, last = words
        for group in (first, [last]):
            for name in group:
                sockets[name] = _Buffered(stream.dial(api))
                target = f"{path}/websocket?{urlencode({**query, 'secret': words[name]})}"
                keys[name] = _asked(sockets[name], target, place)
            for name in group:
                _refuse_other(sockets[name], keys[name], place)
        yield {name: Channel(sock, place) for name, sock in sockets.items()}
    finally:
        for sock in sockets.values():
            sock.close()


def _asked(sock, target, place):
    """Ask for a websocket; returns what the answer has to prove that it is one by."""
    key = base64.b64encode(os.urandom(16)).decode("ascii")
    lines = [f"GET {target} HTTP/1.1", "Host: lxd", *_UPGRADE, f"Sec-WebSocket-Key: {key}", "", ""]
    try:
        sock.settimeout(FRAME_SECONDS)
        sock.sendall("\r\n".join(lines).encode("ascii"))
    except OSError as exc:
        raise _broken(exc, place) from None
    digest = hashlib.sha1(f"{key}{_GUID}".encode("ascii"), usedforsecurity=False).digest()
    return base64.b64encode(digest).decode("ascii")


def _refuse_other(sock, proof, place):
    """Raise unless a websocket was answered with."""
    try:
        first, *lines = sock.head().decode("latin-1").split("\r\n")
    except OSError as exc:
        raise _broken(exc, place) from None
    status = first.split(" ")[1:2]
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if status != ["101"] or headers.get("sec-websocket-accept") != proof:
        words = f"HTTP {status[0]}" if status else "no answer"
        raise APIConnectionException(error=f"the websocket is not there: {words}", method="GET", url=place)


def ready(channels, seconds):
    """Return those of the channels that have something to be read; waits for it, no longer than these seconds."""
    there = [channel for channel in channels if channel.waits]
    if there:
        return there
    poll = select.poll()  # unlike select() it takes descriptors above 1023
    numbers = {channel.fileno(): channel for channel in channels}
    for number in numbers:
        poll.register(number, select.POLLIN)
    return [numbers[number] for number, _ in poll.poll(max(0.0, seconds) * 1000)]


class Channel:
    """One websocket, on which a daemon sends bytes and, for the end of them, an empty text."""

    def __init__(self, sock, place):
        import websocket as library

        self._errors = (library.WebSocketException, OSError)
        self._websocket = library.WebSocket(skip_utf8_validation=True)
        self._websocket.sock, self._websocket.connected = sock, True
        self._sock, self._place = sock, place

    def fileno(self):
        """Return the descriptor of the socket."""
        return self._sock.fileno()

    @property
    def waits(self):
        """Return True if something was received that has not been read."""
        return self._sock.waits

    def receive(self):
        """
        Return the bytes of the next frame, empty for one that holds none, None for the end of the stream.

        Raises :class:`APIConnectionException` where the connection broke off before the end.
        """
        try:
            frame = self._websocket.recv_frame()
            if frame.opcode == _PING:
                self._answer(frame.data)
        except self._errors as exc:
            raise _broken(exc, self._place) from None
        if frame.opcode in (_MORE, _BYTES):
            return frame.data
        return None if frame.opcode == _TEXT else b""

    def _answer(self, data):
        try:
            self._websocket.pong(data)
        except self._errors:
            pass  # what the daemon had sent before it hung up is still to be read

    def send(self, data):
        """Send bytes in frames of some size; raises OSError or an error of the library's."""
        for start in range(0, len(data), _BLOCK):
            self._websocket.send(data[start : start + _BLOCK], _BYTES)

    def end(self):
        """Tell the end of what is sent; whoever has hung up already knows."""
        self._tell("")

    def say(self, data):
        """Send JSON data, unless the other side has hung up."""
        self._tell(json.dumps(data))

    def _tell(self, text):
        try:
            self._websocket.send(text, _TEXT)
        except self._errors:
            pass

    def pour(self, data):
        """Send bytes and tell their end, or stop without a word where the other side does not take them."""
        self._sock.settimeout(None)  # the command may read it when it likes; close() ends the wait
        try:
            self.send(data)
        except self._errors:
            return
        self.end()


class _Buffered:
    """A socket that is read in large pieces: of a frame the library asks for each part by itself."""

    def __init__(self, sock):
        self._sock, self._data, self._at = sock, b"", 0
        self.settimeout, self.gettimeout, self.fileno = sock.settimeout, sock.gettimeout, sock.fileno
        self.send, self.sendall = sock.send, sock.sendall

    @property
    def waits(self):
        """Return True if there is something that was received."""
        pending = getattr(self._sock, "pending", None)
        return self._at < len(self._data) or bool(pending and pending())

    def recv(self, size):
        """Return up to so many bytes."""
        if self._at == len(self._data):
            if size >= _BLOCK // 4:
                return self._sock.recv(size)
            self._data, self._at = self._sock.recv(_BLOCK), 0
        piece = self._data[self._at : self._at + size]
        self._at += len(piece)
        return piece

    def head(self):
        """Return the head of an HTTP reply; what came behind it is kept. Raises OSError where there is none."""
        data = b""
        while b"\r\n\r\n" not in data:
            more = self._sock.recv(_BLOCK)
            if not more or len(data) > _BLOCK:
                raise ConnectionError("no head")
            data += more
        head, _, rest = data.partition(b"\r\n\r\n")
        self._data, self._at = rest, 0
        return head

    def close(self):
        """Hang up; a thread that sends is woken."""
        try:
            self._sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._sock.close()


def _broken(exc, place):
    """Return the error of ours for one of a socket's or of the library's."""
    if isinstance(exc, (socket.timeout, getattr(sys.modules.get("websocket"), "WebSocketTimeoutException", ()))):
        return APITimeoutException(error=f"no answer within {FRAME_SECONDS} s", method="GET", url=place)
    words = getattr(exc, "strerror", None) or "it broke off"
    return APIConnectionException(error=f"the websocket is not there: {words}", method="GET", url=place)
