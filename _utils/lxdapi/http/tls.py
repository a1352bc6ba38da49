"""
What a TLS connection fails by, in words, and the certificate that a server shows.
"""

from __future__ import annotations

import re
import socket
import ssl
from urllib.parse import urlsplit

from lxdapi.errors import APIConnectionException
from lxdapi.http import deadline_socket as deadline

SECONDS = 10
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
# Parts of what OpenSSL and urllib3 say of everything else.
_OTHERS = (
    (
        r"Fingerprints? did not match",
        "the server's certificate is not the pinned one: it is another server, or it has a new one",
    ),
    (r"Fingerprint of invalid length", "the pin (fingerprint) is no sha256"),
    (r"PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL", "the server speaks no TLS 1.3"),
    (r"WRONG_VERSION_NUMBER|HTTP_REQUEST", "no TLS is spoken there: is it another service's port?"),
)


def words(cause: BaseException) -> str:
    """Return in words what a TLS connection failed by, the cause's own words with them."""
    known = _CERTIFICATE.get(getattr(cause, "verify_code", 0))
    if known:
        return f"the server's certificate {known} ({cause})"
    for pattern, said in _OTHERS:
        if re.search(pattern, str(cause)):
            return f"{said} ({cause})"
    return str(cause)


def is_refusal(cause: BaseException) -> bool:
    """Return True if the server was refused, so that nothing of a request was sent."""
    return isinstance(cause, ssl.SSLCertVerificationError) or "ingerprint" in str(cause)


def unverified() -> ssl.SSLContext:
    """Return a TLS context that takes any server; it reads no authorities, which would take 20 ms."""
    context = limited(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def limited(context: ssl.SSLContext) -> ssl.SSLContext:
    """
    Return a TLS context whose sockets have a deadline, and that speaks TLS 1.3 only, as both daemons do (LXD 5.0.2,
    Incus 6.0.4).
    """
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.sslsocket_class = deadline.TLSSocket
    return context


def certificate_of(url: str) -> str:
    """
    Return the certificate, as PEM text, that the server at an https URL shows.

    Nothing is sent but the handshake; whose certificate it is has to be told by its fingerprint.
    """
    context, parts = unverified(), urlsplit(url)
    try:
        with socket.create_connection((parts.hostname, parts.port), SECONDS) as plain:
            with context.wrap_socket(plain, server_hostname=parts.hostname) as secured:
                certificate = secured.getpeercert(binary_form=True)
                return ssl.DER_cert_to_PEM_cert(certificate)  # type: ignore[arg-type]  # a server always has one
    except (OSError, UnicodeError) as exc:
        error = APIConnectionException(error=f"TLS: {words(exc)}", method="the handshake with", url=url)
        error.sent = False
        raise error from exc
