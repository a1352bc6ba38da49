"""
Certificates: their fingerprint from text or a file, and which of the trust store a name means.
"""

import base64
import hashlib
import ssl
import time

import pytest
from lxdapi.errors import InvalidError
from lxdapi.http import pem
from lxdapi.trust import certificates

from tests.support.fake_transport import Paper, sync
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
    with pytest.raises(InvalidError, match="certificate: there is none in it"):
        pem.read(text)


@pytest.mark.parametrize("given", [None, 5, True, ["x"], {"a": "b"}, b"-----BEGIN", 1.5])
def test_non_text_is_refused(given):
    with pytest.raises(InvalidError, match="^certificate: PEM text or a file's path is needed"):
        pem.read(given)


@pytest.mark.parametrize("path", ["", "/no/such/file", "/", "a\x00b", "x" * 5000, "\ud800"])
def test_unreadable_file_is_reported(path):
    with pytest.raises(InvalidError, match="^certificate "):
        pem.read(path)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", "é".encode(), b"\x30\x82\x01\x00" * 100])
def test_file_without_certificate_is_reported(tmp_path, content):
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(InvalidError, match="there is none in it"):
        pem.read(str(tmp_path / "x"))


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/full"])
def test_a_file_without_end_has_no_certificate(path):
    begun = time.monotonic()
    with pytest.raises(InvalidError, match="there is none in it"):
        pem.read(path)
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize("text", ["-----BEGIN CERTIFICATE-----" * 40000, "-----BEGIN CERTIFICATE-----" + "A" * 10**6])
def test_truncated_certificate_takes_no_time(text):
    begun = time.monotonic()
    assert pem.der_of(text) is None
    assert time.monotonic() - begun < 2


ONE, TWO, THREE = ("1" * 64, "2" * 64, "3" * 64)
STORE = [
    {"fingerprint": ONE, "name": "web", "type": "client"},
    {"fingerprint": THREE, "name": "ops", "type": "client"},
    {"fingerprint": TWO, "name": "ops", "type": "metrics"},
]


def stored(found=STORE):
    """Return the paper of a daemon with this trust store."""
    return Paper(lambda seen: sync(found))


def test_fingerprint_needs_no_lookup():
    paper = stored()
    assert certificates.fingerprint_of(paper.api, "4" * 64) == "4" * 64
    assert paper.seen == []


def test_name_is_resolved_to_its_certificate():
    paper = stored()
    assert certificates.fingerprint_of(paper.api, "web") == ONE
    assert paper.lines == ["GET /1.0/certificates"] and paper.seen[0].query == {"recursion": "1"}


def test_ambiguous_name_is_refused_with_fingerprints():
    with pytest.raises(InvalidError, match=f"2 certificates have this name: .*: {TWO}, {THREE}"):
        certificates.fingerprint_of(stored().api, "ops")


@pytest.mark.parametrize("name", ["no", "", "WEB", None, 5, ["web"], "1" * 11])
@pytest.mark.parametrize("found", [STORE, [], None])
def test_unknown_name_resolves_to_none(name, found):
    assert certificates.fingerprint_of(stored(found).api, name) is None


@pytest.mark.parametrize("given", [ONE[:12], ONE[:63], ONE[:12].upper()])
def test_shortened_fingerprint_is_refused(given):
    with pytest.raises(InvalidError, match="neither a name nor a whole fingerprint"):
        certificates.fingerprint_of(stored().api, given)


def test_fingerprint_is_accepted_in_openssl_format():
    printed = ":".join(ONE[at : at + 2] for at in range(0, 64, 2)).upper()
    assert certificates.fingerprint_of(stored().api, printed) == ONE


@pytest.mark.parametrize("restricted", [None, False, "no"])
def test_projects_without_restricted_are_refused(restricted):
    with pytest.raises(InvalidError, match="projects: they limit nothing unless restricted"):
        certificates.require_restriction(["web"], restricted)


@pytest.mark.parametrize("projects, restricted", [(None, None), ([], False), (["web"], True), (["web"], "yes")])
def test_effective_projects_are_accepted(projects, restricted):
    certificates.require_restriction(projects, restricted)


def test_certificate_over_http_is_refused():
    with pytest.raises(InvalidError, match="exchanged on the way"):
        certificates.require_secure_source("http://example.com/a.crt")
    certificates.require_secure_source("https://example.com/a.crt")
