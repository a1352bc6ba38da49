"""
The exceptions of lxdapi, one tree.

.. code-block:: text

    salt.exceptions.CommandExecutionError
    └── LxdapiError                          everything that lxdapi raises on purpose
        ├── InvalidError                     refused before any request: a name, a value, a file
        ├── EndpointError                    no daemon found, or several and no setting that selects one
        └── APIException                     an HTTP transaction that failed
            ├── APINotFoundException         HTTP 404 in the daemon's own words, nothing else
            ├── APIForbiddenException        the daemon knows the client and refuses
            │   └── APINotTrustedException   the daemon does not know the client certificate
            ├── APIConflictException         HTTP 409: the object exists already
            ├── APIPreconditionException     HTTP 412: somebody else changed the object meanwhile
            ├── APIUnavailableException      HTTP 503: starting, shutting down, no quorum
            ├── APIOperationException        the operation ran and failed
            ├── APIOutcomeUnknownException   the operation vanished: read the object to see the outcome
            ├── APIUndoneException           the daemon accepted a write and did not do all of it
            ├── APIUnappliedException        the daemon saved a write, and something that uses the object refused it
            ├── APIProtocolException         not a reply of LXD or Incus: a redirect, HTML, an incomplete reply
            ├── APIConnectionException       no connection, or a broken one
            └── APITimeoutException          no reply in time, or an operation that did not end in time
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from salt.exceptions import CommandExecutionError

from lxdapi import masking, sent_values

# It differs from run to run.
_OPERATION_ID = re.compile(r"/operations/[0-9a-f]{8}-[0-9a-f-]{27}")


class LxdapiError(CommandExecutionError):
    """lxdapi could not do what the caller requested; the message says why."""

    def __init__(self, message="", info=None):
        super().__init__(masking.mask_url(message), info)

    @classmethod
    def of_value(cls, what: str, expected: str, value: Any, secret: bool = False) -> LxdapiError:
        """
        Return the error for an unexpected value: ``expected a mapping for devices, got a list``.

        secret
            True: the error names only the type of the value, which may be secret.
        """
        with_items = expected.startswith("a list") and isinstance(value, (list, tuple))
        return cls(
            f"expected {expected} for {what}, got {_describe_list(value) if with_items else _describe(value, secret)}"
        )

    def explain(self):
        """Return the failure as one sentence."""
        return str(self)


# {type: its name in an error}
_TYPES = {
    **{str: "text", bool: "a boolean", int: "a number", float: "a float", type(None): "null"},
    **{bytes: "binary data", set: "a set", date: "a date", datetime: "a date"},
}


def _describe(value, secret=False):
    """Return a value for a sentence: a number or text as it is, anything else by its type."""
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return "a list"
    if value is None or secret or not isinstance(value, (str, int, float)):
        return _TYPES.get(type(value), "a value of another type")
    return repr(value)


def _describe_list(value):
    """Return a list for a sentence, with the types of its items."""
    numbers = [item for item in value if isinstance(item, (int, float))]
    items = sorted({_describe(item, secret=True) for item in value if not isinstance(item, (int, float))})
    items += [f"{_TYPES[type(item)].removeprefix('a ')} {item}" for item in numbers]
    ending = ": write it in quotes" if numbers else ""
    return f"a list with {' and '.join(items)}{ending}" if items else "an empty list"


def list_some(names: list[str], most: int = 5) -> str:
    """Return the first names for a sentence, and the number of the others: ``a, b and 3 more``."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{more}"


class InvalidError(LxdapiError, ValueError):
    """lxdapi refused a name, value, argument or file before it sent any request."""


class EndpointError(LxdapiError):
    """lxdapi found no daemon, or several and no setting that selects one."""


