"""
Objects by name: their paths in the REST API, whether the daemon supports their kind, and reading one.

The instances of a dead cluster member cannot be read: the daemons answer 500, LXD 5.0.2 and Incus 6.0.4 after 10 s. The
list of all instances still shows them, with the status ``Error`` (all three): so an error names the member.
"""

from __future__ import annotations

import copy
import re
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from lxdapi import validation
from lxdapi.errors import (
    APIException,
    APINotFoundException,
    APIProtocolException,
    APITimeoutException,
    InvalidError,
    LxdapiError,
)
from lxdapi.http import retry
from lxdapi.model.cached_reads import current_permission
from lxdapi.model.kinds import KINDS, get_kind

_INSTANCE = re.compile(r"instances/([^/]+)")
_BRIEF_SECONDS = 3

if TYPE_CHECKING:
    from lxdapi.api import API, APIResult
    from lxdapi.model.schema import Kind


def path_of(kind: Kind, name: str, existing: bool = False) -> str:
    """
    Return the REST path of an object, each part of its name checked against its rule and quoted.

    existing
        True: see :func:`lxdapi.validation.check`.
    """
    parts = parts_of(kind, name, existing)
    if kind.decoded_twice:
        parts["name"] = quote(parts["name"], safe="")
    return validation.path(kind.path, **parts)


def parts_of(kind: Kind, name: str, existing: bool = False) -> dict[str, str]:
    """
    Return the parts of a name by the names of their kinds: ``{"storage_pool": "default", "name": "data"}``.

    Raises :class:`InvalidError` for a name that lacks a parent or that the daemon could misread.
    """
    if not kind.parents:
        return {"name": validation.check(kind.rule, kind.label, name, existing)}
    splits = len(kind.parents) if existing and kind.rule in validation.WITH_SLASH else -1
    parts = name.split("/", splits) if isinstance(name, str) else ()
    shape = "/".join([*kind.parents, "name"]).upper()
    if len(parts) != len(kind.parents) + 1:
        raise InvalidError.of_value(f"{kind.label} name", shape, name)
    own_name = validation.check(kind.rule, kind.label, parts[-1], existing)
    kinds = [get_kind(parent) for parent in kind.parents]
    parent_names = [validation.check(parent.rule, parent.label, part, existing) for parent, part in zip(kinds, parts)]
    return dict(zip((*kind.parents, "name"), (*parent_names, own_name)))


def with_parents_of(kind: Kind, name: str, other: str) -> str:
    """Return the name of another object beside the named one: ``other`` may leave the parents out."""
    if not kind.parents or not isinstance(other, str) or "/" in other:
        return other
    return f"{name.rpartition('/')[0]}/{other}"


def unsupported_reason(api: API, kind: Kind) -> str:
    """Return why the daemon cannot have objects of this kind, "" if it can."""
    if kind.cluster.only and not api.clustered:
        return f"the server is not clustered, so it has no {kind.label}"
    if kind.extension is None or api.has(kind.extension):
        return ""
    return f"{daemon_of(api)} does not support the kind {kind.label}: it lacks the API extension {kind.extension}"


def daemon_of(api: API) -> str:
    """Return name and version of the daemon, for a sentence."""
    environment = api.server.get("environment") or {}
    return f"{environment.get('server', 'the daemon')} {environment.get('server_version', '')}".strip()


def require(api: API, kind: Kind) -> None:
    """Raise :class:`InvalidError` if the daemon does not know this kind."""
    reason = unsupported_reason(api, kind)
    if reason:
        raise InvalidError(reason)


def missing_project_reason(api: API) -> str:
    """Return that the project of this API does not exist, as a sentence; "" if it exists."""
    project = api.project or "default"
    # it always exists, but Incus 7.0.2 hides it from https clients that are restricted to other projects
    if project == "default" and api.local:
        return ""
    result = read(api, get_kind("project"), project)
    return "" if result else f"project {project!r} does not exist on {api.address_text}"


def require_project(api: API) -> None:
    """Raise :class:`InvalidError` for a project that does not exist: LXD lists it as empty."""
    reason = missing_project_reason(api)
    if reason:
        raise InvalidError(reason)


