"""
Profiles: in use, edited by others at the same time, secrets, what the daemon refuses.
"""

import threading

import pytest


def test_a_profile_in_use_is_not_deleted_and_the_daemon_says_why(apply, imported, raw):
    apply("lxdapi_profile.present", "web")
    apply("lxdapi_instance.present", "c1", source="busybox", profiles=["default", "web"])
    comment = apply.failed("lxdapi_profile.absent", "web")
    assert "profile web could not be deleted: Profile is currently in use (DELETE /1.0/profiles/web)" in comment
    assert raw("profiles/web")


def test_the_default_profile_cannot_be_deleted(apply, daemon, raw):
    assert "cannot be deleted" in apply.failed("lxdapi_profile.absent", "default")
    assert raw("profiles/default")


@pytest.mark.parametrize("name", ["a b", "a?b", "a#b", "a%2fb", "a;b", "a:b,c", "aüb", "..a"])
def test_names_that_a_url_would_read_otherwise_reach_the_profile_meant(apply, daemon, raw, name):
    """Incus 7 has become strict with names; what a daemon takes, ours reaches, and what not it says."""
    if daemon.request("POST", "/1.0/profiles", {"name": name})[0] != 201:
        assert daemon.name == "incus7"
        assert "Invalid profile name" in apply.failed("lxdapi_profile.present", name)
        return
    apply.changed("lxdapi_profile.present", name, description=name)
    found = daemon.request("GET", "/1.0/profiles?recursion=1")[1]["metadata"]
    assert {profile["name"]: profile["description"] for profile in found}[name] == name
    apply.changed("lxdapi_profile.absent", name)
    assert raw("profiles/default")


def test_an_edit_that_came_between_read_and_write_is_kept(apply, daemon, proxy, raw):
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


def test_the_value_of_a_secret_key_is_not_in_changes(apply, daemon, raw):
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
