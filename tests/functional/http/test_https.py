"""
A daemon over HTTPS on loopback: pins, certificate authorities, client certificates, strangers.
"""

import base64
import datetime
import os
import ssl
import subprocess
import sys

import pytest
from salt.exceptions import CommandExecutionError

from tests.support import client_certificates as certificates
from tests.support import contract
from tests.support.client_certificates import DAY, in_files
from tests.support.loader import REPO, Loaded


class Client:
    """Return a client key pair in files; times: its validity, relative to now."""

    def __init__(self, folder, **times):
        self.cert, self.key = folder / "client.crt", folder / "client.key"
        self.fingerprint = in_files(self.cert, self.key, **times)

    @property
    def der(self):
        """Return the certificate in the form of the API."""
        return ssl.PEM_cert_to_DER_cert(self.cert.read_text())


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
    """The data of the daemon's certificate: the certificate and its fingerprint."""
    return daemon.request("GET", "/1.0")[1]["metadata"]["environment"]


@pytest.fixture
def remote(tmp_path, https, client):
    """Return Salt's modules and states for the daemon's HTTPS URL with more settings."""

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
    assert "is self-signed: pin it" in ret["comment"]
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


def test_untrusted_client_is_an_error_and_not_absence(remote, client, server):
    salt = remote(fingerprint=server["certificate_fingerprint"])
    for function in ("present", "absent"):
        with contract.recording() as sent:
            ret = salt.states[f"lxdapi_profile.{function}"](name="web", remote="far")
        assert ret["result"] is False
        assert f"does not trust the client certificate {client.fingerprint} (GET /1.0)" in ret["comment"]
        assert [(each.method, each.path) for each in sent] == [("GET", "/1.0")]


@pytest.mark.parametrize(
    "begin, end, words",
    [(-2 * DAY, -DAY, ", which expired on {end} "), (DAY, 2 * DAY, ", which is not valid before {begin} ")],
)
def test_expired_or_future_certificate_is_reported_with_date(remote, server, tmp_path, begin, end, words):
    client = Client(tmp_path, begin=begin, end=end)
    now = datetime.datetime.now(datetime.timezone.utc)
    words = words.format(begin=(now + begin).strftime("%Y-%m-%d"), end=(now + end).strftime("%Y-%m-%d"))
    ret = present(remote(fingerprint=server["certificate_fingerprint"]))
    assert ret["result"] is False
    assert f"does not trust the client certificate {client.fingerprint}{words}" in ret["comment"]
    salt = remote(fingerprint=server["certificate_fingerprint"])
    ret = salt.states["lxdapi_trust.present"](name="far", password="canary")
    assert ret["result"] is False and words.strip(", ").replace("which ", "") in ret["comment"]


def test_a_key_that_everybody_may_read_is_refused(remote, trusted, server):
    trusted.key.chmod(0o644)
    with contract.recording() as sent:
        ret = present(remote(fingerprint=server["certificate_fingerprint"]))
    assert ret["result"] is False and sent == []
    assert f"everybody can read {trusted.key} (mode 0644): run chmod 600 {trusted.key}" in ret["comment"]
    trusted.key.chmod(0o640)
    assert present(remote(fingerprint=server["certificate_fingerprint"]))["result"] is True


def test_verify_false_is_needed_for_strangers_and_logged(remote, trusted, caplog, https):
    assert present(remote())["result"] is False
    assert present(remote(verify=False))["result"] is True
    warned = [record for record in caplog.records if "does not verify the certificate" in record.message]
    assert [(each.levelname, https in each.message) for each in warned] == [("WARNING", True)]


def test_the_servers_certificate_in_a_file_is_the_pin(remote, trusted, server, tmp_path, raw):
    pin = tmp_path / "server.crt"
    pin.write_text(server["certificate"])
    assert present(remote(fingerprint=str(pin)))["result"] is True
    pin.write_text(trusted.cert.read_text())
    ret = present(remote(fingerprint=str(pin)))
    assert "not the pinned one" in ret["comment"]
    assert trusted.fingerprint in ret["comment"] and server["certificate_fingerprint"] in ret["comment"]


@pytest.fixture
def authority(daemon, tmp_path):
    """
    The file of an authority that signed the daemon's certificate; afterwards the daemon gets its own certificate back.
    """
    path, (certificate, key) = (
        tmp_path / "authority.crt",
        (daemon.directory / f"server.{end}" for end in ("crt", "key")),
    )
    old = certificate.read_text(), key.read_text()
    text, new = certificates.authority("127.0.0.1")
    path.write_text(text)
    for texts in (new, old):
        daemon.stop()
        certificate.write_text(texts[0])
        key.write_text(texts[1])
        daemon.start()
        if texts is new:
            yield path


ASK = """
import sys
from lxdapi.api import API
from lxdapi.errors import LxdapiError
try:
    print(API.factory(sys.argv[1], verify=sys.argv[2] or True).get("").metadata["auth"])
except LxdapiError as exc:
    print(exc)
"""
UNKNOWN = "is from an unknown authority"


def test_environment_sets_no_trust_and_gets_no_keys(authority, https, tmp_path):
    folder, log = tmp_path / "hashed", tmp_path / "keys.log"
    folder.mkdir()
    hashed = subprocess.run(["openssl", "x509", "-hash", "-noout", "-in", authority], capture_output=True, check=True)
    (folder / f"{hashed.stdout.decode().strip()}.0").write_text(authority.read_text())
    bundles = dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"), authority)
    proxies = dict.fromkeys(("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"), "http://127.0.0.1:9")

    def ask(verify="", **environment):
        words = [sys.executable, "-c", ASK, https, str(verify)]
        env = {**os.environ, "PYTHONPATH": str(REPO / "_utils"), **environment}
        return subprocess.run(words, env=env, capture_output=True, check=True, text=True).stdout

    for variable, value in {**bundles, "SSL_CERT_DIR": folder}.items():
        assert UNKNOWN in ask(**{variable: str(value)}), variable
    wrong = dict.fromkeys([*bundles, "SSL_CERT_DIR"], os.devnull)
    assert ask(authority, **wrong, **proxies, SSLKEYLOGFILE=str(log)) == "untrusted\n"
    assert not log.exists() or log.read_text() == "", "whoever reads it can read what was sent"
    assert UNKNOWN in ask()


def test_an_unreadable_client_certificate_is_named(remote, tmp_path):
    ret = present(remote(cert=str(tmp_path / "none.crt")))
    assert "none.crt" in ret["comment"]
    assert ret["result"] is False


def test_the_daemons_tls_is_1_3(https):
    """Both daemons reject the versions that lxdapi does not offer."""
    context = ssl.create_default_context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    import socket

    host, port = https[len("https://") :].split(":")
    with pytest.raises(ssl.SSLError), socket.create_connection((host, int(port)), timeout=10) as plain:
        context.wrap_socket(plain)


@pytest.mark.parametrize("size", [10, 3 * 1024 * 1024])
def test_exec_works_under_the_pin(remote, trusted, server, c1, size):
    modules = remote(fingerprint=server["certificate_fingerprint"]).modules
    made = modules["lxdapi_instance.exec"](c1, ["cat"], stdin=b"x" * size, remote="far")
    assert (made["retcode"], made["stdout"]) == (0, "x" * size)
    with pytest.raises(CommandExecutionError, match="not the pinned one"):
        remote(fingerprint="0" * 64).modules["lxdapi_instance.exec"](c1, "true", remote="far")
