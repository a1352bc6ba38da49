"""
One HTTP transaction with LXD or Incus, judged in one place, and the wait for an operation.

.. code-block:: python

    api = API.factory()                                   # the local daemon
    api.post("images", data=stream).wait()                # an operation, waited for
    api.get("instances/web1").metadata["status"]

When something fails, the transaction can be seen: ``debug=True`` or the environment variable
``DEBUG`` prints each one to standard error, and every exception has the ``result``.
"""

import copy
import json
import os
import re
import sys
from urllib.parse import urlsplit

import lxdapi_endpoint as endpoints
import lxdapi_names as names
import lxdapi_operation as operations
import lxdapi_secrets as secrets
import lxdapi_transport as transport
from lxdapi_errors import (
    APIConflictException,
    APIException,
    APIForbiddenException,
    APINotFoundException,
    APINotTrustedException,
    APIOperationException,
    APIPreconditionException,
    APIProtocolException,
    APIUnavailableException,
    InvalidError,
)

REQUEST_SECONDS = 60
WAIT_SECONDS = 600
# The only paths whose GET answers with something else than JSON.
_RAW = re.compile(
    r"/[\w.]+/(metrics|images/[^/]+/export|storage-pools/.+/backups/[^/]+/export|"
    r"(instances|containers|virtual-machines)/[^/]+/"
    r"(files|console|metadata/templates|logs/.+|backups/[^/]+/export))"
)
# What is in no project: asked for with one, it is the same, or (warnings) nothing.
_ABOVE_PROJECTS = re.compile(r"[\w.]+(/(certificates|cluster|projects|warnings)(/.*)?)?")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_BY_STATUS = {
    403: APIForbiddenException,
    404: APINotFoundException,
    409: APIConflictException,
    412: APIPreconditionException,
    503: APIUnavailableException,
}
# Incus 6.0.4 answers 500 with these words where LXD answers 403.
_FORBIDDEN_WORDS = re.compile(r"Certificate is restricted|does not have permission", re.IGNORECASE)
# requests.Session.request takes these by position, after method and URL.
_REQUEST_ARGUMENTS = (
    *("params", "data", "headers", "cookies", "files", "auth", "timeout", "allow_redirects"),
    *("proxies", "hooks", "stream", "verify", "cert", "json"),
)


