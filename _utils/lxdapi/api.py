"""
The HTTP client of LXD and Incus: it sends requests, checks the replies, and waits for operations.

.. code-block:: python

    api = API.factory()                                   # the local daemon
    api.post("images", data=stream).wait()                # starts an operation and waits for it
    api.get("instances/web1").metadata["status"]

To examine a failure: ``debug=True`` or the environment variable ``DEBUG`` prints each transaction to standard
error, and every exception has the ``result``.
"""

from __future__ import annotations

import copy
import os
import re
import sys
import threading
from typing import TYPE_CHECKING, Any, Callable

from lxdapi import masking, validation
from lxdapi.errors import (
    APIConnectionException,
    APIException,
    APINotFoundException,
    APINotTrustedException,
    APIProtocolException,
    InvalidError,
    readable_url,
)
from lxdapi.http import endpoints, retry, transport
from lxdapi.http.result import APIResult
from lxdapi.http.session import create_session

if TYPE_CHECKING:
    import requests

REQUEST_SECONDS = 60
WAIT_SECONDS = 600
# Paths of objects outside projects: with a project the daemon returns the same, or nothing (warnings).
_ABOVE_PROJECTS = re.compile(r"[\w.]+(/(certificates|cluster|projects|warnings)(/.*)?)?")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
# The positional parameters of requests.Session.request after method and URL.
_REQUEST_ARGUMENTS = (
    *("params", "data", "headers", "cookies", "files", "auth", "timeout", "allow_redirects"),
    *("proxies", "hooks", "stream", "verify", "cert", "json"),
)


