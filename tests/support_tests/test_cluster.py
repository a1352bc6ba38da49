"""
A cluster forms within seconds, works, can be wiped, and leaves nothing behind.
"""

import os
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.cluster import Cluster
from tests.support.rest import Refused

POOLS, NETWORKS = "/1.0/storage-pools", "/1.0/networks"
MEMBERS, GROUPS = "/1.0/cluster/members", "/1.0/cluster/groups"
VOLUMES = f"{POOLS}/default/volumes/custom"


def pytest_generate_tests(metafunc):
    """Run each test for each kind of daemon."""
    metafunc.parametrize("kind", metafunc.config.getoption("--daemon"), indirect=True, scope="module")


@pytest.fixture(scope="module")
def kind(request):
    """The kind of daemon."""
    return request.param


@contextmanager
def clustered(kind, size, without=()):
    cluster = Cluster(kind, size)
    try:
        yield cluster.start(without)
    finally:
        cluster.stop()
        cluster.remove()


@pytest.fixture(scope="module")
def pair(kind):
    """A cluster of two."""
    with clustered(kind, 2) as cluster:
        yield cluster


@pytest.fixture
def cluster(pair):
    """The cluster of two, wiped after the test."""
    yield pair
    pair.wipe()


def everything(cluster):
    """Return the settings of the first member that users can change."""
    paths = [MEMBERS, GROUPS, POOLS, NETWORKS, f"{POOLS}/default/volumes", "/1.0/profiles", "/1.0/certificates"]
    read = {path: cluster.first.ask("GET", f"{path}?recursion=1") for path in paths}
    for name in cluster.joined():
        read[name] = cluster.first.ask("GET", f"/1.0?target={name}")["config"]
    return ordered(read)


def ordered(value):
    """Return the same without the order in which a daemon lists things."""
    if isinstance(value, dict):
        return {key: ordered(each) for key, each in value.items()}
    return sorted(map(ordered, value), key=repr) if isinstance(value, list) else value


def create_everywhere(cluster, collection, body, config):
    """Create this pool or network in the two phases of a cluster."""
    for name in cluster.joined():
        cluster.first.ask("POST", f"{collection}?target={name}", {**body, "config": config})
    cluster.first.ask("POST", collection, body)


def test_cluster_has_its_members(cluster):
    assert cluster.joined() == ["n1", "n2"]
    assert {member["status"] for member in cluster.listed()} == {"Online"}
    for name in cluster.joined():
        environment = cluster[name].ask("GET", "/1.0")["environment"]
        assert (environment["server_clustered"], environment["server_name"]) == (True, name)


def test_a_write_is_seen_by_all_members(cluster):
    cluster["n2"].ask("POST", "/1.0/profiles", {"name": "p1", "config": {"user.x": "1"}})
    for name in cluster.joined():
        assert cluster[name].ask("GET", "/1.0/profiles/p1")["config"] == {"user.x": "1"}


def test_cluster_has_pool_and_default_group(cluster):
    pool = cluster.first.ask("GET", f"{POOLS}/default")
    assert (pool["status"], sorted(pool["locations"]), pool["config"]) == ("Created", ["n1", "n2"], {})
    assert cluster.first.ask("GET", f"{GROUPS}/default")["description"] == "Default cluster group"


def test_wipe_of_clean_cluster_changes_nothing(cluster):
    before = everything(cluster)
    cluster.wipe()
    assert everything(cluster) == before


def test_wipe_removes_created_and_restores_changed(cluster, tmp_path):
    before = everything(cluster)
    create_everywhere(cluster, POOLS, {"name": "pool1", "driver": "dir"}, {})
    create_everywhere(cluster, NETWORKS, {"name": "mv0", "type": "macvlan"}, {"parent": "lo"})
    cluster.first.ask("POST", f"{POOLS}?target=n2", {"name": "pending", "driver": "dir"})
    for name in cluster.joined():
        cluster.first.ask("POST", f"{VOLUMES}?target={name}", {"name": "v1"})
    cluster.first.ask("POST", GROUPS, {"name": "g1", "members": ["n1"]})
    cluster.first.ask("PUT", f"{GROUPS}/default", {"description": "changed", "members": ["n1", "n2"]})
    local = {"core.debug_address": "127.0.0.1:18666", "user.x": "1"}
    cluster.first.ask("PATCH", "/1.0?target=n2", {"config": local})
    member = cluster.first.ask("GET", f"{MEMBERS}/n2")
    changed = {"config": {"user.x": "1"}, "failure_domain": "there", "groups": ["g1"]}
    cluster.first.ask("PUT", f"{MEMBERS}/n2", {**member, **changed, "roles": [*member["roles"], "event-hub"]})
    cluster.first.ask("POST", f"{MEMBERS}/n2", {"server_name": "other"})
    assert everything(cluster) != before
    cluster.wipe()
    assert everything(cluster) == before


def test_a_wipe_cancels_tokens(cluster):
    cluster.token("n9")
    cluster.wipe()
    assert "running" not in cluster.first.ask("GET", "/1.0/operations")


def test_wipe_restores_members_that_left_or_died(cluster):
    cluster.leave("n2")
    assert cluster.joined() == ["n1"]
    cluster["n2"].stop()
    cluster.wipe()
    assert cluster.joined() == ["n1", "n2"]


def test_a_member_can_join_later_and_leave_again(kind):
    with clustered(kind, 3, without=["n2", "n3"]) as cluster:
        assert cluster.joined() == ["n1"]
        create_everywhere(cluster, NETWORKS, {"name": "mv0", "type": "macvlan"}, {"parent": "lo"})
        cluster.join("n3", {"mv0": {"parent": "lo"}})
        assert cluster["n3"].ask("GET", f"{NETWORKS}/mv0?target=n3")["config"] == {"parent": "lo"}
        assert cluster.joined() == ["n1", "n3"]
        cluster.wipe()
        assert cluster.joined() == ["n1"]


def test_member_cannot_join_again(cluster):
    with pytest.raises(Refused):
        cluster.join("n2")


@pytest.mark.mainly("lxd")
def test_nothing_is_left_after_members_were_killed(kind):
    before = set(os.listdir("/sys/class/net"))
    with clustered(kind, 3) as cluster:
        cluster["n2"].kill()
        cluster["n3"].kill()
    for daemon in cluster.members.values():
        assert daemon.processes() == []
        assert not Path(daemon.directory).exists()
    assert set(os.listdir("/sys/class/net")) == before
