"""
Rules for the devices of instances and profiles.
"""

from __future__ import annotations

from typing import Any


def untyped_devices(declared: dict[str, Any], actual: dict[str, Any]) -> list[str]:
    """Return the names of the declared devices that are new and have no type, which the daemons refuse."""
    existing = actual.get("devices") or {}
    devices = (declared.get("devices") or {}).items()
    return [name for name, device in devices if device is not None and name not in existing and not device.get("type")]


def missing_type(device: str) -> str:
    """Return the error for a new device without a type."""
    return f"devices {device}: the device is new, so it needs a type"
