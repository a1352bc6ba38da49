"""
Copies of an instance, and its move to another pool or project of one daemon: nothing is lost.
"""

import pytest
from salt.exceptions import CommandExecutionError

from tests.support.two_daemons import PROFILE, essence, found, make, pulled, push, snapshots


@pytest.fixture
def made(daemon, imported):
    """The daemon with the instance web1, a second pool and a second project."""
    daemon.ask("POST", "/1.0/profiles", PROFILE)
    daemon.ask("POST", "/1.0/storage-pools", {"name": "fast", "driver": "dir"})
    features = {"features.images": "false", "features.profiles": "false"}
    daemon.ask("POST", "/1.0/projects", {"name": "shop", "config": features})
    make(daemon, snapshots=("s0",))
    push(daemon, "treasure")
    daemon.ask("POST", "/1.0/instances/web1/snapshots", {"name": "s1"})
    return daemon


@pytest.fixture
def call(salt):
    """Call a function of the module."""
    return lambda function, *arguments, **more: salt.modules[f"lxdapi_instance.{function}"](*arguments, **more)


def test_copy_has_everything_of_its_source(made, call):
    assert call("copy", "web1", "web2") == {"created": "web2"}
    assert essence(found(made, "web2")) == essence(found(made))
    assert snapshots(made, "web2") == snapshots(made) and pulled(made, "web2") == "treasure"


@pytest.mark.mainly("lxd")
def test_copy_without_snapshots_to_another_pool_and_project(made, call):
    assert call("copy", "web1", pool="fast", snapshots=False, to_project="shop") == {"created": "web1"}
    copied = found(made, query="?project=shop")
    root = {"type": "disk", "path": "/", "pool": "fast"}
    assert essence(copied) == {**essence(found(made)), "devices": {**found(made)["devices"], "root": root}}
    assert snapshots(made, query="&project=shop") == []


@pytest.mark.mainly("incus")
def test_copy_of_snapshot_matches_the_snapshot(made, call):
    made.ask("PATCH", "/1.0/instances/web1", {"config": {"user.owner": "nobody"}, "description": "the shop"})
    push(made, "dross")
    assert call("copy", "web1/s1", "web2") == {"created": "web2"}
    assert found(made, "web2")["config"]["user.owner"] == "shop" and pulled(made, "web2") == "treasure"
    assert snapshots(made, "web2") == []


@pytest.mark.mainly("lxd")
def test_copy_is_refreshed(made, call):
    call("copy", "web1", "web2")
    made.ask("PATCH", "/1.0/instances/web1", {"config": {"user.owner": "nobody"}, "description": "closed"})
    made.ask("PATCH", "/1.0/instances/web2", {"config": {"user.own": "1"}, "description": "mine"})
    made.ask("DELETE", "/1.0/instances/web1/snapshots/s0")
    made.ask("POST", "/1.0/instances/web1/snapshots", {"name": "s2"})
    push(made, "gold")
    assert call("copy", "web1", "web2", refresh=True) == {"refreshed": "web2"}
    assert essence(found(made, "web2")) == essence(found(made))
    assert snapshots(made, "web2") == snapshots(made) and pulled(made, "web2") == "gold"


NO_COPY = [
    ({"new": "web1"}, "another name"),
    ({"new": "web2", "pool": "nope"}, "storage pool nope does not exist"),
    ({"new": "web2", "to_project": "nope"}, "project nope does not exist"),
    ({"new": "web2", "mode": "pull"}, "the same daemon"),
    ({"new": "-", "pool": "fast"}, "is not valid"),
]


@pytest.mark.mainly("incus")
def test_impossible_copy_is_refused_and_leaves_nothing(made, call, proxy):
    for arguments, words in NO_COPY:
        with pytest.raises(CommandExecutionError, match=words):
            call("copy", "web1", **arguments)
    assert proxy.writes() == []


