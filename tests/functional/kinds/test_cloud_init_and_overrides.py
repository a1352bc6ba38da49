"""
Alternative declarations: cloud-init as data, and overrides for keys of profile devices.
"""

from collections import OrderedDict

import pytest
import yaml

PRESENT = "lxdapi_instance.present"
USER_DATA = {
    "packages": ["nginx", "curl"],
    "users": [{"name": "shop", "plain_text_passwd": "canary-1", "uid": 5000}],
    "write_files": [{"path": "/a", "permissions": "0644", "content": "é: yes\n\tb\n"}],
    "package_update": True,
    "nothing": None,
}
NETWORK = {"version": 2, "ethernets": {"eth0": {"dhcp4": True, "addresses": ["10.0.0.1/24"]}}}
NIC = {"type": "nic", "nictype": "p2p", "name": "eth0", "mtu": "1400"}
DISK = {"path": "/", "pool": "default", "type": "disk"}


@pytest.fixture
def profile(daemon):
    """A profile with a network device, and one with another device of the same name and a disk."""
    daemon.ask("POST", "/1.0/profiles", {"name": "web", "devices": {"eth0": NIC}})
    tmp = {"tmp": {"type": "disk", "source": "/tmp", "path": "/t", "readonly": "true"}}
    daemon.ask("POST", "/1.0/profiles", {"name": "more", "devices": {**tmp, "eth0": {**NIC, "mtu": "1300"}}})


def reversed_within(data):
    """Return the data with the keys of each mapping in reverse order."""
    if isinstance(data, dict):
        return OrderedDict((key, reversed_within(value)) for key, value in reversed(data.items()))
    return [reversed_within(each) for each in data] if isinstance(data, list) else data


def test_cloud_init_data_is_compared_by_meaning(apply, imported, raw):
    declared = {"user_data": USER_DATA, "vendor_data": {"a": 1}, "network": NETWORK}
    assert apply.changed(PRESENT, "c1", source="busybox", cloud_init=declared) == {"created": "c1"}
    config = raw("instances/c1")["config"]
    assert config["cloud-init.user-data"].startswith("#cloud-config\npackages:\n- nginx\n")
    assert yaml.safe_load(config["cloud-init.user-data"]) == USER_DATA
    assert config["cloud-init.vendor-data"] == "#cloud-config\na: 1\n"
    assert yaml.safe_load(config["cloud-init.network-config"]) == NETWORK
    apply.unchanged(PRESENT, "c1", cloud_init=reversed_within(declared))
    apply.unchanged(PRESENT, "c1", cloud_init=[{"network": reversed_within(NETWORK)}])
    by_hand = config["cloud-init.user-data"].replace("- nginx\n- curl", "  [nginx, 'curl']")
    apply.unchanged(PRESENT, "c1", config={"cloud-init.user-data": by_hand})


@pytest.mark.mainly("incus")
def test_cloud_init_change_is_a_diff_without_passwords(apply, imported, raw):
    apply(PRESENT, "c1", source="busybox", config={"user.a": "1"}, cloud_init={"user_data": USER_DATA})
    users = [{**USER_DATA["users"][0], "plain_text_passwd": "canary-2"}]
    other = {**USER_DATA, "packages": ["nginx", "wget"], "users": users}
    changes = apply.changed(PRESENT, "c1", cloud_init={"user_data": other}, config={"user.a": 2})
    assert set(changes["config"]) == {"cloud-init.user-data", "user.a"}
    diff = changes["config"]["cloud-init.user-data"]["diff"]
    assert "-- curl" in diff and "+- wget" in diff and "canary" not in str(changes)
    assert yaml.safe_load(raw("instances/c1")["config"]["cloud-init.user-data"]) == other
    changes = apply.changed(PRESENT, "c1", cloud_init={"user_data": None})
    assert changes["config"]["cloud-init.user-data"]["new"] is None and "canary" not in str(changes)
    assert "cloud-init.user-data" not in raw("instances/c1")["config"]


