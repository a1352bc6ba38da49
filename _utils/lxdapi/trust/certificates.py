"""
Certificates in the trust store: their fingerprints, and the checks before one is added.
"""

import re

from lxdapi import validation
from lxdapi.errors import InvalidError
from lxdapi.http.pem import read
from lxdapi.model import listing
from lxdapi.plan import converge
from lxdapi.plan.steps import Plan


def plan_create(api, name, settings) -> Plan:
    """Return the steps that add a certificate to the trust store; its name is its fingerprint."""
    digest, certificate = read(settings.get("certificate"))
    if digest != name:
        raise InvalidError(f"expected the fingerprint {digest} for the name of the certificate, got {name!r}")
    return converge.plan_create_new(api, "certificate", name, {**settings, "certificate": certificate})


def fingerprint_of(api, name):
    """
    Return the fingerprint of the certificate with this name in the trust store, None if there is no such certificate;
    a fingerprint is returned as it is.

    Raises :class:`InvalidError` if several certificates have the name, and for a shortened fingerprint, as
    ``incus config trust list`` prints it.
    """
    digits = name.replace(":", "").lower() if isinstance(name, str) else ""
    if validation.is_fingerprint(digits):
        return digits
    fingerprints = sorted(
        key for key, certificate in listing.list_objects(api, "certificate").items() if certificate["name"] == name
    )
    if len(fingerprints) > 1:
        raise InvalidError(
            f"{len(fingerprints)} certificates have this name: choose a fingerprint: {', '.join(fingerprints)}"
        )
    if not fingerprints and re.fullmatch("[0-9a-f]{12,63}", digits):
        raise InvalidError(f"no certificate has the name {name}: for a fingerprint, give all 64 digits")
    return fingerprints[0] if fingerprints else None


def require_secure_source(source):
    """Raise :class:`InvalidError` for a URL where an attacker on the way could replace the certificate."""
    if isinstance(source, str) and source.startswith("http://"):
        raise InvalidError("certificate: an attacker can replace a file that is fetched over http; use https or salt")


def require_restriction(projects, restricted):
    """Raise :class:`InvalidError` for projects without ``restricted``, with which a client has full access."""
    if projects and str(restricted).lower() not in validation.TRUE:
        raise InvalidError("projects have no effect without restricted: declare restricted: true")
