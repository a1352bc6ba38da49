"""
The config keys and devices of an instance that need a restart: a running instance does not adopt them.

A running container stores such a key and adopts it at its next start. A virtual machine does the same with some keys,
and the daemons refuse all others while it runs. Newer daemons document the keys (/1.0/metadata/configuration, the field
``liveupdate``); for other daemons, and for keys without that field, there is a table.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from lxdapi.errors import APIException

if TYPE_CHECKING:
    from lxdapi.api import API

TYPES = ("container", "virtual-machine")
EXTENSION = "metadata_configuration"
_CLOUD_INIT = ("cloud-init.", "user.network-config", "user.user-data", "user.vendor-data")
# Beginnings of keys. The daemons read the first ones whenever they need them, although the metadata of some of them say
# "no". The others need a restart, although the metadata say "yes" or nothing (LXD 5.0.2, Incus 6.0.4, Incus 7.0.2).
_AT_ONCE = (
    *("boot.auto", "boot.host_shutdown_", "boot.stop.", "cluster.evacuate", "image.", "security.devlxd"),
    *("security.guestapi", "snapshots.", "user.", "volatile."),
)
_AT_START = {
    "container": ("limits.kernel.", "security.nesting"),
    "virtual-machine": ("limits.cpu.nodes", "limits.disk.priority", "raw.apparmor", "smbios11.", "systemd.credential"),
}
# The keys with "no", for daemons without metadata.
_TABLE = {
    "container": (
        *("linux.kernel_modules.load", "linux.sysctl.", "migration.stateful", "nvidia.", "oci.", "raw.idmap"),
        *("raw.lxc", "raw.seccomp", "security.bpffs.", "security.delegate_bpf", "security.idmap."),
        *("security.privileged", "security.selinux.", "security.syscalls.allow", "security.syscalls.deny"),
        *("security.syscalls.intercept.", "ubuntu_pro."),
    ),
    "virtual-machine": (
        *("agent.nic_config", "boot.debug_edk2", "boot.mode", "limits.cpu.pin_strategy", "limits.max_bus_ports"),
        *("limits.memory.hugepages", "migration.stateful", "raw.qemu", "security.agent.metrics", "security.csm"),
        *("security.iommu", "security.secureboot", "security.selinux.domain", "security.selinux.level"),
        *("security.selinux.type", "security.sev", "ubuntu_pro."),
    ),
}
_TABLE_AT_ONCE = ("security.syscalls.intercept.mount.",)
# A part of a documented key that stands for any text: "user.*", "initial.nvram.<GUID>.<name>", "ssh-keys.KEYNAME".
_PLACEHOLDER = re.compile(r"[*<]|(?<=\.)[A-Z]+$")


def list_keys(api: API, instance_type: str, changes: dict[str, Any], devices: dict[str, Any]) -> list[str]:
    """
    Return the changed config keys and devices for which a running instance needs a restart, sorted.

    instance_type
        ``container`` or ``virtual-machine``.
    changes
        As in the result of a state: ``{"config": {key: ...}, "devices": {name: {"old": ..., "new": ...}}}``.
    devices
        The devices before the change.
    """
    keys = _list_config_keys(api, instance_type, changes.get("config") or ())
    if instance_type == "virtual-machine":
        pairs = changes.get("devices") or {}
        keys += [name for name, pair in pairs.items() if not _is_hotplugged(devices.get(name) or {}, pair)]
    return sorted(keys)


def instance_note(instance_type: str, keys: list[str]) -> str:
    """Return the note about a change of a running instance that does not restart."""
    if instance_type == "virtual-machine":
        return (
            f"{', '.join(keys)} requires a restart of the virtual machine (set restart_on_change: true to restart now)"
        )
    return f"{', '.join(keys)} takes effect at the next start (set restart_on_change: true to restart now)"


def _list_config_keys(api, instance_type, keys):
    """Return the config keys that need a restart; the metadata are read only for keys that are not known otherwise."""
    pending = [key for key in keys if key.startswith((*_CLOUD_INIT, *_AT_START[instance_type]))]
    unknown = [key for key in keys if key not in pending and not key.startswith(_AT_ONCE)]
    documented = _documented_keys(api) if unknown else {}
    return pending + [key for key in unknown if _needs_restart(documented, instance_type, key)]


def _needs_restart(documented, instance_type, key):
    facts = _find_key(documented, key)
    if facts is None:
        return key.startswith(_TABLE[instance_type]) and not key.startswith(_TABLE_AT_ONCE)
    return not _is_live(facts, instance_type)


def _is_live(documented, instance_type):
    """Return True if the metadata of a key say that a running instance adopts it, or that it is of the other type."""
    update, condition = (str(documented.get(field) or "").lower() for field in ("liveupdate", "condition"))
    if _names_other_type(condition, instance_type):
        return True
    return not (update.startswith("no") or _names_other_type(update, instance_type))  # "yes (containers only)"


def _names_other_type(text, instance_type):
    other = "container" if instance_type == "virtual-machine" else "virtual machine"
    return other in text and instance_type.replace("-", " ") not in text


def _find_key(documented, key):
    """Return the metadata of a key, by its name or the longest beginning of it; None without any."""
    if key in documented:
        return documented[key]
    beginnings = [name for name in documented if name.endswith(".") and key.startswith(name)]
    return documented[max(beginnings, key=len)] if beginnings else None


def _documented_keys(api):
    """Return ``{key or beginning of keys: metadata}``, read once in a run; {} if the daemon does not have it."""
    if not api.has(EXTENSION):
        return {}
    return _read_keys(api) if api.cache is None else api.cache.once((api.endpoint, EXTENSION), lambda: _read_keys(api))


def _read_keys(api):
    try:
        groups = api.get("metadata/configuration").metadata["configs"]["instance"].values()
        keys = [key for group in groups for entry in group["keys"] for key in entry.items()]
        return {_PLACEHOLDER.split(name)[0]: facts for name, facts in keys if "liveupdate" in facts}
    except (APIException, AttributeError, KeyError, TypeError):  # a daemon with another format, or a refusal
        return {}


def _is_hotplugged(device, pair):
    """
    Return True if a running virtual machine adopts the change of a device: nics, proxies, USB devices, volumes of a
    pool, and limits of its root disk.
    """
    old, new = pair["old"] or {}, pair["new"] or {}
    changed = {key for key in {*old, *new} if old.get(key) != new.get(key)}
    if old and "boot.priority" in changed:
        return False
    # a change within a device has only the keys that differ
    whole = [side if "type" in side else {**device, **side} for side in (old, new) if side]
    if any(each.get("path") == "/" for each in whole):
        return all(key.startswith("limits.") for key in changed)
    return all(
        each.get("type") in ("nic", "proxy", "usb") or (each.get("type") == "disk" and "pool" in each) for each in whole
    )