def test_script_and_empty_mapping_are_documents(apply, imported, raw):
    script = "#!/bin/sh\r\necho é\n"
    apply.changed(PRESENT, "c1", source="busybox", cloud_init={"user_data": script, "vendor_data": {}})
    config = raw("instances/c1")["config"]
    assert (config["cloud-init.user-data"], config["cloud-init.vendor-data"]) == (script, "#cloud-config\n{}\n")


def test_refused_network_config_is_reported(apply, imported, raw):
    comment = apply.failed(PRESENT, "c1", source="busybox", cloud_init={"network": "[1]"})
    assert "seq into struct" in comment and raw("instances/c1") is None


@pytest.mark.mainly("incus")
def test_invalid_document_is_refused_before_any_request(apply, daemon):
    assert "begins with one of" in apply.refused(PRESENT, "c1", cloud_init={"user_data": "packages: []"})
    assert "cloud_init: unknown key users" in apply.refused(PRESENT, "c1", cloud_init={"users": []})
    both = {"cloud_init": {"user_data": {}}, "config": {"cloud-init.user-data": None}}
    assert "is also declared in config" in apply.refused(PRESENT, "c1", **both)


def test_profile_device_is_overridden_on_the_instance(apply, imported, raw, profile):
    declared = {
        "profiles": ["default", "web", "more"],
        "devices_override": {"eth0": {"mtu": 1290}, "root": {"size": "1GiB"}},
    }
    assert apply.changed(PRESENT, "c1", source="busybox", **declared) == {"created": "c1"}
    assert raw("instances/c1")["devices"] == {"eth0": {**NIC, "mtu": "1290"}, "root": {**DISK, "size": "1GiB"}}
    declared["devices_override"]["root"]["size"] = "1024MiB"
    apply.unchanged(PRESENT, "c1", **declared)
    declared["devices_override"]["eth0"] = {"mtu": None, "hwaddr": "00:16:3e:00:00:01"}
    changes = apply.changed(PRESENT, "c1", **declared)
    old, new = {"mtu": "1290", "hwaddr": None}, {"mtu": None, "hwaddr": "00:16:3e:00:00:01"}
    assert changes == {"devices": {"eth0": {"old": old, "new": new}}}
    eth0 = {key: value for key, value in NIC.items() if key != "mtu"}
    assert raw("instances/c1")["devices"]["eth0"] == {**eth0, "hwaddr": "00:16:3e:00:00:01"}


def test_override_follows_the_profile_and_keeps_its_own_keys(apply, daemon, imported, raw, profile):
    declared = {"devices_override": {"eth0": {"mtu": "1290"}}}
    apply(PRESENT, "c1", source="busybox", profiles=["default", "web"])
    changes = apply.changed(PRESENT, "c1", **declared)
    assert changes == {"devices": {"eth0": {"old": None, "new": {**NIC, "mtu": "1290"}}}}
    daemon.ask("PATCH", "/1.0/profiles/web", {"devices": {"eth0": {**NIC, "name": "net0"}}})
    apply.clear()
    changes = apply.changed(PRESENT, "c1", **declared)
    assert changes == {"devices": {"eth0": {"old": {"name": "eth0"}, "new": {"name": "net0"}}}}
    assert raw("instances/c1")["devices"]["eth0"] == {**NIC, "name": "net0", "mtu": "1290"}


@pytest.mark.mainly("incus")
def test_override_keeps_other_devices_unless_declared_empty(apply, imported, raw, profile):
    tmp = {"type": "disk", "source": "/tmp", "path": "/u"}
    apply(PRESENT, "c1", source="busybox", devices={"tmp": tmp})
    apply.changed(PRESENT, "c1", devices_override={"root": {"size": "1GiB"}})
    assert set(raw("instances/c1")["devices"]) == {"root", "tmp"}
    apply.changed(PRESENT, "c1", devices={"more": {**tmp, "path": "/v"}}, devices_override={"root": {"size": "1GiB"}})
    assert set(raw("instances/c1")["devices"]) == {"root", "tmp", "more"}
    apply.changed(PRESENT, "c1", devices={}, devices_override={"root": {"size": "1GiB"}})
    assert raw("instances/c1")["devices"] == {"root": {**DISK, "size": "1GiB"}}


