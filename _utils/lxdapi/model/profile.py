"""
Profiles: the daemon saves a profile first, and then updates its instances one by one.

Only the reply names an instance that refuses the change or is busy: its ``expanded_config`` and ``expanded_devices``
show the change nevertheless, and the daemon answers 200 to a repetition of the write and does nothing (LXD 5.0.2,
Incus 6.0.4, Incus 7.0.2). The instance applies the change at its next start.
"""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from lxdapi import validation
from lxdapi.errors import APIException, APINotFoundException, InvalidError, list_some
from lxdapi.http import operations, retry
from lxdapi.model import device_rules, restart_keys

if TYPE_CHECKING:
    from lxdapi.api import API

_INSTANCES = "/1.0/instances/"
_INSTANCE = r" - Project: (\S+), Instance: (\S+): (.*)"
# The error for an instance that is being created and has no volume yet (Incus 7.0.2).
_IN_CREATION = "Instance storage pool not found"
_STABLE = ("Running", "Ready", "Stopped", "Frozen", "Error")
# Config keys that the daemon reads on demand, so a running instance needs no update.
_READ_ON_DEMAND = ("boot.", "cloud-init.", "snapshots.", "user.", "volatile.")


class Profile(device_rules.KindWithDevices):
    """The daemon saves a profile before it updates its instances. Each project has a profile ``default``."""

    permanent = {"default": "each project has one, which is deleted with the project"}

    def require_valid(self, declared: dict[str, Any], actual: dict[str, Any]) -> None:
        """Raise for a new device without a type."""
        for name in device_rules.untyped_devices(declared, actual):
            raise InvalidError(device_rules.missing_type(name))

    def change_note(self, api: API, name: str, actual: dict[str, Any], changes: dict[str, Any]) -> str:
        """Return which running instances need a restart for a change of the profile: at most five, and their number."""
        users = {_user(path) for path in actual.get("used_by") or () if path.startswith(_INSTANCES)}
        types = restart_keys.TYPES if users else ()
        keys = {each: restart_keys.list_keys(api, each, changes, actual["devices"]) for each in types}
        affected = _list_affected(api, users, keys, actual) if any(keys.values()) else {}
        if not affected:
            return ""
        named = [_instance_label(project, user, api.project) for project, user in sorted(affected)]
        pending = ", ".join(sorted({key for own_keys in affected.values() for key in own_keys}))
        return f"{pending} requires a restart of the running instances {list_some(named)}"

    def is_applied(self, api: API, error: APIException, changes: dict[str, Any]) -> bool:
        """
        Return True if each instance that the daemon names was only busy and has the change afterwards.

        This waits for busy instances, at most ``retry_timeout`` seconds. A stopped instance takes the change at its
        start, and some keys are read on demand, so that a running instance needs no update.
        """
        backoff = retry.Backoff(api.retry_timeout)
        failures = re.findall(_INSTANCE, error.error)
        try:
            return bool(failures) and all(
                _is_temporary(error) and _has_taken_change(api, project, name, changes, backoff)
                for project, name, error in failures
            )
        except APIException:
            return False


def _user(path):
    """Return (project, name) of an instance in ``used_by``."""
    parts = urlsplit(path)
    query = dict(parse_qsl(parts.query))
    return query.get("project", "default"), unquote(parts.path.removeprefix(_INSTANCES))


def _list_affected(api, users, keys, profile):
    """Return ``{(project, name): keys that need a restart}`` of the running instances that use a profile."""
    affected = {}
    for instance in _list_instances(api, {project for project, _ in users}):
        user = (instance.get("project") or "default", instance["name"])
        own_keys = [key for key in keys[instance["type"]] if not _is_overridden(key, instance, profile)]
        if user in users and own_keys and instance["status"] not in ("Stopped", "Error"):
            affected[user] = own_keys
    return affected


def _list_instances(api, projects):
    """Return the instances of these projects, in one request; [] if the client may not list them."""
    scope = {"project": next(iter(projects))} if len(projects) == 1 else {"all-projects": "true"}
    try:
        return api.get("instances", params={"recursion": 1, **scope}).metadata or []
    except APIException:
        return []


def _is_overridden(key, instance, profile):
    """Return True if the instance, or another of its profiles, is known to have its own value or device."""
    if key in instance["config"] or key in instance["devices"]:
        return True
    before = profile["config"].get(key)
    return before is not None and instance["expanded_config"].get(key) != before


def _instance_label(project, name, own_project):
    return name if project == (own_project or "default") else f"{name} of project {project}"


def _is_temporary(error):
    return retry.says_busy(error) or _IN_CREATION in error


def _has_taken_change(api, project, name, changes, backoff):
    project_api = copy.copy(api)
    project_api.project = project
    path = validation.path("instances/{name}", name=name)
    while True:
        try:
            status = project_api.get(path).metadata["status"]
        except APINotFoundException:
            return True
        if status in _STABLE and not operations.has_operation(project_api, path):
            return status == "Stopped" or _is_read_on_demand(changes)
        if not backoff.sleep():
            return False


def _is_read_on_demand(changes):
    """Return True if the daemon reads all changed keys on demand, so that a running instance needs no update."""
    config = changes.get("config") or {}
    return set(changes) <= {"config", "description"} and all(key.startswith(_READ_ON_DEMAND) for key in config)
