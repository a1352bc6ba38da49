"""
Devices of instances and profiles: those of a profile, those with keys of another form, and renamed ones.
"""

import pytest

INSTANCE, PROFILE = "lxdapi_instance.present", "lxdapi_profile.present"
P2P = {"type": "nic", "nictype": "p2p", "name": "eth0"}


@pytest.fixture
def net(daemon):
    """A bridge, and a profile with a network device."""
    config = {"ipv4.address": "10.11.10.1/24", "ipv4.nat": "false", "ipv6.address": "none"}
    daemon.ask("POST", "/1.0/networks", {"name": "br10", "config": config})
    daemon.ask("POST", "/1.0/profiles", {"name": "net10", "devices": {"eth0": P2P}})
    return "br10"


@pytest.mark.mainly("lxd")
def test_profile_device_without_a_type_needs_devices_override(apply, imported, raw, net):
    words = "devices eth0: it is a device of profile net10: declare the keys that differ in devices_override"
    declared = {"devices": {"eth0": {"mtu": "1400"}}}
    new = {**declared, "source": "busybox", "profiles": ["default", "net10"]}
    for each in (apply.predicted, apply):
        ret = each(INSTANCE, "c1", **new)
        assert ret["result"] is False and words in ret["comment"], ret
    apply(INSTANCE, "c1", source="busybox", profiles=["default", "net10"])
    assert words in apply.predicted(INSTANCE, "c1", **declared)["comment"]
    assert words in apply.failed(INSTANCE, "c1", **declared)


@pytest.mark.mainly("incus")
def test_new_device_without_a_type_is_refused_in_test_mode(apply, imported, raw, net):
    apply(INSTANCE, "c1", source="busybox")
    for function, name in ((INSTANCE, "c1"), (PROFILE, "net10"), (PROFILE, "new")):
        ret = apply.predicted(function, name, devices={"eth1": {"mtu": "1400"}})
        assert ret["result"] is False and "eth1: the device is new, so it needs a type" in ret["comment"]


@pytest.mark.mainly("incus7")
def test_removed_device_of_a_profile_is_noted(apply, imported, raw, net):
    apply(INSTANCE, "c1", source="busybox", profiles=["default", "net10"])
    words = "eth0 of profile net10 stays: type: none disables a device of a profile"
    assert words in apply.unchanged(INSTANCE, "c1", devices={"eth0": None})["comment"]
    apply.changed(INSTANCE, "c1", devices={"eth0": {"type": "none"}})
    apply.changed(INSTANCE, "c1", devices={"eth0": None})
    assert raw("instances/c1")["devices"] == {}


def test_key_of_another_form_of_a_device_is_named(apply, imported, net):
    old = {"type": "nic", "nictype": "bridged", "parent": net, "name": "eth0"}
    new = {"type": "nic", "network": net, "name": "eth0"}
    for function, name, more in ((PROFILE, "web", {}), (INSTANCE, "c1", {"source": "busybox"})):
        apply.changed(function, name, devices={"eth0": old}, **more)
        comment = apply.failed(function, name, devices={"eth0": new})
        assert "device eth0 also has nictype, parent, not declared: null removes a key" in comment
        apply.changed(function, name, devices={"eth0": {**new, "nictype": None, "parent": None}})


def test_key_left_from_a_disk_of_the_host_is_named(apply, imported, daemon, tmp_path):
    daemon.ask("POST", "/1.0/storage-pools/default/volumes/custom", {"name": "d56"})
    disk = {"type": "disk", "source": "/srv", "path": "/data", "shift": True}
    apply.changed(INSTANCE, "c1", source="busybox", devices={"data": disk})
    new = {"type": "disk", "pool": "default", "source": "d56", "path": "/data"}
    comment = apply.failed(INSTANCE, "c1", devices={"data": new})
    assert "device data also has shift, not declared: null removes a key" in comment


@pytest.mark.parametrize("running", [False, True])
def test_renamed_device_is_removed_first(apply, imported, raw, net, running):
    nic = {"type": "nic", "network": net}
    apply.changed(INSTANCE, "c1", source="busybox", devices={"eth-1": nic}, running=running)
    changes = apply.changed(INSTANCE, "c1", devices={"eth-1": None, "eth-2": nic})
    assert changes == {"devices": {"eth-1": {"old": nic, "new": None}, "eth-2": {"old": None, "new": nic}}}
    assert list(raw("instances/c1")["devices"]) == ["eth-2"]


def test_refused_new_device_keeps_the_old_one(apply, imported, raw, net):
    nic = {"type": "nic", "network": net}
    apply(INSTANCE, "c1", source="busybox", devices={"eth-1": nic}, running=True)
    address = raw("instances/c1")["config"]["volatile.eth-1.hwaddr"]
    comment = apply.failed(INSTANCE, "c1", devices={"eth-1": None, "eth-2": {**nic, "mtu": "x"}})
    assert '"mtu"' in comment
    found = raw("instances/c1")
    assert found["devices"] == {"eth-1": nic} and found["config"]["volatile.eth-1.hwaddr"] == address
    apply.changed(INSTANCE, "c1", devices={"eth-1": None, "eth-2": nic})
