"""
Certificates in the trust store: identified by their fingerprints, found by their names.
"""

import pytest

from tests.support import client_certificates as certificates

PRESENT, ABSENT = "lxdapi_certificate.present", "lxdapi_certificate.absent"


@pytest.fixture
def pair():
    """Two certificates, each (PEM text, fingerprint)."""
    return certificates.made("one"), certificates.made("two")


@pytest.mark.parametrize("origin", ["text", "file", "salt://team.crt"])
def test_certificate_is_read_from_text_or_file(apply, salt, pair, raw, tmp_path, origin):
    (pem, digest), (chain, _) = pair
    key = "-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----\n"
    (salt.tree / "team.crt").write_text(f"# ours\n{key}{pem}{chain}")
    given = {"text": pem, "file": str(salt.tree / "team.crt")}.get(origin, origin)
    assert apply.changed(PRESENT, "team", certificate=given) == {"created": digest}
    found = raw(f"certificates/{digest}")
    assert (found["name"], found["type"], found["restricted"]) == ("team", "client", False)
    assert found["certificate"].strip() == pem.strip()
    assert len(raw("certificates")) == 1
    assert apply.changed(ABSENT, "team") == {"deleted": digest}


def test_renamed_certificate_keeps_its_entry(apply, pair, raw):
    (pem, digest), _ = pair
    apply(PRESENT, "team", certificate=pem, restricted=True, projects=["default"])
    assert apply.changed(PRESENT, "web team", certificate=pem) == {"name": {"old": "team", "new": "web team"}}
    found = raw(f"certificates/{digest}")
    assert (found["name"], found["restricted"], found["projects"]) == ("web team", True, ["default"])
    apply.unchanged(ABSENT, "team")
    assert apply.changed(ABSENT, digest) == {"deleted": digest}


def test_ambiguous_certificate_name_is_not_deleted(apply, pair, raw):
    for pem, _ in pair:
        apply.changed(PRESENT, "team", certificate=pem)
    comment = apply.failed(ABSENT, "team")
    assert "2 certificates have this name" in comment
    assert all(digest in comment for _, digest in pair)
    assert len(raw("certificates")) == 2
    (pem, digest), (_, other) = pair
    assert apply.changed(ABSENT, "team", certificate=pem) == {"deleted": digest}
    assert apply.changed(ABSENT, "team") == {"deleted": other}


def test_description_is_refused_where_unsupported(apply, daemon, pair, raw):
    (pem, digest), _ = pair
    if daemon.server == "lxd":
        comment = apply.failed(PRESENT, "team", certificate=pem, description="ours")
        assert "does not support description of the kind certificate: it lacks the API extension" in comment
        assert raw(f"certificates/{digest}") is None
    else:
        apply.changed(PRESENT, "team", certificate=pem, description="ours")
        assert raw(f"certificates/{digest}")["description"] == "ours"


def test_metrics_certificate_keeps_its_type(apply, pair, raw):
    (pem, digest), _ = pair
    apply.changed(PRESENT, "scraper", certificate=pem, type="metrics")
    apply.changed(PRESENT, "reader", certificate=pem)
    assert raw(f"certificates/{digest}")["type"] == "metrics"
    comment = apply.failed(PRESENT, "reader", certificate=pem, type="client")
    assert "type is 'metrics' and cannot be changed to 'client'" in comment


def test_a_project_that_does_not_exist_is_refused_by_the_daemon(apply, daemon, pair, raw):
    (pem, digest), _ = pair
    comment = apply.failed(PRESENT, "team", certificate=pem, restricted=True, projects=["nope"])
    assert "(POST /1.0/certificates)" in comment
    assert raw(f"certificates/{digest}") is None


def test_invalid_certificate_is_refused_before_any_request(apply, daemon):
    for given, words in (
        ("/nope.crt", "cannot read the certificate /nope.crt: No such file or directory"),
        ("-----BEGIN CERTIFICATE-----\nnonsense\n", "no certificate found: expected PEM"),
        ("-----BEGIN CERTIFICATE-----\n=\n-----END CERTIFICATE-----\n", "no certificate found"),
        ("-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----\n", "no certificate found"),
        (5, "expected PEM text or the path of a file for certificate"),
        (None, "expected PEM text or the path of a file for certificate"),
        ("", "certificate"),
    ):
        comment = apply.refused(PRESENT, "team", certificate=given)
        assert words in comment and "canary" not in comment


def test_absent_needs_full_fingerprint_in_any_spelling(apply, pair, raw):
    (pem, digest), _ = pair
    apply(PRESENT, "team", certificate=pem)
    for short in (digest[:12], digest[:12].upper(), digest[:63]):
        assert "give all 64 digits" in apply.failed(ABSENT, short)
    assert raw(f"certificates/{digest}")["name"] == "team"
    printed = ":".join(digest[at : at + 2] for at in range(0, 64, 2)).upper()
    assert apply.changed(ABSENT, printed) == {"deleted": digest}
    assert raw(f"certificates/{digest}") is None


def test_projects_without_restricted_are_refused(apply, daemon, pair):
    (pem, _), _ = pair
    for declared in ({}, {"restricted": False}):
        comment = apply.refused(PRESENT, "team", certificate=pem, projects=["default"], **declared)
        assert "projects have no effect without restricted: declare restricted: true" in comment
    apply.changed(PRESENT, "team", certificate=pem, projects=["default"], restricted=True)


def test_certificate_over_http_is_refused(apply, daemon):
    for function in (PRESENT, ABSENT):
        comment = apply.refused(function, "team", certificate="http://127.0.0.1:9/team.crt")
        assert "certificate: an attacker can replace a file that is fetched over http" in comment
