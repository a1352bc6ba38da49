"""
Discovery of the daemon's endpoint.

An endpoint is a unix socket (``/var/lib/incus/unix.socket`` or ``http+unix://%2Fvar%2F...``) or
``https://host:8443``.
"""

from __future__ import annotations

import logging
import os
import socket
from typing import Mapping
from urllib.parse import quote, unquote, urlsplit

from lxdapi import masking
from lxdapi.errors import EndpointError, InvalidError
from lxdapi.http.deadline_socket import CONNECT_SECONDS

log = logging.getLogger(__name__)

UNIX = "http+unix://"
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
        The path or URL of a socket, or an ``https://`` URL. Default: ``INCUS_SOCKET``, ``INCUS_DIR``, ``LXD_SOCKET``,
        ``LXD_DIR``, otherwise the only well-known socket that accepts a connection.

    Raises :class:`EndpointError` if no daemon answers, or if several do and no setting selects one.
    """
    return base_url(endpoint) if endpoint else _unix_url(_local_socket(os.environ if environ is None else environ))


def find_all(endpoint: str | list[str] | None = None) -> list[str]:
    """Return the base URLs of the endpoint, or of each of a list of the members of one cluster; see :func:`find`."""
    if not isinstance(endpoint, (list, tuple)):
        return [find(endpoint)]
    urls = [base_url(each) for each in endpoint]
    if not urls or len({url.partition("://")[0] for url in urls}) > 1:
        raise InvalidError("endpoint: expected a list of https:// URLs, or of sockets, of the members of one cluster")
    return list(dict.fromkeys(urls))


def base_url(endpoint: str) -> str:
    """Return the endpoint as a base URL; raises :class:`InvalidError` for anything else."""
    if not isinstance(endpoint, str):
        raise InvalidError.of_value("endpoint", "text", endpoint)
    if endpoint.startswith("/"):
        return _unix_url(endpoint)
    try:
        return _join_url(urlsplit(endpoint))
    except ValueError as exc:
        masked = masking.mask_login(endpoint)
        raise InvalidError.of_value("endpoint", "the path of a socket or an https:// URL", masked) from exc


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
        # logged, because the environment of the minion selects the daemon
        log.info("lxdapi: uses the daemon at %s, set by the environment variable %s", path, variable)
        return path
    if named:
        raise EndpointError(
            "the environment names two daemons: "
            + " and ".join(f"{variable}={path}" for variable, path in named.items())
            + "; choose one with an endpoint or a remote"
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
            + "; choose one with the remote 'local' (lxdapi:remotes:local:endpoint) or an endpoint"
        )
    raise EndpointError(
        "no LXD or Incus daemon found: " + ", ".join(f"{path} ({refusal})" for _, path, refusal in tried)
    )
