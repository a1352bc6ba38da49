"""
Numbers that YAML made of a text: refused where no number can be meant.
"""

import pytest
from lxdapi import yaml_numbers
from lxdapi.errors import InvalidError
from lxdapi.instances import cloud_init
from lxdapi.model import diff
from lxdapi.model.kinds import KINDS
from lxdapi.validation import require_text

from tests.support.fake_transport import Paper, server

# YAML 1.1 reads it as 52:54:00:12:34:56
MAC = 41135085296


@pytest.mark.parametrize(
    "label, number, example",
    [
        ("devices eth0 hwaddr", MAC, "52:54:00:12:34:56"),
        ("config volatile.eth0.hwaddr", MAC, "52:54:00:12:34:56"),
        ("config bridge.hwaddr", 0, "52:54:00:12:34:56"),
        ("devices ftdi vendorid", 403, "0403"),
        ("devices ftdi productid", 10000, "0403"),
        ("devices gpu pci", 3660.0, "0000:01:00.0"),
        ("devices card address", 60.0, "0000:01:00.0"),
        ("devices key serial", 12345, "0012345"),
        ("config snapshots.schedule", 750, "12:30"),
        ("config snapshots.expiry.manual", 750, "12:30"),
        ("config ipv6.address", 1, "1:2:3:4:5:6:7:8"),
        ("config core.https_address", 8443, "1:2:3:4:5:6:7:8"),
        ("ports target_address", 1, "1:2:3:4:5:6:7:8"),
        ("cloud_init network ethernets eth0 addresses", 1, "1:2:3:4:5:6:7:8"),
        ("config dns.nameservers", 1, "1:2:3:4:5:6:7:8"),
        ("config ipv6.ovn.ranges", 1, "1:2:3:4:5:6:7:8"),
        ("devices eth0 ipv6.routes.external", 1, "1:2:3:4:5:6:7:8"),
        ("ingress source", 1, "1:2:3:4:5:6:7:8"),
        ("egress destination", 1, "1:2:3:4:5:6:7:8"),
        ("config cloud-init.user-data", 750, "12:30"),
        ("cloud_init user_data write_files permissions", 644, "0644"),
        ("cloud_init user_data write_files content", 750, "0644"),
        ("cloud_init user_data write_files owner", 2013, "33:33"),
        ("cloud_init user_data users plain_text_passwd", 12, "0644"),
        ("cloud_init vendor_data password", 12, "0644"),
        ("cloud_init user_data packages", 1.1, "1.10"),
        ("cloud_init user_data ntp servers", 1, "1:2:3:4:5:6:7:8"),
        ("cloud_init network ethernets eth0 routes to", 1, "1:2:3:4:5:6:7:8"),
    ],
)
def test_number_is_refused_where_only_text_is_meant(label, number, example):
    words = f"expected text for {label}, got the number {number}: YAML reads an unquoted {example} as a number"
    with pytest.raises(InvalidError) as caught:
        require_text(label, number)
    assert words in str(caught.value) and "write it in quotes" in str(caught.value)


@pytest.mark.parametrize(
    "label, value",
    [
        ("devices ftdi vendorid", 6001),
        ("devices ftdi vendorid", "0403"),
        ("devices eth0 hwaddr", "52:54:00:12:34:56"),
        ("devices eth0 hwaddr", None),
        ("devices eth0 mtu", 1400),
        ("devices gpu id", 1),
        ("config ipv4.nat", True),
        ("devices eth0 ipv4.routes.anycast", 1),
        ("ingress destination_port", 443),
        ("ports listen_port", 443),
        ("cloud_init user_data users uid", 1000),
        ("cloud_init user_data users lock_passwd", False),
        ("cloud_init user_data mounts", 2),
        ("config limits.cpu", 2),
        ("config user.address", 5),
        ("config environment.hwaddr", 5),
        ("env address", 5),
        ("cloud_init user_data app address", 5),
    ],
)
def test_value_that_can_be_meant_is_accepted(label, value):
    require_text(label, value)


@pytest.mark.parametrize("kind", ["instance", "profile"])
def test_number_is_refused_in_a_device(kind):
    with pytest.raises(InvalidError, match="devices eth0 hwaddr, got the number 41135085296"):
        diff.normalize(KINDS[kind], {"devices": {"eth0": {"hwaddr": MAC}}})


@pytest.mark.parametrize("match", [{"macaddress": MAC}, [{"macaddress": MAC}]])
def test_number_is_refused_deep_in_cloud_init(match):
    declared = {"network": {"ethernets": {"eth0": {"match": match}}}}
    with pytest.raises(InvalidError, match="cloud_init network ethernets eth0 match macaddress, got the number"):
        cloud_init.merge(Paper(server(api_extensions=["cloud_init"])).api, None, declared)


def test_numbers_in_free_text_are_noted():
    declared = {
        "description": 750,
        "config": [{"user.mac": MAC, "user.password": 5, "limits.cpu": 2}, {"user.on": True, "user.text": "5"}],
        "devices": {"data": {"type": "disk", "path": 5, "readonly": 1}},
        "entries": [{"type": "TXT", "value": 755, "ttl": 60}],
    }
    note = yaml_numbers.free_text_note(declared)
    named = f"description 750, config user.mac {MAC}, devices data path 5, entries value 755"
    assert note.startswith(f"numbers used as text: {named} (")
    assert yaml_numbers.free_text_note({"config": {"limits.cpu": 2}, "description": None}) == ""


def test_note_names_a_few_numbers():
    note = yaml_numbers.free_text_note({"config": {f"user.{number}": number for number in range(9)}})
    assert "user.4 4 and 4 more (" in note
