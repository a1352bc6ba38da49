"""
A multipart form, parsed while it arrives in pieces of any size; bodies of uploads over real sockets.
"""

import hashlib
import io
import os
import socket
import threading
from contextlib import ExitStack

import pytest
from lxdapi.api import API
from lxdapi.errors import InvalidError, LxdapiError
from lxdapi.http import multipart_download, upload

from tests.support import tiny_servers as servers

META, ROOTFS = b"meta\r\n--not the boundary\r\n", b"\x00--B\r\nroot\r\n\r\n--" * 500
WHOLE = b"".join([b"--B0\r\nA: b\r\n\r\n", META, b"\r\n--B0\r\nA: c\r\n\r\n", ROOTFS, b"\r\n--B0--\r\n"])


def taken(content, size, count=2):
    """Return (the result of end(), the files) of content that arrived in pieces of this size."""
    files = [io.BytesIO() for _ in range(count)]
    parts = multipart_download.MultipartWriter([lambda file=file: file for file in files])
    for begin in range(0, len(content), size):
        parts.write(memoryview(content)[begin : begin + size])
    return parts.end("whole"), [file.getvalue() for file in files]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 4096, 10**6])
@pytest.mark.parametrize("end", [b"", b"\r\n--B0--\r\n"])
def test_both_parts_are_returned_unchanged(size, end):
    assert taken(WHOLE + end, size) == (hashlib.sha256(META + ROOTFS).hexdigest(), [META, ROOTFS])


@pytest.mark.parametrize("size", [1, 5, 4096])
def test_non_form_is_one_file(size):
    assert taken(b"\x1f\x8b" + ROOTFS, size) == ("whole", [b"\x1f\x8b" + ROOTFS, b""])


@pytest.mark.parametrize("cut", [20, 60, len(WHOLE) // 2, len(WHOLE) - 6])
def test_truncated_form_is_an_error(cut):
    with pytest.raises(LxdapiError, match="incomplete image"):
        taken(WHOLE[:cut], 100)


@pytest.mark.parametrize(
    "content, words",
    [
        (b"--" + b"x" * 70000, "without valid boundaries"),
        (b"--B\r\n" + b"x" * 70000, "without valid boundaries"),
        (WHOLE[:-9] + WHOLE[4:], "at most two parts"),
    ],
)
def test_invalid_form_is_an_error(content, words):
    with pytest.raises(LxdapiError, match=words):
        taken(content, 1000)


class Taking:
    """Read a request with its complete body, and answer."""

    def __init__(self):
        self.body = b""

    def __call__(self, connection):
        connection.settimeout(10)
        self.body = self.server.heads[-1].partition(b"\r\n\r\n")[2]
        while len(self.body) < self.length:
            block = connection.recv(1 << 20)
            if not block:
                return
            self.body += block
        connection.sendall(servers.GOOD)


@pytest.fixture
def large(tmp_path):
    """A file of more than one slice, with different blocks."""
    path = tmp_path / "large"
    path.write_bytes(os.urandom(1 << 20) * 17 + b"end")
    return path


def sent(api, taking, parts):
    """Send the parts."""
    with ExitStack() as stack:
        body = upload.body(api, stack, parts)
        taking.length = len(body)
        return api.post("x", data=body)


def test_unix_socket_upload_uses_sendfile(tmp_path, large, monkeypatch):
    given, taking = [], Taking()
    monkeypatch.setattr(
        socket.socket, "sendfile", lambda *args, real=socket.socket.sendfile: given.append(args[3]) or real(*args)
    )
    with servers.running(servers.Server(servers.unix_listener(tmp_path / "s"), taking)) as taking.server:
        sent(API.factory(str(tmp_path / "s")), taking, [b"head", str(large), b"tail"])
    assert taking.body == b"head" + large.read_bytes() + b"tail"
    assert given == [16 << 20, (1 << 20) + 3]


def test_tls_upload_is_sent_in_blocks(tmp_path, large):
    pair, taking = servers.make_pair(tmp_path, "server"), Taking()
    with servers.tls_server(pair, answer=taking) as taking.server:
        sent(API.factory(taking.server.url, fingerprint=pair.fingerprint), taking, [b"head", str(large), b"tail"])
    assert taking.body == b"head" + large.read_bytes() + b"tail"


def test_truncated_file_is_named_and_not_sent_again(tmp_path, large):
    started, cut = threading.Event(), threading.Event()

    def reading(connection):
        started.set()
        cut.wait(10)
        while connection.recv(1 << 20):
            pass

    with servers.running(servers.Server(servers.unix_listener(tmp_path / "s"), reading)) as server:
        waiting = threading.Thread(target=lambda: started.wait(10) and (os.truncate(large, 1 << 20), cut.set()))
        waiting.start()
        with pytest.raises(InvalidError, match="image file .*large became shorter"):
            sent(API.factory(str(tmp_path / "s")), Taking(), [str(large)])
        waiting.join()
    assert server.accepted == 1
