"""
The keys and devices that need a restart: the metadata of a daemon, the table without it, corrections of both.
"""

import pytest
from lxdapi.model import restart_keys
from lxdapi.model.read_cache import ReadCache

from tests.support.fake_transport import Paper, failure, server, sync

CONTAINER, MACHINE = "container", "virtual-machine"
DOCUMENTED = {
    "boot": {"boot.autostart": ("no", None), "boot.mode": ("no", "virtual machine")},
    "limits": {"limits.new": ("no", None), "limits.newer": ("yes", None), "limits.cpu": ("yes", None)},
    "raw": {"raw.lxc": ("yes", "container"), "raw.new": ("no", "container or virtual machine")},
    "misc": {"some.*": ("no", "container"), "some.other.*": ("yes", None), "x.<GUID>.<name>": ("no", None)},
    "cloud-init": {"y.KEYNAME": ("no", "If supported by image"), "half.new": ("yes (containers only)", None)},
    "volatile": {"volatile.uuid": (None, None)},
}


def metadata(groups):
    """Return the reply to GET /1.0/metadata/configuration."""
    facts = {group: {"keys": [{key: _entry(*entry)} for key, entry in keys.items()]} for group, keys in groups.items()}
    return sync({"configs": {"instance": facts, "kernel": {"limits": {"keys": [{"limits.kernel.as": {}}]}}}})


def _entry(update, condition):
    return {field: text for field, text in (("liveupdate", update), ("condition", condition)) if text}


def paper(*replies):
    """Return the transport of a daemon with that metadata, or without any."""
    extensions = [restart_keys.EXTENSION] if replies else []
    return Paper(server(api_extensions=extensions), *replies)


def needing(transport, instance_type, *keys):
    return restart_keys.list_keys(transport.api, instance_type, {"config": dict.fromkeys(keys)}, {})


@pytest.mark.parametrize(
    "instance_type, expected",
    [
        (CONTAINER, ["limits.new", "raw.new", "some.a", "x.1.2", "y.K"]),
        (MACHINE, ["boot.mode", "half.new", "limits.new", "raw.new", "x.1.2", "y.K"]),
    ],
)
def test_daemon_metadata_decides(instance_type, expected):
    keys = ["boot.mode", "half.new", "limits.cpu", "limits.new", "limits.newer", "raw.lxc", "raw.new", "some.a"]
    keys += ["some.other.b", "x.1.2", "y.K"]
    assert needing(paper(metadata(DOCUMENTED)), instance_type, *keys) == expected


def test_corrections_go_before_metadata():
    wrong = {"x": {"boot.autostart": ("no", None), "security.nesting": ("yes", "container")}}
    keys = ["boot.autostart", "limits.kernel.nofile", "security.guestapi", "security.nesting", "user.user-data"]
    expected = ["limits.kernel.nofile", "security.nesting", "user.user-data"]
    assert needing(paper(metadata(wrong)), CONTAINER, *keys) == expected


@pytest.mark.parametrize("key", ["linux.sysctl.net.ipv4.ip_forward", "raw.lxc", "raw.idmap", "nvidia.runtime"])
def test_table_decides_without_metadata(key):
    assert needing(paper(), CONTAINER, key, "limits.cpu", "unknown.key") == [key]
    assert needing(paper(), MACHINE, key) == []


@pytest.mark.parametrize("key", ["boot.mode", "limits.memory.hugepages", "raw.qemu.conf", "raw.apparmor"])
def test_virtual_machine_has_its_own_table(key):
    assert needing(paper(), MACHINE, key, "limits.cpu", "limits.memory", "environment.A") == [key]
    assert needing(paper(), CONTAINER, key) == []


@pytest.mark.parametrize(
    "reply", [failure(403, "not allowed"), failure(404, "not found"), sync(None), sync({"configs": []}), sync([1])]
)
def test_unreadable_metadata_count_as_none(reply):
    assert needing(paper(reply), CONTAINER, "raw.lxc", "limits.cpu") == ["raw.lxc"]


def test_key_outside_the_metadata_is_looked_up_in_the_table():
    assert needing(paper(metadata({})), CONTAINER, "raw.lxc", "logging.a", "limits.cpu") == ["raw.lxc"]


@pytest.mark.parametrize("key", ["user.a", "boot.autostart", "snapshots.schedule", "limits.kernel.as", "volatile.uuid"])
def test_known_key_needs_no_metadata(key):
    transport = paper(metadata(DOCUMENTED))
    needing(transport, CONTAINER, key)
    assert transport.lines == []


def test_metadata_are_read_once_in_a_run():
    transport = paper(metadata(DOCUMENTED))
    transport.api.cache = ReadCache()
    for _ in range(3):
        assert needing(transport, CONTAINER, "limits.new", "limits.cpu") == ["limits.new"]
        transport.api.cache.clear()
    assert transport.lines == ["GET /1.0", "GET /1.0/metadata/configuration"]


VOLUME, ROOT = {"type": "disk", "pool": "p", "source": "v"}, {"type": "disk", "pool": "p", "path": "/"}
NIC, SHARE = {"type": "nic", "network": "n"}, {"type": "disk", "source": "/srv", "path": "/srv"}


@pytest.mark.parametrize(
    "device, old, new, restart",
    [
        (None, None, NIC, False),
        (NIC, NIC, None, False),
        (NIC, {"mtu": None}, {"mtu": "1400"}, False),
        (None, None, VOLUME, False),
        (None, None, {**VOLUME, "boot.priority": "1"}, False),
        (VOLUME, {"boot.priority": None}, {"boot.priority": "1"}, True),
        (ROOT, {"limits.read": None}, {"limits.read": "1MB"}, False),
        (ROOT, {"size": "1GiB"}, {"size": "2GiB"}, True),
        (None, None, SHARE, True),
        (None, None, {"type": "tpm"}, True),
        (NIC, NIC, {"type": "none"}, True),
    ],
)
def test_device_of_virtual_machine_is_hotplugged(device, old, new, restart):
    changes, devices = {"devices": {"d": {"old": old, "new": new}}}, {"d": device} if device else {}
    assert restart_keys.list_keys(paper().api, MACHINE, changes, devices) == (["d"] if restart else [])
    assert restart_keys.list_keys(paper().api, CONTAINER, changes, devices) == []
