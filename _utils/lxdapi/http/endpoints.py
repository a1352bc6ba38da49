"""
Discovery of the daemon's endpoint, and the session for it.

An endpoint is a unix socket (``/var/lib/incus/unix.socket`` or ``http+unix://%2Fvar%2F...``) or
``https://host:8443``. Proxies and CA bundles from the environment are ignored.
"""

from __future__ import annotations

import logging
import os
import socket
import tempfile
from typing import Any, Mapping
from urllib.parse import quote, unquote, urlsplit

from lxdapi import concurrency, masking
from lxdapi.errors import EndpointError, InvalidError
from lxdapi.http import deadline_socket, pem, tls
from lxdapi.http.requirements import (
    DEFAULT_POOLBLOCK,
    HTTPAdapter,
    UnixAdapter,
    UnixHTTPConnection,
    UnixHTTPConnectionPool,
    certifi,
    requests,
    urllib3,
)
from lxdapi.http.upload import Slice

log = logging.getLogger(__name__)

UNIX = "http+unix://"
# Uploads are sent in blocks of this size: with the 16 KiB of urllib3 an import takes a third longer.
BLOCK = 1024 * 1024
CONNECT_SECONDS = 10
DEFAULT_PORT = 8443

# (daemon, variable that names its socket, variable that names its directory, well-known sockets in
# the order in which the vendors' own clients look)
LOCAL = (
    ("incus", "INCUS_SOCKET", "INCUS_DIR", ("/run/incus/unix.socket", "/var/lib/incus/unix.socket")),
    (
        "lxd",
        "LXD_SOCKET",
        "LXD_DIR",
        ("/var/snap/lxd/common/lxd/unix.socket", "/var/lib/lxd/unix.socket"),
    ),
)


def find(endpoint: str | None = None, environ: Mapping[str, str] | None = None) -> str:
    """
    Return the base URL of the daemon.

    endpoint
        A socket's path, a URL of a socket or an ``https://`` URL. None: ``INCUS_SOCKET``,
        ``INCUS_DIR``, ``LXD_SOCKET``, ``LXD_DIR``, else the one well-known socket that accepts a
        connection.

    Raises :class:`EndpointError` if there is no daemon, or if there are several and nothing selects one.
    """
    return base_url(endpoint) if endpoint else _unix_url(_local_socket(os.environ if environ is None else environ))


def find_all(endpoint: str | list[str] | None = None) -> list[str]:
    """Return the base URLs of the endpoint, or of each of a list of the members of one cluster; see :func:`find`."""
    if not isinstance(endpoint, (list, tuple)):
        return [find(endpoint)]
    urls = [base_url(each) for each in endpoint]
    if not urls or len({url.partition("://")[0] for url in urls}) > 1:
        raise InvalidError("endpoint: a list of https:// URLs, or of sockets, of the members of one cluster is needed")
    return list(dict.fromkeys(urls))


def base_url(endpoint: str) -> str:
    """Return the endpoint as a base URL; raises :class:`InvalidError` for anything else."""
    if not isinstance(endpoint, str):
        raise InvalidError(f"endpoint {endpoint!r} is not text")
    if endpoint.startswith("/"):
        return _unix_url(endpoint)
    try:
        return _join_url(urlsplit(endpoint))
    except ValueError as exc:
        expected = "is neither a socket's path nor an https:// URL"
        raise InvalidError(f"endpoint {masking.mask_login(endpoint)!r} {expected}") from exc


def _join_url(parts):
    """Return the base URL of the parts of an endpoint; raises :class:`ValueError` for anything else."""
    if parts.scheme in ("http+unix", "unix"):
        path = unquote(parts.netloc) or parts.path
        if not path.startswith("/"):
            raise ValueError(path)
        return _unix_url(path)
    if parts.scheme not in ("https", "http") or not parts.hostname or "@" in parts.netloc:
        raise ValueError(parts.scheme)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = parts.port or (DEFAULT_PORT if parts.scheme == "https" else 80)
    return f"{parts.scheme}://{host}:{port}"


