"""
Values that YAML did not read as they are written: refused, or named in the error.
"""

from datetime import date

import pytest

MAC = 41135085296


@pytest.mark.parametrize(
    "devices, words",
    [
        ({"eth0": {"type": "nic", "nictype": "p2p", "hwaddr": MAC}}, "devices eth0 hwaddr, got the number 41135085296"),
        ({"ftdi": {"type": "usb", "vendorid": 403, "productid": 6001}}, "devices ftdi vendorid, got the number 403"),
    ],
)
@pytest.mark.mainly("incus7")
def test_number_made_of_a_text_is_refused(apply, daemon, devices, words):
    comment = apply.refused("lxdapi_profile.present", "web", devices=devices)
    assert words in comment and "write it in quotes" in comment


@pytest.mark.parametrize(
    "function, declared, words",
    [
        ("lxdapi_profile.present", {"config": {"user.since": date(2026, 11, 30)}}, "config user.since, got a date"),
        ("lxdapi_profile.present", {"config": {"user.version": 1.1}}, "config user.version, got a float"),
        ("lxdapi_file.managed", {"instance": "c1", "contents": 12}, "contents, got a number"),
        ("lxdapi_file.managed", {"instance": "c1", "contents": ["a", False]}, "line 2 of contents, got a boolean"),
    ],
)
@pytest.mark.mainly("incus7")
def test_value_without_one_form_as_text_is_refused(apply, daemon, function, declared, words):
    assert words in apply.refused(function, "/etc/motd" if "instance" in declared else "web", **declared)


@pytest.mark.parametrize(
    "function, more",
    [("lxdapi_profile.present", {}), ("lxdapi_instance.present", {"source": "none"}), ("lxdapi_fleet.managed", {})],
)
@pytest.mark.mainly("incus")
def test_number_in_free_text_of_new_object_is_noted(apply, daemon, function, more):
    declared = {"config": {"user.mac": MAC, "user.count": "5", "user.password": 12}, "description": 750, **more}
    if function == "lxdapi_fleet.managed":
        declared = {"instances": {"web": {**declared, "source": "none"}}}
    for each in (apply.predicted, apply):
        comment = each(function, "web", **declared)["comment"]
        assert "numbers used as text: " in comment and f"config user.mac {MAC}" in comment
        assert "description 750" in comment and "user.count" not in comment and "user.password" not in comment
    assert "numbers" not in apply.unchanged(function, "web", **declared)["comment"]


@pytest.mark.mainly("incus")
def test_refused_value_of_a_rule_is_in_the_comment(apply, daemon):
    comment = apply.failed("lxdapi_network_acl.present", "web", ingress=[{"action": True}])
    assert "sent: ingress 1 action 'true'" in comment
    assert "sent: type 'Bridge'" in apply.failed("lxdapi_network.present", "lan", type="Bridge")


NIC = {"type": "nic", "nictype": "p2p"}


@pytest.mark.parametrize(
    "declared, words",
    [
        ({"config": {"limits.cpu": True}}, "sent: config limits.cpu 'true'"),
        ({"config": {"boot.autostart.delay": False}}, "sent: config boot.autostart.delay 'false'"),
        ({"devices": {"ftdi": {"type": "usb", "vendorid": True}}}, "sent: ftdi vendorid 'true'"),
        ({"devices": {"eth0": {**NIC, "mtu": False}}}, 'Invalid MTU "false"'),
    ],
)
def test_refused_value_is_in_the_comment(apply, imported, declared, words):
    assert words in apply.failed("lxdapi_profile.present", "web", **declared)
    assert words in apply.failed("lxdapi_instance.present", "c1", source="busybox", **declared)
