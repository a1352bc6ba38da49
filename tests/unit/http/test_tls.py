"""
HTTPS: pins, CA files, client certificates; the environment has no influence. With a TLS 1.3 server on loopback.
"""

import logging
import os
import socket
import ssl
import tempfile
from hashlib import sha256

import pytest
from lxdapi.api import API
from lxdapi.errors import APIConnectionException, EndpointError, InvalidError, LxdapiError
from lxdapi.http import tls
from lxdapi.http.session import create_session

from tests.support.tiny_servers import Server, garbage, make_pair, running, tls_server

KEY_WORDS = "PRIVATE KEY"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The folder of the certificates."""
    return tmp_path_factory.mktemp("tls")


@pytest.fixture(scope="module")
def own(folder):
    """The server's certificate, for 127.0.0.1."""
    return make_pair(folder, "server")


@pytest.fixture(scope="module")
def client(folder):
    """A client's certificate."""
    return make_pair(folder, "client")


def asked(server, **options):
    """Return the server data that an API with these options reads."""
    return API.factory(server.url, timeout=3, **options).get("").metadata


def refused(server, **options):
    """Return the exception of a connection that fails before any part of the request is sent."""
    with pytest.raises(APIConnectionException) as caught:
        API.factory(server.url, timeout=3, **options).post("certificates", json={"token": "tOkEn"})
    assert server.heads == [], "the request reached a server that is not trusted"
    assert caught.value.error.startswith("TLS: ") and caught.value.sent is False
    return caught.value


@pytest.mark.parametrize("write", [str, str.upper, lambda pin: ":".join(map("".join, zip(*[iter(pin)] * 2)))])
def test_right_pin_is_sufficient(own, write):
    with tls_server(own) as server:
        assert asked(server, fingerprint=write(own.fingerprint)) == {"auth": "trusted"}


def test_pin_is_valid_for_any_server_name(folder):
    pair = make_pair(folder, "elsewhere", "other.example.com")
    with tls_server(pair) as server:
        assert asked(server, fingerprint=pair.fingerprint) == {"auth": "trusted"}


@pytest.mark.parametrize("verify", [True, False])
def test_a_wrong_pin_is_refused_before_anything_is_sent(own, client, verify):
    with tls_server(own) as server:
        assert "ingerprint" in refused(server, fingerprint=client.fingerprint, verify=verify).error


def test_wrong_pin_is_refused_with_valid_authority(own, client):
    with tls_server(own) as server:
        refused(server, fingerprint=client.fingerprint, verify=own.cert_file)


@pytest.mark.parametrize("pin", ["abc", "z" * 64, "a" * 63])
def test_invalid_pin_is_refused(own, pin):
    with tls_server(own) as server, pytest.raises(LxdapiError):
        asked(server, fingerprint=pin)
    assert server.heads == []


def test_pin_is_hexadecimal_or_a_file_path(own, folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder))
    spelled = ":".join(own.fingerprint[at : at + 2] for at in range(0, 64, 2)).upper()
    for given in (own.fingerprint, spelled, own.cert_file, "~/server.crt"):
        assert tls.parse_pin(given) == own.fingerprint
    assert tls.parse_pin(None) is tls.parse_pin("") is None
    for given in ("/nonexistent/server.crt", own.key_file, 5):
        with pytest.raises(EndpointError, match="fingerprint"):
            tls.parse_pin(given)


def test_unknown_authority_is_refused(own):
    with tls_server(own) as server:
        assert "certificate verify failed" in refused(server).error


def test_ca_file_verifies_its_server(own):
    with tls_server(own) as server:
        assert asked(server, verify=own.cert_file) == {"auth": "trusted"}


def test_ca_file_verifies_no_other_server(own, client):
    with tls_server(own) as server:
        refused(server, verify=client.cert_file)


def test_server_with_another_name_is_refused(folder):
    pair = make_pair(folder, "misnamed", "other.example.com")
    with tls_server(pair) as server:
        error = refused(server, verify=pair.cert_file).error
    assert "127.0.0.1" in error


