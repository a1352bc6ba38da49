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

from lxdapi import validation
from lxdapi.errors import APIException, APINotFoundException, InvalidError
from lxdapi.http import operations, retry
from lxdapi.model import device_rules
from lxdapi.model.schema import Kind

if TYPE_CHECKING:
    from lxdapi.api import API

_INSTANCE = r" - Project: (\S+), Instance: (\S+): (.*)"
# The error for an instance that is being created and has no volume yet (Incus 7.0.2).
_IN_CREATION = "Instance storage pool not found"
_STABLE = ("Running", "Ready", "Stopped", "Frozen", "Error")
# Config keys that the daemon reads on demand, so a running instance needs no update.
_READ_ON_DEMAND = ("boot.", "cloud-init.", "snapshots.", "user.", "volatile.")


class Profile(Kind):
    """The daemon saves a profile before it updates its instances. Each project has a profile ``default``."""

    permanent = {"default": "each project has one, which is deleted with the project"}

    def require_valid(self, declared: dict[str, Any], actual: dict[str, Any]) -> None:
        """Raise for a new device without a type."""
        for name in device_rules.untyped_devices(declared, actual):
            raise InvalidError(device_rules.missing_type(name))

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
