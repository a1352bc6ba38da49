"""
Certificates as PEM text or in files, and the permissions of a key.
"""

import base64
import hashlib
import ssl
import time

import pytest
from lxdapi.errors import InvalidError, LxdapiError
from lxdapi.http import pem

from tests.support.tiny_servers import make_pair


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """A certificate and its key, as text and as files."""
    return make_pair(tmp_path_factory.mktemp("pair"), "client")


def test_fingerprint_is_the_sha256_of_the_certificate(pair):
    digest, sent = pem.read(pair.cert)
    der = ssl.PEM_cert_to_DER_cert(pair.cert)
    assert digest == hashlib.sha256(der).hexdigest() == pair.fingerprint
    assert base64.b64decode(sent) == der and "\n" not in sent


FORMS = {
    "a file": lambda pair: str(pair.cert_file),
    "text": lambda pair: pair.cert,
    "with line ends of another system": lambda pair: pair.cert.replace("\n", "\r\n"),
    "without the last line end": lambda pair: pair.cert.strip(),
    "with a key before it": lambda pair: pair.key + pair.cert,
    "with words around it": lambda pair: f"subject: é\n{pair.cert}\nend",
    "with a chain after it": lambda pair: pair.cert + pair.cert.replace("A", "B"),
    "with half of one after it": lambda pair: pair.cert + "-----BEGIN CERTIFICATE-----\nAAAA",
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_first_certificate_of_a_file_counts(pair, form):
    assert pem.read(form(pair))[0] == pair.fingerprint


def test_a_file_below_the_home_is_found(pair, monkeypatch):
    folder, _, name = str(pair.cert_file).rpartition("/")
    monkeypatch.setenv("HOME", folder)
    assert pem.read(f"~/{name}")[0] == pair.fingerprint


NONE = {
    "a key": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    "no end": "-----BEGIN CERTIFICATE-----\nAAAA\n",
    "an end before the beginning": "-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\n",
    "nothing in it": "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
    "no base64": "-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----\n",
    "letters of another script": "-----BEGIN CERTIFICATE-----\né\n-----END CERTIFICATE-----\n",
    "a half of a character": "-----BEGIN CERTIFICATE-----\n\ud800\n-----END CERTIFICATE-----\n",
    "a request": "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n",
}


@pytest.mark.parametrize("text", NONE.values(), ids=NONE)
def test_missing_certificate_is_reported(text):
    assert pem.der_of(text) is None
    with pytest.raises(InvalidError, match="no certificate found"):
        pem.read(text)


@pytest.mark.parametrize("given", [None, 5, True, ["x"], {"a": "b"}, b"-----BEGIN", 1.5])
def test_non_text_is_refused(given):
    with pytest.raises(InvalidError, match="^expected PEM text or the path of a file for certificate, got"):
        pem.read(given)


@pytest.mark.parametrize("path", ["", "/no/such/file", "/", "a\x00b", "x" * 5000, "\ud800"])
def test_unreadable_file_is_reported(path):
    with pytest.raises(InvalidError, match="^cannot read the certificate "):
        pem.read(path)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", "é".encode(), b"\x30\x82\x01\x00" * 100])
def test_file_without_certificate_is_reported(tmp_path, content):
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(InvalidError, match="no certificate found"):
        pem.read(str(tmp_path / "x"))


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/full"])
def test_a_file_without_end_has_no_certificate(path):
    start = time.monotonic()
    with pytest.raises(InvalidError, match="no certificate found"):
        pem.read(path)
    assert time.monotonic() - start < 5


@pytest.mark.parametrize("text", ["-----BEGIN CERTIFICATE-----" * 40000, "-----BEGIN CERTIFICATE-----" + "A" * 10**6])
def test_truncated_certificate_takes_no_time(text):
    start = time.monotonic()
    assert pem.der_of(text) is None
    assert time.monotonic() - start < 2


@pytest.mark.parametrize("bits, fine", [(0o600, True), (0o640, True), (0o400, True), (0o644, False), (0o604, False)])
def test_key_readable_by_others_is_refused_with_remedy(tmp_path, bits, fine):
    path = tmp_path / "c.key"
    path.touch()
    path.chmod(bits)
    if fine:
        pem.require_private(str(path))
    else:
        with pytest.raises(LxdapiError, match=f"mode {bits:04o}.*chmod 600 {path}"):
            pem.require_private(str(path))
