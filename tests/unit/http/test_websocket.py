"""
The websockets of a command, with a peer that sends what no real daemon would send.
"""

import base64
import hashlib
import importlib
import re
import socket
import sys
import threading

import pytest
from lxdapi.errors import APIConnectionException, APIException, APITimeoutException
from lxdapi.http import retry, websocket

PATH, SECRET = "/1.0/operations/x", "abcdef0123456789"


class API:
    """The part of an API that the websocket uses."""

    endpoint = "http+unix://%2Fx"


class Peer:
    """The other side of one connection: it answers a handshake with a status, and continues with these bytes."""

    def __init__(self, sends=b"", status="101 Switching Protocols", proof=None):
        self.ours, self.theirs = socket.socketpair()
        self.theirs.settimeout(10)
        self.asked, self.got = b"", b""
        self._thread = threading.Thread(target=self._serve, args=(sends, status, proof))
        self._thread.start()

    def _serve(self, sends, status, proof):
        while b"\r\n\r\n" not in self.asked:
            self.asked += self.theirs.recv(4096)
        key = re.search(rb"Sec-WebSocket-Key: (.+?)\r\n", self.asked)[1]
        digest = hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11", usedforsecurity=False).digest()
        accept = proof or base64.b64encode(digest)
        self.theirs.sendall(b"HTTP/1.1 %s\r\nSec-WebSocket-Accept: %s\r\n\r\n%s" % (status.encode(), accept, sends))

    def hang_up(self):
        """Close the connection in both directions."""
        self._thread.join(10)
        self.theirs.close()

    def ended(self):
        """Close after the other side has closed; return the bytes after the handshake."""
        self._thread.join(10)
        while more := self.theirs.recv(4096):
            self.got += more
        self.theirs.close()
        return self.got


@pytest.fixture
def opened(monkeypatch):
    """Connect to a peer; yields its channel."""

    def connect(peer):
        monkeypatch.setattr(websocket.upgrade, "dial", lambda api: peer.ours)
        return websocket.open_channels(API(), PATH, {"project": "p"}, {"1": SECRET})

    return connect


def frame(opcode, data=b"", last=True):
    """Return a short frame in the form of a server."""
    return bytes([opcode | (0x80 if last else 0), len(data)]) + data


def test_a_missing_library_is_named_at_import(monkeypatch):
    monkeypatch.setitem(sys.modules, "websocket", None)
    with pytest.raises(ImportError, match="No module named 'websocket': install websocket-client"):
        importlib.reload(websocket)


def test_data_after_the_handshake_and_fragments_are_read(opened):
    peer = Peer(frame(2, b"ab", last=False) + frame(9, b"ping") + frame(0, b"cd") + frame(2) + frame(1))
    with opened(peer) as channels:
        channel = channels["1"]
        assert websocket.wait_for_data([channel], 5) == [channel]
        assert [channel.receive() for _ in range(5)] == [b"ab", b"", b"cd", b"", None]
    assert f"GET {PATH}/websocket?project=p&secret={SECRET} HTTP/1.1".encode() in peer.asked
    assert peer.ended()[:1] == b"\x8a", "the ping was answered"


def test_early_end_is_an_error_without_the_secret(opened):
    peer = Peer(frame(2, b"ab"))
    with opened(peer) as channels:
        assert channels["1"].receive() == b"ab"
        peer.theirs.shutdown(socket.SHUT_WR)
        with pytest.raises(APIConnectionException, match="the connection broke") as caught:
            channels["1"].receive()
    assert SECRET not in f"{caught.value!r} {caught.value} {caught.value.__cause__}"
    peer.ended()


def test_incomplete_frame_times_out(opened, monkeypatch):
    monkeypatch.setattr(websocket, "FRAME_SECONDS", 0.2)
    peer = Peer(frame(2, b"abcd")[:3])
    with opened(peer) as channels, pytest.raises(APITimeoutException, match="no reply within 0.2 s"):
        channels["1"].receive()
    peer.ended()


@pytest.mark.parametrize("answer", [{"status": "403 Forbidden"}, {"status": "200 OK"}, {"proof": b"forged"}], ids=str)
def test_invalid_handshake_is_refused(opened, answer):
    peer = Peer(**answer)
    with pytest.raises(APIException, match="the daemon did not open the websocket: HTTP") as caught, opened(peer):
        pass
    assert not retry.is_outcome_unknown(caught.value)
    assert peer.ours.fileno() == -1, "it is closed"
    peer.ended()


def test_refused_websocket_has_the_words_of_the_daemon(opened):
    peer = Peer(b'{"type": "error", "error": "not yours"}', status="403 Forbidden")
    with pytest.raises(APIException, match="the daemon did not open the websocket: HTTP 403: not yours"), opened(peer):
        pass
    peer.ended()


def test_data_read_with_the_handshake_is_pending(monkeypatch):
    peer = Peer(frame(2, b"ab"))
    monkeypatch.setattr(websocket.upgrade, "dial", lambda api: peer.ours)
    connection = websocket.connect(API(), PATH, {}, SECRET)
    got = b""
    while len(got) < 4:
        assert connection.pending() or got == b""
        got += connection.recv(1)
    assert (got, connection.pending()) == (frame(2, b"ab"), 0)
    connection.close()
    peer.ended()


def test_header_without_end_is_refused(opened):
    ours, theirs = socket.socketpair()
    threading.Thread(target=lambda: (theirs.sendall(b"x" * 70000), theirs.sendall(b"x" * 70000)), daemon=True).start()
    peer = type("Flood", (), {"ours": ours})
    with pytest.raises(APIConnectionException, match="the websocket failed"), opened(peer):
        pass
    theirs.close()


def test_write_to_closed_peer_is_no_error(opened):
    peer = Peer()
    with opened(peer) as channels:
        peer.hang_up()
        channels["1"].send_end()
        channels["1"].send_json({"command": "signal", "signal": 9})
        channels["1"].send_all([b"x" * 1000000])
