"""
Numbers that YAML made of a text: refused where no number can be meant.
"""

import pytest
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
        ("devices gpu pci", 3660.0, "0000:01:00"),
        ("config snapshots.schedule", 750, "12:30"),
        ("config snapshots.expiry.manual", 750, "12:30"),
        ("config ipv6.address", 1, "1:2:3:4:5:6:7:8"),
        ("config core.https_address", 8443, "1:2:3:4:5:6:7:8"),
        ("ports target_address", 1, "1:2:3:4:5:6:7:8"),
        ("cloud_init network ethernets eth0 addresses", 1, "1:2:3:4:5:6:7:8"),
        ("cloud_init user_data write_files permissions", 644, "0644"),
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
