"""
Groups and members of clusters, joining and leaving. The outcome is read from n1, past the library.
"""

import pytest

from tests.support.cluster import AUTOMATIC_ROLES, Cluster
from tests.support.loader import Loaded

GROUP, MEMBER, POOL = "lxdapi_cluster_group", "lxdapi_cluster_member", "lxdapi_storage_pool"


@pytest.fixture
def raw(cluster):
    """Return a function that reads an object past the code under test: its metadata, None for a 404."""

    def read(path):
        status, reply = cluster.first.request("GET", f"/1.0/{path}")
        return reply["metadata"] if status == 200 else None

    return read


@pytest.fixture
def group(cluster, raw):
    """Read the description and the sorted members of a group; LXD answers 500 for a missing group."""

    def read(name):
        found = raw(f"cluster/groups/{name}")
        return found and (found["description"], sorted(found["members"]))

    return read


@pytest.fixture
def modules(cluster, tmp_path):
    """The modules; their daemon is n1."""
    return Loaded(tmp_path / "m", {"local": {"endpoint": cluster.first.socket}}).modules


def test_a_group_has_its_members(clustered, group):
    declared = {"description": "one", "members": ["n2", "n1"]}
    assert clustered.changed(f"{GROUP}.present", "g1", **declared) == {"created": "g1"}
    assert group("g1") == ("one", ["n1", "n2"])
    clustered.unchanged(f"{GROUP}.present", "g1", members=["n1", "n2"])
    assert clustered.changed(f"{GROUP}.present", "g1", members=["n1"], description="") == {
        "members": {"old": ["n1", "n2"], "new": ["n1"]},
        "description": {"old": "one", "new": ""},
    }
    assert group("g1") == ("", ["n1"])
    assert clustered.changed(f"{GROUP}.present", "g2", renamed_from="g1", members=["n1", "n2"]) == {
        "name": {"old": "g1", "new": "g2"},
        "members": {"old": ["n1"], "new": ["n1", "n2"]},
    }
    assert (group("g1"), group("g2")) == (None, ("", ["n1", "n2"]))
    clustered.unchanged(f"{GROUP}.present", "g2", renamed_from="g1")
    assert "DELETE /1.0/cluster/groups/g2" in clustered.failed(f"{GROUP}.absent", "g2")
    clustered.changed(f"{GROUP}.present", "g2", members=[])
    assert clustered.changed(f"{GROUP}.absent", "g2") == {"deleted": "g2"}
    clustered.unchanged(f"{GROUP}.absent", "g2")
    assert group("g2") is None


def test_group_config_needs_its_api_extension(cluster, clustered, raw):
    config = {"user.keep": "me", "user.drop": "x"}
    if "clustering_groups_config" not in cluster.first.ask("GET", "/1.0")["api_extensions"]:
        comment = clustered.failed(f"{GROUP}.present", "g1", config=config)
        assert "lacks the API extension clustering_groups_config" in comment
        assert raw("cluster/groups/g1") is None
        return
    clustered.changed(f"{GROUP}.present", "g1", config=config, members=["n1", "n2"])
    clustered.changed(f"{GROUP}.present", "g1", config={"user.drop": None})
    found = raw("cluster/groups/g1")
    assert (found["config"], sorted(found["members"])) == ({"user.keep": "me"}, ["n1", "n2"])


def test_the_default_group_stays(clustered, group):
    clustered.unchanged(f"{GROUP}.present", "default", members=["n1", "n2"])
    assert "default cannot be deleted: each cluster has one" in clustered.failed(f"{GROUP}.absent", "default")
    assert group("default")[1] == ["n1", "n2"]


def test_refused_removal_from_last_group_is_reported(cluster, clustered, group):
    before = group("default")
    if cluster.server == "lxd":
        clustered.changed(f"{GROUP}.present", "default", members=["n1"])
        assert group("default") == (before[0], ["n1"])
    else:
        comment = clustered.failed(f"{GROUP}.present", "default", members=["n1"])
        assert "the daemon accepted the write, but members did not become as declared" in comment
        assert group("default") == before


def test_a_member_is_as_declared(clustered, raw):
    clustered(f"{GROUP}.present", "g1")
    declared = {"description": "one", "failure_domain": "rack2", "config": {"user.keep": "me", "user.drop": "x"}}
    before = raw("cluster/members/n2")
    changes = clustered.changed(f"{MEMBER}.present", "n2", groups=["g1", "default"], roles=["event-hub"], **declared)
    found = raw("cluster/members/n2")
    assert found.items() >= declared.items() and sorted(found["groups"]) == ["default", "g1"]
    assert set(found["roles"]) == {"event-hub", *before["roles"]}
    assert changes["roles"] == {"old": sorted(before["roles"]), "new": sorted(found["roles"])}
    assert changes["failure_domain"] == {"old": "default", "new": "rack2"}
    clustered.changed(f"{MEMBER}.present", "n2", config={"user.drop": None})
    clustered.changed(f"{MEMBER}.present", "n2", roles=[], groups=["default"])
    found = raw("cluster/members/n2")
    assert (found["config"], found["groups"]) == ({"user.keep": "me"}, ["default"])
    assert found["roles"] == before["roles"] and set(found["roles"]) <= AUTOMATIC_ROLES
    assert "Cluster" in clustered.failed(f"{MEMBER}.present", "n2", groups=["nope"])
    clustered.failed(f"{MEMBER}.present", "n2", groups=[])
    clustered.changed(f"{MEMBER}.present", "n2", config={}, description="")
    assert raw("cluster/members/n2")["groups"] == ["default"]


