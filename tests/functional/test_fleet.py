"""
Many instances in one state: created, started, changed, stopped and deleted side by side, and told one by one.
"""

import pytest

STARTED = {"status": {"old": "Stopped", "new": "Running"}}
# Created, but not to be started: the interface is looked for at the start only.
NOWHERE = {"e": {"type": "nic", "nictype": "macvlan", "parent": "nowhere0", "name": "eth9"}}


@pytest.fixture
def fleet(apply, imported):
    """Apply a fleet of this name with the defaults of the tests."""

    def managed(instances, how=apply.__call__, defaults=None, **more):
        defaults = {"source": "busybox", **(defaults or {})}
        return how("lxdapi_fleet.managed", "shop", instances=instances, defaults=defaults, **more)

    return managed


def test_a_fleet_is_made_changed_and_deleted_and_each_time_the_test_mode_knew_it(apply, fleet, proxy, raw):
    defaults = {"config": {"user.owner": "shop", "limits.cpu": 1}, "running": True}
    declared = {"web[01-03]": None, "db": {"running": None, "config": {"limits.cpu": None}}}
    changes = fleet(declared, apply.changed, defaults)
    assert changes == {**{f"web0{n}": {"created": f"web0{n}", **STARTED} for n in (1, 2, 3)}, "db": {"created": "db"}}
    assert (raw("instances/web02")["status"], raw("instances/db")["status"]) == ("Running", "Stopped")
    assert "limits.cpu" not in raw("instances/db")["config"]
    proxy.clear()
    assert fleet(declared, apply.unchanged, defaults)["comment"] == "fleet shop is as declared"
    assert len(proxy.requests()) <= 3

    defaults["config"]["user.owner"] = "web team"
    before = apply.predicted(
        "lxdapi_fleet.managed", "shop", instances=declared, defaults={"source": "busybox", **defaults}
    )
    proxy.clear()
    changed = fleet(declared, defaults=defaults)
    assert len(proxy.requests()) <= 4 + 2, proxy.seen
    owner = {"config": {"user.owner": {"old": "shop", "new": "web team"}}}
    assert changed["changes"] == before["changes"] == {name: owner for name in ("web01", "web02", "web03", "db")}
    assert "db, web[01-03] was updated (config user.owner)" in changed["comment"]

    gone = {"web[01-03]": {"absent": True, "force": True}, "db": {"absent": True}}
    changes = fleet(gone, apply.changed)
    stopped = {"status": {"old": "Running", "new": "Stopped"}, "forced": True}
    assert changes["web01"] == {**stopped, "deleted": "web01"} and changes["db"] == {"deleted": "db"}
    assert raw("instances") == []


def test_who_fails_is_named_with_the_daemons_words_and_the_others_are_done(apply, fleet, raw):
    declared = {"a[1-3]": None, "b": {"source": "nothing"}, "c": {"devices": NOWHERE, "running": True}}
    ret = fleet(declared)
    assert ret["result"] is False
    assert ret["changes"] == {name: {"created": name} for name in ("a1", "a2", "a3", "c")}
    assert "b could not be created: " in ret["comment"] and "/1.0/images/aliases/nothing" in ret["comment"]
    assert "c could not be started: Failed to start device" in ret["comment"]
    assert "nowhere0" in ret["comment"] and "(instance c was created)" in ret["comment"]
    assert "a[1-3] was created" in ret["comment"]
    assert raw("instances/c")["status"] == "Stopped" and raw("instances/b") is None


def test_an_instance_that_is_made_and_cannot_be_started_is_told_as_made(apply, imported, raw):
    declared = {"source": "busybox", "devices": NOWHERE, "running": True}
    ret = apply("lxdapi_instance.present", "c1", **declared)
    assert (ret["result"], ret["changes"]) == (False, {"created": "c1"})
    assert "instance c1 could not be started: Failed to start device" in ret["comment"]
    assert raw("instances/c1")["status"] == "Stopped"
    ret = apply("lxdapi_instance.present", "c1", **declared, timeout=5)
    assert (ret["result"], ret["changes"]) == (False, {}), "it is started again, and fails again"
