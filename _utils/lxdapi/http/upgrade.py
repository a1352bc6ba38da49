"""
A connection of our own to the daemon, for SFTP, which begins as a request and is none, and for replies of any length.
"""

from __future__ import annotations

import http.client
import json
import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from lxdapi.errors import APIException, APINotFoundException, APIProtocolException, APITimeoutException
from lxdapi.http import transport

if TYPE_CHECKING:
    from lxdapi.api import API


def dial(api: API) -> socket.socket:
    """Return a connected socket to the daemon; see :func:`lxdapi.http.transport.connect`."""
    return transport.connect(api.session, api.endpoint)


def upgrade(api: API, url: str, protocol: str, seconds: float | None = None) -> socket.socket:
    """
    Return a connected socket on which the daemon speaks a protocol from now on. Closing it is the caller's.

    url
        The path that is asked for it, such as ``instances/web1/sftp``.
    protocol
        The word of the ``Upgrade`` header.
    seconds
        For the answer, and for each wait on the socket afterwards; None: the API's ``timeout``.

    Raises one of :mod:`lxdapi.errors`, with the daemon's words where it refuses.
    """
    headers = {"Connection": "Upgrade", "Upgrade": protocol}
    return _request_upgrade(api, url, None, seconds, headers, http.client.SWITCHING_PROTOCOLS, f"no {protocol} there")[
        0
    ]


class _Head(http.client.HTTPResponse):
    """A reply of which nothing is read beyond its head: what follows is no HTTP, and can have arrived with it."""

    def __init__(self, sock, *args, **kwargs):
        super().__init__(sock, *args, **kwargs)
        self.fp.close()
        self.fp = sock.makefile("rb", buffering=0)


def open_stream(
    api: API, url: str, params: Any = None, seconds: float | None = None
) -> tuple[socket.socket, http.client.HTTPResponse]:
    """
    Return (socket, reply) of a GET; of the reply, an :class:`http.client.HTTPResponse`, nothing but the head was read.
    Closing the socket is the caller's.

    params
        Of the query.
    seconds
        For the answer, and for each wait on the socket afterwards; None: the API's ``timeout``.

    Raises one of :mod:`lxdapi.errors`, with the daemon's words where it refuses.
    """
    return _request_upgrade(api, url, params, seconds, {}, http.client.OK, "no answer")


def _request_upgrade(api, url, params, seconds, headers, expected, otherwise):
    path, params = api.address(url, params)
    place = f"{api.endpoint}{path}"
    seconds = api.timeout if seconds is None else seconds
    sock = dial(api)
    try:
        sock.settimeout(seconds)
        connection = http.client.HTTPConnection("lxd")
        connection.sock = sock
        if expected == http.client.SWITCHING_PROTOCOLS:
            connection.response_class = _Head
        connection.request("GET", path + (f"?{urlencode(params)}" if params else ""), headers=headers)
        response = connection.getresponse()
        _require_status(response, expected, place)
    except socket.timeout as exc:
        sock.close()
        raise APITimeoutException(error=f"no answer within {seconds} s", method="GET", url=place) from exc
    except (OSError, http.client.HTTPException) as exc:
        sock.close()
        raise APIProtocolException(error=f"{otherwise}: {exc}", method="GET", url=place) from exc
    except APIException:
        sock.close()
        raise
    return sock, response


def _require_status(response, expected, place):
    """Raise for any status but the expected one."""
    if response.status == expected:
        return
    kind = APINotFoundException if response.status == http.client.NOT_FOUND else APIException
    raise kind(error=_words(response), method="GET", url=place)


def _words(response):
    try:
        return json.loads(response.read())["error"]
    except (ValueError, KeyError, TypeError):
        return f"HTTP {response.status}"