class APIException(LxdapiError):
    """
    An HTTP transaction failed.

    result
        The :class:`lxdapi.api.APIResult`, or None if no reply arrived.
    error
        The daemon's own words. Default: those of the result.
    method, url
        The method and URL of the request. Default: those of the result.

    Callers may read the attributes ``result``, ``error``, ``method``, ``url``, ``path`` and ``status`` (the HTTP
    status or None); ``str()`` is method, URL, error and hint.
    """

    def __init__(self, result=None, error=None, method=None, url=None):
        request = result.request if result is not None else None
        self.result = result
        self.method = method or (request.method if request is not None else "")
        self.url = masking.mask_url(url or (request.url if request is not None else ""))
        self.status = result.response.status_code if result is not None else None
        text = error if error is not None else result.error_text()
        text = masking.mask_text(text, result.api.secret_values if result is not None else ())
        super().__init__(f"{self.method} {readable_url(self.url)} {text}".strip())
        self.error = masking.mask_url(text)  # after Salt's own class, which has an attribute of this name

    @property
    def path(self):
        """Return the REST path of the request, without the daemon's address and the query."""
        return _path(self.url)

    # The request that started the operation, and the description of the operation; None if no operation failed.
    started_by: Any = None
    operation: str | None = None
    # True if the instance was created and the failure came after that.
    created = False
    # Help beyond the words of the daemon.
    hint = ""
    # The changes before the failure, and those of the write that failed.
    changes = {}

    def __str__(self):
        return f"{super().__str__()}; {self.hint}" if self.hint else super().__str__()

    def explain(self):
        """
        Return the failure as one sentence: the daemon's words, then the REST method and path. For an operation, these
        are of the request that started it, with the description of the operation instead of its id. Then the values
        that the request sent, where the daemon names only their key, or no key.
        """
        request = self.started_by
        method, url = (self.method, self.url) if request is None else (request.method, masking.mask_url(request.url))
        sent = sent_values.describe(request if request is not None else self.result and self.result.request, self.error)
        hint = f"; {self.hint}" if self.hint else ""
        operation = self.operation or _describe_operation(self.result)
        operation = f", operation {operation!r}" if operation else ""
        text = f"{self.error} ({method} {_path_with_scope(url)}{operation}){sent}{hint}"
        return _OPERATION_ID.sub("/operations/ID", text)


def _describe_operation(result):
    """Return the description of the operation in a reply, "" without an operation."""
    metadata = result.metadata if result is not None else None
    if not isinstance(metadata, dict) or not {"class", "resources"} <= set(metadata):
        return ""
    return str(metadata.get("description") or "")


def readable_url(url: str) -> str:
    """Return a URL for a sentence: that of a unix socket with the path of the socket, not percent-encoded."""
    socket, slash, path = url.removeprefix("http+unix://").partition("/")
    return unquote(socket) + slash + path if url.startswith("http+unix://") else url


def _path(url):
    return unquote(urlsplit(url).path)


def _path_with_scope(url):
    """Return the path for a sentence, with the project and the cluster member if the query names them."""
    query = dict(parse_qsl(urlsplit(url).query))
    text = _path(url)
    for key in ("project", "target"):
        if query.get(key, "default") != "default":
            text = f"{text} of {key} {query[key]}"
    return text


class APINotFoundException(APIException):
    """The daemon itself answered 404: the object does not exist."""


class APIForbiddenException(APIException):
    """The daemon denies the client access; whether the object exists is unknown."""


class APINotTrustedException(APIForbiddenException):
    """The daemon does not trust the client certificate, or the client sent no certificate."""


class APIConflictException(APIException):
    """The object exists already (409)."""


class APIPreconditionException(APIException):
    """Somebody else has changed the object since lxdapi read it (412)."""


class APIUnavailableException(APIException):
    """The daemon cannot answer now (503); it may have done a write nevertheless."""


class APIOperationException(APIException):
    """The daemon accepted the operation, ran it, and it failed."""


class APIOutcomeUnknownException(APIException):
    """The operation vanished, and its result is unknown: read the object to find out."""

    hint = "the outcome is unknown: look at the object before you repeat the request"


class APIProtocolException(APIException):
    """The reply does not come from LXD or Incus, or is incomplete."""

    hint = "check which server answers at this address"


class APIUndoneException(APIException):
    """The daemon accepted a write and did not do all of it."""


class APIUnappliedException(APIException):
    """
    The daemon replied with an error, but saved the object as declared.

    An example is a profile whose change an instance does not accept: the error names the instances.
    """

    @classmethod
    def of(cls, error):
        """Return the exception for an error after which the object is as declared."""
        return cls(error.result, error.error, error.method, error.url)


class APIConnectionException(APIException):
    """
    No connection to the daemon, or a broken one.

    sent
        False if the request certainly did not reach the daemon.
    fleeting
        True if the only obstacle is that the daemon does not run.
    """

    sent = True
    fleeting = False


class APITimeoutException(APIException):
    """No reply within the time limit, or an operation that did not end within it."""
