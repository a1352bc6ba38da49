"""
Real unix sockets with a faulty server: the class of the error, its words, and its time.
"""

import json
import os
import shutil
import socket
import tempfile
import time
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest
from lxdapi.api import API
from lxdapi.errors import APIConnectionException, APIProtocolException, APITimeoutException

from tests.support.tiny_servers import GOOD, Server, dribble, running, unix_listener

NOBODY = 65534


def failed(path, timeout=0.3, method="GET", retry_timeout=0, **options):
    """Return (the exception of a request to the socket, its seconds)."""
    begin = time.monotonic()
    with pytest.raises((APIConnectionException, APITimeoutException, APIProtocolException)) as caught:
        API.factory(str(path), timeout=timeout, retry_timeout=retry_timeout).request(method, "instances", **options)
    return caught.value, time.monotonic() - begin


def plain_file(path):
    path.write_text("")


def nobody_listens(path):
    unix_listener(path).close()


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda path: None, "does not exist"),
        (plain_file, "connection refused"),
        (Path.mkdir, "connection refused"),
        (nobody_listens, "connection refused"),
    ],
    ids=["absent", "a plain file", "a directory", "a socket that nobody listens on"],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_non_daemon_socket_fails_at_once_with_reason(tmp_path, make, words, method):
    make(tmp_path / "s")
    exc, seconds = failed(tmp_path / "s", method=method)
    assert type(exc) is APIConnectionException
    assert words in exc.error and "Errno" not in exc.error and "HTTPConnectionPool" not in exc.error
    assert exc.sent is False, "nothing can have reached the daemon"
    assert seconds < 1
    assert (exc.result, exc.status, exc.method, exc.path) == (None, None, method, "/1.0/instances")
    assert str(exc).startswith(f"{method} {tmp_path}/s/1.0/instances ")


def test_path_through_a_file_is_reported(tmp_path):
    plain_file(tmp_path / "f")
    exc, _ = failed(tmp_path / "f" / "s")
    assert "a file that is not a directory" in exc.error and exc.sent is False


def test_path_too_long_for_a_socket_is_reported(tmp_path):
    exc, _ = failed(tmp_path / ("x" * 120))
    assert type(exc) is APIConnectionException
    assert "107 bytes" in exc.error and exc.sent is False


@contextmanager
def as_nobody():
    """Run the block as nobody instead of root, because root may do anything."""
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def open_folder():
    """A folder that everybody may enter, unlike those of pytest."""
    folder = Path(tempfile.mkdtemp(prefix="lxdapi-"))
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


@pytest.mark.parametrize("what", ["folder", "socket"])
def test_inaccessible_socket_is_distinguished_from_absent(open_folder, what):
    with unix_listener(open_folder / "s"):
        failed(open_folder / "none")  # import everything now, as a user who may read it
        (open_folder if what == "folder" else open_folder / "s").chmod(0)
        with as_nobody() if os.geteuid() == 0 else nullcontext():
            exc, seconds = failed(open_folder / "s")
    assert type(exc) is APIConnectionException
    assert "permission denied" in exc.error and "group" in exc.error
    assert exc.sent is False and seconds < 1


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_server_that_never_answers_is_a_timeout_in_time(tmp_path, method):
    with unix_listener(tmp_path / "s"):
        exc, seconds = failed(tmp_path / "s", timeout=0.3, method=method)
    assert type(exc) is APITimeoutException
    assert "no reply within 0.3 s" in exc.error
    assert 0.3 <= seconds < 1


def close(connection):
    connection.shutdown(socket.SHUT_RDWR)


def half_a_body(connection):
    connection.sendall(GOOD[:-10])
    close(connection)