@pytest.mark.mainly("lxd")
def test_copy_does_not_replace_another_instance(made, call, proxy):
    made.ask("POST", "/1.0/instances", {"name": "web2", "source": {"type": "none"}})
    with pytest.raises(CommandExecutionError, match="already exists"):
        call("copy", "web1", "web2")
    with pytest.raises(CommandExecutionError, match="instance web9 does not exist"):
        call("copy", "web9", "web3")
    with pytest.raises(CommandExecutionError, match="instance snapshot web1/s9 does not exist"):
        call("copy", "web1/s9", "web3")
    assert proxy.writes() == []


@pytest.mark.mainly("incus7")
def test_copy_with_lost_reply_is_done_once(made, call, proxy):
    proxy.arm("drop_reply", method="POST", path=r"/1\.0/instances$")
    assert call("copy", "web1", "web2") == {"created": "web2"}
    assert essence(found(made, "web2")) == essence(found(made))
    assert len([each for each in proxy.executed("POST") if each.path == "/1.0/instances"]) == 1


@pytest.mark.mainly("lxd")
def test_move_to_pool_and_project_keeps_everything(made, call):
    before, kept = essence(found(made)), snapshots(made)
    made.ask("PUT", "/1.0/instances/web1/state", {"action": "start"})
    changes = call("move", "web1", pool="fast", to_project="shop")
    assert changes == {"pool": {"old": "default", "new": "fast"}, "project": {"old": "default", "new": "shop"}}
    after = found(made, query="?project=shop")
    assert found(made) is None and after["status"] == "Running"
    root = {"type": "disk", "path": "/", "pool": "fast"}
    assert essence(after) == {**before, "devices": {**before["devices"], "root": root}}
    assert snapshots(made, query="&project=shop") == kept and pulled(made, query="&project=shop") == "treasure"
    assert call("move", "web1", pool="fast", project="shop") == {}


NO_MOVE = [
    ({"pool": "nope"}, "storage pool nope does not exist"),
    ({"to_project": "nope"}, "project nope does not exist"),
    ({}, "no destination to move to"),
    ({"target": "n1", "pool": "fast"}, "target must not be combined with pool"),
]


@pytest.mark.mainly("incus")
def test_impossible_move_is_refused_and_instance_runs_on(made, call, proxy):
    made.ask("PUT", "/1.0/instances/web1/state", {"action": "start"})
    for arguments, words in NO_MOVE:
        with pytest.raises(CommandExecutionError, match=words):
            call("move", "web1", **arguments)
    assert proxy.writes() == [] and found(made)["status"] == "Running"


@pytest.mark.mainly("lxd")
def test_refused_move_leaves_instance_running_in_place(made, call):
    made.ask("POST", "/1.0/instances?project=shop", {"name": "web1", "source": {"type": "none"}})
    made.ask("PUT", "/1.0/instances/web1/state", {"action": "start"})
    with pytest.raises(CommandExecutionError):
        call("move", "web1", to_project="shop")
    assert found(made)["status"] == "Running"


@pytest.mark.mainly("incus")
def test_move_with_lost_reply_is_done_once(made, call, proxy):
    proxy.arm("drop_reply", method="POST", path=r"/1\.0/instances/web1$")
    assert call("move", "web1", pool="fast") == {"pool": {"old": "default", "new": "fast"}}
    assert found(made)["devices"]["root"]["pool"] == "fast"
    assert len([each for each in proxy.executed("POST") if each.path == "/1.0/instances/web1"]) == 1


def test_copy_is_created_on_target_member(cluster, clustered, image):
    cluster.first.import_image(image, alias="busybox")
    cluster.first.ask("POST", "/1.0/profiles", PROFILE)
    source = {"name": "web1", "source": {"type": "image", "alias": "busybox"}, "profiles": ["default", "web"]}
    cluster.first.ask("POST", "/1.0/instances?target=n1", {**source, "description": "the shop"})
    call = clustered.salt.modules["lxdapi_instance.copy"]
    assert call("web1", "web2", target="n2") == {"created": "web2"}
    made, origin = found(cluster.first, "web2"), found(cluster.first)
    assert (made["location"], essence(made)) == ("n2", essence(origin))
