"""
An instance that refers to missing objects: the comment names them, after a failure and before, in test mode.
"""

import pytest

NIC = {"type": "nic", "network": "lan9", "name": "eth0"}
DISK = {"type": "disk", "pool": "fast", "source": "data", "path": "/data"}
MISSING = [
    ({"profiles": ["default", "web"]}, "profile web does not exist"),
    ({"devices": {"eth0": NIC}}, "network lan9 does not exist"),
    ({"devices": {"data": DISK}}, "storage pool fast does not exist"),
    (
        {"profiles": ["web", "default", "db"], "devices": {"data": DISK}},
        "profile web, profile db, storage pool fast do not exist",
    ),
]


def test_missing_references_of_new_instance_are_reported(apply, imported, raw):
    for declared, words in MISSING:
        declared = {"source": "busybox", **declared}
        predicted = apply.predicted("lxdapi_instance.present", "c1", **declared)
        assert (predicted["result"], predicted["changes"]) == (None, {"created": "c1"})
        assert predicted["comment"].endswith(f"; note: {words}")
        comment = apply.failed("lxdapi_instance.present", "c1", **declared)
        assert f"; {words}" in comment
        assert "(POST /1.0/instances" in comment
        assert raw("instances/c1") is None


def test_missing_references_of_changed_instance_are_reported(apply, daemon, raw):
    apply("lxdapi_instance.present", "c1", source="none")
    before = raw("instances/c1")
    for declared, words in MISSING:
        predicted = apply.predicted("lxdapi_instance.present", "c1", **declared)
        assert predicted["result"] is None
        assert predicted["comment"].endswith(f"; note: {words}")
        comment = apply.failed("lxdapi_instance.present", "c1", **declared)
        assert f"; {words}" in comment
        assert "PUT /1.0/instances/c1" in comment or "PATCH /1.0/instances/c1" in comment
        assert raw("instances/c1") == before


def test_missing_image_is_named(apply, daemon):
    comment = apply.failed("lxdapi_instance.present", "c1", source="nope")
    assert "nope" in comment


def test_reference_created_earlier_in_run_is_no_failure(apply, imported, raw):
    declared = {"source": "busybox", "profiles": ["default", "web"]}
    assert "profile web does not exist" in apply.predicted("lxdapi_instance.present", "c1", **declared)["comment"]
    apply.changed("lxdapi_profile.present", "web")
    apply.changed("lxdapi_instance.present", "c1", **declared)
    assert raw("instances/c1")["profiles"] == ["default", "web"]


def test_missing_parent_network_is_named(apply):
    declared = {"config": {"target_address": "10.77.9.2"}}
    predicted = apply.predicted("lxdapi_network_forward.present", "nope/192.0.2.1", **declared)
    assert predicted["comment"].endswith("would be created; note: network nope does not exist")
    comment = apply.failed("lxdapi_network_forward.present", "nope/192.0.2.1", **declared)
    assert "network nope does not exist" in comment and "POST /1.0/networks/nope/forwards" in comment


@pytest.mark.mainly("lxd")
def test_interface_with_the_name_of_a_network_is_named(apply, daemon):
    words = "the host has an interface lo, which the daemon does not manage"
    assert words in apply.predicted("lxdapi_network.present", "lo")["comment"]
    assert words in apply.failed("lxdapi_network.present", "lo")
    apply.unchanged("lxdapi_network.absent", "lo")
