"""
What profiles need beyond the table: the daemon saves a profile first, and then updates its instances one by one.

An instance that refuses the change or is busy is named in the reply, and only there: its ``expanded_config`` and
``expanded_devices`` have the change all the same, and the same write sent again answers 200 and does nothing
(LXD 5.0.2, Incus 6.0.4, Incus 7.0.2). It takes the change at its next start.
"""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any

from lxdapi import validation
from lxdapi.errors import APIException, APINotFoundException
from lxdapi.http import operations, retry
from lxdapi.model.schema import Kind

if TYPE_CHECKING:
    from lxdapi.api import API

_INSTANCE = re.compile(r" - Project: (\S+), Instance: (\S+): (.*)")
# Said of an instance that is being made, and has no volume yet (Incus 7.0.2).
_BEING_MADE = "Instance storage pool not found"
_STABLE = ("Running", "Ready", "Stopped", "Frozen", "Error")
# Keys of the config that a running instance does not take over: they are looked up when they are needed.
_LOOKED_UP = ("boot.", "cloud-init.", "snapshots.", "user.", "volatile.")


class Profile(Kind):
    """A profile is saved before its instances take the change."""

    def is_applied(self, api: API, error: APIException, changes: dict[str, Any]) -> bool:
        """
        Return True if each instance that the daemon names was only busy, and lacks nothing afterwards.

        It is waited for, for ``retry_timeout`` seconds. One that is stopped then takes the change at its start, and of
        some keys a running one has nothing to take over.
        """
        patience = retry.Backoff(api.retry_timeout)
        found = _INSTANCE.findall(error.error)
        try:
            return bool(found) and all(
                _is_passing(words) and _lacks_nothing(api, project, name, changes, patience)
                for project, name, words in found
            )
        except APIException:
            return False


def _is_passing(words):
    return retry.says_busy(words) or _BEING_MADE in words


def _lacks_nothing(api, project, name, changes, patience):
    there = copy.copy(api)
    there.project = project
    path = validation.path("instances/{name}", name=name)
    while True:
        try:
            here = there.get(path).metadata["status"]
        except APINotFoundException:
            return True
        if here in _STABLE and not operations.has_operation(there, path):
            return here == "Stopped" or _is_looked_up(changes)
        if not patience.sleep():
            return False


def _is_looked_up(changes):
    """Return True for changes of which a running instance has nothing to take over."""
    config = changes.get("config") or {}
    return set(changes) <= {"config", "description"} and all(key.startswith(_LOOKED_UP) for key in config)
