"""
Certificates of the trust store, by name or fingerprint.
"""

import pytest
from lxdapi.errors import InvalidError
from lxdapi.trust import certificates

from tests.support.fake_transport import Paper, sync

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
    with pytest.raises(InvalidError, match="for a fingerprint, give all 64 digits"):
        certificates.fingerprint_of(stored().api, given)


def test_fingerprint_is_accepted_in_openssl_format():
    printed = ":".join(ONE[at : at + 2] for at in range(0, 64, 2)).upper()
    assert certificates.fingerprint_of(stored().api, printed) == ONE


@pytest.mark.parametrize("restricted", [None, False, "no"])
def test_projects_without_restricted_are_refused(restricted):
    with pytest.raises(InvalidError, match="projects have no effect without restricted"):
        certificates.require_restriction(["web"], restricted)


@pytest.mark.parametrize("projects, restricted", [(None, None), ([], False), (["web"], True), (["web"], "yes")])
def test_effective_projects_are_accepted(projects, restricted):
    certificates.require_restriction(projects, restricted)


def test_certificate_over_http_is_refused():
    with pytest.raises(InvalidError, match="an attacker can replace"):
        certificates.require_secure_source("http://example.com/a.crt")
    certificates.require_secure_source("https://example.com/a.crt")
