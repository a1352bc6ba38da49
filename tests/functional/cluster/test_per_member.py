"""
Storage pools, networks, volumes and member settings, on clusters of two.

The library talks to n1; the outcome is read from n2, past it.
"""

import subprocess

import pytest
import yaml

from tests.support.cluster import free_addresses
from tests.support.loader import Loaded

POOL, NETWORK, SERVER = "lxdapi_storage_pool", "lxdapi_network", "lxdapi_server"
VOLUME, SNAPSHOT = "lxdapi_storage_volume", "lxdapi_volume_snapshot"
OWN = {"user.keep": "me", "user.drop": "x"}


@pytest.fixture
def raw(cluster):
    """Read an object from n2, past the code under test: its metadata, None if the daemon says 404."""

    def read(path):
        status, reply = cluster["n2"].request("GET", f"/1.0/{path}")
        assert status in (200, 404), reply
        return reply["metadata"] if status == 200 else None

    return read


@pytest.fixture
def folders(tmp_path):
    """Return the config of a pool that is specific to each member: a folder."""
    for name in ("n1", "n2"):
        (tmp_path / name).mkdir()
    return {name: {"source": str(tmp_path / name)} for name in ("n1", "n2")}


@pytest.fixture
def parents(cluster):
    """
    Return the config of a network that is specific to each member: a bridge of the host; and a third one for changes.
    """
    names = [f"{cluster.name}-{each}" for each in ("n1", "n2", "other")]
    for name in names:
        subprocess.run(["ip", "link", "add", name, "type", "bridge"], check=True)
    yield {name: {"parent": parent} for name, parent in zip(("n1", "n2", "other"), names)}
    for name in names:
        subprocess.run(["ip", "link", "delete", name], check=True)


def both(parents):
    """Return the parts of the members."""
    return {name: parents[name] for name in ("n1", "n2")}


def prepared(members):
    """Return the changes for new parts."""
    return {name: {"old": None, "new": config} for name, config in members.items()}


def own(raw, path, key):
    """Return the value of a key that is specific to each member."""
    return {name: {key: raw(f"{path}?target={name}")["config"].get(key)} for name in ("n1", "n2")}


def refused(states, function, name, **arguments):
    """Return the comment of a failure without writes that test mode reports too."""
    predicted = states.predicted(function, name, **arguments)
    assert (predicted["result"], predicted["changes"]) == (False, {}), predicted
    assert states.failed(function, name, **arguments) == predicted["comment"]
    return predicted["comment"]


def test_pool_is_created_on_all_members_and_edited_as_one(clustered, raw, folders):
    declared = {"driver": "dir", "description": "one", "config": OWN, "members": folders}
    assert (
        "would be prepared on n1 and prepared on n2 and created"
        in (clustered.predicted(f"{POOL}.present", "fast", **declared)["comment"])
    )
    assert clustered.changed(f"{POOL}.present", "fast", **declared) == {
        "members": prepared(folders),
        "created": "fast",
    }
    found = raw("storage-pools/fast")
    assert (found["status"], found["description"], found["config"]) == ("Created", "one", OWN)
    edit = {"description": "two", "config": {"user.keep": "you"}, "members": folders}
    assert clustered.changed(f"{POOL}.present", "fast", **edit) == {
        "description": {"old": "one", "new": "two"},
        "config": {"user.keep": {"old": "me", "new": "you"}},
    }
    clustered.changed(f"{POOL}.present", "fast", config={"user.drop": None}, members={"n1": None, "n2": {}})
    assert raw("storage-pools/fast")["config"] == {"user.keep": "you"}
    clustered.changed(f"{POOL}.present", "fast", config={})
    assert (raw("storage-pools/fast")["description"], raw("storage-pools/fast")["config"]) == ("two", {})
    assert own(raw, "storage-pools/fast", "source") == folders
    assert clustered.changed(f"{POOL}.absent", "fast") == {"deleted": "fast"}
    assert raw("storage-pools/fast") is None
    clustered.unchanged(f"{POOL}.absent", "fast")


