"""
Creations in a cluster of two: an instance on the named member, networks and pools with a key declared as absent, and
the changes of an update that the daemon did only in part.
"""

import subprocess

import pytest

GROUP, INSTANCE, NETWORK, POOL = "lxdapi_cluster_group", "lxdapi_instance", "lxdapi_network", "lxdapi_storage_pool"
ROOT = {"root": {"type": "disk", "pool": "default", "path": "/"}}


@pytest.fixture
def raw(cluster):
    """Read an object from n2, past the code under test."""
    return lambda path: cluster["n2"].ask("GET", f"/1.0/{path}")


@pytest.fixture
def parent(cluster):
    """A bridge of the host."""
    name = f"{cluster.name}-up"
    subprocess.run(["ip", "link", "add", name, "type", "bridge"], check=True)
    yield name
    subprocess.run(["ip", "link", "delete", name], check=True)


@pytest.mark.parametrize("target", ["n1", "n2", "@g1"])
def test_instance_is_created_on_target_member(clustered, raw, target):
    clustered(f"{GROUP}.present", "g1", members=["n2"])
    declared = {"source": "none", "target": target, "devices": ROOT, "config": {"user.a": "1"}}
    assert clustered.changed(f"{INSTANCE}.present", "c1", **declared) == {"created": "c1"}
    assert raw("instances/c1")["location"] == {"@g1": "n2"}.get(target, target)
    changes = clustered.changed(f"{INSTANCE}.present", "c1", target="n1", config={"user.a": "2"})
    assert changes == {"config": {"user.a": {"old": "1", "new": "2"}}}
    assert raw("instances/c1")["location"] == {"@g1": "n2"}.get(target, target), "it stays where it is"


@pytest.mark.parametrize("target", ["n7", "@g7"])
def test_target_that_does_not_exist_is_refused(cluster, clustered, target):
    words = f"target: cluster {'group g7' if target[0] == '@' else 'member n7'} does not exist"
    for answer in (clustered.predicted, clustered):
        ret = answer(f"{INSTANCE}.present", "c1", source="none", target=target, devices=ROOT)
        assert (ret["result"], ret["changes"]) == (False, {}) and words in ret["comment"]
    assert cluster.first.ask("GET", "/1.0/instances") == []


def test_create_omits_keys_declared_as_null(clustered, raw, parent):
    config = {"user.keep": "me", "user.drop": None}
    members = {name: {"parent": parent} for name in ("n1", "n2")}
    clustered.changed(f"{NETWORK}.present", "mv0", type="macvlan", config=config, members=members)
    assert raw("networks/mv0")["config"] == {"user.keep": "me"}
    clustered.changed(f"{POOL}.present", "fast", driver="dir", config=config)
    assert raw("storage-pools/fast")["config"] == {"user.keep": "me"}


def test_partly_applied_change_is_reported(cluster, clustered):
    if cluster.server == "lxd":
        return
    description = cluster.first.ask("GET", "/1.0/cluster/groups/default")["description"]
    ret = clustered(f"{GROUP}.present", "default", description="one", members=["n1"])
    assert (ret["result"], ret["changes"]) == (False, {"description": {"old": description, "new": "one"}})
    assert "the daemon accepted the write, but members did not become as declared" in ret["comment"]
    assert "(PUT /1.0/cluster/groups/default)" in ret["comment"]
    found = cluster.first.ask("GET", "/1.0/cluster/groups/default")
    assert (found["description"], sorted(found["members"])) == ("one", ["n1", "n2"])
