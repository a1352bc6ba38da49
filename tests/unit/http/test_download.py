"""
A file from the daemon reaches the disk completely, or not at all.
"""

import hashlib
import io
import time

import pytest
from lxdapi.api import API
from lxdapi.errors import (
    APIConnectionException,
    APIException,
    APINotFoundException,
    APIProtocolException,
    APITimeoutException,
    LxdapiError,
)
from lxdapi.http import download

from tests.support.tiny_servers import Server, make_pair, running, tls_server, unix_listener

DATA = bytes(range(256)) * 4000
SUM = hashlib.sha256(DATA).hexdigest()
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n" % len(DATA)
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n" % (len(DATA), DATA)
URL = "images/x/export"


def answering(*parts, pause=0):
    """Return an answer that sends these parts, with a pause before each, and closes the connection."""

    def answer(connection):
        for part in parts:
            time.sleep(pause)
            connection.sendall(part)
        connection.close()

    return answer


@pytest.fixture
def got(tmp_path):
    """Download the answer of a server on a unix socket; return the sha256 and the bytes."""

    def get(answer, seconds=None):
        with running(Server(unix_listener(tmp_path / "s"), answer)):
            file = io.BytesIO()
            api = API.factory(str(tmp_path / "s"), timeout=0.5)
            return download.download(api, URL, file, seconds), file.getvalue()

    return get


@pytest.mark.parametrize("parts", [(HEAD, DATA), (CHUNKED, b"0\r\n\r\n")])
def test_a_file_comes_with_its_sha256(got, parts):
    assert got(answering(*parts)) == (SUM, DATA)


def test_a_file_comes_over_https(tmp_path):
    theirs = make_pair(tmp_path, "server")
    with tls_server(theirs, None, answering(HEAD, DATA)) as server:
        file = io.BytesIO()
        assert download.download(API.factory(server.url, fingerprint=theirs.fingerprint), URL, file) == SUM
    assert file.getvalue() == DATA


def test_a_download_may_last_longer_than_any_wait_in_it(got):
    quarters = [DATA[start : start + 256000] for start in range(0, len(DATA), 256000)]
    began = time.monotonic()
    assert got(answering(HEAD, *quarters, pause=0.25), seconds=0.5) == (SUM, DATA)
    assert time.monotonic() - began > 1


@pytest.mark.parametrize("parts", [(HEAD, DATA[:-1]), (CHUNKED,), (CHUNKED[:-9000],)])
def test_a_reply_that_is_too_short_is_an_error(got, parts):
    with pytest.raises(APIConnectionException, match="are missing|connection broke"):
        got(answering(*parts))


def test_silent_server_times_out(got):
    with pytest.raises(APITimeoutException, match="received no data for 0.5 s"):
        got(lambda connection: connection.sendall(HEAD + DATA[:5000]))


@pytest.mark.parametrize("status, kind", [(404, APINotFoundException), (500, APIException)])
def test_refusal_has_the_words_of_the_daemon(got, status, kind):
    body = b'{"type":"error","error":"Image is lost"}'
    head = b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n" % (status, len(body))
    with pytest.raises(kind, match="Image is lost"):
        got(answering(head, body))


def test_no_answer_is_an_error_of_the_protocol(got):
    with pytest.raises(APIProtocolException, match="no reply"):
        got(answering())


def test_full_disk_is_reported(tmp_path):
    with running(Server(unix_listener(tmp_path / "s"), answering(HEAD, DATA))):
        with open("/dev/full", "wb", buffering=0) as full, pytest.raises(LxdapiError, match="/dev/full.*No space left"):
            download.download(API.factory(str(tmp_path / "s")), URL, full)
