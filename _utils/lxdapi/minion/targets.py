"""
Targets without a minion: the instances that a minion offers as resources of Salt 3008, or the one of a proxy minion.

The fronts pass their globals; nothing here uses Salt's dunders directly.
"""

import logging
import time
from fnmatch import fnmatchcase
from typing import NamedTuple

from lxdapi import validation
from lxdapi.errors import InvalidError, LxdapiError
from lxdapi.fleet import listing
from lxdapi.minion import connection, minion_ids, remotes, salt_sessions
from lxdapi.model import objects
from lxdapi.model.kinds import KINDS
from lxdapi.salt_inside import start
from lxdapi.salt_inside.session import require_running

log = logging.getLogger(__name__)

TYPE = "lxdapi"
# The settings below resources:lxdapi, and those of a proxy minion.
RESOURCE_SETTINGS = ("id", "names", "projects", "python", "remotes")
PROXY_SETTINGS = ("instance", "project", "proxytype", "python", "remote")
_KEY = f"{salt_sessions.PROXY_TYPE}:targets"
# A list serves several calls of one job.
_FRESH_SECONDS = 5
# The minion lists its targets when it starts and before each job: it must not wait for a dead daemon.
_REQUEST_SECONDS = 10
_TESTABLE = ("state.apply", "state.highstate", "state.single", "state.sls", "state.sls_id")


class Target(NamedTuple):
    """An instance that Salt addresses by a minion id, and its metadata in the list."""

    instance: str
    remote: object
    project: object
    python: str
    metadata: dict


def grains(names):
    """Return ``{minion id: grains}`` of all targets, from one list for each remote and project."""
    return {minion_id: _grains(minion_id, target) for minion_id, target in _targets(names).items()}


def _grains(minion_id, target):
    metadata, remote = target.metadata, target.remote
    config = metadata.get("config") or {}
    image = {key[len("image.") :]: value for key, value in config.items() if key.startswith("image.")}
    instance = {
        **{key: metadata.get(key) for key in ("name", "type", "status", "profiles", "location")},
        "project": metadata.get("project") or target.project or "default",
        "remote": remote or remotes.LOCAL,
        "image": image,
    }
    known = {"os": image.get("os"), "cpuarch": metadata.get("architecture")}
    return {"id": minion_id, **{key: value for key, value in known.items() if value}, "lxdapi": instance}


def call(names, minion_id, function, args, kwargs):
    """Return the result of a function of Salt inside a target; its exit code becomes that of the call."""
    target, kwargs = _find(names, minion_id), dict(kwargs)
    if function in _TESTABLE and names["__opts__"].get("test"):
        kwargs.setdefault("test", True)
    where = (target.python, target.remote, target.project)
    return salt_sessions.call(names, target.instance, function, args, kwargs, *where, minion_id=minion_id)


def ping(names, minion_id):
    """Return True if the instance of a target runs; raises an error that says why it does not."""
    target = _find(names, minion_id)
    api = connection.connect(names, target.remote, target.project)
    require_running(target.instance, api.get(objects.path_of(KINDS["instance"], target.instance)))
    return True


def _find(names, minion_id):
    targets = _targets(names)
    if minion_id not in targets:
        raise InvalidError(f"no target has the minion id {minion_id!r}: lxdapi_target.grains lists the targets")
    return targets[minion_id]


def _targets(names):
    """Return ``{minion id: Target}``."""
    if salt_sessions.is_proxy(names):
        return _of_proxy(names["__opts__"])
    context, now = names["__context__"], time.monotonic()
    read_at, targets = context.get(_KEY, (0, None))
    if targets is None or now - read_at > _FRESH_SECONDS:
        targets = _list(names, _resource_settings(names))
        context[_KEY] = (now, targets)
    return targets


def _of_proxy(opts):
    settings = opts["proxy"]
    validation.require_known("proxy", settings, PROXY_SETTINGS, "setting")
    instance, python = settings.get("instance", opts["id"]), start.parse_python(settings.get("python", start.AUTO))
    return {opts["id"]: Target(instance, settings.get("remote"), settings.get("project"), python, {"name": instance})}


def _resource_settings(names):
    opts = names["__opts__"]
    key = opts.get("resource_pillar_key") or "resources"
    settings = (names["__pillar__"].get(key) or {}).get(TYPE)
    where = f"{key}:{TYPE}"
    settings = validation.mapping(where, settings or {}, "a mapping of settings")
    validation.require_known(where, settings, RESOURCE_SETTINGS, "setting")
    return settings


def _list(names, settings):
    found, failures = {}, []
    for remote in _texts("remotes", settings):
        for project in _texts("projects", settings):
            try:
                _add(found, names, settings, remote, project)
            except InvalidError:
                raise
            except LxdapiError as exc:  # the targets of the other remotes remain
                failures.append(exc)
                log.warning("lxdapi: cannot list the targets of remote %s: %s", remote or remotes.LOCAL, exc)
    if failures and not found:
        raise failures[0]
    return found


def _add(found, names, settings, remote, project):
    api = connection.connect(names, remote, project).without_retries()
    api.timeout = min(api.timeout, _REQUEST_SECONDS)
    patterns, python = _texts("names", settings), start.parse_python(settings.get("python", start.AUTO))
    for name, metadata in sorted(listing.list_instances(api).items()):
        if not any(fnmatchcase(name, pattern or "*") for pattern in patterns):
            continue
        minion_id = _minion_id(settings, name, metadata, remote)
        if minion_id == names["__opts__"]["id"]:  # Salt would send the jobs of this minion to the instance
            log.warning("lxdapi: instance %s does not become a target: this minion has the same id", name)
            continue
        if minion_id in found:
            raise InvalidError(f"two instances have the minion id {minion_id}: add {{remote}} or {{project}} to id")
        found[minion_id] = Target(name, remote, project, python, metadata)


def _minion_id(settings, name, metadata, remote):
    fields = {"name": name, "project": metadata.get("project") or "default", "remote": remote or remotes.LOCAL}
    return minion_ids.format_id("id", settings.get("id", minion_ids.DEFAULT), fields)


def _texts(key, settings):
    """Return the list of texts of a setting, which can be a single one; None alone stands for the default."""
    value = settings.get(key)
    listed = value if isinstance(value, list) else [value]
    if not listed or not all(each is None or isinstance(each, str) for each in listed):
        raise InvalidError.of_value(key, "text or a list of text", value)
    return listed
