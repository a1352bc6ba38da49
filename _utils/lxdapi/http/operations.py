"""
Waits for operations, with a time limit; only an operation counts as a reply.
"""

from __future__ import annotations

import math
import re
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from lxdapi.errors import (
    APIConnectionException,
    APIOperationException,
    APIOutcomeUnknownException,
    APIProtocolException,
    APITimeoutException,
    InvalidError,
)
from lxdapi.http.progress import EVERY, Watch
from lxdapi.http.retry import Backoff

if TYPE_CHECKING:
    from lxdapi.api import API
    from lxdapi.http.result import APIResult

# The limit for one GET of /wait, and the additional seconds for its reply.
_SLICE, _GRACE = 30, 10
# The class "websocket" has shells, and transfers between daemons (all three).
_TRANSFERS = ("Creating instance", "Migrating instance")
# The pause after a daemon answers /wait at once although the operation runs.
_PAUSE = 0.1


def parse_address(text: Any) -> tuple[str, dict[str, str]]:
    """
    Return (path, query) of an operation, from its id, its path or the field ``operation`` of a reply.

    The query matters: Incus and LXD give ``/1.0/operations/ID?project=x`` in clusters and projects.
    """
    if not isinstance(text, str):
        raise InvalidError.of_value("the operation", "an id or a path", text)
    parts = urlsplit(text if "/" in text else f"/1.0/operations/{text}")
    if not re.fullmatch(r"/[\w.]+/operations/[\w-]+", parts.path):
        raise InvalidError.of_value("the operation", "an id or a path (/1.0/operations/ID)", text)
    return parts.path, dict(parse_qsl(parts.query))


def wait(api: API, path: str, query: dict[str, str], seconds: float) -> APIResult:
    """
    Return the result whose metadata is the operation, successfully ended.

    path, query
        See :func:`parse_address`.
    seconds
        The time limit.

    Raises :class:`APIOperationException` if it failed, :class:`APITimeoutException` if it still
    runs after the time, :class:`APIOutcomeUnknownException` if it vanished: the daemon forgets an
    operation 5 s after its end and at a restart.
    """
    with closing(Watch(api, path.rpartition("/")[2])) as watch:
        return _wait_until_done(api, path, query, seconds, watch)


def _wait_until_done(api, path, query, seconds, watch):
    deadline = time.monotonic() + seconds
    while True:
        start = time.monotonic()
        left = max(0.0, deadline - start)
        result = _poll(api, path, query, min(left, EVERY) if watch.is_observed else left)
        watch.show(result.metadata)
        code = result.metadata["status_code"]
        if code >= 400:
            raise APIOperationException(result)
        if code == 200:
            return result
        if time.monotonic() >= deadline:
            raise APITimeoutException(
                result,
                f"the operation is still running after {seconds} s: raise timeout of the call, or wait_timeout of the "
                "remote",
            )
        if time.monotonic() - start < _PAUSE:
            time.sleep(_PAUSE)


def list_running(api: API) -> list[dict[str, Any]]:
    """
    Return the operations of the project that have not ended.

    LXD since 6.8 divides one request for many instances into an operation for each, as children of the first. The
    others answer to ``recursion=2`` as to 1.
    """
    by_status = api.get("operations", params={"recursion": 2}).metadata or {}
    running = [operation for status in ("pending", "running") for operation in by_status.get(status) or ()]
    return running + [child for operation in running for child in operation.get("children") or ()]


def has_operation(api: API, path: str) -> bool:
    """
    Return True if a running operation is about the object of this path, such as ``instances/web1``, or about something
    in it, such as a snapshot of it.
    """
    path = _normalize_path(path)
    paths = {each for operation in list_running(api) if _is_task(operation) for each in object_paths(operation)}
    return any(each == path or each.startswith(f"{path}/") for each in paths)


def _is_task(operation):
    """Return True for an operation that works on an object; an open shell is an operation too."""
    return operation.get("class") == "task" or operation.get("description") in _TRANSFERS


def object_paths(operation: dict[str, Any]) -> set[str]:
    """
    Return the paths of the objects that an operation is about, such as ``instances/web1``, unquoted.

    They are in its ``resources``. LXD since 6.8 leaves these empty, and names the object in the metadata: for a rename
    both the new and the old one.
    """
    metadata = operation.get("metadata") or {}
    paths = [path for group in (operation.get("resources") or {}).values() for path in group or ()]
    paths += filter(None, (metadata.get("entity_url"), metadata.get("original_entity_url")))
    # LXD 5.0.2 also lists its instances as containers
    return {_normalize_path(path.replace("/1.0/", "", 1)).replace("containers/", "instances/", 1) for path in paths}


def _normalize_path(path):
    """Return a path unquoted and without its query; lxdapi quotes the name of a snapshot twice."""
    return unquote(unquote(path.partition("?")[0]))


def require_about(result: APIResult, collection: str, name: str) -> None:
    """
    Raise :class:`APIOutcomeUnknownException` if an operation is about another object, as after a crossed reply.

    result
        The result of the operation, which succeeded.
    collection, name
        The path to which the request was sent, and the name in its body. An operation that names nothing at this path
        proves nothing: some operations do not name the object that they create.
    """
    collection = collection.replace("/1.0/", "", 1)
    beside = {path for path in object_paths(result.metadata) if path.rpartition("/")[0] == collection}
    if beside and f"{collection}/{name}" not in beside:
        text = f"expected an operation about {collection}/{name}, got one about {', '.join(sorted(beside))}"
        raise APIOutcomeUnknownException(result, text)


def wait_until_idle(api: API, path: str) -> None:
    """Wait until no operation is about the object of this path, at most ``wait_timeout`` seconds."""
    backoff = Backoff(api.wait_timeout)
    while has_operation(api, path) and backoff.sleep():
        pass


def _poll(api, path, query, left):
    """
    Return a result whose metadata is the operation, after waiting for its end for one slice at most.

    Incus answers /wait with the same error for a failed operation and for a time-out, and a dead connection has no
    reply: then lxdapi reads the operation itself.
    """
    seconds = min(_SLICE, math.ceil(left))
    try:
        params = {**query, "timeout": seconds}
        result = api.transact("GET", f"{path}/wait", params=params, timeout=seconds + _GRACE)
        if _is_operation(result, path):
            return result
    except (APIConnectionException, APITimeoutException):
        pass
    result = api.transact("GET", path, params=query, timeout=_GRACE)
    if _is_operation(result, path):
        return result
    if result.response.status_code == 404 and result.data:
        raise APIOutcomeUnknownException(result, f"the operation vanished: {result.error_text()}")
    result.validate()
    raise APIProtocolException(result, "expected an operation in the reply")


def _is_operation(result, path):
    """Return True for the operation with this path, False for anything else, such as a crossed reply."""
    data = result.metadata
    if not isinstance(data, dict) or not isinstance(data.get("status_code"), int) or "class" not in data:
        return False
    return data.get("id") in (None, path.rpartition("/")[2])
