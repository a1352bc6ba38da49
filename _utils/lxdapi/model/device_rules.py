"""
Rules for the devices of instances and profiles.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lxdapi.model.schema import Kind

if TYPE_CHECKING:
    from lxdapi.model.diff import Delta


class KindWithDevices(Kind):
    """
    A kind of object that has devices.

    Removed nics are written before others are added, because the daemons compare a new nic with those before the write.
    A refusal of such a write leaves a running instance of Incus 6.0.4 and 7.0.2 with a nic that cannot be removed.
    """

    def first_part(self, delta: Delta, actual: dict[str, Any]) -> Delta | None:
        """Return the removal of nics, None unless the difference adds nics too."""
        devices, pairs = actual.get("devices") or {}, delta.changes.get("devices") or {}
        removed = {name: pair for name, pair in pairs.items() if pair["new"] is None and _is_nic(devices[name])}
        if not removed or not any(pair["old"] is None and _is_nic(pair["new"]) for pair in pairs.values()):
            return None
        kept = {name: device for name, device in devices.items() if name not in removed}
        return delta._replace(changes={"devices": removed}, fields={"devices": kept}, touched={}, removes=True)

    def undo_first_part(self, first: Delta, before: dict[str, Any], actual: dict[str, Any]) -> Delta:
        """Return the difference that restores removed nics, with their MAC addresses."""
        removed = {name: before["devices"][name] for name in first.changes["devices"]}
        keys = [f"volatile.{name}.hwaddr" for name in removed]
        addresses = {key: before["config"][key] for key in keys if key in before["config"]}
        fields = {"devices": {**actual["devices"], **removed}, "config": {**addresses, **actual["config"]}}
        return first._replace(changes={}, fields=fields)

    def refusal_hint(self, declared: dict[str, Any], actual: dict[str, Any], error: str) -> str:
        """Return which undeclared keys of declared devices an error may be about, "" if it is about others."""
        devices = actual.get("devices") or {}
        parts = []
        for name, device in (declared.get("devices") or {}).items():
            kept = sorted(set(devices.get(name) or ()) - set(device or ())) if device else []
            if any(f'"{key}"' in error for key in kept) or (kept and f'"{name}"' in error):
                parts.append(f"device {name} also has {', '.join(kept)}, not declared: null removes a key")
        return "; ".join(parts)


def untyped_devices(declared: dict[str, Any], actual: dict[str, Any]) -> list[str]:
    """Return the names of the declared devices that are new and have no type, which the daemons refuse."""
    existing = actual.get("devices") or {}
    devices = (declared.get("devices") or {}).items()
    return [name for name, device in devices if device is not None and name not in existing and not device.get("type")]


def missing_type(device: str) -> str:
    """Return the error for a new device without a type."""
    return f"devices {device}: the device is new, so it needs a type"


def _is_nic(device):
    return device.get("type") == "nic"