def test_pool_without_member_keys_needs_no_members(clustered, raw):
    changes = clustered.changed(f"{POOL}.present", "fast", driver="dir")
    assert changes == {"members": prepared({"n1": {}, "n2": {}}), "created": "fast"}
    assert sorted(raw("storage-pools/fast")["locations"]) == ["n1", "n2"]


def test_pool_source_on_a_member_is_immutable(clustered, raw, folders):
    clustered(f"{POOL}.present", "fast", driver="dir", members=folders)
    edit = {"description": "lost", "members": {"n2": {"source": "/srv/other"}}}
    comment = refused(clustered, f"{POOL}.present", "fast", **edit)
    assert f"config source is {folders['n2']['source']!r} and cannot be changed to '/srv/other'" in comment
    assert raw("storage-pools/fast")["description"] == ""


def test_a_network_has_a_parent_on_each_member(clustered, raw, parents):
    members = both(parents)
    declared = {"type": "macvlan", "description": "one", "config": OWN, "members": members}
    assert clustered.changed(f"{NETWORK}.present", "mv0", **declared) == {
        "members": prepared(members),
        "created": "mv0",
    }
    found = raw("networks/mv0")
    assert (found["status"], found["description"], found["config"]) == ("Created", "one", OWN)
    edit = {"members": {"n2": parents["other"]}}
    change = {"old": members["n2"]["parent"], "new": parents["other"]["parent"]}
    assert clustered.changed(f"{NETWORK}.present", "mv0", **edit) == {"members": {"n2": {"parent": change}}}
    assert raw("networks/mv0")["description"] == "one"
    clustered.changed(f"{NETWORK}.present", "mv0", config={"user.keep": "you", "user.drop": None})
    assert raw("networks/mv0")["config"] == {"user.keep": "you"}
    assert own(raw, "networks/mv0", "parent") == {"n1": members["n1"], "n2": parents["other"]}
    assert "cannot be renamed in a cluster" in refused(clustered, f"{NETWORK}.present", "mv1", renamed_from="mv0")
    assert clustered.changed(f"{NETWORK}.absent", "mv0") == {"deleted": "mv0"}
    assert raw("networks/mv0") is None
    clustered.unchanged(f"{NETWORK}.absent", "mv0")


def test_common_and_member_keys_change_together(clustered, raw, parents):
    clustered(f"{NETWORK}.present", "mv0", type="macvlan", description="one", members=both(parents))
    edit = {"description": "two", "config": {"user.x": "1"}, "members": {"n1": parents["other"], "n2": parents["n1"]}}
    changes = clustered.changed(f"{NETWORK}.present", "mv0", **edit)
    assert (set(changes), set(changes["members"])) == ({"config", "description", "members"}, {"n1", "n2"})
    assert (raw("networks/mv0")["description"], raw("networks/mv0")["config"]) == ("two", {"user.x": "1"})
    assert own(raw, "networks/mv0", "parent") == edit["members"]


@pytest.mark.parametrize("driver", ["dir", None])
def test_pool_missing_a_part_is_completed(cluster, clustered, raw, folders, driver):
    cluster.first.ask("POST", "/1.0/storage-pools?target=n1", {"name": "fast", "driver": "dir", "config": {}})
    declared = {"driver": driver, "description": "one", "config": OWN, "members": folders}
    changes = clustered.changed(f"{POOL}.present", "fast", **declared)
    assert changes["status"] == {"old": "Pending", "new": "Created"}
    assert changes["members"]["n1"] == {"source": {"old": None, "new": folders["n1"]["source"]}}
    assert changes["members"]["n2"] == prepared(folders)["n2"]
    found = raw("storage-pools/fast")
    assert (found["status"], found["description"], found["config"]) == ("Created", "one", OWN)
    assert own(raw, "storage-pools/fast", "source") == folders


