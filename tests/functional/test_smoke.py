"""
A short life of a host, for the daemons that run no other tests by default.
"""

import pytest

pytestmark = [pytest.mark.smoke, pytest.mark.mainly("lxd13")]
NIC = {"eth0": {"type": "nic", "network": "smoke", "name": "eth0"}}


def test_a_host_lives_from_its_network_to_the_absence_of_all(apply, salt, imported, raw, tmp_path):
    bridge = {"ipv4.address": "none", "ipv6.address": "none"}
    assert apply.changed("lxdapi_network.present", "smoke", config=bridge) == {"created": "smoke"}
    assert apply.changed("lxdapi_profile.present", "web", config={"user.tier": "front"}, devices=NIC)
    created = apply.changed(
        "lxdapi_instance.present", "c1", source="busybox", profiles=["default", "web"], running=True
    )
    assert created["created"] == "c1"
    assert apply.changed("lxdapi_file.managed", "/etc/motd", instance="c1", contents="hello\n")
    assert salt.modules["lxdapi_instance.run"]("c1", "cat /etc/motd") == "hello"
    assert apply.changed("lxdapi_instance_snapshot.present", "c1/before")
    assert apply.changed("lxdapi_instance.present", "c1", config={"user.a": "1", "limits.memory": "64MiB"})
    assert apply.changed("lxdapi_instance.stopped", "c1", force=True)
    file = str(tmp_path / "c1.tar.gz")
    assert apply.changed("lxdapi_instance.exported", "c1", path=file)
    assert salt.modules["lxdapi_backup.import"]("c2", file) == {"created": "c2"}
    assert raw("instances/c2")["config"]["user.a"] == "1" and raw("instances/c2/snapshots/before")
    for name in ("c1", "c2"):
        assert apply.changed("lxdapi_instance.absent", name) == {"deleted": name}
    for function, name in (("lxdapi_profile.absent", "web"), ("lxdapi_network.absent", "smoke")):
        assert apply.changed(function, name) == {"deleted": name}
