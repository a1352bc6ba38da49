"""
Resources in use are not deleted: the daemon rejects the deletion, the comment names the users, and test mode predicts
it.
"""

import pytest

from tests.support.salt_run import Runs, chunk

NETWORK = {"name": "lxdapi9", "config": {"ipv4.address": "10.77.9.1/24", "ipv6.address": "none"}}
NIC = {"type": "nic", "network": "lxdapi9", "name": "eth0"}
DATA = {"type": "disk", "pool": "default", "source": "data", "path": "/data"}
ROOT = {"type": "disk", "pool": "fast", "path": "/"}
# {state: (name, path, raw requests that create it and its user, the user, the daemons' words)}
USED = {
    "profile": (
        "web",
        "profiles/web",
        [("profiles", {"name": "web"}), ("instances", {"name": "c1", "profiles": ["default", "web"]})],
        "instances/c1",
        {"Profile is currently in use"},
    ),
    "network": (
        "lxdapi9",
        "networks/lxdapi9",
        [("networks", NETWORK), ("profiles", {"name": "web", "devices": {"eth0": NIC}})],
        "profiles/web",
        {"The network is currently in use", "Cannot delete a network that is currently in use"},
    ),
    "network_acl": (
        "web",
        "network-acls/web",
        [
            ("network-acls", {"name": "web"}),
            ("networks", {**NETWORK, "config": {**NETWORK["config"], "security.acls": "web"}}),
        ],
        "networks/lxdapi9",
        {"Cannot delete an ACL that is in use"},
    ),
    "storage_volume": (
        "default/data",
        "storage-pools/default/volumes/custom/data",
        [
            ("storage-pools/default/volumes/custom", {"name": "data"}),
            ("instances", {"name": "c1", "devices": {"data": DATA}}),
        ],
        "instances/c1",
        {"The storage volume is still in use", "Storage volume is still in use"},
    ),
    "storage_pool": (
        "fast",
        "storage-pools/fast",
        [("storage-pools", {"name": "fast", "driver": "dir"}), ("profiles", {"name": "web", "devices": {"r": ROOT}})],
        "profiles/web",
        {"The storage pool is currently in use", "Storage pool is currently in use"},
    ),
    "project": (
        "shop",
        "projects/shop",
        [("projects", {"name": "shop"}), ("profiles?project=shop", {"name": "web"})],
        "profiles/web?project=shop",
        {"Only empty projects can be removed"},
    ),
    "network_zone": (
        "shop.test",
        "network-zones/shop.test",
        [
            ("network-zones", {"name": "shop.test"}),
            ("networks", {**NETWORK, "config": {**NETWORK["config"], "dns.zone.forward": "shop.test"}}),
        ],
        "networks/lxdapi9",
        {"Cannot delete a zone that is in use"},
    ),
}


@pytest.mark.parametrize("kind", sorted(USED))
def test_used_resource_is_not_deleted_and_users_are_named(apply, daemon, raw, kind):
    name, path, requests, user, words = USED[kind]
    for collection, body in requests:
        extra = {"source": {"type": "none"}} if collection == "instances" else {}
        daemon.ask("POST", f"/1.0/{collection}", {**body, **extra})
    function = f"lxdapi_{kind}.absent"
    predicted = apply.predicted(function, name)
    assert (predicted["result"], predicted["changes"]) == (None, {"deleted": name})
    comment = apply.failed(function, name)
    assert any(each in comment for each in words), comment
    assert f"(DELETE /1.0/{path})" in comment
    note = f"it is used by {user}"
    assert predicted["comment"].endswith(note), predicted["comment"]
    assert comment.endswith(note), comment
    assert raw(path)


@pytest.mark.mainly("incus")
def test_users_that_the_same_run_deletes_are_not_named(daemon, tmp_path):
    for collection, body in USED["network"][2]:
        daemon.ask("POST", f"/1.0/{collection}", body)
    runs = Runs(tmp_path, daemon.socket)
    sls = {"user": chunk("lxdapi_profile.absent", "web"), "used": chunk("lxdapi_network.absent", "lxdapi9")}
    for test, verb in ((True, "would be"), (False, "was")):
        comments = [each["comment"] for each in runs(sls, test)]
        assert comments == [f"profile web {verb} deleted", f"network lxdapi9 {verb} deleted"]


def test_default_profile_does_not_count_as_use_of_project(apply, daemon, raw):
    daemon.ask("POST", "/1.0/projects", {"name": "shop"})
    assert raw("projects/shop")["used_by"] == ["/1.0/profiles/default?project=shop"]
    comment = apply.predicted("lxdapi_project.absent", "shop")["comment"]
    assert comment == "project shop would be deleted"
    assert apply.changed("lxdapi_project.absent", "shop") == {"deleted": "shop"}


def test_first_users_are_named_and_others_counted(apply, daemon):
    daemon.ask("POST", "/1.0/profiles", {"name": "web"})
    for number in range(7):
        body = {"name": f"c{number}", "profiles": ["default", "web"], "source": {"type": "none"}}
        daemon.ask("POST", "/1.0/instances", body)
    comment = apply.failed("lxdapi_profile.absent", "web")
    assert comment.endswith(" and 2 more")
    assert comment.count("instances/c") == 5


def test_project_is_deleted_by_force_where_supported(apply, daemon, raw):
    daemon.ask("POST", "/1.0/projects", {"name": "shop"})
    daemon.ask("POST", "/1.0/profiles?project=shop", {"name": "web"})
    if daemon.server == "lxd":
        comment = apply.failed("lxdapi_project.absent", "shop", force=True)
        assert "it lacks the API extension projects_force_delete" in comment
        assert raw("projects/shop")
    else:
        assert apply.changed("lxdapi_project.absent", "shop", force=True) == {"deleted": "shop"}
    apply.unchanged("lxdapi_project.absent", "none", force=True)
