"""
A daemon over https on loopback: pins, certificate authorities, client certificates, strangers.
"""

import base64
import datetime
import os
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from loaded import Loaded


class Client:
    """A client key pair in files."""

    def __init__(self, folder):
        key = ec.generate_private_key(ec.SECP384R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "lxdapi test")])
        now = datetime.datetime.now(datetime.timezone.utc)
        day = datetime.timedelta(days=1)
        made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        made = made.serial_number(x509.random_serial_number()).not_valid_before(now - day)
        certificate = made.not_valid_after(now + day).sign(key, hashes.SHA384())
        self.der = certificate.public_bytes(serialization.Encoding.DER)
        self.fingerprint = certificate.fingerprint(hashes.SHA256()).hex()
        self.cert, self.key = folder / "client.crt", folder / "client.key"
        self.cert.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        self.key.touch(mode=0o600)
        self.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )


@pytest.fixture
def client(tmp_path):
    """A client key pair that the daemon does not know."""
    return Client(tmp_path)


@pytest.fixture
def trusted(client, daemon):
    """A client key pair that the daemon trusts."""
    body = {"type": "client", "name": "test", "certificate": base64.b64encode(client.der).decode()}
    status, reply = daemon.request("POST", "/1.0/certificates", body)
    assert status == 201, reply
    yield client
    daemon.request("DELETE", f"/1.0/certificates/{client.fingerprint}")


@pytest.fixture
def server(daemon):
    """What the daemon says of itself: its certificate and the fingerprint of it."""
    return daemon.request("GET", "/1.0")[1]["metadata"]["environment"]


@pytest.fixture
def remote(tmp_path, https, client):
    """Return Salt's modules and states for the daemon's https URL with more settings."""

    def loaded(endpoint=https, **settings):
        settings = {"endpoint": endpoint, "cert": str(client.cert), "key": str(client.key), **settings}
        return Loaded(tmp_path / "remote", {"far": settings})

    return loaded


def present(salt):
    return salt.states["lxdapi_profile.present"](name="web", description="x", remote="far")


def test_a_remote_with_a_pinned_certificate_is_managed(remote, trusted, server, raw):
    salt = remote(fingerprint=server["certificate_fingerprint"])
    assert present(salt)["changes"] == {"created": "web"}
    assert raw("profiles/web")["description"] == "x"
    assert present(salt)["changes"] == {}


def test_a_pin_holds_for_any_name_and_in_any_spelling(remote, trusted, server, https):
    pin = server["certificate_fingerprint"].upper()
    pin = ":".join(pin[i : i + 2] for i in range(0, 64, 2))
    assert present(remote(https.replace("127.0.0.1", "localhost"), fingerprint=pin))["result"] is True


def test_a_wrong_pin_is_refused(remote, trusted, raw):
    ret = present(remote(fingerprint="0" * 64))
    assert ret["result"] is False
    assert "TLS: " in ret["comment"]
    assert "ingerprint" in ret["comment"]
    assert raw("profiles/web") is None


def test_a_server_certificate_of_no_known_authority_is_refused(remote, trusted, raw):
    ret = present(remote())
    assert ret["result"] is False
    assert "CERTIFICATE_VERIFY_FAILED" in ret["comment"]
    assert raw("profiles/web") is None


def test_the_servers_certificate_as_the_authority_is_enough(remote, trusted, server, tmp_path, https):
    authority = tmp_path / "server.crt"
    authority.write_text(server["certificate"])
    assert present(remote(verify=str(authority)))["result"] is True
    ret = present(remote(https.replace("127.0.0.1", "127.0.0.2"), verify=str(authority)))
    assert ret["result"] is False


def test_keys_can_be_inline_pem(remote, trusted, server):
    salt = remote(
        cert=trusted.cert.read_text(),
        key=trusted.key.read_text(),
        fingerprint=server["certificate_fingerprint"],
    )
    assert present(salt)["result"] is True


def test_a_stranger_is_told_that_it_is_not_trusted_and_nothing_is_read_as_absent(remote, client, server):
    salt = remote(fingerprint=server["certificate_fingerprint"])
    for function in ("present", "absent"):
        ret = salt.states[f"lxdapi_profile.{function}"](name="web", remote="far")
        assert ret["result"] is False
        assert f"does not trust our certificate {client.fingerprint}" in ret["comment"]


def test_the_environment_does_not_weaken_or_break_the_check(remote, trusted, server, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", os.devnull)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    assert present(remote(fingerprint=server["certificate_fingerprint"]))["result"] is True


def test_an_unreadable_client_certificate_is_named(remote, tmp_path):
    ret = present(remote(cert=str(tmp_path / "none.crt")))
    assert "none.crt" in ret["comment"]
    assert ret["result"] is False


def test_the_daemons_tls_is_1_3(https):
    """Both daemons refuse what our context does not offer."""
    context = ssl.create_default_context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    import socket

    host, port = https[len("https://") :].split(":")
    with pytest.raises(ssl.SSLError), socket.create_connection((host, int(port)), timeout=10) as plain:
        context.wrap_socket(plain)
