"""
Connections outside the session: upgraded to SFTP, or for replies of any length.
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
    Return a connected socket that the daemon has upgraded to a protocol. The caller closes it.

    url
        The path of the request, such as ``instances/web1/sftp``.
    protocol
        The value of the ``Upgrade`` header.
    seconds
        The time limit for the reply, and for each later wait on the socket. Default: the API's ``timeout``.

    Raises one of :mod:`lxdapi.errors`, with the daemon's words if it refuses.
    """
    headers = {"Connection": "Upgrade", "Upgrade": protocol}
    return _request_upgrade(
        api, url, None, seconds, headers, http.client.SWITCHING_PROTOCOLS, f"the daemon did not switch to {protocol}"
    )[0]


class _Head(http.client.HTTPResponse):
    """A reply that is read only to the end of its head: the data after it, maybe in the same packet, is not HTTP."""

    def __init__(self, sock, *args, **kwargs):
        super().__init__(sock, *args, **kwargs)
        self.fp.close()
        self.fp = sock.makefile("rb", buffering=0)


def open_stream(
    api: API, url: str, params: Any = None, seconds: float | None = None
) -> tuple[socket.socket, http.client.HTTPResponse]:
    """
    Return (socket, reply) of a GET; only the head of the reply, an :class:`http.client.HTTPResponse`, has been read.
    The caller closes the socket.

    params
        The parameters of the query.
    seconds
        The time limit for the reply, and for each later wait on the socket. Default: the API's ``timeout``.

    Raises one of :mod:`lxdapi.errors`, with the daemon's words if it refuses.
    """
    return _request_upgrade(api, url, params, seconds, {}, http.client.OK, "no reply")


def _request_upgrade(api, url, params, seconds, headers, expected, failure):
    path, params = api.address(url, params)
    address = f"{api.endpoint}{path}"
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
        _require_status(response, expected, address)
    except socket.timeout as exc:
        sock.close()
        raise APITimeoutException(
            error=f"no reply within {seconds} s: is the daemon overloaded?", method="GET", url=address
        ) from exc
    except (OSError, http.client.HTTPException) as exc:
        sock.close()
        raise APIProtocolException(error=f"{failure}: {exc}", method="GET", url=address) from exc
    except APIException:
        sock.close()
        raise
    return sock, response


def _require_status(response, expected, address):
    """Raise for any status but the expected one."""
    if response.status == expected:
        return
    error_class = APINotFoundException if response.status == http.client.NOT_FOUND else APIException
    raise error_class(error=_error_text(response), method="GET", url=address)


def _error_text(response):
    try:
        return json.loads(response.read())["error"]
    except (ValueError, KeyError, TypeError):
        return f"HTTP {response.status}"
