"""
Tokens as text, and servers without the certificate of the token, which get nothing of it.
"""

import base64
import json

import pytest
from lxdapi.errors import APIConnectionException, APIException, InvalidError
from lxdapi.http import pem, tls
from lxdapi.plan.steps import apply
from lxdapi.trust import tokens

from tests.support.fake_transport import Paper, failure, operation, server, sync
from tests.support.tiny_servers import make_pair, tls_server

SHA = "3ad0a4b37f2d7b4e8ab1ad3d1a4ae1b6c2d63dc4a4e1b6c2d63dc4a4e1b6c2d6"
FACTS = {"client_name": "web1", "fingerprint": SHA, "addresses": ["192.0.2.1:8443", "[2001:db8::1]:8443"]}
BODY = b'{"type":"sync","metadata":{"auth":"untrusted"}}'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(BODY)
SECRET = "cAnArY-0123456789"
NEVER = "0001-01-01T00:00:00Z"


def text(**more):
    """Return the text of a token."""
    return base64.b64encode(json.dumps({**FACTS, "secret": SECRET, "expires_at": NEVER, **more}).encode()).decode()


@pytest.mark.parametrize(
    "end, shown",
    [
        (NEVER, None),
        (None, None),
        ("2026-01-02T03:04:05.678901234Z", "2026-01-02T03:04:05+00:00"),
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05+00:00"),
        ("2026-01-02T04:04:05.1+01:00", "2026-01-02T03:04:05+00:00"),
    ],
)
def test_token_contains_fingerprint_and_expiry(end, shown):
    found = tokens.decode(f" {text(expires_at=end)[:40]}\n{text(expires_at=end)[40:]}\n")
    assert (found.fingerprint, found.secret, found.text) == (SHA, SECRET, text(expires_at=end))
    assert found.addresses == tuple(FACTS["addresses"])
    assert (found.end and found.end.isoformat()) == shown


@pytest.mark.parametrize(
    "given",
    [
        *(5, ["x"], "x", "é", "AAAA", text()[:-9], text()[3:], SECRET),
        *(base64.b64encode(each).decode() for each in (b"5", b"[]", b"{}", b'"cAnArY"', b"\xff")),
        *(text(fingerprint=each) for each in ("abc", None, 5, SHA[:-1])),
        *(text(secret=each) for each in ("", None, 5)),
        *(text(addresses=each) for each in (5, [5], [None])),
        *(text(expires_at=each) for each in ("soon", 5, "2026-13-01T00:00:00Z", "2026-01-01")),
    ],
)
def test_invalid_token_is_refused_without_being_quoted(given):
    with pytest.raises(InvalidError, match="invalid token: paste the complete token") as caught:
        tokens.decode(given)
    assert "cAnArY" not in str(caught.value) and str(given)[:20] not in str(caught.value)


def test_encoded_token_decodes_to_its_facts():
    facts = {"fingerprint": SHA, "addresses": ["a:1"], "secret": SECRET, "request": {"name": "web1"}}
    for more, end in (({}, None), ({"expiresAt": "2026-01-02T03:04:05.6Z"}, 2026)):
        found = tokens.decode(tokens.encode("web1", {"metadata": {**facts, **more}}))
        assert all("=" not in tokens.encode(name, {"metadata": facts}) for name in ("a", "aa", "aaa", "é"))
        assert (found.secret, found.addresses, found.end and found.end.year) == (SECRET, ("a:1",), end)


@pytest.fixture
def pairs(tmp_path):
    """The certificate of the server, and another one."""
    return make_pair(tmp_path, "server"), make_pair(tmp_path, "other")


@pytest.mark.parametrize("declared", ["nothing", "hexadecimal", "a file", "a file to be made"])
@pytest.mark.parametrize("there", [True, False])
def test_token_is_never_sent_to_another_server(pairs, tmp_path, declared, there):
    own, other = pairs
    client = make_pair(tmp_path, "client") if there else None
    pins = {"hexadecimal": other.fingerprint, "a file": other.cert_file, "a file to be made": str(tmp_path / "new")}
    files = {"cert": str(tmp_path / "client.crt"), "key": str(tmp_path / "client.key")}
    with tls_server(own, answer=lambda connection: connection.sendall(HEAD + BODY)) as running:
        settings = {"endpoint": running.url, "timeout": 3, **files}
        settings.update({"fingerprint": pins[declared]} if declared in pins else {"verify": own.cert_file})
        token = text(fingerprint=other.fingerprint)
        with pytest.raises((APIException, InvalidError)) as caught:
            apply(tokens.Client("far", settings, token).plan_present())
        bytes_received = b"".join(running.heads)
    assert SECRET not in str(caught.value) and token not in str(caught.value)
    assert b"POST" not in bytes_received and token.encode() not in bytes_received
    assert declared == "nothing" or bytes_received == b""
    assert client is None or (tmp_path / "client.key").read_text() == client.key
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_environment_cannot_redirect_a_token(pairs, tmp_path, monkeypatch, name):
    own, other = pairs
    monkeypatch.setenv(name, own.cert_file)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with tls_server(own) as running, pytest.raises(APIConnectionException, match="not the pinned one"):
        settings = {"endpoint": running.url, "cert": other.cert_file, "key": other.key_file, "fingerprint": SHA}
        tokens.Client("far", settings, text()).plan_present()
    assert running.heads == []


