"""
A relay between websockets of two daemons: it passes on the data of both.

Both are servers, and lxdapi is the client of each. Only the frames of a client are masked: so the relay rewrites the
head of each frame, with a mask of zeros, which does not change the rest (RFC 6455, 5.3).
"""

from __future__ import annotations

import logging
import select
import ssl
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Iterator

from lxdapi.http import websocket

if TYPE_CHECKING:
    from lxdapi.api import API

log = logging.getLogger(__name__)

_BLOCK = 262144
# The largest number of bytes to hold for a daemon that reads more slowly than the other one sends.
_MOST = 4 * _BLOCK
# The longest wait in one poll, before the relay checks whether it has to stop.
_TICK_MS = 500
_MASKED, _LENGTH, _ZEROS = 0x80, 0x7F, b"\0\0\0\0"
_WIDER = {126: 2, 127: 8}
_WAITS = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class FrameMasker:
    """A converter of frames of a server into those of a client, in pieces of any size."""

    def __init__(self) -> None:
        self._head, self._left = b"", 0

    def feed(self, data: bytes) -> bytes:
        """Return the bytes to send for the received ones."""
        out, at = [], 0
        while at < len(data):
            if self._left:
                piece = data[at : at + self._left]
                self._left -= len(piece)
                at += len(piece)
                out.append(piece)
                continue
            self._head += data[at : at + 1]
            at += 1
            out.append(self._finish_head())
        return b"".join(out)

    def _finish_head(self):
        """Return the head to send if the received one is complete."""
        if len(self._head) < 2:
            return b""
        wider = _WIDER.get(self._head[1] & _LENGTH, 0)
        if len(self._head) < 2 + wider:
            return b""
        head, self._head = self._head, b""
        self._left = int.from_bytes(head[2:], "big") if wider else head[1] & _LENGTH
        return bytes([head[0], head[1] | _MASKED]) + head[2:] + _ZEROS


class _End:
    """One of the two sockets of a pair, and the bytes to send on it."""

    def __init__(self, sock):
        sock.setblocking(False)
        self.sock, self.number = sock, sock.fileno()
        self.other, self.masking = self, FrameMasker()  # its pair is set later
        self.pending, self.ended = bytearray(), False

    def poll_events(self):
        """Return the events that a poll waits for."""
        reads = not self.ended and len(self.other.pending) < _MOST
        return (select.POLLIN if reads else 0) | (select.POLLOUT if self.pending else 0)

    def receive(self):
        """Receive data for the other end."""
        while not self.ended and len(self.other.pending) < _MOST:
            try:
                data = self.sock.recv(_BLOCK)
            except _WAITS:
                return
            except OSError:
                data = b""
            self.ended = not data
            self.other.pending += self.masking.feed(data)

    def send(self):
        """Send as much as possible without waiting."""
        while self.pending:
            try:
                del self.pending[: self.sock.send(self.pending[:_BLOCK])]
            except _WAITS:
                return
            except OSError:  # the other side has hung up
                self.pending.clear()
                self.ended = True

    @property
    def has_buffered_data(self):
        """Return True if the socket has buffered bytes, which a poll does not report."""
        return bool(not self.ended and self.poll_events() & select.POLLIN and self.sock.pending())

    @property
    def is_over(self):
        """Return True if no data will arrive, and all received data was passed on."""
        return self.ended and not self.other.pending


@contextmanager
def join(
    one: tuple[API, str, dict[str, str], dict[str, str]], other: tuple[API, str, dict[str, str], dict[str, str]]
) -> Iterator[None]:
    """
    Join the websockets of two operations, within the block.

    one, other
        Each ``(api, path, query, {name: secret})`` of an operation; websockets of the same name are joined, first
        ``control``, for which the daemons wait.
    """
    names = sorted(set(one[3]) & set(other[3]), key=lambda name: (name != "control", name))
    ends: list[_End] = []
    stop = threading.Event()
    thread = threading.Thread(target=_relay, args=(ends, stop), daemon=True, name="lxdapi relay")
    try:
        for name in names:
            ends += _pair(*(_End(websocket.connect(*side[:3], side[3][name])) for side in (one, other)))
        thread.start()
        yield
    finally:
        stop.set()
        if thread.ident is not None:
            thread.join()
        for end in ends:
            end.sock.close()


def _pair(one, other):
    one.other, other.other = other, one
    return [one, other]


def _relay(ends, stop):
    """Pass on the data until all ends have hung up, or until ``stop`` is set."""
    live = list(ends)
    while live and not stop.is_set():
        for end in _wait_for_ends(live):
            end.receive()
            end.send()
            end.other.send()
        for end in live:
            if end.is_over:  # the other end sees it too
                end.sock.close()
                end.other.sock.close()
        live = [end for end in live if not (end.is_over or end.other.is_over)]


def _wait_for_ends(ends):
    """Wait until data can be read or sent, and return the ends that are ready."""
    poll, by_number = select.poll(), {end.number: end for end in ends}
    for end in ends:
        if end.poll_events():  # a socket that has hung up is always ready
            poll.register(end.number, end.poll_events())
    buffered = [end for end in ends if end.has_buffered_data]
    return buffered + [by_number[descriptor] for descriptor, _ in poll.poll(0 if buffered else _TICK_MS)]