@pytest.mark.parametrize(
    "days, pair_of, words",
    [
        ((-2, -1), "itself", "the server's certificate has expired"),
        ((1, 2), "itself", "the server's certificate is not valid yet"),
        (
            (-1, 1),
            "nobody",
            "the server's certificate is self-signed: pin it (fingerprint), or declare its file (verify)",
        ),
    ],
)
def test_certificate_problem_is_explained(folder, days, pair_of, words):
    pair = make_pair(folder, f"of{days[0]}", days=days)
    with tls_server(pair) as server:
        assert words in refused(server, **({"verify": pair.cert_file} if pair_of == "itself" else {})).error


def test_name_mismatch_is_explained(folder):
    pair = make_pair(folder, "named", "localhost")
    with tls_server(pair) as server:
        assert "the server's certificate is for another address" in refused(server, verify=pair.cert_file).error
        server.url = server.url.replace("127.0.0.1", "localhost")
        assert asked(server, verify=pair.cert_file) == {"auth": "trusted"}


def test_pin_mismatch_shows_both_fingerprints(own, client):
    with tls_server(own) as server:
        error = refused(server, fingerprint=client.fingerprint).error
    assert "the server's certificate is not the pinned one" in error
    assert own.fingerprint in error and client.fingerprint in error


def test_old_tls_version_is_reported(own):
    with tls_server(own, version=ssl.TLSVersion.TLSv1_2) as server, pytest.raises(APIConnectionException) as caught:
        asked(server, fingerprint=own.fingerprint)
    assert caught.value.error.startswith("TLS: the server does not support TLS 1.3, which lxdapi requires (")
    assert server.heads == []


def test_non_tls_port_is_reported():
    def answer(connection):
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    listener = socket.create_server(("127.0.0.1", 0))
    with running(Server(listener, lambda connection: None)) as server:
        server._speak = lambda connection: (connection.recv(1), answer(connection))
        with pytest.raises(APIConnectionException, match="the server did not answer with TLS"):
            API.factory(f"https://127.0.0.1:{listener.getsockname()[1]}", verify=False, timeout=3).get("")


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_invalid_ca_file_is_reported(tmp_path, content):
    if content:
        (tmp_path / "ca").write_text(content)
    with pytest.raises(EndpointError, match="cannot read the CA file .*/ca"):
        API.factory("https://127.0.0.1:1", verify=str(tmp_path / "ca"))


def test_verify_false_accepts_anyone_and_logs_a_warning(own, caplog):
    with tls_server(own) as server, caplog.at_level(logging.WARNING):
        assert asked(server, verify=False) == {"auth": "trusted"}
    assert any(server.url in r.message and "does not verify" in r.message for r in caplog.records)


@pytest.mark.parametrize("by", ["pin", "pin alone", "CA file"])
def test_verified_server_logs_no_warning(own, caplog, recwarn, by):
    pin = {"fingerprint": own.fingerprint}
    options = {"pin": pin, "pin alone": {**pin, "verify": False}, "CA file": {"verify": own.cert_file}}[by]
    with tls_server(own) as server, caplog.at_level(logging.WARNING):
        asked(server, **options)
    assert [r.message for r in caplog.records if r.name.startswith("lxdapi")] == []
    assert [str(w.message) for w in recwarn if "Insecure" in type(w.message).__name__] == []


@pytest.mark.parametrize("form", ["files", "inline", "inline in one", "files in one"])
def test_the_client_certificate_is_seen_by_the_server(own, client, tmp_path, form):
    one = client.cert + client.key
    (tmp_path / "one.pem").write_text(one)
    (tmp_path / "one.pem").chmod(0o600)
    given = {
        "files": {"cert": client.cert_file, "key": client.key_file},
        "inline": {"cert": client.cert, "key": client.key},
        "inline in one": {"cert": one},
        "files in one": {"cert": str(tmp_path / "one.pem")},
    }[form]
    with tls_server(own, client) as server:
        asked(server, fingerprint=own.fingerprint, **given)
    assert server.peer and sha256(server.peer).hexdigest() == client.fingerprint


def test_no_client_certificate_is_sent_by_default(own, client):
    with tls_server(own, client) as server:
        asked(server, fingerprint=own.fingerprint)
    assert not server.peer