def test_driver_must_match_existing_pool_part(cluster, clustered, raw):
    cluster.first.ask("POST", "/1.0/storage-pools?target=n1", {"name": "fast", "driver": "dir"})
    comment = refused(clustered, f"{POOL}.present", "fast", driver="btrfs")
    assert "driver is 'dir' and cannot be changed to 'btrfs'" in comment
    assert raw("storage-pools/fast")["locations"] == ["n1"]
    clustered.changed(f"{POOL}.absent", "fast")


def assert_second_member_fails(clustered, function, name, declared, words):
    """Check that it failed on n2 with the daemon's words, and that the changes contain the created parts."""
    ret = clustered(function, name, **declared)
    assert (ret["result"], ret["changes"]) == (False, {"members": prepared(declared["members"])}), ret
    assert words in ret["comment"] and "could not be created" in ret["comment"] and "POST /1.0/" in ret["comment"]
    assert "was prepared on n1 and prepared on n2" in ret["comment"]


@pytest.mark.parametrize("repair", ["the folder", "the declaration"])
def test_a_pool_that_failed_on_a_member_is_completed(clustered, raw, folders, tmp_path, repair):
    missing = tmp_path / "missing"
    members = {**folders, "n2": {"source": str(missing)}}
    declared = {"driver": "dir", "description": "one", "config": {"user.x": "1"}}
    assert_second_member_fails(
        clustered, f"{POOL}.present", "fast", {**declared, "members": members}, f"'{missing}' doesn't exist"
    )
    assert raw("storage-pools/fast")["status"] == "Errored"
    again = clustered.failed(f"{POOL}.present", "fast", **declared, members=members)
    assert f"'{missing}' doesn't exist" in again and "could not be completed" in again
    status = {"status": {"old": "Errored", "new": "Created"}}
    if repair == "the folder":
        missing.mkdir()
    else:
        members = folders
        change = {"old": str(missing), "new": folders["n2"]["source"]}
        status["members"] = {"n2": {"source": change}}
    other = {"driver": "dir", "description": "two", "config": {"user.x": "2"}}
    assert clustered.changed(f"{POOL}.present", "fast", **other, members=members) == status
    found = raw("storage-pools/fast")
    assert (found["status"], found["description"], found["config"]) == ("Created", "two", {"user.x": "2"})
    assert own(raw, "storage-pools/fast", "source") == members


def test_a_network_that_failed_on_a_member_is_completed(clustered, raw, parents):
    members = {"n1": parents["n1"], "n2": {"parent": "nothere"}}
    declared = {"type": "macvlan", "description": "one", "config": {"user.x": "1"}}
    assert_second_member_fails(
        clustered, f"{NETWORK}.present", "mv0", {**declared, "members": members}, '"nothere" not found'
    )
    assert raw("networks/mv0")["status"] == "Errored"
    assert clustered.changed(f"{NETWORK}.present", "mv0", **declared, members=both(parents)) == {
        "status": {"old": "Errored", "new": "Created"},
        "members": {"n2": {"parent": {"old": "nothere", "new": parents["n2"]["parent"]}}},
    }
    found = raw("networks/mv0")
    assert (found["status"], found["description"], found["config"]) == ("Created", "one", {"user.x": "1"})
    assert own(raw, "networks/mv0", "parent") == both(parents)


def test_unknown_member_is_refused_and_known_ones_listed(clustered, raw):
    declared = {"driver": "dir", "members": {"n1": {}, "n7": {"source": "/tmp"}}}
    for _ in range(2):
        comment = refused(clustered, f"{POOL}.present", "fast", **declared)
        assert "members: unknown member n7; choose from: n1, n2" in comment
        assert raw("storage-pools/fast") is None or raw("storage-pools/fast")["status"] == "Created"
        clustered(f"{POOL}.present", "fast", driver="dir")


def test_member_key_in_common_config_is_refused(clustered, raw, folders):
    declared = {"driver": "dir", "config": {"source": "/tmp"}}
    ret = clustered(f"{POOL}.present", "fast", **declared)
    assert ret["result"] is False and set(ret["changes"]) == {"members"}
    assert 'Config key "source" is cluster member specific' in ret["comment"]
    clustered.changed(f"{POOL}.present", "fast", members=folders)
    assert raw("storage-pools/fast")["status"] == "Created"