def test_server_certificate_is_read_without_a_request(pairs):
    own, _ = pairs
    with tls_server(own) as running:
        assert pem.read(tls.read_certificate(running.url))[0] == own.fingerprint
    assert running.heads == []
    with pytest.raises(APIConnectionException, match="127.0.0.1:1"):
        tls.read_certificate("https://127.0.0.1:1")


@pytest.mark.parametrize(
    "extensions, field",
    [
        (["macaroon_authentication"], "password"),
        (["macaroon_authentication", "explicit_trust_token"], "trust_token"),
        (["etag"], "trust_token"),
        (None, "trust_token"),
    ],
)
def test_token_field_depends_on_the_server(pairs, monkeypatch, extensions, field):
    own, _ = pairs
    stranger = server(auth="untrusted", api_extensions=extensions)
    paper = Paper(stranger, stranger, sync(status=201))
    monkeypatch.setattr(tokens.Client, "api", lambda *given, **more: paper.api)
    settings = {"endpoint": "https://h", "cert": own.cert_file, "key": own.key_file, "fingerprint": SHA}
    assert apply(tokens.Client("far", settings, text()).plan_present()) == {"trusted": {"old": False, "new": True}}
    assert paper.lines == ["GET /1.0", "GET /1.0", "POST /1.0/certificates"]
    assert paper.seen[-1].json == {"type": "client", "name": "salt", field: text()}


@pytest.mark.parametrize("meanwhile", [True, False])
def test_refusal_is_ignored_if_server_trusts_us(pairs, monkeypatch, meanwhile):
    own, _ = pairs
    stranger = server(auth="untrusted")
    refusal = failure(403, f"bad token {text()} with {SECRET}")
    paper = Paper(stranger, stranger, refusal, server() if meanwhile else stranger)
    monkeypatch.setattr(tokens.Client, "api", lambda *given, **more: paper.api)
    settings = {"endpoint": "https://h", "cert": own.cert_file, "key": own.key_file, "fingerprint": SHA}
    steps = tokens.Client("far", settings, text()).plan_present()
    if meanwhile:
        assert apply(steps) == {"trusted": {"old": False, "new": True}}
        return
    with pytest.raises(APIException, match="bad token") as caught:
        apply(steps)
    assert SECRET not in str(caught.value) and text() not in str(caught.value)


def test_only_usable_client_tokens_are_listed_and_revoked():
    client = {
        "request": {"name": "web1", "restricted": True, "projects": ["p"]},
        "addresses": ["a:1"],
        "secret": SECRET,
    }
    running = [
        operation(103, **{"class": "token", "id": "1", "metadata": client}),
        operation(103, **{"class": "token", "id": "2", "metadata": {"serverName": "n2", "secret": SECRET}}),
        operation(103, **{"class": "task", "id": "3"}),
    ]
    listed = sync({"running": running, "cancelled": [{**running[0], "id": "4"}]})
    found = tokens.list_tokens(Paper(listed).api)
    expected = {"name": "web1", "restricted": True, "projects": ["p"], "addresses": ["a:1"], "expires_at": None}
    assert found == {"operations/1": expected}
    paper = Paper(listed, sync({}))
    assert tokens.revoke(paper.api, "web1") == {"deleted": "web1"}
    assert paper.writes == ["DELETE /1.0/operations/1"]
    assert tokens.revoke(Paper(sync({})).api, "web1") == {}


def test_server_without_tokens_is_reported():
    for extensions, words in (
        ([], "lacks the API extension certificate_token"),
        (["certificate_token"], "does not listen on an address"),
    ):
        with pytest.raises(InvalidError, match=words):
            tokens.make_token(Paper(lambda seen: server(api_extensions=extensions)).api, "web1")  # noqa: B023
    for name in ("", "..", "a\nb", 5):
        with pytest.raises(InvalidError, match="client name"):
            tokens.make_token(Paper().api, name)