def require_fields(api: API, kind: Kind, fields: Any) -> None:
    """Raise :class:`InvalidError` if the daemon does not know one of these fields."""
    for field, extension in kind.extensions.items():
        if _has_field(fields, *field.split(".")) and not api.has(extension):
            reason = f"it lacks the API extension {extension}"
            raise InvalidError(f"{daemon_of(api)} does not support {field} of the kind {kind.label}: {reason}")


def _has_field(fields, field, key=None):
    return field in fields and (key is None or key == fields[field] or any(key in item for item in fields[field]))


def read(api: API, kind: Kind, name: str) -> APIResult | None:
    """
    Return the :class:`lxdapi.api.APIResult` of the object, None if the daemon says 404.

    While a state is planned, the result may come from the cache: see :mod:`lxdapi.model.cached_reads`.
    Raises :class:`InvalidError` if the daemon does not know the kind.
    """
    path = path_of(kind, name, existing=True)
    require(api, kind)
    read_now, permission = partial(get_or_none, api, path), current_permission()
    cache = permission and (permission.cache or api.cache)
    result = cache.get(api, kind, path, read_now) if cache else read_now()
    if result is None:
        return None
    if not isinstance(result.metadata, dict):
        raise APIProtocolException(result, "expected an object in the reply")
    if kind.decoded_twice:
        own_name = parts_of(kind, name, existing=True)["name"]
        if result.metadata.get("name", own_name) != own_name:
            raise APIProtocolException(result, f"expected {name}, got another object")
    # an interface of the host, which the daemon lists like its networks
    return None if result.metadata.get("managed") is False else result


def get_or_none(api: API, path: str) -> APIResult | None:
    """
    Return the result of the GET of an object, None if the daemon says 404.

    In a cluster an error also names the member that the instance is on, and whether that member answers.
    """
    try:
        return _get_instance(api, path) if _INSTANCE.match(path) else api.get(path)
    except APINotFoundException:
        return None


def _get_instance(api, path):
    """
    Return the result of the GET of an instance. An instance on a silent member gets fewer retries than a daemon that
    is "not ready yet", although Incus 6.0.4 answers the same for both, 20 s after the member died.
    """
    brief = copy.copy(api)
    brief.endpoint_pool, brief.retry_timeout = copy.copy(api.endpoint_pool), min(api.retry_timeout, _BRIEF_SECONDS)
    try:
        result = brief.get(path)
    except APINotFoundException:
        api.endpoint_pool.mark_up()
        raise
    except APIException as exc:
        hint = _offline_hint(api, path, exc)
        if hint:
            raise type(exc)(exc.result, f"{exc.error}; {hint}", exc.method, exc.url) from exc
        fleeting = (
            api.endpoint_pool.has_answered if retry.is_unsent(exc) else retry.is_busy(exc) or retry.is_incomplete(exc)
        )
        if brief.retry_timeout == api.retry_timeout or not fleeting:
            raise
        return api.get(path)
    api.endpoint_pool.mark_up()
    return result


def _offline_hint(api, path, exc):
    """Return the location of the instance as a hint for a failure, "" if it does not help."""
    match = _INSTANCE.match(path)
    if not match or not (isinstance(exc, APITimeoutException) or (exc.status or 0) >= 500):
        return ""
    try:
        return _location_hint(api, match[1]) if api.clustered else ""
    except LxdapiError:
        return ""


def _location_hint(api, name):
    listed = api.get(KINDS["instance"].collection, params={"recursion": 1}).metadata
    instance = next((entry for entry in listed if entry["name"] == name), None)
    if instance is None:
        return ""
    hint = f"it is on the cluster member {instance['location']}"
    return f"{hint}, {_member_hint(api, instance['location'])}" if instance["status"] == "Error" else hint


def _member_hint(api, member):
    """Return that a member does not answer, as a clause; the cluster itself notices after 20 s."""
    members = api.get(KINDS["cluster_member"].collection, params={"recursion": 1}).metadata
    entry: dict[str, Any] = next((each for each in members if each["server_name"] == member), {})
    return f"which is offline: {entry['message']}" if entry.get("status") == "Offline" else "which does not answer"
