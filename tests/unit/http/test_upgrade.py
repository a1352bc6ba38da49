"""
A dedicated connection: trusted as for a request, then switched to another protocol, or rejected in the daemon's words.
"""

import pytest
from lxdapi.api import API
from lxdapi.errors import (
    APIConnectionException,
    APIException,
    APINotFoundException,
    APIProtocolException,
    APITimeoutException,
    InvalidError,
)
from lxdapi.http import upgrade

from tests.support.tiny_servers import Server, make_pair, running, tls_server, unix_listener

SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: sftp\r\n\r\n"


def switched(connection):
    """Switch the protocol, and send back what arrives."""
    connection.sendall(SWITCHED)
    connection.sendall(connection.recv(100).upper())


def refusing(status, words):
    """Return an answer of the daemon that rejects the switch."""
    body = b'{"type":"error","error":"%s","error_code":%d}' % (words.encode(), status)
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return lambda connection: connection.sendall(head.encode() + body)


@pytest.fixture
def there(tmp_path):
    """Return an API of a server on a unix socket with this answer."""
    servers = []

    def made(answer, **options):
        path = tmp_path / f"s{len(servers)}"
        servers.append(running(Server(unix_listener(path), answer)))
        made.server = servers[-1].__enter__()
        return API.factory(str(path), timeout=0.5, **options)

    yield made
    for each in servers:
        each.__exit__(None, None, None)


def spoken(sock):
    """Return the bytes that arrive on a socket."""
    with sock:
        sock.sendall(b"hello")
        return sock.recv(100)


def test_protocol_is_switched_on_a_unix_socket(there):
    api = there(switched, project="a&b")
    assert spoken(upgrade.upgrade(api, "instances/c1/sftp", "sftp")) == b"HELLO"
    head = there.server.heads[0].decode()
    assert head.startswith("GET /1.0/instances/c1/sftp?project=a%26b HTTP/1.1\r\n") and "Upgrade: sftp" in head


def test_protocol_is_switched_over_https_with_client_certificate(tmp_path):
    theirs, ours = make_pair(tmp_path, "server"), make_pair(tmp_path, "client")
    with tls_server(theirs, ours, switched) as server:
        api = API.factory(server.url, fingerprint=theirs.fingerprint, cert=ours.cert, key=ours.key)
        assert spoken(upgrade.upgrade(api, "instances/c1/sftp", "sftp")) == b"HELLO"
        assert server.peer is not None


@pytest.mark.parametrize("options, words", [({"fingerprint": "0" * 64}, "not the pinned one"), ({}, "self-signed")])
def test_a_server_that_is_not_trusted_gets_nothing(tmp_path, options, words):
    with tls_server(make_pair(tmp_path, "server"), None, switched) as server:
        with pytest.raises(APIConnectionException, match=words) as caught:
            upgrade.upgrade(API.factory(server.url, **options), "instances/c1/sftp", "sftp")
        assert (server.heads, caught.value.sent) == ([], False)


@pytest.mark.parametrize("status, kind", [(404, APINotFoundException), (400, APIException), (500, APIException)])
def test_refusal_has_the_words_of_the_daemon(there, status, kind):
    with pytest.raises(kind, match="Instance is lost") as caught:
        upgrade.upgrade(there(refusing(status, "Instance is lost")), "instances/c1/sftp", "sftp")
    assert caught.value.path == "/1.0/instances/c1/sftp"


@pytest.mark.parametrize(
    "answer", [lambda connection: connection.close(), lambda connection: connection.sendall(b"hello\r\n\r\n")]
)
def test_invalid_reply_is_a_protocol_error(there, answer):
    with pytest.raises(APIProtocolException, match="the daemon did not switch to sftp"):
        upgrade.upgrade(there(answer), "instances/c1/sftp", "sftp")


def test_silent_server_times_out(there):
    with pytest.raises(APITimeoutException, match="no reply within 0.5 s"):
        upgrade.upgrade(there(lambda connection: None), "instances/c1/sftp", "sftp")


def test_missing_socket_error_matches_that_of_a_request(tmp_path):
    with pytest.raises(APIConnectionException, match="the socket does not exist"):
        upgrade.dial(API.factory(str(tmp_path / "nobody")))


def test_path_is_validated_like_that_of_a_request(there):
    with pytest.raises(InvalidError, match="contains '.' or '..'"):
        upgrade.upgrade(there(switched), "instances/../sftp", "sftp")