class API:
    """
    A connection to one daemon: a session, an endpoint, and the options of every request.

    session
        A :class:`requests.Session`; see :func:`lxdapi.http.session.create_session`.
    endpoint
        The base URL: ``http+unix://%2Fvar%2Flib%2Flxd%2Funix.socket`` or ``https://host:8443``.
    default_version
        The version of the API, for relative paths. Default: ``"1.0"``.
    debug
        True prints every transaction to standard error, secrets masked. The environment variable
        ``DEBUG`` does the same.
    project
        Sent with every request that names no project, if its path belongs to a project.
    timeout
        Seconds for one request. Default: 60.
    wait_timeout
        Seconds for an operation. Default: 600.
    retry_timeout
        Seconds within which lxdapi repeats a request that the daemon cannot do yet. Default: 20. See
        :mod:`lxdapi.http.retry`.
    """

    def __init__(
        self,
        session: requests.Session,
        endpoint: str | list[str],
        default_version: str | None = None,
        debug: bool = False,
        project: str | None = None,
        timeout: float = REQUEST_SECONDS,
        wait_timeout: float = WAIT_SECONDS,
        retry_timeout: float = retry.RETRY_SECONDS,
    ) -> None:
        self.session = session
        self.endpoint_pool = EndpointPool([endpoint] if isinstance(endpoint, str) else endpoint)
        self.default_version = default_version or "1.0"
        self.debug = bool(debug or os.environ.get("DEBUG"))
        self.project = None if project is None else validation.check("token", "project", project)
        self.target: str | None = None
        self.timeout = timeout
        self.wait_timeout = wait_timeout
        self.retry_timeout = retry_timeout
        # The secret values in requests, and the marked ones in replies: errors and printouts of this API mask them.
        self.secret_values: set[str] = set()
        # Called with the id of an operation and its progress; None: no callback.
        self.on_progress: Callable[[str, dict[str, Any]], Any] | None = None
        # The :class:`lxdapi.model.read_cache.ReadCache` of the run; None outside of a run.
        self.cache: Any = None
        # Names of image servers beside those of :mod:`lxdapi.images.servers`, with their settings.
        self.image_servers: dict[str, Any] = {}
        # The reply to GET /1.0. Copies of this API and threads share it; only one of them asks.
        self._known: dict[str, Any] = {}
        self._asking = threading.RLock()

    @classmethod
    def factory(
        cls,
        endpoint: str | list[str] | None = None,
        default_version: str | None = None,
        base_url: str | list[str] | None = None,
        cert: str | None = None,
        key: str | None = None,
        fingerprint: str | None = None,
        verify: bool | str = True,
        **kwargs: Any,
    ) -> API:
        """
        Return an API for the local daemon, or for the given endpoint.

        endpoint, base_url
            The path of a socket, an ``https://`` URL, or a list of URLs of the members of one cluster: lxdapi uses the
            first that answers. Both parameters mean the same. Default: see
            :func:`lxdapi.http.endpoints.find`.
        cert, key, fingerprint, verify
            For https: see :func:`lxdapi.http.session.create_session`.
        kwargs
            For :class:`API`.
        """
        urls = endpoints.find_all(base_url if endpoint in (None, "") else endpoint)
        session = create_session(urls[0], cert=cert, key=key, fingerprint=fingerprint, verify=verify)
        return cls(session, urls, default_version, **kwargs)

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> APIResult:
        """
        Return the :class:`APIResult` of one request, validated.

        url
            Relative (``images``), absolute in the API (``/1.0/images``) or full.
        args, kwargs
            For :meth:`requests.Session.request`. Redirects are never followed.

        Raises one of :mod:`lxdapi.errors`.
        """
        result = self.transact(method, url, *args, **kwargs)
        result.validate()
        return result

    def transact(self, method: str, url: str, *args: Any, **kwargs: Any) -> APIResult:
        """
        Return the :class:`APIResult` of one request without validating it. :mod:`lxdapi.http.retry` decides
        whether the request is repeated, within the one time limit.
        """
        kwargs.update(zip(_REQUEST_ARGUMENTS, args))
        path, kwargs["params"] = self.address(url, kwargs.get("params"))
        seconds = self.timeout if kwargs.get("timeout") is None else kwargs["timeout"]
        kwargs["allow_redirects"] = False
        for body in (kwargs.get("json"), kwargs.get("data")):
            self.secret_values |= masking.values_of(body)
        resendable = isinstance(kwargs.get("data") or "", (str, bytes, dict))

        def exchange(left):
            return self._exchange(method, path, {**kwargs, "timeout": left})

        if self.cache is not None:
            self.cache.requests += 1
        if method in retry.READS or self.cache is None:
            return retry.send_with_retries(self, method, exchange, seconds, resendable)
        with self.cache.invalidating(self, path, kwargs.get("json")):
            return retry.send_with_retries(self, method, exchange, seconds, resendable)

    def _exchange(self, method, path, options):
        try:
            response = transport.send(self.session, method, self.endpoint + path, options)
            result = APIResult(self, response, options["timeout"] if options.get("stream") else None)
        except APIException as exc:
            if self.debug:
                self._print(str(exc))
            raise
        self.secret_values |= masking.marked_values(result.data)
        if self.debug:  # formatting 200 instances takes longer than the request
            self._print(f"{result.request_summary()}\n{result.response_summary()}")
        return result

    def _print(self, text):
        print(masking.mask_text(text, self.secret_values), file=sys.stderr)

    def get(self, url: str, *args: Any, **kwargs: Any) -> APIResult:
        """Return the result of a GET."""
        return self.request("GET", url, *args, **kwargs)

    def head(self, url: str, *args: Any, **kwargs: Any) -> APIResult:
        """Return the result of a HEAD; it has no data."""
        return self.request("HEAD", url, *args, **kwargs)

    def post(self, url: str, *args: Any, **kwargs: Any) -> APIResult:
        """Return the result of a POST."""
        return self.request("POST", url, *args, **kwargs)

    def put(self, url: str, *args: Any, **kwargs: Any) -> APIResult:
        """Return the result of a PUT."""
        return self.request("PUT", url, *args, **kwargs)

    def patch(self, url: str, *args: Any, **kwargs: Any) -> APIResult:
        """Return the result of a PATCH."""
        return self.request("PATCH", url, *args, **kwargs)

    def delete(self, url: str, *args: Any, **kwargs: Any) -> APIResult:
        """Return the result of a DELETE."""
        return self.request("DELETE", url, *args, **kwargs)

    @property
    def endpoint(self) -> str:
        """Return the base URL of the next request."""
        return self.endpoint_pool.endpoint

    @property
    def address_text(self) -> str:
        """Return :attr:`endpoint` for a sentence: the path of a socket, or a URL."""
        return readable_url(self.endpoint)

    @property
    def local(self) -> bool:
        """Return True if lxdapi connects to the daemon's unix socket."""
        return self.endpoint.startswith(endpoints.UNIX)

    def at(self, target: str) -> API:
        """Return this API for one member of the cluster: ``target`` is sent with every request."""
        other = copy.copy(self)
        other.target = validation.check("token", "cluster member", target)
        other._known = dict(self._known)
        return other

    def without_target(self) -> API:
        """Return this API for the whole cluster."""
        other = copy.copy(self)
        other.target = None
        return other

    def without_retries(self) -> API:
        """Return this API without repetitions."""
        other = copy.copy(self)
        other.retry_timeout = 0
        return other

    @property
    def server(self) -> dict[str, Any]:
        """Return the metadata of ``GET /1.0``, requested once; raises if the server does not trust the client."""
        with self._asking:
            if "server" not in self._known:
                self._known["server"] = self._read_server()
            return self._known["server"]

    def _read_server(self):
        result = self.get("")
        if not isinstance(result.metadata, dict):
            raise APIProtocolException(result, "expected the description of a server in the reply")
        if result.metadata.get("auth") != "trusted":
            raise APINotTrustedException(
                result, "the daemon does not trust this client; add its certificate, or use a trust token"
            )
        return result.metadata

    @property
    def dialect(self) -> str:
        """Return the name in the daemon's own headers: ``Incus`` or ``LXD``."""
        return "Incus" if self.server["environment"]["server"] == "incus" else "LXD"

    @property
    def identity(self) -> str | None:
        """Return the fingerprint that identifies this server; None if not read yet, or in a cluster."""
        environment = (self._known.get("server") or {}).get("environment") or {}
        return None if environment.get("server_clustered") else environment.get("certificate_fingerprint") or None

    @property
    def clustered(self) -> bool:
        """Return True if the server is a member of a cluster."""
        return bool((self.server.get("environment") or {}).get("server_clustered"))

    def has_restarted(self) -> bool:
        """Return True if the daemon was restarted after :attr:`server` was read."""
        before = self._server_pid
        self.forget()
        return self._server_pid != before

    @property
    def _server_pid(self):
        return (self.server.get("environment") or {}).get("server_pid")

    def forget(self) -> None:
        """Forget :attr:`server`, so that it is read again: the server has changed."""
        with self._asking:
            self._known.clear()

    def has(self, extension: str) -> bool:
        """Return True if the daemon has this API extension."""
        return extension in self.server["api_extensions"]

    def address(self, url: str, params: Any = None) -> tuple[str, dict[str, Any]]:
        """Return (absolute path, parameters) of a path that is relative, absolute or full."""
        if not isinstance(url, str):
            raise InvalidError.of_value("the URL", "text", url)
        if _URL.match(url):
            url = self.endpoint_pool.path_of(url)
        path, query = validation.raw_path(url)
        if not url.startswith("/"):
            path = f"{self.default_version}/{path}".rstrip("/")
        params = {**query, **_mapping(params)}
        if self.project and not _ABOVE_PROJECTS.fullmatch(path) and not {"project", "all-projects"} & set(params):
            params["project"] = self.project
        if self.target and path.split("/")[1:2] != ["operations"]:
            params.setdefault("target", self.target)
        return f"/{path}", params


