"""
Connections to the unix socket of a daemon.
"""

from __future__ import annotations

import socket
from typing import Any
from urllib.parse import unquote, urlsplit

from lxdapi import concurrency
from lxdapi.http import deadline_socket
from lxdapi.http.endpoints import UNIX
from lxdapi.http.requirements import UnixAdapter, UnixHTTPConnection, UnixHTTPConnectionPool, urllib3
from lxdapi.http.upload import BLOCK, Slice


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
        # the pool of requests-unixsocket 0.4.1 keeps only one connection
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
                self.pools[base] = _SocketPool(base, deadline_socket.CONNECT_SECONDS)
            return self.pools[base]

    @staticmethod
    def dial(url: str, seconds: float) -> socket.socket:
        """Return a connected socket; see :func:`lxdapi.http.transport.connect`."""
        return _connect(url, socket.socket, seconds)
