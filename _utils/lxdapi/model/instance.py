"""
Instances: their rules beyond the table of kinds.
"""

from __future__ import annotations

from typing import Any

from lxdapi import validation
from lxdapi.model.device_rules import KindWithDevices


def is_protected(metadata: dict[str, Any]) -> bool:
    """Return True if the daemon refuses to delete the instance, also for a key that comes from a profile."""
    config = metadata.get("expanded_config") or metadata.get("config") or {}
    return str(config.get("security.protection.delete")).lower() in validation.TRUE


class Instance(KindWithDevices):
    """
    An instance that was not created from an image is declared as an empty one.

    LXD 5.0.2 applies a change of a running virtual machine completely, and then fails if it cannot notify the agent.
    """

    limited = ("devices", "limits.", "profiles")

    def source_of(self, metadata: dict[str, Any]) -> str | None:
        """Return ``none`` for an instance without an image; its file system is not part of a declaration."""
        return None if (metadata.get("config") or {}).get("volatile.base_image") else "none"

    def is_applied(self, api: Any, error: Any, changes: Any) -> bool:
        """Return True if only the notification failed; the agent reads the values when it starts."""
        return "VM agent isn't currently running" in error.error


def root_pool(metadata: dict[str, Any]) -> str | None:
    """Return the storage pool of the root disk of an instance, None if no device names it."""
    devices = metadata.get("expanded_devices") or metadata["devices"]
    return next((each.get("pool") for each in devices.values() if each.get("path") == "/"), None)