def test_an_inline_key_leaves_nothing_on_the_disk(client, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    create_session("https://127.0.0.1:1", cert=client.cert, key=client.key)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("broken", ["absent", "wrong key", "no PEM", "inline wrong key", "inline no PEM"])
def test_invalid_client_certificate_error_does_not_show_the_key(own, client, tmp_path, broken):
    (tmp_path / "no.pem").write_text("-----no PEM-----")
    cert, key = {
        "absent": (str(tmp_path / "absent.crt"), client.key_file),
        "wrong key": (client.cert_file, own.key_file),
        "no PEM": (str(tmp_path / "no.pem"), client.key_file),
        "inline wrong key": (client.cert, own.key),
        "inline no PEM": (client.cert.replace("MII", "M I"), client.key),
    }[broken]
    with pytest.raises(EndpointError, match="client certificate") as caught:
        create_session("https://127.0.0.1:1", cert=cert, key=key)
    assert ("key does not belong to the certificate" in str(caught.value)) == ("wrong key" in broken)
    assert KEY_WORDS not in str(caught.value) and "BEGIN" not in str(caught.value)


def test_missing_key_is_named(client, tmp_path):
    with pytest.raises(EndpointError, match="absent.key"):
        create_session("https://127.0.0.1:1", cert=client.cert_file, key=str(tmp_path / "absent.key"))


def test_encrypted_key_is_refused_without_prompt(folder):
    pair = make_pair(folder, "locked", password="p")
    with pytest.raises(EndpointError, match="encrypted"):
        create_session("https://127.0.0.1:1", cert=pair.cert_file, key=pair.key_file)


def test_proxy_of_the_environment_is_not_used(own, monkeypatch):
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with tls_server(own) as server:
        assert asked(server, fingerprint=own.fingerprint) == {"auth": "trusted"}
        assert asked(server, verify=own.cert_file) == {"auth": "trusted"}


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_authority_of_the_environment_is_not_trusted(own, monkeypatch, name):
    monkeypatch.setenv(name, own.cert_file)
    with tls_server(own) as server:
        refused(server)


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_authority_of_the_environment_breaks_no_connection(own, monkeypatch, name):
    monkeypatch.setenv(name, "/nonexistent.pem")
    with tls_server(own) as server:
        assert asked(server, verify=False) == {"auth": "trusted"}
        assert asked(server, verify=own.cert_file) == {"auth": "trusted"}
        assert asked(server, fingerprint=own.fingerprint) == {"auth": "trusted"}


def test_tls_keys_are_not_logged_to_a_file(own, tmp_path, monkeypatch):
    with tls_server(own) as server:
        monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys.log"))
        for trust in ({"verify": own.cert_file}, {"verify": False}, {"fingerprint": own.fingerprint}):
            assert asked(server, **trust) == {"auth": "trusted"}
    assert not (tmp_path / "keys.log").exists()


def test_only_system_authorities_are_trusted(own, tmp_path, monkeypatch):
    monkeypatch.setattr(tls, "_BUNDLES", (str(tmp_path / "none"), own.cert_file))
    with tls_server(own) as server:
        assert asked(server) == asked(server, verify=None) == {"auth": "trusted"}
    assert tls.context().cert_store_stats()["x509"] == 1
    monkeypatch.setattr(tls, "_BUNDLES", ())
    with tls_server(own) as server:
        refused(server)  # by the authorities bundled with requests
    with pytest.raises(EndpointError, match="the system has no certificate authorities"):
        tls.context()


@pytest.mark.parametrize("verify", ["", 1.5, 0, ["/ca.pem"]])
def test_invalid_ca_file_type_is_refused(verify):
    with pytest.raises(InvalidError, match="expected true, false or the path of a CA file for verify"):
        create_session("https://127.0.0.1:1", verify=verify)


def test_netrc_sends_no_password(own, tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password pAsSwOrD\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with tls_server(own) as server:
        asked(server, fingerprint=own.fingerprint)
    assert b"Authorization" not in server.heads[0]


def test_tls_failure_after_request_has_unknown_outcome(own):
    with tls_server(own, answer=garbage) as server, pytest.raises(APIConnectionException) as caught:
        API.factory(server.url, fingerprint=own.fingerprint, timeout=3).delete("instances/c1")
    assert len(server.heads) == 1
    assert caught.value.sent is True


def test_one_connection_serves_many_urls_over_tls(own):
    with tls_server(own) as server:
        api = API.factory(server.url, fingerprint=own.fingerprint)
        for number in range(5):
            api.get(f"instances/c{number}")
    assert (server.accepted, len(server.heads)) == (1, 5)
