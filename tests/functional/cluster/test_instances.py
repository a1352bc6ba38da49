"""
Instances in a cluster of two: they move, their member is evacuated, and all members report the same.

The outcome is read from n2, past the library.
"""

import pytest
import yaml

from tests.support.loader import Loaded

GROUP, INSTANCE, MEMBER = "lxdapi_cluster_group", "lxdapi_instance", "lxdapi_cluster_member"
HERE, THERE = {"old": "n1", "new": "n2"}, {"old": "n2", "new": "n1"}
AGAIN = {"old": "Running", "new": "Running"}


@pytest.fixture
def found(cluster):
    """Return a function that reads the location and the status of an instance from n2."""

    def read(name):
        instance = cluster["n2"].ask("GET", f"/1.0/instances/{name}")
        return instance["location"], instance["status"]

    return read


@pytest.fixture
def c1(cluster, clustered, image):
    """A stopped container on n1."""
    cluster.first.import_image(image, alias="busybox")
    assert clustered(f"{INSTANCE}.present", "c1", source="busybox", target="n1")["changes"] == {"created": "c1"}
    return "c1"


def test_stopped_instance_moves_only_with_move_true(clustered, found, c1):
    words = "it is on n1, not on n2 (set move: true to move it)"
    assert words in clustered.unchanged(f"{INSTANCE}.present", c1, target="n2")["comment"]
    edit = {"target": "n2", "config": {"user.a": "1"}}
    assert words in clustered.predicted(f"{INSTANCE}.present", c1, **edit)["comment"]
    assert set(clustered.changed(f"{INSTANCE}.present", c1, **edit)) == {"config"}
    assert "it is on" not in clustered.unchanged(f"{INSTANCE}.present", c1, target="n1", move=True)["comment"]
    edit["config"]["user.a"] = "2"
    changes = clustered.changed(f"{INSTANCE}.present", c1, move=True, **edit)
    assert changes == {"location": HERE, "config": {"user.a": {"old": "1", "new": "2"}}}
    assert found(c1) == ("n2", "Stopped")


def test_a_running_instance_is_stopped_moved_and_runs_again(clustered, found, c1):
    clustered(f"{INSTANCE}.running", c1)
    comment = clustered.predicted(f"{INSTANCE}.present", c1, target="n2", move=True)["comment"]
    assert comment == "instance c1 would be moved and started; the instance is stopped for the change"
    changes = clustered.changed(f"{INSTANCE}.present", c1, target="n2", move=True, config={"user.a": 1})
    assert changes == {"location": HERE, "status": AGAIN, "config": {"user.a": {"old": None, "new": "1"}}}
    assert found(c1) == ("n2", "Running")
    inside = clustered(f"{INSTANCE}.cmd_run", "cat", instance=c1, stdin="reached by way of n1")
    assert inside["changes"]["stdout"] == "reached by way of n1"
    changes = clustered.changed(f"{INSTANCE}.present", c1, target="n1", move=True, running=False)
    assert changes == {"location": THERE, "status": {"old": "Running", "new": "Stopped"}}
    assert found(c1) == ("n1", "Stopped")
    changes = clustered.changed(f"{INSTANCE}.present", c1, target="n2", move=True, running=True)
    assert changes == {"location": HERE, "status": {"old": "Stopped", "new": "Running"}}
    assert found(c1) == ("n2", "Running")


def test_target_group_means_any_of_its_members(clustered, found, c1):
    clustered(f"{GROUP}.present", "g1", members=["n2"])
    clustered(f"{GROUP}.present", "g0")
    clustered.unchanged(f"{INSTANCE}.present", c1, target="@default", move=True)
    assert "it is on n1, not on @g1" in clustered.unchanged(f"{INSTANCE}.present", c1, target="@g1")["comment"]
    assert clustered.changed(f"{INSTANCE}.present", c1, target="@g1", move=True) == {"location": HERE}
    assert found(c1) == ("n2", "Stopped")
    for target, words in (
        ("@g0", "has no members"),
        ("@g7", "cluster group g7 does not exist"),
        ("n7", "cluster member n7 does not exist"),
    ):
        assert words in clustered.failed(f"{INSTANCE}.present", c1, target=target, move=True)


def test_failed_move_leaves_instance_running_in_place(clustered, found, c1):
    clustered(f"{INSTANCE}.running", c1)
    clustered._proxy.arm("status", method="POST", path=r"instances/c1\?.*target", status=500, error="no room there")
    ret = clustered(f"{INSTANCE}.present", c1, target="n2", move=True)
    assert (ret["result"], ret["changes"]) == (False, {})
    assert "could not be moved: no room there (POST /1.0/instances/c1 of target n2)" in ret["comment"]
    assert found(c1) == ("n1", "Running")


def test_immovable_instance_is_refused_before_stop(clustered, found, c1):
    clustered(f"{INSTANCE}.running", c1)
    clustered(f"{INSTANCE}.present", "c2", source="busybox", target="n1", ephemeral=True, running=True)
    clustered(f"{MEMBER}.evacuated", "n2")
    words = {"c2": "it is ephemeral", c1: "target: n2 is Evacuated: Unavailable due to maintenance"}
    for name, each in words.items():
        clustered.clear()
        assert each in clustered.failed(f"{INSTANCE}.present", name, target="n2", move=True)
        assert clustered._proxy.writes() == [] and found(name) == ("n1", "Running")
    assert "move needs a destination" in clustered.failed(f"{INSTANCE}.present", c1, move=True)