def test_members_on_unclustered_server_is_refused(apply):
    for function, name in ((f"{POOL}.present", "fast"), (f"{NETWORK}.present", "mv0")):
        assert "members: the server is not clustered" in refused(apply, function, name, members={"n1": {}})


def test_server_setting_applies_to_one_member(cluster, clustered):
    def settings():
        return [cluster["n2"].ask("GET", f"/1.0?target={name}")["config"] for name in ("n1", "n2")]

    address = {"core.debug_address": free_addresses(1)[0]}
    change = {"old": None, "new": address["core.debug_address"]}
    changes = clustered.changed(f"{SERVER}.present", "server", config=address, target="n2")
    assert changes == {"config": {"core.debug_address": change}}
    before = settings()
    assert before[1].items() >= address.items() and not set(address) & set(before[0])
    assert "cluster.https_address" in before[1]
    ret = clustered.failed(f"{SERVER}.present", "server", config={"nope": "1"}, target="n2")
    assert "nope" in ret and "PATCH /1.0" in ret
    # On Incus 6.0.4, a PATCH that fails loses the keys that it does not repeat.
    assert settings() == before
    clustered.changed(f"{SERVER}.present", "server", config={"core.debug_address": None}, target="n2")
    assert "core.debug_address" not in settings()[1]


TARGETED = ((f"{SERVER}.present", "server"), (f"{VOLUME}.present", "default/v1"), (f"{VOLUME}.absent", "default/v1"))


@pytest.mark.parametrize("function, name", TARGETED)
def test_unknown_target_is_refused(clustered, function, name):
    assert "cluster member 'n7' does not exist" in refused(clustered, function, name, target="n7")


@pytest.mark.parametrize("function, name", TARGETED)
def test_target_on_unclustered_server_is_refused(apply, function, name):
    assert "Server is not clustered (GET /1.0/cluster/members/n1)" in refused(apply, function, name, target="n1")


def test_volume_on_two_members_needs_target(clustered, raw):
    path = "storage-pools/default/volumes/custom/v1"
    assert clustered.changed(f"{VOLUME}.present", "default/v1", description="two", target="n2") == {
        "created": "default/v1"
    }
    clustered.unchanged(f"{VOLUME}.present", "default/v1", description="two")
    clustered.changed(f"{VOLUME}.present", "default/v1", description="one", target="n1")
    for verb in ("present", "absent"):
        comment = clustered.failed(f"{VOLUME}.{verb}", "default/v1")
        assert 'More than one cluster member has a volume named "v1". Please target a specific member' in comment
    clustered.changed(f"{VOLUME}.present", "default/v1", config={"user.x": "2"}, target="n2")
    found = {name: raw(f"{path}?target={name}") for name in ("n1", "n2")}
    parts = {name: (each["location"], each["description"], each["config"]) for name, each in found.items()}
    assert parts == {"n1": ("n1", "one", {}), "n2": ("n2", "two", {"user.x": "2"})}
    clustered.changed(f"{VOLUME}.present", "default/v2", renamed_from="default/v1", target="n2")
    clustered.changed(f"{VOLUME}.absent", "default/v2", target="n2")
    clustered.unchanged(f"{VOLUME}.absent", "default/v1", target="n2")
    assert raw(f"{path}?target=n1")["description"] == "one"


def test_snapshot_is_on_the_member_of_its_volume(clustered, raw):
    for name in ("n1", "n2"):
        clustered(f"{VOLUME}.present", "default/v1", target=name)
    path = "storage-pools/default/volumes/custom/v1/snapshots/s0"
    declared = {"description": "one", "expires_at": "2040-01-01T00:00:00Z", "target": "n2"}
    clustered.changed(f"{SNAPSHOT}.present", "default/v1/s0", **declared)
    assert raw(f"{path}?target=n2").items() >= {"description": "one", "expires_at": declared["expires_at"]}.items()
    assert raw(f"{path}?target=n1") is None
    clustered.changed(f"{SNAPSHOT}.present", "default/v1/s0", description="two", target="n2")
    clustered.changed(f"{SNAPSHOT}.absent", "default/v1/s0", target="n2")
    clustered.unchanged(f"{SNAPSHOT}.absent", "default/v1/s0", target="n2")
    assert raw(f"{path}?target=n2") is None


