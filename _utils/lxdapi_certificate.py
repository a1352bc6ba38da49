"""
What certificates need beyond the table: the fingerprint that a certificate has, and the form it is sent in.
"""

import base64
import hashlib
import os
import re
import ssl

import lxdapi_converge as converge
import lxdapi_meaning as meaning
import lxdapi_names as names
import lxdapi_survey as survey
from lxdapi_errors import InvalidError

_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
# No certificate is as long: what is read could be a device.
_LONGEST = 10_000_000


def der_of(text):
    """Return the bytes of the first certificate in a PEM text, None if there is none."""
    start = text.find(_BEGIN)
    end = text.find(_END, start + 1)
    if start < 0 or end < 0:
        return None
    try:
        return ssl.PEM_cert_to_DER_cert(text[start:end] + _END) or None
    except ValueError:
        return None


def read(given):
    """
    Return (fingerprint, base64 of the DER form) of a certificate.

    given
        PEM text, or the path of a file that holds it; what else is in it (a key, a chain) is not looked at.

    Raises :class:`InvalidError` if there is no certificate.
    """
    if not isinstance(given, str):
        raise InvalidError("certificate: PEM text or a file's path is needed")
    der = der_of(given if "-----BEGIN" in given else _file(given))
    if der is None:
        raise InvalidError("certificate: there is none in it; PEM is needed (-----BEGIN CERTIFICATE-----)")
    return hashlib.sha256(der).hexdigest(), base64.b64encode(der).decode("ascii")


def made(api, name, settings):
    """Return the steps to a new entry of the trust store, whose name is the certificate's fingerprint."""
    digest, sent = read(settings.get("certificate"))
    if digest != name:
        raise InvalidError(f"the name of a certificate is its fingerprint, here {digest}, not {name!r}")
    return converge.made(api, "certificate", name, {**settings, "certificate": sent})


def _file(path):
    try:
        with open(os.path.expanduser(path), encoding="latin-1") as file:
            return file.read(_LONGEST)
    except (OSError, ValueError) as exc:
        raise InvalidError(f"certificate {path}: {getattr(exc, 'strerror', exc)}") from exc


def fingerprint_of(api, name):
    """
    Return the fingerprint of a certificate in the trust store by its name there, or of the fingerprint given;
    None if there is none.

    Raises :class:`InvalidError` if several have the name, and for a fingerprint that was shortened, as
    ``incus config trust list`` prints it.
    """
    digits = name.replace(":", "").lower() if isinstance(name, str) else ""
    if names.is_fingerprint(digits):
        return digits
    found = sorted(key for key, each in survey.listed(api, "certificate").items() if each["name"] == name)
    if len(found) > 1:
        raise InvalidError(
            f"{len(found)} certificates have this name: say which by its fingerprint: {', '.join(found)}"
        )
    if not found and re.fullmatch("[0-9a-f]{12,63}", digits):
        raise InvalidError(f"{name} is neither a name nor a whole fingerprint: all 64 digits are needed")
    return found[0] if found else None


def refuse_open(source):
    """Raise :class:`InvalidError` for a certificate that anybody on the way could exchange."""
    if isinstance(source, str) and source.startswith("http://"):
        raise InvalidError("certificate: not by http, where it can be exchanged on the way; https or salt")


def refuse_limits(projects, restricted):
    """Raise :class:`InvalidError` for projects that limit nothing: the daemon trusts such a client with all."""
    if projects and str(restricted).lower() not in meaning.TRUE:
        raise InvalidError("projects: they limit nothing unless restricted: true is declared")
