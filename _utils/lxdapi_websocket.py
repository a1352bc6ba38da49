"""
The websockets of an operation, by the library websocket-client where it is installed.

The secret of a websocket stands in its URL: it is in no error of ours, and in no line that the library logs.
"""

import json
import logging
import select
import socket
import ssl
from contextlib import contextmanager
from urllib.parse import urlencode

import lxdapi_secrets as secrets
import lxdapi_stream as stream
from lxdapi_errors import APIConnectionException, APITimeoutException

try:
    import websocket
except ImportError:
    websocket = None

# For a handshake, and for the rest of a frame that has begun.
FRAME_SECONDS = 30
_BLOCK = 65536
# Opcodes: the rest of a message, text, bytes, a ping.
_MORE, _TEXT, _BYTES, _PING = 0, 1, 2, 9


class _SecretURLs(logging.Filter):
    """Keeps the secrets of URLs out of what the library logs where somebody has switched its trace on."""

    def filter(self, record):
        record.msg, record.args = secrets.mask_url(record.getMessage()), ()
        return True


logging.getLogger("websocket").addFilter(_SecretURLs())


def available():
    """Return True if websocket-client is installed."""
    return websocket is not None


@contextmanager
def connected(api, path, query, words):
    """
    Yield {name: :class:`Channel`} of an operation's websockets, which are closed afterwards.

    path, query
        Of the operation.
    words
        {name: secret}; they are connected in this order.

    Raises :class:`APIConnectionException`.
    """
    channels = {}
    try:
        for name, secret in words.items():
            channels[name] = _connected(api, f"{path}/websocket", {**query, "secret": secret})
        yield channels
    finally:
        for channel in channels.values():
            channel.close()


def _connected(api, path, query):
    sock = _Buffered(stream.dial(api))
    sock.settimeout(FRAME_SECONDS)
    place = f"{api.endpoint}{path}"
    try:
        options = {"socket": sock, "suppress_origin": True, "skip_utf8_validation": True}
        made = websocket.create_connection(f"ws://lxd{path}?{urlencode(query)}", FRAME_SECONDS, **options)
    except (websocket.WebSocketException, OSError, ValueError) as exc:
        sock.close()
        raise _broken(exc, place) from None  # its words and its traceback hold the URL
    return Channel(made, sock, place)


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

    def __init__(self, made, sock, place):
        self._websocket, self._sock, self._place = made, sock, place

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
        except (websocket.WebSocketException, OSError) as exc:
            raise _broken(exc, self._place) from None
        if frame.opcode in (_MORE, _BYTES):
            return frame.data
        return None if frame.opcode == _TEXT else b""

    def _answer(self, data):
        try:
            self._websocket.pong(data)
        except (websocket.WebSocketException, OSError):
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
        except (websocket.WebSocketException, OSError):
            pass

    def pour(self, data):
        """Send bytes and tell their end, or stop without a word where the other side does not take them."""
        self._sock.settimeout(None)  # the command may read it when it likes; close() ends the wait
        try:
            self.send(data)
        except (websocket.WebSocketException, OSError):
            return
        self.end()

    def close(self):
        """Hang up; a thread that sends is woken."""
        self._sock.close()


class _Buffered:
    """A socket that is read in large pieces: the library asks for a head byte by byte."""

    def __init__(self, sock):
        self._sock, self._data, self._at = sock, b"", 0
        self.settimeout, self.gettimeout, self.fileno = sock.settimeout, sock.gettimeout, sock.fileno

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

    def send(self, data):
        """Send what can be sent at once and return how much it was."""
        return self._sock.send(data)

    def shutdown(self, how):
        """Shut the connection down."""
        self._sock.shutdown(how)

    def close(self):
        """Hang up."""
        try:
            self._sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._sock.close()


def _broken(exc, place):
    """Return the error of ours; words of the library's that can hold a URL are not repeated."""
    if isinstance(exc, (socket.timeout, getattr(websocket, "WebSocketTimeoutException", ()))):
        return APITimeoutException(error=f"no answer within {FRAME_SECONDS} s", method="GET", url=place)
    status = getattr(exc, "status_code", None)
    words = f"HTTP {status}" if status else "it broke off"
    if isinstance(exc, (OSError, ssl.SSLError)) and exc.strerror:
        words = exc.strerror
    return APIConnectionException(error=f"the websocket is not there: {words}", method="GET", url=place)
