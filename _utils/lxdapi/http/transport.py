"""
Sends one request, and converts connection failures into exceptions of lxdapi.
"""

from __future__ import annotations

import codecs
import errno
import logging
import socket
import ssl
from contextlib import contextmanager
from typing import Any, Mapping, NamedTuple
from urllib.parse import unquote, urlsplit

from lxdapi import masking
from lxdapi.errors import APIConnectionException, APIProtocolException, APITimeoutException, InvalidError
from lxdapi.http.deadline_socket import CONNECT_SECONDS
from lxdapi.http.requirements import requests, urllib3

_BLOCK = 64 * 1024
# Errors of connect(), before anything was sent.
_CONNECT_ERRORS = {
    errno.ENOENT: "the socket does not exist: is the daemon running?",
    errno.ECONNREFUSED: "connection refused: is the daemon running?",
    errno.EACCES: "permission denied: connect as root, or as a member of the daemon's group",
    errno.EPERM: "permission denied: connect as root, or as a member of the daemon's group",
    errno.ENOTSOCK: "the path is not a socket: check the endpoint",
    errno.ENOTDIR: "the path of the socket goes through a file that is not a directory: check the endpoint",
    errno.EHOSTUNREACH: "no route to the host: is it up?",
    errno.ENETUNREACH: "the network is unreachable: check the route",
}
# Errors that end when the daemon starts, or its host comes back.
_FLEETING = (errno.ENOENT, errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH)


class _SecretQueries(logging.Filter):
    """Keeps the secrets of queries (of an image, of an operation's websocket) out of what urllib3 logs."""

    def filter(self, record):
        if isinstance(record.args, tuple):
            record.args = tuple(masking.mask_url(each) if isinstance(each, str) else each for each in record.args)
        return True


for _logger in ("urllib3.connectionpool", "urllib3.util.retry"):
    logging.getLogger(_logger).addFilter(_SecretQueries())


def send(session: requests.Session, method: str, url: str, options: dict[str, Any]) -> requests.Response:
    """
    Return requests' response.

    options
        Keyword arguments of :meth:`requests.Session.request`.

    Raises :class:`APITimeoutException`, :class:`APIConnectionException` (``sent`` False if
    nothing can have reached the daemon) or :class:`APIProtocolException`.
    """
    with _as_api_errors(method, url, options):
        return session.request(method, url, **options)


def read_text(response: requests.Response, seconds: float) -> str:
    """
    Return the text of a streamed reply. The response does not keep its body: that of a list can be large.

    seconds
        The time limit of the request, for the error.

    Raises the same exceptions as :func:`send`.
    """
    request = response.request
    with _as_api_errors(request.method, request.url, {"timeout": seconds}):
        return "".join(codecs.iterdecode(response.iter_content(_BLOCK), "utf-8"))


class Reply(NamedTuple):
    """The reply of another server."""

    status: int
    body: bytes
    headers: Mapping[str, str]


def fetch(
    session: requests.Session, url: str, seconds: float, longest: int, headers: Mapping[str, str] | None = None
) -> Reply:
    """
    Return the :class:`Reply` to a GET from another server; redirects are not followed.

    seconds
        The time limit for the whole reply.
    longest
        The largest body in bytes; a longer one is an error.
    headers
        The headers to send. Default: none.

    Raises the same exceptions as :func:`send`.
    """
    options: dict[str, Any] = {
        "timeout": seconds,
        "stream": True,
        "allow_redirects": False,
        "headers": {"Accept-Encoding": "identity", **(headers or {})},
    }
    body = bytearray()
    with _as_api_errors("GET", url, options), session.request("GET", url, **options) as response:
        for block in response.iter_content(_BLOCK):
            body += block
            if len(body) > longest:
                raise APIProtocolException(
                    error=f"expected at most {longest} bytes in the reply", method="GET", url=url
                )
        return Reply(response.status_code, bytes(body), response.headers)


