"""
Renames on daemons that support them, and errors on those that do not.
"""

import pytest


def test_taken_name_prevents_rename(apply, daemon, raw):
    apply("lxdapi_profile.present", "old", description="old")
    apply("lxdapi_profile.present", "new", description="new")
    apply.unchanged("lxdapi_profile.present", "new", renamed_from="old")
    changes = apply.changed("lxdapi_profile.present", "new", renamed_from="old", description="newer")
    assert changes == {"description": {"old": "new", "new": "newer"}}
    assert raw("profiles/old")["description"] == "old"


def test_missing_old_name_leads_to_create(apply, daemon, raw):
    changes = apply.changed("lxdapi_network_acl.present", "web", renamed_from="never", description="one")
    assert changes == {"created": "web"}
    assert raw("network-acls/web")["description"] == "one"


def test_instance_is_renamed_updated_and_started_in_one_run(apply, imported, raw):
    apply("lxdapi_instance.present", "c1", source="busybox", config={"user.a": "1", "user.b": "2"})
    declared = {"renamed_from": "c1", "config": {"user.a": "3"}, "running": True}
    changes = apply.changed("lxdapi_instance.present", "c2", **declared)
    assert changes == {
        "name": {"old": "c1", "new": "c2"},
        "config": {"user.a": {"old": "1", "new": "3"}},
        "status": {"old": "Stopped", "new": "Running"},
    }
    found = raw("instances/c2")
    assert (found["status"], found["config"]["user.a"], found["config"]["user.b"]) == ("Running", "3", "2")
    assert found["config"]["volatile.base_image"] == imported
    assert raw("instances/c1") is None


def test_an_instance_that_runs_is_not_renamed(apply, imported, raw):
    apply("lxdapi_instance.present", "c1", source="busybox", running=True)
    comment = apply.failed("lxdapi_instance.present", "c2", renamed_from="c1")
    assert "instance c2 could not be renamed from c1: " in comment
    assert "POST /1.0/instances/c1" in comment
    assert raw("instances/c1")["status"] == "Running"
    assert raw("instances/c2") is None


def test_a_project_that_is_not_empty_is_not_renamed(apply, daemon, raw):
    apply("lxdapi_project.present", "shop")
    apply("lxdapi_profile.present", "web", project="shop")
    comment = apply.failed("lxdapi_project.present", "shop2", renamed_from="shop")
    assert "project shop2 could not be renamed from shop: Only empty projects can be renamed" in comment
    assert raw("projects/shop") and raw("projects/shop2") is None


def test_a_network_in_use_is_not_renamed(apply, daemon, raw):
    config = {"ipv4.address": "10.77.9.1/24", "ipv6.address": "none"}
    apply("lxdapi_network.present", "lxdapi9", config=config)
    nic = {"type": "nic", "network": "lxdapi9", "name": "eth0"}
    apply("lxdapi_profile.present", "web", devices={"eth0": nic})
    comment = apply.failed("lxdapi_network.present", "lxdapi8", renamed_from="lxdapi9")
    assert "network lxdapi8 could not be renamed from lxdapi9: " in comment and "in use" in comment
    assert raw("networks/lxdapi9") and raw("networks/lxdapi8") is None


def test_parent_of_old_name_must_match(apply, daemon, raw):
    apply("lxdapi_storage_pool.present", "fast", driver="dir")
    apply("lxdapi_storage_volume.present", "default/data")
    comment = apply.failed("lxdapi_storage_volume.present", "fast/data2", renamed_from="default/data")
    assert "storage volume default/data cannot be renamed to fast/data2: it would have another parent" in comment
    assert raw("storage-pools/default/volumes/custom/data")


def test_impossible_rename_is_refused_before_any_write(salt, proxy, daemon):
    for kind, name, other in (
        ("network_forward", "lxdapi9/192.0.2.1", "192.0.2.2"),
        ("network_zone", "shop.test", "web.test"),
        ("network_zone_record", "shop.test/www", "web"),
        ("storage_pool", "fast", "faster"),
        ("storage_bucket_key", "default/backups/reader", "writer"),
    ):
        with pytest.raises(ValueError, match="cannot be renamed|does not support the kind"):
            salt.modules["lxdapi.rename"](kind, name, other)
    assert proxy.writes() == []