def _unix_url(path):
    return UNIX + quote(path, safe="")


def _local_socket(environ):
    named = _named_sockets(environ)
    if len(named) == 1:
        ((variable, path),) = named.items()
        # Log it: whoever sets the environment of a minion selects its daemon.
        log.info("lxdapi: the daemon is at %s, by the environment variable %s", path, variable)
        return path
    if named:
        raise EndpointError(
            "the environment names two daemons: "
            + " and ".join(f"{variable}={path}" for variable, path in named.items())
            + "; say which with an endpoint or a remote"
        )
    return _choose(_probe_sockets())


def _named_sockets(environ):
    """Return {variable: socket} of the sockets that the environment names, at most one for each daemon."""
    named = {}
    for _, by_socket, by_dir, _ in LOCAL:
        if environ.get(by_socket):
            named[by_socket] = environ[by_socket]
        elif environ.get(by_dir):
            named[by_dir] = os.path.join(environ[by_dir], "unix.socket")
    return named


def _probe_sockets():
    """Return [(daemon, path, error or None)] of connecting to every well-known socket."""
    return [(daemon, path, _connect_error(path)) for daemon, _, _, paths in LOCAL for path in paths]


def _connect_error(path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(CONNECT_SECONDS)
        try:
            probe.connect(path)
        except OSError as exc:
            return exc.strerror or str(exc)
    return None


def _choose(tried):
    answering: dict[str, str] = {}
    for daemon, path, refusal in tried:
        if refusal is None:
            answering.setdefault(daemon, path)
    if len(answering) == 1:
        return next(iter(answering.values()))
    if answering:
        raise EndpointError(
            "two daemons answer on this machine: "
            + " and ".join(f"{daemon} at {path}" for daemon, path in answering.items())
            + "; say which with the remote 'local' (lxdapi:remotes:local:endpoint) or an endpoint"
        )
    raise EndpointError(
        "no LXD or Incus daemon found: " + ", ".join(f"{path} ({refusal})" for _, path, refusal in tried)
    )


def session(
    url: str, cert: str | None = None, key: str | None = None, fingerprint: str | None = None, verify: bool | str = True
) -> requests.Session:
    """
    Return the :class:`requests.Session` for a base URL of :func:`find`.

    cert, key
        The client certificate and its key, paths or inline PEM.
    fingerprint
        The sha256 of the server's certificate, or the path of a file that holds it; then only this
        certificate is trusted, under any name.
    verify
        True: the system's certificate authorities; a path: this CA file; False: any server, with a warning. See
        :func:`lxdapi.http.tls.context`.
    """
    new_session = requests.Session()
    new_session.trust_env = False
    if url.startswith(UNIX):
        new_session.mount(UNIX, SocketAdapter())
        return new_session
    if verify is False and not fingerprint:
        log.warning("lxdapi: the certificate of %s is not verified (verify: False)", url)
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    new_session.mount("https://", TLSAdapter(cert, key, fingerprint, False if fingerprint else verify))
    return new_session


class _SocketConnection(UnixHTTPConnection):
    """A connection to a unix socket that uploads in large blocks."""

    def __init__(self, url, timeout):
        super().__init__(url, timeout)
        self.blocksize = BLOCK

    def connect(self):
        self.sock = _connect(self.unix_socket_url, deadline_socket.Socket, self.timeout)

    def send(self, data):
        """Send bytes, or a part of a file, which the kernel moves."""
        if not isinstance(data, Slice):
            return super().send(data)
        return data.send(self.sock)


def _connect(url, kind, seconds):
    """Return a socket of this class, connected to the unix socket of a URL."""
    sock = kind(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.settimeout(seconds)
    try:
        sock.connect(unquote(urlsplit(url).netloc))
    except OSError:
        sock.close()
        raise
    return sock


class _SocketPool(UnixHTTPConnectionPool):
    def __init__(self, socket_path, timeout):
        # what requests-unixsocket 0.4.1 makes keeps one connection only
        urllib3.HTTPConnectionPool.__init__(self, "localhost", timeout=timeout, maxsize=concurrency.MOST)
        self.socket_path, self.timeout = socket_path, timeout

    def _new_conn(self):
        self.num_connections += 1
        return _SocketConnection(self.socket_path, self.timeout)


class SocketAdapter(UnixAdapter):
    """
    The adapter for unix sockets, with one pool for each socket, so that one connection serves all paths:
    requests-unixsocket 0.4.1 opens one for every URL.
    """

    def get_connection(self, url: str, proxies: Any = None) -> UnixHTTPConnectionPool:
        base = UNIX + urlsplit(url).netloc
        with self.pools.lock:
            if base not in self.pools:
                self.pools[base] = _SocketPool(base, CONNECT_SECONDS)
            return self.pools[base]

    @staticmethod
    def dial(url: str, seconds: float) -> socket.socket:
        """Return a connected socket; see :func:`lxdapi.http.transport.connect`."""
        return _connect(url, socket.socket, seconds)


class TLSAdapter(HTTPAdapter):
    """The adapter for HTTPS: it sends our client certificate, and trusts only the pin if there is one."""

    def __init__(self, cert: str | None, key: str | None, fingerprint: str | None, verify: bool | str) -> None:
        self._context = _tls_context(cert, key, verify)
        self._pin = pem.parse_pin(fingerprint)
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
            timeout = (min(timeout, CONNECT_SECONDS), timeout)
        return super().send(request, stream, timeout, verify, cert, proxies)

    def dial(self, url: str, seconds: float) -> socket.socket:
        """Return a connected socket; see :func:`lxdapi.http.transport.connect`."""
        parts = urlsplit(url)
        options = {"timeout": seconds, "ssl_context": self._context, "assert_fingerprint": self._pin}
        connection = urllib3.connection.HTTPSConnection(parts.hostname or "", parts.port, **options)
        connection.connect()
        return connection.sock

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Do nothing: our own context decides whom to trust, and requests would add the authorities of certifi."""

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = DEFAULT_POOLBLOCK, **options: Any) -> None:
        options.update(ssl_context=self._context, blocksize=BLOCK)
        if self._pin:
            options["assert_fingerprint"] = self._pin
        super().init_poolmanager(connections, maxsize, block, **options)

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> Any:
        """Return the pool's key; the TLS settings are those of our own context, not of requests."""
        host, _ = super().build_connection_pool_key_attributes(request, verify, cert)
        return host, {"ssl_context": self._context}


def _tls_context(cert, key, verify):
    """Return the TLS context."""
    context = tls.context(verify, certifi.where())
    if cert:
        _load_client(context, cert, key)
    return context


def _load_client(context, cert, key):
    """Load the client certificate; inline PEM passes through a private file for an instant."""
    with tempfile.TemporaryDirectory() as folder:  # mode 0700
        files = [_pem_file(folder, name, part) for name, part in (("client.crt", cert), ("client.key", key)) if part]
        pem.require_private(files[-1])
        try:
            context.load_cert_chain(*files, password=_no_password)
        except (OSError, ValueError) as exc:
            # what looks like no path may be a key without its first line
            files = [part for part in (cert, key) if part and part.startswith(("/", "~", "."))]
            label = " with ".join(files) or "inline PEM"
            reason = "the key is not that of the certificate" if "KEY_VALUES_MISMATCH" in str(exc) else exc
            raise EndpointError(f"client certificate: {label} cannot be used: {reason}") from exc


def _no_password():
    raise ValueError("the key is encrypted; lxdapi asks for no password")


def _pem_file(folder, name, pem):
    if "-----BEGIN" not in pem:
        return os.path.expanduser(pem)
    path = os.path.join(folder, name)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(pem)
    return path
