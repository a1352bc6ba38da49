"""
Profiles: in use, edited by others at the same time, secrets, rejected values.
"""

import threading

import pytest

from tests.support.daemons import until
from tests.support.processes import does
from tests.support.spread import spread

NOWHERE = {"type": "nic", "nictype": "macvlan", "parent": "nowhere0", "name": "eth9"}


def test_used_profile_is_not_deleted_and_reason_is_given(apply, imported, raw):
    apply("lxdapi_profile.present", "web")
    apply("lxdapi_instance.present", "c1", source="busybox", profiles=["default", "web"])
    comment = apply.failed("lxdapi_profile.absent", "web")
    assert "profile web could not be deleted: Profile is currently in use (DELETE /1.0/profiles/web)" in comment
    assert raw("profiles/web")


def test_the_default_profile_cannot_be_deleted(apply, daemon, raw):
    assert "cannot be deleted" in apply.failed("lxdapi_profile.absent", "default")
    assert raw("profiles/default")


@pytest.mark.parametrize("name", ["a b", "a?b", "a#b", "a%2fb", "a;b", "a:b,c", "aüb", "..a"])
def test_names_with_url_characters_reach_their_profile(apply, daemon, raw, name):
    """Incus 7 restricts names; lxdapi reaches every name that a daemon accepts, and reports every other."""
    if daemon.request("POST", "/1.0/profiles", {"name": name})[0] != 201:
        assert daemon.name == "incus7"
        assert "Invalid profile name" in apply.failed("lxdapi_profile.present", name)
        return
    apply.changed("lxdapi_profile.present", name, description=name)
    found = daemon.request("GET", "/1.0/profiles?recursion=1")[1]["metadata"]
    assert {profile["name"]: profile["description"] for profile in found}[name] == name
    apply.changed("lxdapi_profile.absent", name)
    assert raw("profiles/default")


def test_concurrent_edit_between_read_and_write_is_kept(apply, daemon, proxy, raw):
    apply("lxdapi_profile.present", "web", config={"user.mine": "1", "user.drop": "x"})
    edited = threading.Event()

    def foreign(_reply):
        if not edited.is_set():
            edited.set()
            daemon.request("PATCH", "/1.0/profiles/web", {"config": {"user.theirs": "2"}})

    proxy.arm("swap", method="GET", path="/1.0/profiles/web", reply=lambda reply: foreign(reply) or reply)
    ret = apply("lxdapi_profile.present", "web", config={"user.mine": "3", "user.drop": None})
    assert edited.is_set()
    assert ret["result"] is True, ret
    assert raw("profiles/web")["config"] == {"user.mine": "3", "user.theirs": "2"}
    assert [entry[0] for entry in proxy.writes()][-2:] == ["PUT", "PUT"]


def test_secret_value_is_not_in_changes(apply, daemon, raw):
    changes = apply.changed("lxdapi_profile.present", "web", config={"user.x": "1"})
    ret = apply("lxdapi_profile.present", "web", config={"user.db_password": "canary-1"})
    changes = ret["changes"]
    assert changes == {"config": {"user.db_password": {"old": None, "new": "(hidden)"}}}
    assert "canary" not in str(ret)
    assert raw("profiles/web")["config"]["user.db_password"] == "canary-1"


def test_a_bad_key_is_refused_by_the_daemon_and_nothing_changes(apply, daemon, raw):
    apply("lxdapi_profile.present", "web", config={"user.a": "1"})
    comment = apply.failed("lxdapi_profile.present", "web", config={"bogus": "1"})
    assert "profile web could not be updated" in comment
    assert "bogus" in comment
    assert "PATCH /1.0/profiles/web" in comment
    assert raw("profiles/web")["config"] == {"user.a": "1"}


def test_an_edit_that_an_instance_refuses_is_saved_and_reported(apply, daemon, c1, raw):
    daemon.ask("POST", "/1.0/profiles", {"name": "web"})
    daemon.ask("PATCH", "/1.0/instances/c1", {"profiles": ["default", "web"]})
    wanted = {"devices": {"eth9": NOWHERE}, "config": {"user.a": "1"}}
    predicted = apply.predicted("lxdapi_profile.present", "web", **wanted)
    ret = apply("lxdapi_profile.present", "web", **wanted)
    assert (ret["result"], ret["changes"]) == (False, predicted["changes"]), ret
    assert ret["comment"].startswith("profile web was updated (config user.a; devices eth9), but ")
    assert "Instance: c1: " in ret["comment"]
    assert "(PATCH /1.0/profiles/web)" in ret["comment"]
    assert raw("profiles/web")["devices"] == {"eth9": NOWHERE}


@pytest.mark.parametrize(
    "key, forced, result",
    spread(("limits.processes", True, True), ("limits.processes", False, False), ("user.a", False, True)),
)
def test_an_edit_while_an_instance_stops_is_saved_and_reported(apply, daemon, stubborn, raw, key, forced, result):
    """A running instance lacks the limit, and the daemon does not try again. No instance lacks a user key."""
    daemon.ask("POST", "/1.0/profiles", {"name": "web"})
    daemon.ask("PATCH", f"/1.0/instances/{stubborn}", {"profiles": ["default", "web"]})
    daemon.request("PUT", f"/1.0/instances/{stubborn}/state", {"action": "stop", "timeout": 4})
    assert until(lambda: does(daemon, "Stopping"), 10)
    end = threading.Timer(
        2, daemon.request, ("PUT", f"/1.0/instances/{stubborn}/state", {"action": "stop", "force": True})
    )
    if forced:
        end.start()
    ret = apply("lxdapi_profile.present", "web", config={key: "77"})
    assert (ret["result"], ret["changes"]) == (result, {"config": {key: {"old": None, "new": "77"}}}), ret
    assert raw("profiles/web")["config"] == {key: "77"}


@pytest.mark.mainly("incus")
def test_comment_names_running_instances_that_need_a_restart(apply, c1, daemon, raw):
    apply("lxdapi_profile.present", "web")
    daemon.ask("PATCH", f"/1.0/instances/{c1}", {"profiles": ["default", "web"]})
    daemon.ask("POST", "/1.0/instances", {"name": "c2", "profiles": ["default", "web"], "source": {"type": "none"}})
    declared = {"config": {"limits.kernel.nofile": "300:400", "limits.processes": 99}}
    predicted = apply.predicted("lxdapi_profile.present", "web", **declared)
    ret = apply("lxdapi_profile.present", "web", **declared)
    note = "; limits.kernel.nofile requires a restart of the running instances c1"
    assert predicted["comment"].endswith(note) and ret["comment"].endswith(note), ret
    assert ret["changes"] == predicted["changes"] and set(ret["changes"]["config"]) == set(declared["config"])
    apply.clear()
    apply.unchanged("lxdapi_profile.present", "web", **declared)
    assert apply.seen() == {"/1.0/profiles/web"}
