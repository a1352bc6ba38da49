"""
The files of a client: written completely and privately or not at all, and never over existing files.
"""

import os
import ssl
import stat
import sys
import threading

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from lxdapi.errors import InvalidError
from lxdapi.http import pem
from lxdapi.trust import keypair


@pytest.fixture
def paths(tmp_path):
    """The paths for a certificate and a key."""
    return str(tmp_path / "a" / "b" / "c.crt"), str(tmp_path / "a" / "b" / "c.key")


def mode(path):
    """Return the permissions of a file."""
    return stat.S_IMODE(os.stat(path).st_mode)


def test_key_pair_works_for_a_client_for_ten_years(paths):
    keypair.create(*paths, "web1")
    with open(paths[0], "rb") as file:
        made = x509.load_pem_x509_certificate(file.read())
    assert isinstance(made.public_key().curve, ec.SECP384R1)
    assert made.subject.rfc4514_string() == made.issuer.rfc4514_string() == "CN=web1"
    assert (made.not_valid_after_utc - made.not_valid_before_utc).days == 3650
    ssl.create_default_context().load_cert_chain(*paths)
    assert pem.expiry_reason(paths[0]) == ""


@pytest.mark.parametrize("umask", [0, 0o022, 0o077])
def test_key_is_private_from_creation_under_any_umask(paths, umask, monkeypatch):
    seen, real = [], os.fchmod

    def fchmod(number, bits):
        seen.append(stat.S_IMODE(os.fstat(number).st_mode) & 0o177)
        real(number, bits)

    monkeypatch.setattr(os, "fchmod", fchmod)
    before = os.umask(umask)
    try:
        keypair.create(*paths, "web1")
    finally:
        os.umask(before)
    assert seen == [0, 0], "nobody else could open it before it had its mode"
    assert (mode(paths[1]), mode(paths[0])) == (0o600, 0o644)
    assert {mode(os.path.dirname(paths[1])), mode(os.path.dirname(os.path.dirname(paths[1])))} == {0o700}


@pytest.mark.parametrize("there", [0, 1])
@pytest.mark.parametrize("what", ["a file", "a link to nowhere", "a folder"])
def test_existing_file_stays_and_prevents_creation(paths, there, what):
    path, other = paths[there], paths[1 - there]
    os.makedirs(os.path.dirname(path))
    {"a file": lambda: open(path, "w").close(), "a folder": lambda: os.mkdir(path)}.get(
        what, lambda: os.symlink("/nonexistent/x", path)
    )()
    with pytest.raises(InvalidError, match="File exists") as caught:
        keypair.create(*paths, "web1")
    assert path in str(caught.value)
    assert os.listdir(os.path.dirname(path)) == [os.path.basename(path)] and not os.path.lexists(other)


def test_concurrent_creation_makes_one_matching_pair(paths):
    errors = []

    def make():
        try:
            keypair.create(*paths, "web1")
        except InvalidError as exc:
            errors.append(str(exc))

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(errors) == 7, errors
    ssl.create_default_context().load_cert_chain(*paths)
    assert sorted(os.listdir(os.path.dirname(paths[0]))) == ["c.crt", "c.key"]


@pytest.mark.parametrize("number", [1, 2])
def test_a_disk_that_fails_leaves_nothing(paths, monkeypatch, number):
    calls, real = [], os.fsync

    def fsync(file):
        calls.append(file)
        if len(calls) == number:
            raise OSError(28, "No space left on device")
        real(file)

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(InvalidError, match="cannot create .*b/c.(key|crt): No space left on device"):
        keypair.create(*paths, "web1")
    assert os.listdir(os.path.dirname(paths[0])) == []


def test_one_file_without_the_other_is_refused(paths):
    cert, key = paths
    assert keypair.exists(cert, key) is False
    keypair.create(cert, key, "web1")
    assert keypair.exists(cert, key) is keypair.exists(cert, None) is True
    with open(cert) as one, open(key) as other:
        texts = one.read(), other.read()
    assert keypair.exists(*texts) is keypair.exists(cert, texts[1]) is True
    os.unlink(key)
    with pytest.raises(InvalidError, match=f"client certificate {cert} exists without its key {key}"):
        keypair.exists(cert, key)
    with pytest.raises(InvalidError, match="client certificate .inline PEM. exists without its key") as caught:
        keypair.exists(texts[0], key)
    assert "BEGIN" not in str(caught.value)


@pytest.mark.parametrize(
    "cert, key, name",
    [
        ("/tmp/x", "/tmp/x", "web1"),
        ("/tmp/x", "/tmp/../tmp/x", "web1"),
        ("c.crt", "c.key", "web1"),
        ("/tmp/x", None, "web1"),
        (5, "/tmp/x", "web1"),
        ("/tmp/x\x00", "/tmp/y", "web1"),
        ("/proc/none/x", "/proc/none/y", "web1"),
        ("/dev/null/x", "/dev/null/y", "web1"),
        ("/tmp/x", "/tmp/y", ""),
        ("/tmp/x", "/tmp/y", 5),
        ("/tmp/x", "/tmp/y", "a\nb"),
    ],
)
def test_invalid_key_pair_is_refused(cert, key, name):
    with pytest.raises(InvalidError):
        keypair.create(cert, key, name)


def test_long_minion_name_is_shortened(paths):
    keypair.create(*paths, "a" * 100)
    assert ("a" * 64).encode() in ssl.PEM_cert_to_DER_cert(open(paths[0]).read())


def test_missing_cryptography_is_reported(paths, monkeypatch):
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with pytest.raises(InvalidError, match="library cryptography"):
        keypair.create(*paths, "web1")
    assert not os.path.exists(paths[0])


def test_no_expiry_is_shown_without_cryptography(paths, monkeypatch):
    keypair.create(*paths, "web1")
    monkeypatch.setitem(sys.modules, "cryptography", None)
    assert pem.expiry_reason(paths[0]) == ""