def test_move_on_unclustered_server_is_refused(apply, imported):
    apply(f"{INSTANCE}.present", "c1", source="busybox")
    comment = apply.failed(f"{INSTANCE}.present", "c1", target="n2", move=True)
    assert "target: the server is not clustered" in comment


def test_an_instance_is_moved_from_the_command_line(cluster, found, c1, tmp_path):
    move = Loaded(tmp_path / "m", {"local": {"endpoint": cluster.first.socket}}).modules["lxdapi_instance.move"]
    assert move(c1, "n2") == {"location": HERE} and move(c1, "@default") == {}
    assert found(c1) == ("n2", "Stopped")


def test_a_member_is_evacuated_and_restored_once(cluster, clustered, found, c1):
    clustered(f"{INSTANCE}.present", c1, target="n2", move=True)
    clustered.unchanged(f"{MEMBER}.restored", "n2")
    change = {"status": {"old": "Online", "new": "Evacuated"}}
    assert clustered.changed(f"{MEMBER}.evacuated", "n2") == change
    assert cluster.first.ask("GET", "/1.0/cluster/members/n2")["status"] == "Evacuated"
    assert found(c1) == ("n1", "Stopped")
    change = {"status": {"old": "Evacuated", "new": "Online"}}
    assert clustered.changed(f"{MEMBER}.restored", "n2") == change
    assert cluster.first.ask("GET", "/1.0/cluster/members/n2")["status"] == "Online"
    assert found(c1) == ("n2", "Stopped")
    assert "it does not exist: use lxdapi_cluster.joined" in clustered.failed(f"{MEMBER}.evacuated", "n7")


def test_evacuation_options_need_their_api_extension(cluster, clustered, found, c1):
    clustered(f"{INSTANCE}.running", c1)
    extensions = cluster.first.ask("GET", "/1.0")["api_extensions"]
    options = {"mode": "clustering_evacuation_mode", "force": "clustering_evacuation_force"}
    for option, extension in options.items():
        if extension not in extensions:
            comment = clustered.failed(f"{MEMBER}.evacuated", "n1", **{option: "stop" if option == "mode" else True})
            assert f"{option}: the daemon does not support it: it lacks the API extension {extension}" in comment
    assert "clustering_restore_skip_mode" in clustered.failed(f"{MEMBER}.restored", "n1", mode="skip")
    if options["mode"] in extensions:
        assert "nope" in clustered.failed(f"{MEMBER}.evacuated", "n1", mode="nope")
        clustered.changed(f"{MEMBER}.evacuated", "n1", mode="stop")
        assert found(c1) == ("n1", "Stopped")
        clustered.changed(f"{MEMBER}.restored", "n1")
        assert found(c1) == ("n1", "Running")


def test_each_member_gives_equal_results(cluster, clustered, c1, tmp_path):
    clustered("lxdapi_profile.present", "web", config={"user.a": "1"})
    clustered("lxdapi_storage_volume.present", "default/v1", target="n2")
    clustered(f"{INSTANCE}.present", "c2", source="busybox", target="n2", profiles=["default", "web"])
    salts = [Loaded(tmp_path / name, {"local": {"endpoint": cluster[name].socket}}) for name in ("n1", "n2")]
    one, two = [said_by(salt.modules) for salt in salts]
    assert one == two and one["list"]["instance"] == ["c1", "c2"]
    for number, salt in enumerate(salts):
        for value in (number, None):
            ret = salt.states[f"{INSTANCE}.present"](name="c2", config={"user.b": value})
            assert (ret["result"], list(ret["changes"]["config"])) == (True, ["user.b"]), ret
    edit = [salt.states[f"{INSTANCE}.present"](name=c1, profiles=["default", "web"]) for salt in salts]
    assert [(ret["result"], list(ret["changes"])) for ret in edit] == [(True, ["profiles"]), (True, [])]


def said_by(modules):
    """Return everything that a member reports."""
    kinds = ("instance", "profile", "image", "storage_volume", "cluster_member")
    exported = yaml.safe_load(modules["lxdapi.export"]())  # each member has its own settings of the server
    return {
        "list": {kind: modules["lxdapi.list"](kind) for kind in kinds},
        "get": [modules["lxdapi.get"]("instance", name) for name in ("c1", "c2", "c3")],
        "export": {title: body for title, body in exported.items() if title != "server"},
    }


def test_a_fleet_is_spread_over_the_members_and_changed_on_both(clustered, found, c1):
    declared = {"a[1-2]": {"target": "n1"}, "b[1-2]": {"target": "n2"}}

    def changed(**defaults):
        defaults = {"source": "busybox", **defaults}
        return clustered.changed("lxdapi_fleet.managed", "shop", instances=declared, defaults=defaults)

    assert changed() == {name: {"created": name} for name in ("a1", "a2", "b1", "b2")}
    assert [found(name)[0] for name in ("a1", "a2", "b1", "b2")] == ["n1", "n1", "n2", "n2"]
    edit = {"config": {"user.a": {"old": None, "new": "1"}}}
    assert changed(config={"user.a": 1}) == {name: edit for name in ("a1", "a2", "b1", "b2")}
