"""
The forms of arguments that the removed modules and states accepted, as lxdapi takes them.

A ``config`` or ``devices`` that is declared is the whole set: what an object has beside it is removed, except for the
root disk and the keys that the daemon or lxdapi manages. One that is not declared stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lxdapi.dropin import errors
from lxdapi.model import diff
from lxdapi.model.kinds import KINDS

_ARCHITECTURES = ("unknown", "i686", "x86_64", "armv7l", "aarch64", "ppc", "ppc64", "ppc64le", "s390x")
_KEPT = ("volatile.", "image.", "user.lxdapi.")
_PLACE = {"key", "value"}


def parse_config(config: Any) -> Any:
    """Return a config as a mapping or a list of mappings; a list may have ``{"key": ..., "value": ...}`` for each."""
    if isinstance(config, str):
        raise errors.invalid("config must not be text: declare a mapping, or a list of key and value")
    if not isinstance(config, (list, tuple)):
        return config
    return [{each["key"]: each["value"]} if _is_place(each) else each for each in config]


def _is_place(each):
    return isinstance(each, Mapping) and _PLACE <= set(each)


def parse_devices(devices: Any) -> Any:
    """Return devices unchanged; raises for a text."""
    if isinstance(devices, str):
        raise errors.invalid("devices must not be text: declare a mapping of names to devices")
    return devices


def fields(kind_name: str, config: Any, devices: Any, more: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the declared fields in canonical form, with ``more`` of them; None is undeclared."""
    declared = {"config": parse_config(config), "devices": parse_devices(devices), **(more or {})}
    return diff.normalize(KINDS[kind_name], declared)


def container_fields(config: Any, devices: Any, profiles: Any, architecture: Any, ephemeral: Any) -> dict[str, Any]:
    """
    Return the declared fields of a container. The architecture is only checked: every image has its own.
    """
    if architecture not in _ARCHITECTURES:
        raise errors.invalid(f"Unknown architecture '{architecture}': choose from {', '.join(_ARCHITECTURES)}")
    if profiles is not None and not isinstance(profiles, (list, tuple, set)):
        raise errors.invalid("'profiles' must be a list of names")
    profiles = ["default"] if profiles is None else list(dict.fromkeys(map(str, profiles)))
    more = {"profiles": profiles, "ephemeral": ephemeral, "type": "container"}
    return fields("instance", config, devices, more)


def whole(declared: dict[str, Any], actual: dict[str, Any]) -> dict[str, Any]:
    """Return the declared fields with the removal of every key and device that they leave out."""
    parts = {
        field: complete(declared[field], actual.get(field) or {})
        for field, complete in (("config", _whole_config), ("devices", _whole_devices))
        if field in declared
    }
    # an empty mapping would also remove what is kept
    return {**declared, **{field: part or None for field, part in parts.items()}}


def _whole_config(declared, actual):
    undeclared = [key for key in actual if key not in declared and not key.startswith(_KEPT)]
    return {**dict.fromkeys(undeclared), **declared}


def _whole_devices(declared, actual):
    undeclared = [name for name in actual if name not in declared and not _is_root(name, actual[name])]
    return {**dict.fromkeys(undeclared), **{name: whole_device(actual.get(name), declared[name]) for name in declared}}


def _is_root(name, device):
    return name == "root" or device.get("path") == "/"


def whole_device(actual: dict[str, Any] | None, declared: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return a declared device with the removal of every key that it leaves out."""
    return declared and {**dict.fromkeys(actual or ()), **declared}


def device(device_type: Any, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return a device of a type from keyword arguments, without those that Salt adds."""
    return {**{key: value for key, value in settings.items() if not key.startswith("__")}, "type": device_type}


def as_texts(config: Any, devices: Any) -> tuple[Any, Any]:
    """Return a config as a mapping of texts, and the devices; None stays None."""
    declared = fields("profile", config, devices)
    return declared.get("config"), declared.get("devices")
