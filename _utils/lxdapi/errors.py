"""
The exceptions of lxdapi, one tree.

.. code-block:: text

    salt.exceptions.CommandExecutionError
    └── LxdapiError                          everything that lxdapi raises on purpose
        ├── InvalidError                     refused before any request: a name, a value, a file
        ├── EndpointError                    no daemon found, or more than one and no word which
        └── APIException                     an HTTP transaction that failed
            ├── APINotFoundException         HTTP 404 in the daemon's own words, nothing else
            ├── APIForbiddenException        the daemon knows us and says no
            │   └── APINotTrustedException   the daemon does not know our certificate
            ├── APIConflictException         HTTP 409: it exists already
            ├── APIPreconditionException     HTTP 412: somebody else changed it meanwhile
            ├── APIUnavailableException      HTTP 503: starting, shutting down, no quorum
            ├── APIOperationException        the operation ran and failed
            ├── APIOutcomeUnknownException   the operation vanished: look at the object itself
            ├── APIUndoneException           the daemon accepted a write and did not do all of it
            ├── APIUnappliedException        the daemon saved a write, and something that uses the object refused it
            ├── APIProtocolException         not an answer of LXD or Incus: redirect, HTML, half a reply
            ├── APIConnectionException       no connection, or it broke
            └── APITimeoutException          no answer in time, or an operation that did not end in time
"""

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from salt.exceptions import CommandExecutionError

from lxdapi import masking


class LxdapiError(CommandExecutionError):
    """lxdapi could not do what was asked; the message says why."""

    def __init__(self, message="", info=None):
        super().__init__(masking.mask_url(message), info)

    def explain(self):
        """Return the failure as one sentence."""
        return str(self)


class InvalidError(LxdapiError, ValueError):
    """A name, value, argument or file was refused before any request was sent."""


class EndpointError(LxdapiError):
    """No daemon was found, or several and nothing that selects one."""


class APIException(LxdapiError):
    """
    An HTTP transaction failed.

    result
        The :class:`lxdapi.api.APIResult`, or None where no reply arrived.
    error
        The daemon's own words; taken from the result when not given.
    method, url
        Of the request; taken from the result when not given.

    The attributes ``result``, ``error``, ``method``, ``url``, ``path`` and ``status`` (the HTTP
    status or None) are there for callers; ``str()`` is method, URL and error.
    """

    def __init__(self, result=None, error=None, method=None, url=None):
        request = result.request if result is not None else None
        self.result = result
        self.method = method or (request.method if request is not None else "")
        self.url = masking.mask_url(url or (request.url if request is not None else ""))
        self.status = result.response.status_code if result is not None else None
        text = error if error is not None else result.error_text()
        text = masking.mask_text(text, result.api.secret_values if result is not None else ())
        super().__init__(f"{self.method} {self.url} {text}".strip())
        self.error = masking.mask_url(text)  # after Salt's own class, which has an attribute of this name

    @property
    def path(self):
        """Return the REST path of the request, without the daemon's address and the query."""
        return _path(self.url)

    # The request that started the operation that was waited for.
    started_by: Any = None
    # True if the instance was created and the failure came after that.
    created = False
    # What was written before the failure, or by the write that failed.
    changes = {}

    def explain(self):
        """
        Return the failure as one sentence: the daemon's words, then REST method and path, for an
        operation also those of the request that started it.
        """
        began = self.started_by
        start = f"{began.method} {_path_with_scope(began.url)}, then " if began is not None else ""
        return f"{self.error} ({start}{self.method} {_path_with_scope(self.url)})"


def _path(url):
    return unquote(urlsplit(url).path)


def _path_with_scope(url):
    """Return the path for a sentence: with the project and the member of the cluster, where they are named."""
    query = dict(parse_qsl(urlsplit(url).query))
    scope = [f"{key} {query[key]}" for key in ("project", "target") if query.get(key, "default") != "default"]
    return " of ".join([_path(url), *scope])


class APINotFoundException(APIException):
    """The daemon itself answered 404: the object does not exist."""


class APIForbiddenException(APIException):
    """The daemon refuses this to us; it says nothing about whether the object exists."""


class APINotTrustedException(APIForbiddenException):
    """The daemon does not trust our client certificate, or got none."""


class APIConflictException(APIException):
    """The object exists already (409)."""


class APIPreconditionException(APIException):
    """The object was changed by somebody else since it was read (412)."""


class APIUnavailableException(APIException):
    """The daemon cannot answer now (503); a write may have been done all the same."""


class APIOperationException(APIException):
    """The operation was accepted, ran and failed."""


class APIOutcomeUnknownException(APIException):
    """The operation vanished, and its result is unknown: read the object to find out."""


class APIProtocolException(APIException):
    """What came back is no answer of LXD or Incus."""


class APIUndoneException(APIException):
    """The daemon accepted a write, and did not do all of it."""


class APIUnappliedException(APIException):
    """
    The daemon answered with an error, but the object is as it was written.

    Such as a profile that is saved, and an instance that does not take the change: the error names the instances.
    """

    @classmethod
    def of(cls, error):
        """Return the exception for a refusal after which the object was found as declared."""
        return cls(error.result, error.error, error.method, error.url)


class APIConnectionException(APIException):
    """
    No connection to the daemon, or it broke.

    sent
        False when it is certain that nothing of the request reached the daemon.
    fleeting
        True where nothing but that the daemon does not run was in the way.
    """

    sent = True
    fleeting = False


class APITimeoutException(APIException):
    """No answer within the time allowed, or an operation that did not end within it."""
