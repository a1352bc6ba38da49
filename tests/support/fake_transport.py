"""
A fake daemon: a requests adapter that plays replies and records the requests.

.. code-block:: python

    paper = Paper(started(), finished())
    paper.api.post("images", json={}).wait()
    assert [seen.method for seen in paper.seen] == ["POST", "GET"]

Everything above the adapter is real: requests builds the request and the response.
"""

import io
import json
from typing import NamedTuple, Optional
from urllib.parse import parse_qsl, unquote, urlsplit

from lxdapi.api import API
from lxdapi.http.session import create_session
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse

SOCKET = "http+unix://%2Fpaper.socket"
OPERATION = "/1.0/operations/7f0a4b5c-0a2f-4c62-a7a4-24f6d9f2d0c4"
WORDS = {100: "Operation created", 105: "Pending", 103: "Running", 200: "Success", 400: "Failure", 401: "Cancelled"}


class Reply(NamedTuple):
    """A reply of the fake daemon."""

    status: int
    body: bytes
    headers: dict


class Seen(NamedTuple):
    """A request to the fake daemon."""

    method: str
    url: str
    path: str  # as it is sent: quoted
    query: dict
    headers: dict
    body: Optional[bytes]
    timeout: Optional[float]

    @property
    def json(self):
        """Return the decoded body."""
        return json.loads(self.body)

    @property
    def line(self):
        """Return method and path, the path unquoted."""
        return f"{self.method} {unquote(self.path)}"


def raw(status, body=b"", **headers):
    """Return a reply of any bytes; the names of headers have _ for -."""
    return Reply(status, body, {name.replace("_", "-"): text for name, text in headers.items()})


def page(status):
    """Return the error page of a reverse proxy."""
    return raw(status, b"<html><body>no such thing</body></html>", Content_Type="text/html")


def as_json(data, status=200, **headers):
    """Return a reply of JSON data."""
    return raw(status, json.dumps(data).encode(), Content_Type="application/json", **headers)


def sync(metadata=None, status=200, **headers):
    """Return a successful reply."""
    envelope = {"type": "sync", "status": "Success", "status_code": 200, "operation": "", "error": ""}
    return as_json({**envelope, "error_code": 0, "metadata": metadata}, status, **headers)


def failure(code, words, status=None):
    """Return an error of the daemon; status is the HTTP status if it differs from the code."""
    body = {"type": "error", "status": "", "status_code": 0, "operation": "", "metadata": None}
    return as_json({**body, "error_code": code, "error": words}, status or code)


# the daemon's answer to a GET of a missing object
MISSING = failure(404, "not found")


def operation(code, err="", **more):
    """Return an operation as in the metadata of a reply."""
    facts = {"id": OPERATION.rpartition("/")[2], "class": "task", "description": "Doing", "resources": {}}
    return {**facts, "status": WORDS[code], "status_code": code, "err": err, "metadata": None, **more}


def started(query=""):
    """Return the reply that starts an operation."""
    body = {"type": "async", "status": WORDS[100], "status_code": 100, "error_code": 0, "error": ""}
    return as_json({**body, "operation": OPERATION + query, "metadata": operation(103)}, 202)


def finished(**more):
    """Return the reply of an operation that succeeded."""
    return sync(operation(200, **more))


def late():
    """Return Incus's answer to /wait after the timeout."""
    return failure(500, "context deadline exceeded", status=200)


def server(name="incus", **more):
    """Return the answer to ``GET /1.0``."""
    facts = {"auth": "trusted", "api_extensions": ["etag"], "environment": {"server": name}, **more}
    return sync(facts)


class Paper(HTTPAdapter):
    """
    The transport of a session that plays replies.

    replies
        One for each request, in order. An exception is raised; a function is called with the :class:`Seen`. A single
        function answers everything.
    on_block
        Called after each block of a request's body.
    """

    def __init__(self, *replies, url=SOCKET, on_block=None, **options):
        super().__init__()
        self._replies = list(replies)
        self._on_block = on_block or (lambda: None)
        self.seen = []
        self.blocks = []
        session = create_session(url)
        session.mount(url, self)
        # each reply is for one request, unless the test is about retries
        self.api = API(session, url, **{"retry_timeout": 0, **options})

    @property
    def lines(self):
        """Return method and path of each request."""
        return [seen.line for seen in self.seen]

    @property
    def writes(self):
        """Return method and path of each request other than GET."""
        return [line for line in self.lines if not line.startswith("GET ")]

    def send(self, request, stream=False, timeout=None, verify=True, cert=None, proxies=None):
        parts = urlsplit(request.url)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        body = self._read(request.body)
        headers = dict(request.headers)
        seen = Seen(request.method, request.url, parts.path, query, headers, body, timeout)
        self.seen.append(seen)
        reply = self._reply(seen)
        if isinstance(reply, BaseException):
            raise reply
        stored = {"body": io.BytesIO(reply.body), "headers": reply.headers, "status": reply.status}
        return self.build_response(request, HTTPResponse(**stored, preload_content=False))

    def _reply(self, seen):
        if len(self._replies) == 1 and callable(self._replies[0]):
            return self._replies[0](seen)
        assert self._replies, f"nothing more was expected, but {seen.line} came"
        reply = self._replies.pop(0)
        return reply(seen) if callable(reply) else reply

    def _read(self, body):
        """Return the body as http.client sends it: item by item, a file block by block."""
        if body is None or isinstance(body, (str, bytes)):
            return body.encode() if isinstance(body, str) else body
        whole = []
        for item in body:
            for block in [item] if isinstance(item, bytes) else item.blocks():
                self.blocks.append(len(block))
                whole.append(bytes(block))
                self._on_block()
        return b"".join(whole)