def test_a_member_can_be_called_otherwise(clustered, raw):
    for old, new in (("n2", "n9"), ("n9", "n2")):
        assert clustered.changed(f"{MEMBER}.present", new, renamed_from=old) == {"name": {"old": old, "new": new}}
        assert raw(f"cluster/members/{old}") is None
        clustered.unchanged(f"{MEMBER}.present", new, renamed_from=old)


def test_a_server_becomes_a_member_only_by_joining(clustered):
    comment = clustered.failed(f"{MEMBER}.present", "n7", description="one")
    assert "use lxdapi_cluster.joined on the new server" in comment
    clustered.unchanged(f"{MEMBER}.absent", "n7")


def test_a_member_leaves_when_it_has_nothing(cluster, clustered):
    cluster.first.ask("POST", "/1.0/storage-pools/default/volumes/custom?target=n2", {"name": "v1"})
    assert "still has the following custom volumes: v1" in clustered.failed(f"{MEMBER}.absent", "n2")
    assert cluster.joined() == ["n1", "n2"]
    cluster.first.ask("DELETE", "/1.0/storage-pools/default/volumes/custom/v1?target=n2")
    cluster.first.ask("POST", "/1.0/instances?target=n2", {"name": "c1", "source": {"type": "none"}})
    words = "it has the instances c1: move or delete them first"
    assert words in clustered.predicted(f"{MEMBER}.absent", "n2")["comment"]
    assert words in clustered.failed(f"{MEMBER}.absent", "n2")
    cluster.first.ask("DELETE", "/1.0/instances/c1")
    assert clustered.changed(f"{MEMBER}.absent", "n2") == {"deleted": "n2"}
    assert cluster.joined() == ["n1"]
    clustered.unchanged(f"{MEMBER}.absent", "n2")


def test_a_dead_member_is_removed_by_force(cluster, tmp_path):
    trio = Cluster(cluster.name, 3)
    try:
        trio.start()
        trio["n3"].kill()
        states = Loaded(tmp_path, {"local": {"endpoint": trio.first.socket}}).states
        assert states[f"{MEMBER}.absent"](name="n3")["result"] is False
        ret = states[f"{MEMBER}.absent"](name="n3", force=True)
        assert (ret["result"], ret["changes"]) == (True, {"deleted": "n3"}), ret
        assert trio.joined() == ["n1", "n2"]
    finally:
        trio.stop()
        trio.remove()


def test_late_joiner_gets_parts_of_created_resources_only(cluster, clustered, raw, tmp_path):
    folders = {name: {"source": str(tmp_path / name)} for name in ("a", "b", "c")}
    for name in folders:
        (tmp_path / name).mkdir()
    cluster.leave("n2")
    half = {"name": "half", "driver": "dir", "config": folders["a"]}
    cluster.first.ask("POST", "/1.0/storage-pools?target=n1", half)
    changes = clustered.changed(f"{POOL}.present", "whole", driver="dir")
    assert changes == {"members": {"n1": {"old": None, "new": {}}}, "created": "whole"}
    cluster.join("n2", {"whole": folders["b"]})
    clustered.unchanged(f"{POOL}.present", "whole", driver="dir", members={"n2": folders["b"]})
    declared = {"driver": "dir", "members": {"n1": folders["a"], "n2": folders["c"]}}
    assert clustered.changed(f"{POOL}.present", "half", **declared) == {
        "members": {"n2": {"old": None, "new": folders["c"]}},
        "status": {"old": "Pending", "new": "Created"},
    }
    assert sorted(raw("storage-pools/half")["locations"]) == ["n1", "n2"]


def test_members_and_groups_are_listed_read_and_edited(clustered, modules, raw):
    clustered(f"{GROUP}.present", "g1", members=["n1"])
    assert modules["lxdapi.list"]("cluster_member") == ["n1", "n2"]
    assert modules["lxdapi.list"]("cluster_group") == ["default", "g1"]
    assert modules["lxdapi.list"]("cluster_group", full=True)["g1"]["members"] == ["n1"]
    assert modules["lxdapi.get"]("cluster_member", "n2")["url"] == raw("cluster/members/n2")["url"]
    assert modules["lxdapi.update"]("cluster_member", "n2", {"description": "two"})
    assert raw("cluster/members/n2")["description"] == "two"
    assert modules["lxdapi.rename"]("cluster_group", "g1", "g2") == {"name": {"old": "g1", "new": "g2"}}


@pytest.mark.parametrize("function", [GROUP, MEMBER])
def test_unclustered_server_has_no_members_or_groups(apply, function):
    for answer in (apply.predicted(f"{function}.present", "g1"), apply(f"{function}.present", "g1")):
        assert (answer["result"], answer["changes"]) == (False, {})
        assert "the server is not clustered" in answer["comment"]
    apply.unchanged(f"{function}.absent", "g1")
    assert apply.seen() <= {"/1.0"}