def test_an_exported_cluster_is_as_declared(cluster, clustered, folders, parents, tmp_path):
    clustered(f"{POOL}.present", "fast", driver="dir", description="one", config=OWN, members=folders)
    clustered(f"{NETWORK}.present", "mv0", type="macvlan", config=OWN, members=both(parents))
    clustered("lxdapi_cluster_group.present", "g1", members=["n1", "n2"])
    clustered("lxdapi_cluster_member.present", "n2", description="two", roles=["event-hub"])
    for member in ("n1", "n2"):
        clustered("lxdapi_storage_volume.present", "default/data", description=member, target=member)
        clustered("lxdapi_volume_snapshot.present", "default/data/s0", description=member, target=member)
    export = Loaded(tmp_path / "e", {"local": {"endpoint": cluster.first.socket}}).modules["lxdapi.export"]
    states = yaml.safe_load(export())
    applied = set()
    for title, [(function, parameters)] in ((title, body.items()) for title, body in states.items()):
        arguments = {key: value for each in parameters for key, value in each.items()}
        clustered.unchanged(function, arguments.pop("name", title), **arguments)
        applied.add(function)
        if title in ("fast", "mv0"):
            assert arguments["members"] == {"fast": folders, "mv0": both(parents)}[title]
            assert arguments["config"] == OWN
    volumes = [each for body in states.values() for each in body.get("lxdapi_storage_volume.present", ())]
    assert sorted(each["target"] for each in volumes if "target" in each) == ["n1", "n2"]
    assert applied >= {f"lxdapi_{word}.present" for word in ("cluster_group", "cluster_member", "network", "server")}


def test_automatic_roles_are_not_exported_and_no_change(cluster, clustered, raw, tmp_path):
    clustered("lxdapi_cluster_member.present", "n2", roles=["event-hub"])
    automatic = raw("cluster/members/n1")["roles"]
    assert automatic, "there is a database somewhere"
    export = Loaded(tmp_path / "e", {"local": {"endpoint": cluster.first.socket}}).modules["lxdapi.export"]
    declared = {name: str(body) for name, body in yaml.safe_load(export("cluster_member")).items()}
    assert "roles" not in declared["n1"] and "{'roles': ['event-hub']}" in declared["n2"]
    for roles in (automatic, []):
        clustered.unchanged("lxdapi_cluster_member.present", "n1", roles=roles)
    clustered.unchanged("lxdapi_cluster_member.present", "n2", roles=["database", "event-hub"])


def test_network_and_pool_are_managed_from_the_command_line(cluster, folders, parents, tmp_path):
    modules = Loaded(tmp_path / "c", {"local": {"endpoint": cluster.first.socket}}).modules
    settings = {"driver": "dir", "description": "one", "members": folders}
    assert modules["lxdapi.create"]("storage_pool", "fast", settings)["created"] == "fast"
    raw = cluster["n2"].ask("GET", "/1.0/storage-pools/fast?target=n2")
    assert (raw["status"], raw["description"], raw["config"]["source"]) == ("Created", "one", folders["n2"]["source"])
    with pytest.raises(Exception, match="already"):
        modules["lxdapi.create"]("storage_pool", "fast", settings)
    modules["lxdapi.create"]("network", "mv0", {"type": "macvlan", "members": both(parents)})
    changes = modules["lxdapi.update"]("network", "mv0", {"members": {"n2": {"parent": parents["n1"]["parent"]}}})
    assert set(changes["members"]) == {"n2"}
    with pytest.raises(Exception, match="not found"):
        modules["lxdapi.update"]("network", "mv1", {"description": "two"})