def chunk_and_away(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n")
    close(connection)


@pytest.mark.parametrize("answer", [close, half_a_body, chunk_and_away])
@pytest.mark.parametrize("method, options", [("GET", {}), ("GET", {"stream": True}), ("POST", {})])
def test_a_connection_that_breaks_may_have_carried_the_request(tmp_path, answer, method, options):
    with running(Server(unix_listener(tmp_path / "s"), answer)) as server:
        exc, seconds = failed(tmp_path / "s", method=method, **options)
    assert type(exc) is APIConnectionException
    assert "connection broke" in exc.error and exc.sent is True
    assert seconds < 1
    assert len(server.heads) == 1, "a request that may have been done is not sent again"


@pytest.mark.parametrize("stream", [False, True])
def test_server_silent_within_reply_is_a_timeout(tmp_path, stream):
    with running(Server(unix_listener(tmp_path / "s"), lambda connection: connection.sendall(GOOD[:-10]))):
        exc, seconds = failed(tmp_path / "s", timeout=0.3, stream=stream)
    assert type(exc) is APITimeoutException
    assert 0.3 <= seconds < 1


def test_timeout_of_streamed_reply_names_limit_of_request(tmp_path):
    with running(Server(unix_listener(tmp_path / "s"), lambda connection: connection.sendall(GOOD[:-10]))):
        api = API.factory(str(tmp_path / "s"), retry_timeout=0)
        with pytest.raises(APITimeoutException, match="no reply within 0.3 s"):
            api.get("instances", stream=True, timeout=0.3)


def test_json_that_is_streamed_is_decoded_but_not_kept(tmp_path):
    with running(Server(unix_listener(tmp_path / "s"), lambda connection: connection.sendall(GOOD))):
        result = API.factory(str(tmp_path / "s")).get("instances", stream=True)
    assert result.data == json.loads(GOOD.partition(b"\r\n\r\n")[2])
    with pytest.raises(RuntimeError, match="already consumed"):
        _ = result.response.content


def half_a_head(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nDate: Mon")
    close(connection)


def no_http(connection):
    connection.sendall(b"\x15\x03\x01\x00\x02\x02\x16 this is no HTTP\r\n\r\n")
    close(connection)


@pytest.mark.parametrize("answer", [half_a_head, no_http])
def test_truncated_header_or_no_http_is_no_success(tmp_path, answer):
    with running(Server(unix_listener(tmp_path / "s"), answer)):
        exc, seconds = failed(tmp_path / "s")
    assert isinstance(exc, (APIProtocolException, APIConnectionException))
    assert seconds < 1


@pytest.mark.parametrize("part", [0, 1], ids=["head", "body"])
def test_dribbling_server_cannot_exceed_the_timeout(tmp_path, part):
    with running(Server(unix_listener(tmp_path / "s"), lambda connection: dribble(connection, part))):
        exc, seconds = failed(tmp_path / "s", timeout=0.4)
    assert type(exc) is APITimeoutException
    assert seconds < 1


def test_silence_after_dribbling_does_not_restart_the_timeout(tmp_path):
    def answer(connection):
        for byte in GOOD[:10]:
            connection.sendall(bytes([byte]))
            time.sleep(0.05)

    with running(Server(unix_listener(tmp_path / "s"), answer)):
        exc, seconds = failed(tmp_path / "s", timeout=0.6)
    assert type(exc) is APITimeoutException
    assert 0.6 <= seconds < 1


def test_timeout_applies_to_one_request(tmp_path):
    with running(Server(unix_listener(tmp_path / "s"))) as server:
        api = API.factory(str(tmp_path / "s"), timeout=0.3)
        for _ in range(4):
            api.get("instances")
            time.sleep(0.1)
    assert server.accepted == 1


def test_a_connection_that_died_between_two_requests_is_replaced(tmp_path):
    def once(connection):
        connection.sendall(GOOD)
        close(connection)

    with running(Server(unix_listener(tmp_path / "s"), once)) as server:
        api = API.factory(str(tmp_path / "s"), timeout=2)
        for _ in range(3):
            assert api.get("instances").data["type"] == "sync"
            time.sleep(0.02)
    assert server.accepted == 3