class API:
    """
    A connection to one daemon: a session, an endpoint, and what is common to its requests.

    session
        A :class:`requests.Session`; see :func:`lxdapi_endpoint.session`.
    endpoint
        The base URL: ``http+unix://%2Fvar%2Flib%2Flxd%2Funix.socket`` or ``https://host:8443``.
    default_version
        Of the API, for relative paths: ``"1.0"``.
    debug
        True prints every transaction to standard error, secrets masked. The environment variable
        ``DEBUG`` does the same.
    project
        Sent with every request that names none, where there are projects.
    timeout
        Seconds for one request; 60.
    wait_timeout
        Seconds for an operation; 600.
    """

    def __init__(
        self,
        session,
        endpoint,
        default_version=None,
        debug=False,
        project=None,
        timeout=REQUEST_SECONDS,
        wait_timeout=WAIT_SECONDS,
    ):
        self.session = session
        self.endpoint = endpoint.rstrip("/")
        self.default_version = default_version or "1.0"
        self.debug = bool(debug or os.environ.get("DEBUG"))
        self.project = names.check("token", "project", project) if project else None
        self.target = None
        self.timeout = timeout
        self.wait_timeout = wait_timeout
        # The secret values that were sent: no error and no printout of this API holds them.
        self.hidden = set()
        self._server = None

    @classmethod
    def factory(
        cls,
        endpoint=None,
        default_version=None,
        base_url=None,
        cert=None,
        key=None,
        fingerprint=None,
        verify=True,
        **kwargs,
    ):
        """
        Return an API for the local daemon, or for the endpoint given.

        endpoint, base_url
            A socket's path or an ``https://`` URL (two words for one thing). None: see
            :func:`lxdapi_endpoint.find`.
        cert, key, fingerprint, verify
            For https: see :func:`lxdapi_endpoint.session`.
        kwargs
            For :class:`API`.
        """
        url = endpoints.find(endpoint or base_url)
        made = endpoints.session(url, cert=cert, key=key, fingerprint=fingerprint, verify=verify)
        return cls(made, url, default_version, **kwargs)

    def request(self, method, url, *args, **kwargs):
        """
        Return the :class:`APIResult` of one request, validated.

        url
            Relative (``images``), absolute in the API (``/1.0/images``) or full.
        args, kwargs
            For :meth:`requests.Session.request`. Redirects are never followed.

        Raises one of :mod:`lxdapi_errors`.
        """
        result = self.transact(method, url, *args, **kwargs)
        result.validate()
        return result

    def transact(self, method, url, *args, **kwargs):
        """Return the :class:`APIResult` of one request as it came, not validated."""
        kwargs.update(zip(_REQUEST_ARGUMENTS, args))
        url, kwargs["params"] = self._address(url, kwargs.get("params"))
        if kwargs.get("timeout") is None:
            kwargs["timeout"] = self.timeout
        kwargs["allow_redirects"] = False
        for body in (kwargs.get("json"), kwargs.get("data")):
            self.hidden |= secrets.values_of(body)
        try:
            result = APIResult(self, transport.send(self.session, method, url, kwargs))
        except APIException as exc:
            self._print(str(exc))
            raise
        self._print(f"{result.request_summary()}\n{result.response_summary()}")
        return result

    def _print(self, text):
        if self.debug:
            print(secrets.mask_words(text, self.hidden), file=sys.stderr)

    def get(self, url, *args, **kwargs):
        """Return the result of a GET."""
        return self.request("GET", url, *args, **kwargs)

    def head(self, url, *args, **kwargs):
        """Return the result of a HEAD; it has no data."""
        return self.request("HEAD", url, *args, **kwargs)

    def post(self, url, *args, **kwargs):
        """Return the result of a POST."""
        return self.request("POST", url, *args, **kwargs)

    def put(self, url, *args, **kwargs):
        """Return the result of a PUT."""
        return self.request("PUT", url, *args, **kwargs)

    def patch(self, url, *args, **kwargs):
        """Return the result of a PATCH."""
        return self.request("PATCH", url, *args, **kwargs)

    def delete(self, url, *args, **kwargs):
        """Return the result of a DELETE."""
        return self.request("DELETE", url, *args, **kwargs)

    def at(self, target):
        """Return this API for one member of the cluster: ``target`` is sent with every request."""
        other = copy.copy(self)
        other.target = names.check("token", "cluster member", target)
        return other

    @property
    def server(self):
        """Return what ``GET /1.0`` says of the server, asked once; raises if it does not trust us."""
        if self._server is None:
            result = self.get("")
            if not isinstance(result.metadata, dict):
                raise APIProtocolException(result, "this says nothing of a server")
            if result.metadata.get("auth") != "trusted":
                raise APINotTrustedException(result, "the daemon does not trust this client")
            self._server = result.metadata
        return self._server

    @property
    def dialect(self):
        """Return the word in the daemon's own headers: ``Incus`` or ``LXD``."""
        return "Incus" if self.server["environment"]["server"] == "incus" else "LXD"

    @property
    def clustered(self):
        """Return True if the server is a member of a cluster."""
        return bool((self.server.get("environment") or {}).get("server_clustered"))

    def has(self, extension):
        """Return True if the daemon has this API extension."""
        return extension in self.server["api_extensions"]

    def _address(self, url, params):
        """Return (full URL, parameters) of a path that is relative, absolute or full."""
        if not isinstance(url, str):
            raise InvalidError(f"URL {url!r} is not text")
        if _URL.match(url):
            if not url.startswith(self.endpoint + "/"):
                raise InvalidError(f"{url} is not at {self.endpoint}")
            url = url[len(self.endpoint) :]
        path, query = names.raw_path(url)
        if not url.startswith("/"):
            path = f"{self.default_version}/{path}".rstrip("/")
        params = {**query, **_mapping(params)}
        if self.project and not _ABOVE_PROJECTS.fullmatch(path) and not {"project", "all-projects"} & set(params):
            params["project"] = self.project
        if self.target and path.split("/")[1:2] != ["operations"]:
            params.setdefault("target", self.target)
        return f"{self.endpoint}/{path}", params