class EndpointPool:
    """
    The addresses of one daemon, or of the members of one cluster: any of them can be used.

    ``has_answered``: one of them has answered; the client does not wait for a daemon that never answered.
    ``degraded``: the last request failed after all its repetitions; the client does not wait until a request succeeds.
    """

    def __init__(self, endpoints: list[str]) -> None:
        self._endpoints = [endpoint.rstrip("/") for endpoint in endpoints]
        self._tried = 0
        self.has_answered = self.degraded = False

    @property
    def endpoint(self) -> str:
        """Return the current base URL."""
        return self._endpoints[0]

    @property
    def has_untried(self) -> bool:
        """Return True if there is an address that has not been tried since the last answer."""
        return self._tried < len(self._endpoints) - 1

    def fail_over(self, error: APIException) -> bool:
        """Go on to the next address after a failure to reach this one; return False if every address failed."""
        if not self.has_untried or not isinstance(error, APIConnectionException):
            return False
        self._tried += 1
        self._endpoints.append(self._endpoints.pop(0))
        return True

    def mark_up(self) -> None:
        """Note that the daemon answered."""
        self.has_answered, self._tried = True, 0

    def path_of(self, url: str) -> str:
        """Return the path of a full URL; raises :class:`InvalidError` for the URL of another server."""
        for endpoint in self._endpoints:
            if url.startswith(endpoint + "/"):
                return url[len(endpoint) :]
        raise InvalidError(f"{url} belongs to another server than {readable_url(self.endpoint)}; use a relative path")


def _mapping(params):
    """Return query parameters as a mapping, from any form that requests accepts."""
    try:
        return dict(params or {})
    except (TypeError, ValueError):
        raise InvalidError.of_value("params", "a mapping", params, secret=True) from None


__all__ = ["API", "APIException", "APINotFoundException", "APIResult"]
