"""
TLS: whom a connection trusts, the reasons of its failures, and the certificate that a server shows.

The environment is ignored. :func:`ssl.create_default_context` would take the authorities of ``SSL_CERT_FILE`` and
``SSL_CERT_DIR``, and write the keys into the file that ``SSLKEYLOGFILE`` names; so nothing here uses it.
"""

from __future__ import annotations

import os
import re
import socket
import ssl
from urllib.parse import urlsplit

from lxdapi.errors import APIConnectionException, EndpointError, InvalidError
from lxdapi.http import deadline_socket

SECONDS = 10
# The file of the system's authorities, where the distributions have it: Debian, Arch, Alpine; Fedora, RHEL; SUSE; BSD.
_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
# OpenSSL's numbers of what is wrong with a certificate (X509_V_ERR_*).
_CERTIFICATE = {
    9: "is not valid yet",
    10: "has expired",
    18: "is self-signed: pin it (fingerprint), or name its file (verify)",
    19: "is of an authority that is not known here: pin it (fingerprint), or name the authority's file (verify)",
    20: "is of an authority that is not known here: pin it (fingerprint), or name the authority's file (verify)",
    62: "is for another name",
    64: "is for another address",
}
# Parts of other messages of OpenSSL and urllib3.
_OTHERS = (
    (
        r"Fingerprints? did not match",
        "the server's certificate is not the pinned one: it is another server, or it has a new one",
    ),
    (r"Fingerprint of invalid length", "the pin (fingerprint) is no sha256"),
    (r"PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL", "the server speaks no TLS 1.3"),
    (r"WRONG_VERSION_NUMBER|HTTP_REQUEST", "no TLS is spoken there: is it another service's port?"),
)


def explain(cause: BaseException) -> str:
    """Return why a TLS connection failed, followed by the original message."""
    reason = _CERTIFICATE.get(getattr(cause, "verify_code", 0))
    if reason:
        return f"the server's certificate {reason} ({cause})"
    for pattern, text in _OTHERS:
        if re.search(pattern, str(cause)):
            return f"{text} ({cause})"
    return str(cause)


def is_refusal(cause: BaseException) -> bool:
    """Return True if the server was refused, so that nothing of a request was sent."""
    return isinstance(cause, ssl.SSLCertVerificationError) or "ingerprint" in str(cause)


def context(verify: bool | str | None = True, fallback: str | None = None) -> ssl.SSLContext:
    """
    Return a TLS context.

    verify
        True or None: it trusts the system's certificate authorities. A path: those in this file, and nobody else.
        False: it takes any server.
    fallback
        The file of authorities for a system without its own.

    Raises :class:`InvalidError` or :class:`EndpointError` for a file that is missing or invalid.
    """
    if verify is False:
        return unverified_context()
    if not (verify in (None, True) or (isinstance(verify, str) and verify)):
        raise InvalidError(f"verify: expected true, false or the path of a CA file, got {verify!r}")
    file = os.path.expanduser(verify) if isinstance(verify, str) else _system_authorities(fallback)
    new_context = restrict(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    try:
        new_context.load_verify_locations(file)
    except OSError as exc:
        raise EndpointError(f"CA file {file} cannot be read: {exc.strerror or exc}") from exc
    return new_context


def _system_authorities(fallback):
    bundle = next(filter(os.path.exists, _BUNDLES), fallback)
    if bundle is None:
        raise EndpointError(f"the system has no certificate authorities: none of {', '.join(_BUNDLES)} exists")
    return bundle


def unverified_context() -> ssl.SSLContext:
    """Return a TLS context that takes any server; it reads no authorities, which would take 20 ms."""
    context = restrict(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def restrict(context: ssl.SSLContext) -> ssl.SSLContext:
    """
    Restrict a TLS context to TLS 1.3, as both daemons require (LXD 5.0.2, Incus 6.0.4), give its sockets a deadline,
    and return it.
    """
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.sslsocket_class = deadline_socket.TLSSocket
    return context


def read_certificate(url: str) -> str:
    """
    Return the certificate, as PEM text, that the server at an https URL shows.

    Nothing but the handshake is sent. The caller has to check the fingerprint of the certificate.
    """
    context, parts = unverified_context(), urlsplit(url)
    try:
        with socket.create_connection((parts.hostname, parts.port), SECONDS) as plain:
            with context.wrap_socket(plain, server_hostname=parts.hostname) as secured:
                certificate = secured.getpeercert(binary_form=True)
                return ssl.DER_cert_to_PEM_cert(certificate)  # type: ignore[arg-type]  # a server always has one
    except (OSError, UnicodeError) as exc:
        error = APIConnectionException(error=f"TLS: {explain(exc)}", method="the handshake with", url=url)
        error.sent = False
        raise error from exc
