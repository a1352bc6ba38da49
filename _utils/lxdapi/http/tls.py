"""
TLS: whom a connection trusts (authorities, or the pin of one server), the client certificate that it sends, the reasons
of its failures, and the certificate that a server shows.

The environment is ignored. :func:`ssl.create_default_context` would take the authorities of ``SSL_CERT_FILE`` and
``SSL_CERT_DIR``, and write the keys into the file that ``SSLKEYLOGFILE`` names; so nothing here uses it.
"""

from __future__ import annotations

import os
import re
import socket
import ssl
import tempfile
from typing import Any
from urllib.parse import urlsplit

from lxdapi import concurrency
from lxdapi.errors import APIConnectionException, EndpointError, InvalidError
from lxdapi.http import deadline_socket, pem
from lxdapi.http.requirements import DEFAULT_POOLBLOCK, HTTPAdapter, certifi, requests, urllib3
from lxdapi.http.upload import BLOCK

# The file of the system's authorities in Debian, Arch, Alpine; Fedora, RHEL; SUSE; BSD.
_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
# OpenSSL's numbers of the errors of a certificate (X509_V_ERR_*).
_CERTIFICATE = {
    9: "is not valid yet",
    10: "has expired",
    18: "is self-signed: pin it (fingerprint), or declare its file (verify)",
    19: "is from an unknown authority: pin it (fingerprint), or declare the file of the authority (verify)",
    20: "is from an unknown authority: pin it (fingerprint), or declare the file of the authority (verify)",
    62: "is for another host name: check the endpoint, or pin it (fingerprint)",
    64: "is for another address: check the endpoint, or pin it (fingerprint)",
}
# Parts of other messages of OpenSSL and urllib3.
_OTHERS = (
    (
        r"Fingerprints? did not match",
        "the server's certificate is not the pinned one: it is another server, or its certificate was replaced",
    ),
    (r"Fingerprint of invalid length", "the pin (fingerprint) is not a sha256: expected 64 hexadecimal digits"),
    (r"PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL", "the server does not support TLS 1.3, which lxdapi requires"),
    (r"WRONG_VERSION_NUMBER|HTTP_REQUEST", "the server did not answer with TLS: is it the port of another service?"),
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
    """Return True if lxdapi refused the server, so that it sent nothing."""
    return isinstance(cause, ssl.SSLCertVerificationError) or "ingerprint" in str(cause)


def context(verify: bool | str | None = True, fallback: str | None = None) -> ssl.SSLContext:
    """
    Return a TLS context.

    verify
        True or None: trust the system's certificate authorities. A path: trust only those in this file. False: trust
        any server.
    fallback
        The file of authorities for a system without its own.

    Raises :class:`InvalidError` or :class:`EndpointError` for a file that is missing or invalid.
    """
    if verify is False:
        return unverified_context()
    if not (verify in (None, True) or (isinstance(verify, str) and verify)):
        raise InvalidError.of_value("verify", "true, false or the path of a CA file", verify)
    file = os.path.expanduser(verify) if isinstance(verify, str) else _system_authorities(fallback)
    new_context = restrict(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    try:
        new_context.load_verify_locations(file)
    except OSError as exc:
        raise EndpointError(f"cannot read the CA file {file}: {exc.strerror or exc}") from exc
    return new_context


def _system_authorities(fallback):
    bundle = next(filter(os.path.exists, _BUNDLES), fallback)
    if bundle is None:
        raise EndpointError(
            f"the system has no certificate authorities: install ca-certificates ({', '.join(_BUNDLES)} do not exist)"
        )
    return bundle


def unverified_context() -> ssl.SSLContext:
    """Return a TLS context that trusts any server; it reads no authorities, which would take 20 ms."""
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


def parse_pin(fingerprint: str | None) -> str | None:
    """
    Return the normalized sha256 of a server's certificate; None for None.

    fingerprint
        The sha256 itself, in any spelling, or the path of the file of the certificate.

    Raises :class:`EndpointError` if the file has no certificate.
    """
    if not fingerprint:
        return None
    if not isinstance(fingerprint, str):
        raise EndpointError.of_value("fingerprint", "text (quote the value)", fingerprint)
    if not pem.is_path(fingerprint):
        return fingerprint.replace(":", "").lower()
    try:
        return pem.read(fingerprint)[0]
    except InvalidError as exc:
        raise EndpointError(f"fingerprint: {exc}") from exc


def read_certificate(url: str) -> str:
    """
    Return the certificate, as PEM text, that the server at an https URL shows.

    This sends only the handshake. The caller must check the fingerprint of the certificate.
    """
    context, parts = unverified_context(), urlsplit(url)
    try:
        with socket.create_connection((parts.hostname, parts.port), deadline_socket.CONNECT_SECONDS) as plain:
            with context.wrap_socket(plain, server_hostname=parts.hostname) as secured:
                certificate = secured.getpeercert(binary_form=True)
                return ssl.DER_cert_to_PEM_cert(certificate)  # type: ignore[arg-type]  # a server always has one
    except (OSError, UnicodeError) as exc:
        error = APIConnectionException(error=f"TLS: {explain(exc)}", method="the handshake with", url=url)
        error.sent = False
        raise error from exc


class TLSAdapter(HTTPAdapter):
    """The adapter for HTTPS: it sends the client certificate, and trusts only the pin if one is declared."""

    def __init__(self, cert: str | None, key: str | None, fingerprint: str | None, verify: bool | str) -> None:
        self._context = _client_context(cert, key, verify)
        self._pin = parse_pin(fingerprint)
        super().__init__(pool_maxsize=concurrency.MOST)

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:
        """Send the request; the time limit for the connection is shorter than that for the reply."""
        if isinstance(timeout, (int, float)):
            timeout = (min(timeout, deadline_socket.CONNECT_SECONDS), timeout)
        return super().send(request, stream, timeout, verify, cert, proxies)

    def dial(self, url: str, seconds: float) -> socket.socket:
        """Return a connected socket; see :func:`lxdapi.http.transport.connect`."""
        parts = urlsplit(url)
        options = {"timeout": seconds, "ssl_context": self._context, "assert_fingerprint": self._pin}
        connection = urllib3.connection.HTTPSConnection(parts.hostname or "", parts.port, **options)
        connection.connect()
        return connection.sock

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Do nothing: the context decides about trust, and requests would add the authorities of certifi."""

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = DEFAULT_POOLBLOCK, **options: Any) -> None:
        options.update(ssl_context=self._context, blocksize=BLOCK)
        if self._pin:
            options["assert_fingerprint"] = self._pin
        super().init_poolmanager(connections, maxsize, block, **options)

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> Any:
        """Return the pool's key; the TLS settings are those of the context, not of requests."""
        host, _ = super().build_connection_pool_key_attributes(request, verify, cert)
        return host, {"ssl_context": self._context}


def _client_context(cert, key, verify):
    """Return the TLS context of a client with this certificate."""
    client_context = context(verify, certifi.where())
    if cert:
        _load_client(client_context, cert, key)
    return client_context


def _load_client(client_context, cert, key):
    """Load the client certificate; inline PEM is briefly written to a private file."""
    with tempfile.TemporaryDirectory() as folder:  # mode 0700
        files = [_pem_file(folder, name, part) for name, part in (("client.crt", cert), ("client.key", key)) if part]
        pem.require_private(files[-1])
        try:
            client_context.load_cert_chain(*files, password=_no_password)
        except (OSError, ValueError) as exc:
            # text that does not look like a path may be a key without its first line
            files = [part for part in (cert, key) if part and part.startswith(("/", "~", "."))]
            label = " with ".join(files) or "inline PEM"
            reason = "the key does not belong to the certificate" if "KEY_VALUES_MISMATCH" in str(exc) else exc
            raise EndpointError(f"client certificate: cannot use {label}: {reason}") from exc


def _no_password():
    raise ValueError("the key is encrypted, but lxdapi cannot ask for its password: decrypt it")


def _pem_file(folder, name, text):
    if "-----BEGIN" not in text:
        return os.path.expanduser(text)
    path = os.path.join(folder, name)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(text)
    return path
