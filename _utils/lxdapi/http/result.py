"""
The result of one HTTP transaction, and its check for each kind of failure that LXD and Incus have.
"""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Iterator
from urllib.parse import unquote, urlsplit

from lxdapi import masking
from lxdapi.errors import (
    APIConflictException,
    APIException,
    APIForbiddenException,
    APINotFoundException,
    APIOperationException,
    APIPreconditionException,
    APIProtocolException,
    APIUnavailableException,
    InvalidError,
)
from lxdapi.http import operations, transport

if TYPE_CHECKING:
    import requests

    from lxdapi.api import API

# The only paths for which a GET returns something other than JSON.
_RAW = re.compile(
    r"/[\w.]+/(metrics|images/[^/]+/export|storage-pools/.+/backups/[^/]+/export|"
    r"(instances|containers|virtual-machines)/[^/]+/"
    r"(files|console|metadata/templates|logs/.+|backups/[^/]+/export))"
)
_BY_STATUS = {
    403: APIForbiddenException,
    404: APINotFoundException,
    409: APIConflictException,
    412: APIPreconditionException,
    503: APIUnavailableException,
}
# Incus 6.0.4 answers 500 with these texts where LXD answers 403.
_FORBIDDEN_PATTERN = re.compile(r"Certificate is restricted|does not have permission", re.IGNORECASE)


class APIResult:
    """
    One HTTP transaction.

    ``api``, ``request``, ``response``: the API that sent it, and the objects of requests. ``data``: the decoded
    JSON body or None. ``metadata``: its ``metadata``. ``etag``: for If-Match.

    stream_seconds
        The time limit of a request whose reply was not read yet (``stream=True``): JSON is decoded, and the response
        does not keep it. Default: the reply was read.
    """

    def __init__(self, api: API, response: requests.Response, stream_seconds: float | None = None) -> None:
        self.api = api
        self.response = response
        self.request = response.request
        self.etag = response.headers.get("ETag")
        self.data = self._decode(stream_seconds)

    def _decode(self, stream_seconds: float | None) -> dict[str, Any] | None:
        """Return the decoded body; None if it is missing or not JSON."""
        if self.request.method == "HEAD" or "json" not in self.response.headers.get("Content-Type", ""):
            return None
        try:
            if stream_seconds is None:
                data = self.response.json()
            else:
                data = json.loads(transport.read_text(self.response, stream_seconds))
        except ValueError:
            return None
        return data if isinstance(data, dict) else None

    @property
    def metadata(self) -> Any:
        """Return ``data["metadata"]`` or None."""
        return (self.data or {}).get("metadata")

    def error_text(self) -> str:
        """Return the daemon's error message, or a summary of the reply if it has no message."""
        data = self.data or {}
        metadata = self.metadata if isinstance(self.metadata, dict) else {}
        text = data.get("error") or metadata.get("err")
        if isinstance(text, str) and text:
            return text
        return json.dumps(masking.mask_json(data)) if data else f"HTTP {self.response.status_code}"

    def request_summary(self) -> str:
        """Return method, URL and the JSON body that was sent, secrets masked."""
        line = f"{self.request.method} {masking.mask_url(self.request.url)}"
        body = self.request.body
        if body is None:
            return line
        if not isinstance(body, (str, bytes)):
            return f"{line}\n\t(a stream)"
        data = _decode_json(body)
        return f"{line}\n\t({len(body)} bytes)" if data is None else f"{line}\n{_indented_json(data)}"

    def response_summary(self) -> str:
        """Return ``HTTP/<status>`` and the data, secrets masked."""
        line = f"HTTP/{self.response.status_code}"
        return line if self.data is None else f"{line}\n{_indented_json(self.data)}"

    def validate(self) -> None:
        """
        Raise if the transaction failed.

        HTTP status of 400 or more; a body of the type ``error`` whatever the status (Incus answers
        200 for a failed operation); an operation in it that failed; or a reply of something else than the daemon.
        """
        status = self.response.status_code
        if 300 <= status < 400:
            raise APIProtocolException(
                self, f"expected a reply, got a redirect to {self.response.headers.get('Location')}"
            )
        if self._is_raw():
            return
        if not self.data or self.data.get("type") not in ("sync", "async", "error"):
            raise APIProtocolException(self, f"expected the JSON of a daemon, got HTTP {status} with another body")
        if status >= 400 or self.data["type"] == "error":
            raise self._error_class()(self)
        self.validate_metadata(self.data)

    def _is_raw(self):
        """Return True for a successful reply without JSON: HEAD, a file, an export, a log."""
        if self.data is not None or self.response.status_code >= 400:
            return False
        path = urlsplit(self.request.url or "").path
        return self.request.method == "HEAD" or (self.request.method == "GET" and bool(_RAW.fullmatch(path)))

    def _error_class(self):
        status = self.response.status_code
        if status == 500 and _FORBIDDEN_PATTERN.search(self.error_text()):
            return APIForbiddenException
        return _BY_STATUS.get(status, APIOperationException if status < 400 else APIException)

    def validate_metadata(self, data: Any) -> None:
        """Raise if an operation in the nested metadata has a ``status_code`` of 400 or more."""
        inner = data.get("metadata") if isinstance(data, dict) else None
        if not isinstance(inner, dict):
            return
        code = inner.get("status_code")
        if isinstance(code, int) and code >= 400:
            raise APIOperationException(self)
        self.validate_metadata(inner)

    @property
    def operation(self) -> tuple[str, dict[str, str]]:
        """Return (path, query) of the operation that was started, ("", {}) if none was."""
        if not self.data or self.data.get("type") != "async":
            return "", {}
        try:
            return operations.parse_address(self.data.get("operation"))
        except InvalidError as exc:
            raise APIProtocolException(self, str(exc)) from exc

    def wait(self, timeout: float | None = None) -> APIResult:
        """
        Return the result of the finished operation, validated; this result itself without an operation.

        timeout
            Seconds. Default: the API's ``wait_timeout``.

        Raises: see :func:`lxdapi.http.operations.wait`.
        """
        path, query = self.operation
        if not path:
            return self
        seconds = self.api.wait_timeout if timeout is None else timeout
        with self.named_in_errors():
            ended = self._wait(path, query, seconds)
            self._require_same_object(ended)
            return ended

    @contextmanager
    def named_in_errors(self) -> Iterator[None]:
        """Let errors within the block name this request, which started an operation, and the operation."""
        try:
            yield
        except APIException as exc:
            exc.started_by = self.request
            exc.operation = (self.metadata or {}).get("description")
            raise

    def _require_same_object(self, ended):
        """Raise if the successful operation created another object than the requested one."""
        body = _decode_json(self.request.body) if self.request.method == "POST" else None
        if isinstance(body, dict) and isinstance(body.get("name"), str):
            operations.require_about(ended, unquote(urlsplit(self.request.url).path), body["name"])

    def _wait(self, path, query, seconds):
        if self.api.cache is None:
            return operations.wait(self.api, path, query, seconds)
        with self.api.cache.invalidating(self.api, urlsplit(self.request.url).path, _decode_json(self.request.body)):
            return operations.wait(self.api, path, query, seconds)


def _decode_json(body):
    """Return the decoded body of a request, None if it is not JSON."""
    try:
        return json.loads(body) if isinstance(body, (str, bytes)) else None
    except ValueError:
        return None


def _indented_json(data):
    text = json.dumps(masking.mask_json(data), indent=4, sort_keys=True, ensure_ascii=False)
    return "\t" + text.replace("\n", "\n\t")
