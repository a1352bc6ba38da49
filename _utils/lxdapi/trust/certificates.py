"""
What certificates need beyond the table: the fingerprint that a certificate has, and the form it is sent in.
"""

import re

from lxdapi import validation
from lxdapi.errors import InvalidError
from lxdapi.http.pem import read
from lxdapi.model import listing
from lxdapi.plan import converge


def plan_create(api, name, settings):
    """Return the steps to a new entry of the trust store, whose name is the certificate's fingerprint."""
    digest, sent = read(settings.get("certificate"))
    if digest != name:
        raise InvalidError(f"the name of a certificate is its fingerprint, here {digest}, not {name!r}")
    return converge.plan_create_new(api, "certificate", name, {**settings, "certificate": sent})


def fingerprint_of(api, name):
    """
    Return the fingerprint of a certificate in the trust store by its name there, or of the fingerprint given;
    None if there is none.

    Raises :class:`InvalidError` if several have the name, and for a fingerprint that was shortened, as
    ``incus config trust list`` prints it.
    """
    digits = name.replace(":", "").lower() if isinstance(name, str) else ""
    if validation.is_fingerprint(digits):
        return digits
    found = sorted(key for key, each in listing.list_objects(api, "certificate").items() if each["name"] == name)
    if len(found) > 1:
        raise InvalidError(
            f"{len(found)} certificates have this name: say which by its fingerprint: {', '.join(found)}"
        )
    if not found and re.fullmatch("[0-9a-f]{12,63}", digits):
        raise InvalidError(f"{name} is neither a name nor a whole fingerprint: all 64 digits are needed")
    return found[0] if found else None


def require_secure_source(source):
    """Raise :class:`InvalidError` for a certificate that anybody on the way could exchange."""
    if isinstance(source, str) and source.startswith("http://"):
        raise InvalidError("certificate: not by http, where it can be exchanged on the way; https or salt")


def require_restriction(projects, restricted):
    """Raise :class:`InvalidError` for projects that limit nothing: the daemon trusts such a client with all."""
    if projects and str(restricted).lower() not in validation.TRUE:
        raise InvalidError("projects: they limit nothing unless restricted: true is declared")