def test_copy_overrides_device_of_source_profiles(apply, imported, raw, profile):
    apply(PRESENT, "c1", source="busybox", profiles=["default", "more"])
    copy = {"source": {"type": "copy", "source": "c1"}, "devices_override": {"tmp": {"readonly": False}}}
    apply.changed(PRESENT, "c2", **copy)
    found = raw("instances/c2")
    assert found["profiles"] == ["default", "more"] and found["devices"]["tmp"]["readonly"] == "false"


@pytest.mark.mainly("incus")
def test_a_device_that_no_profile_has_is_refused(apply, imported, raw, profile):
    words = "devices_override: no profile has a device eth1; choose from: eth0, root"
    arguments = {"source": "busybox", "profiles": ["default", "web"], "devices_override": {"eth1": {"mtu": 1280}}}
    assert words in apply.failed(PRESENT, "c1", **arguments)
    ret = apply.predicted(PRESENT, "c1", **arguments)
    assert ret["result"] is False and words in ret["comment"]
    assert raw("instances/c1") is None


def test_missing_profile_is_reported(apply, imported, raw):
    arguments = {"profiles": ["default", "nope"], "devices_override": {"eth0": {"mtu": 1280}, "root": {"size": "1GiB"}}}
    ret = apply.predicted(PRESENT, "c1", source="busybox", **arguments)
    assert ret["result"] is None and "profile nope does not exist" in ret["comment"], ret
    assert "profile nope does not exist" in apply.failed(PRESENT, "c1", source="busybox", **arguments)
    apply(PRESENT, "c1", source="busybox")
    ret = apply.predicted(PRESENT, "c1", **arguments)
    assert ret["result"] is None and "profile nope does not exist" in ret["comment"], ret
    assert "profile nope does not exist" in apply.failed(PRESENT, "c1", **arguments)
    assert raw("instances/c1")["devices"] == {}


@pytest.mark.mainly("incus")
def test_invalid_override_is_refused_before_any_request(apply, daemon):
    for given, words in (
        (5, "expected a mapping of names to keys for devices_override, got a number"),
        (["root"], "expected a mapping of names to keys for devices_override, got a list"),
        ({"root": None}, "no keys for root"),
        ({"root": 5}, "expected a mapping for devices root, got a number"),
        ({"root": {"size": 1.5}}, "expected text (quote the value)"),
        ({"root": {"size\0": "1"}}, "not valid"),
        ({"..": {"size": "1"}}, "not valid"),
    ):
        assert words in apply.refused(PRESENT, "c1", devices_override=given), given
    both = {"devices": {"root": None}, "devices_override": {"root": {"size": "1GiB"}}}
    assert "root is also declared in devices" in apply.refused(PRESENT, "c1", **both)


@pytest.mark.mainly("incus")
def test_override_reads_each_profile_once(apply, proxy, imported, profile):
    declared = {"source": "busybox", "profiles": ["default", "web"], "devices_override": {"eth0": {"mtu": 1280}}}
    apply(PRESENT, "c1", **declared)
    apply.unchanged(PRESENT, "c1", **declared)
    paths = [path.partition("?")[0] for _, path, *_ in proxy.seen]
    assert sorted(paths) == ["/1.0/instances/c1", "/1.0/profiles/default", "/1.0/profiles/web"]
    apply.unchanged(PRESENT, "c1", devices_override={})
    assert {path.partition("?")[0] for _, path, *_ in proxy.seen} == {"/1.0/instances/c1"}
