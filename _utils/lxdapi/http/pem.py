"""
Certificates as PEM text or in files: their fingerprint and their validity.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import os
import ssl
import stat

from lxdapi.errors import EndpointError, InvalidError

_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
# The largest number of bytes to read: the path could be a device.
_LONGEST = 10_000_000


def der_of(text: str) -> bytes | None:
    """Return the bytes of the first certificate in a PEM text, None if it has no certificate."""
    start = text.find(_BEGIN)
    end = text.find(_END, start + 1)
    if start < 0 or end < 0:
        return None
    try:
        return ssl.PEM_cert_to_DER_cert(text[start:end] + _END) or None
    except ValueError:
        return None


def read(certificate: str) -> tuple[str, str]:
    """
    Return (fingerprint, base64 of the DER form) of a certificate.

    certificate
        PEM text, or the path of its file; other parts of it (a key, a chain) are ignored.

    Raises :class:`InvalidError` if there is no certificate.
    """
    if not isinstance(certificate, str):
        raise InvalidError.of_value("certificate", "PEM text or the path of a file", certificate, secret=True)
    der = der_of(certificate if "-----BEGIN" in certificate else _read_file(certificate))
    if der is None:
        raise InvalidError("no certificate found: expected PEM (-----BEGIN CERTIFICATE-----)")
    return hashlib.sha256(der).hexdigest(), base64.b64encode(der).decode("ascii")


def to_pem(certificate: str) -> str:
    """Return the PEM text of a certificate, without anything else from its file; see :func:`read`."""
    return ssl.DER_cert_to_PEM_cert(base64.b64decode(read(certificate)[1]))


def _read_file(path):
    try:
        with open(os.path.expanduser(path), encoding="latin-1") as file:
            return file.read(_LONGEST)
    except (OSError, ValueError) as exc:
        raise InvalidError(f"cannot read the certificate {path}: {getattr(exc, 'strerror', exc)}") from exc


def is_path(text: str) -> bool:
    """Return True if the text is the path of a file: a fingerprint or PEM text begins differently."""
    return isinstance(text, str) and text[:1] in ("/", "~") and "\0" not in text


def exists(path: str) -> bool:
    """Return True if something of any type is at the path."""
    return os.path.lexists(os.path.expanduser(path))


def expiry_reason(certificate: str) -> str:
    """
    Return that a certificate has expired or is not valid yet, as text; "" if it is valid.

    certificate
        As for :func:`read`.

    The library cryptography is part of Salt, but not of salt-ssh; without it the validity is unknown: "".
    """
    try:
        from cryptography import x509
    except ImportError:
        return ""
    parsed = x509.load_der_x509_certificate(base64.b64decode(read(certificate)[1]))
    now, (begin, end) = datetime.datetime.now(datetime.timezone.utc), _validity(parsed)
    if end < now:
        return f"expired on {end:%Y-%m-%d %H:%M} UTC"
    return f"is not valid before {begin:%Y-%m-%d %H:%M} UTC" if now < begin else ""


def _validity(certificate):
    """Return (begin, end); cryptography before 42 has them only without a time zone."""
    if hasattr(certificate, "not_valid_after_utc"):
        return certificate.not_valid_before_utc, certificate.not_valid_after_utc
    utc = datetime.timezone.utc
    return certificate.not_valid_before.replace(tzinfo=utc), certificate.not_valid_after.replace(tzinfo=utc)


def require_private(path: str) -> None:
    """Raise :class:`EndpointError` if everybody may read the file of a key; a missing file is reported elsewhere."""
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return
    if mode & stat.S_IROTH:
        raise EndpointError(
            f"client key: everybody can read {path} (mode {stat.S_IMODE(mode):04o}): run chmod 600 {path}, and replace "
            "the key if somebody may have read it"
        )