@contextmanager
def _as_api_errors(method, url, options):
    """Convert errors within the block into exceptions of lxdapi."""
    try:
        yield
    except requests.exceptions.ConnectTimeout as exc:
        raise _unreachable_error("the connection timed out: is the server up?", method, url, fleeting=True) from exc
    except requests.exceptions.Timeout as exc:
        raise _timeout_error(method, url, options) from _printable_cause(exc)
    except requests.exceptions.SSLError as exc:
        raise _tls_error(_root(exc), method, url, sent=True) from _printable_cause(exc)
    except (requests.exceptions.ConnectionError, requests.exceptions.ChunkedEncodingError) as exc:
        if _is_timeout(exc):
            raise _timeout_error(method, url, options) from _printable_cause(exc)
        raise _connection_error(exc, method, url) from _printable_cause(exc)
    except (requests.exceptions.RequestException, OSError) as exc:
        raise APIProtocolException(error=str(exc), method=method, url=url) from _printable_cause(exc)
    except (TypeError, RecursionError) as exc:
        raise InvalidError(f"the request cannot be encoded as JSON: {exc}") from exc


def connect(session: requests.Session, endpoint: str) -> socket.socket:
    """
    Return a connected socket for other protocols than HTTP, with the trust of every request: the unix socket, or TLS
    with the pin and the client's certificate. The caller closes it.

    Raises :class:`APIConnectionException`.
    """
    method, url = "the connection to", endpoint
    adapter: Any = session.get_adapter(endpoint)
    try:
        return adapter.dial(endpoint, CONNECT_SECONDS)
    except (OSError, urllib3.exceptions.HTTPError) as exc:
        root = _root(exc)
        if isinstance(root, socket.timeout):
            raise _unreachable_error("the connection timed out: is the server up?", method, url, fleeting=True) from exc
        if isinstance(root, (ssl.SSLError, urllib3.exceptions.SSLError)):
            raise _tls_error(root, method, url, sent=False) from exc
        raise _connection_error(exc, method, url) from exc


def _printable_cause(exc):
    """Return the cause of an error, or None if its message, which a traceback prints, contains a secret."""
    return exc if masking.mask_url(str(exc)) == str(exc) else None


def _timeout_error(method, url, options):
    return APITimeoutException(error=f"no reply within {options['timeout']} s", method=method, url=url)


def _is_timeout(exc):
    """Return True for a time-out in the body of a reply, which requests reports as a connection error."""
    return any(isinstance(inner, urllib3.exceptions.ReadTimeoutError) for inner in exc.args)


def _connection_error(exc, method, url):
    root = _root(exc)
    number = getattr(root, "errno", None)
    text = _CONNECT_ERRORS.get(number or 0)
    if "AF_UNIX path too long" in str(root):
        text = "the path of the socket has more than 107 bytes: use a shorter one"
    if text:
        return _unreachable_error(text, method, url, fleeting=number in _FLEETING)
    return _broken_connection_error(f"the connection broke: {root}", method, url, sent=True)


def _tls_error(root, method, url, sent):
    # imported here, because only remote daemons need it
    from lxdapi.http import tls

    return _broken_connection_error(f"TLS: {tls.explain(root)}", method, url, sent=sent and not tls.is_refusal(root))


def _unreachable_error(text, method, url, fleeting):
    address = unquote(urlsplit(url).netloc)
    error = _broken_connection_error(f"cannot connect to {address}: {text}", method, url, sent=False)
    error.fleeting = fleeting
    return error


def _broken_connection_error(text, method, url, sent):
    error = APIConnectionException(error=text, method=method, url=url)
    error.sent = sent
    return error


def _root(exc):
    """Return the innermost cause: requests and urllib3 wrap it several times."""
    seen = set()
    while id(exc) not in seen:
        seen.add(id(exc))
        inner = [getattr(exc, "reason", None), *reversed(exc.args), exc.__cause__, exc.__context__]
        exc = next((item for item in inner if isinstance(item, BaseException)), exc)
    return exc