class APIResult:
    """
    One HTTP transaction.

    ``api``, ``request``, ``response``: who made it, and requests' own objects. ``data``: the decoded
    JSON body, None where there is none. ``metadata``: its ``metadata``. ``etag``: for If-Match.
    """

    def __init__(self, api, response):
        self.api = api
        self.response = response
        self.request = response.request
        self.etag = response.headers.get("ETag")
        self.data = self._decoded()

    def _decoded(self):
        """Return the decoded body; None where there is none, or where it is not JSON."""
        if self.request.method == "HEAD" or "json" not in self.response.headers.get("Content-Type", ""):
            return None
        try:
            data = self.response.json()
        except ValueError:
            return None
        return data if isinstance(data, dict) else None

    @property
    def metadata(self):
        """Return ``data["metadata"]``, None where there is none."""
        return (self.data or {}).get("metadata")

    def words(self):
        """Return the daemon's own words on what went wrong, or what came instead of them."""
        found = self.data or {}
        inner = self.metadata if isinstance(self.metadata, dict) else {}
        words = found.get("error") or inner.get("err")
        if isinstance(words, str) and words:
            return words
        return json.dumps(secrets.mask_json(found)) if found else f"HTTP {self.response.status_code}"

    def request_summary(self):
        """Return method, URL and the JSON body that was sent, secrets masked."""
        line = f"{self.request.method} {secrets.mask_url(self.request.url)}"
        body = self.request.body
        if body is None:
            return line
        if not isinstance(body, (str, bytes)):
            return f"{line}\n\t(a stream)"
        try:
            return f"{line}\n{_printed(json.loads(body))}"
        except ValueError:
            return f"{line}\n\t({len(body)} bytes)"

    def response_summary(self):
        """Return ``HTTP/<status>`` and the data, secrets masked."""
        line = f"HTTP/{self.response.status_code}"
        return line if self.data is None else f"{line}\n{_printed(self.data)}"

    def validate(self):
        """
        Raise if the transaction failed in any of the ways that LXD and Incus have.

        HTTP status of 400 or more; a body of the type ``error`` whatever the status (Incus answers
        200 for a failed operation); an operation in it that failed; or no answer of theirs at all.
        """
        status = self.response.status_code
        if 300 <= status < 400:
            raise APIProtocolException(self, f"redirected to {self.response.headers.get('Location')}")
        if self._is_raw():
            return
        if not self.data or self.data.get("type") not in ("sync", "async", "error"):
            raise APIProtocolException(self, f"HTTP {status} with a body that is not the daemon's JSON")
        if status >= 400 or self.data["type"] == "error":
            raise self._failure()(self)
        self.validate_metadata(self.data)

    def _is_raw(self):
        """Return True for a good reply without JSON: HEAD, a file, an export, a log."""
        if self.data is not None or self.response.status_code >= 400:
            return False
        path = urlsplit(self.request.url).path
        return self.request.method == "HEAD" or (self.request.method == "GET" and bool(_RAW.fullmatch(path)))

    def _failure(self):
        status = self.response.status_code
        if status == 500 and _FORBIDDEN_WORDS.search(self.words()):
            return APIForbiddenException
        return _BY_STATUS.get(status, APIOperationException if status < 400 else APIException)

    def validate_metadata(self, data):
        """Raise if an operation in the nested metadata has a ``status_code`` of 400 or more."""
        inner = data.get("metadata") if isinstance(data, dict) else None
        if not isinstance(inner, dict):
            return
        code = inner.get("status_code")
        if isinstance(code, int) and code >= 400:
            raise APIOperationException(self)
        self.validate_metadata(inner)

    @property
    def operation(self):
        """Return (path, query) of the operation that was started, ("", {}) if none was."""
        if not self.data or self.data.get("type") != "async":
            return "", {}
        try:
            return operations.address(self.data.get("operation"))
        except InvalidError as exc:
            raise APIProtocolException(self, str(exc)) from exc

    def wait(self, timeout=None):
        """
        Return the result of the finished operation, validated; this result if there is none.

        timeout
            Seconds; None: the API's ``wait_timeout``.

        Raises: see :func:`lxdapi_operation.wait`.
        """
        path, query = self.operation
        if not path:
            return self
        seconds = self.api.wait_timeout if timeout is None else timeout
        try:
            return operations.wait(self.api, path, query, seconds)
        except APIException as exc:
            exc.started_by = self.request
            raise


def _mapping(params):
    """Return query parameters as a mapping, in whichever form requests takes them."""
    try:
        return dict(params or {})
    except (TypeError, ValueError):
        raise InvalidError(f"params {params!r}: a mapping is needed") from None


def _printed(data):
    text = json.dumps(secrets.mask_json(data), indent=4, sort_keys=True, ensure_ascii=False)
    return "\t" + text.replace("\n", "\n\t")


__all__ = ["API", "APIException", "APINotFoundException", "APIResult"]
