"""
Many instances in one state: created, started, changed, stopped and deleted in parallel, with a report for each.
"""

import pytest

STARTED = {"status": {"old": "Stopped", "new": "Running"}}
# It can be created but not started: the daemon looks for the interface only at the start.
NOWHERE = {"e": {"type": "nic", "nictype": "macvlan", "parent": "nowhere0", "name": "eth9"}}


@pytest.fixture
def fleet(apply, imported):
    """Apply a fleet with this name and the defaults of the tests."""

    def managed(instances, how=apply.__call__, defaults=None, **more):
        defaults = {"source": "busybox", **(defaults or {})}
        return how("lxdapi_fleet.managed", "shop", instances=instances, defaults=defaults, **more)

    return managed


def test_fleet_lifecycle_matches_test_mode(apply, fleet, proxy, raw):
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
    assert "db, web[01-03] were updated (config user.owner)" in changed["comment"]

    gone = {"web[01-03]": {"absent": True, "force": True}, "db": {"absent": True}}
    changes = fleet(gone, apply.changed)
    stopped = {"status": {"old": "Running", "new": "Stopped"}, "forced": True}
    assert changes["web01"] == {**stopped, "deleted": "web01"} and changes["db"] == {"deleted": "db"}
    assert raw("instances") == []


def test_failed_instance_is_named_and_others_are_done(apply, fleet, raw):
    declared = {"a[1-3]": None, "b": {"source": "nothing"}, "c": {"devices": NOWHERE, "running": True}}
    ret = fleet(declared)
    assert ret["result"] is False
    assert ret["changes"] == {name: {"created": name} for name in ("a1", "a2", "a3", "c")}
    assert "b could not be created: " in ret["comment"] and "/1.0/images/aliases/nothing" in ret["comment"]
    assert "c could not be started: Failed to start device" in ret["comment"]
    assert "nowhere0" in ret["comment"] and "(instance c was created)" in ret["comment"]
    assert "a[1-3] were created" in ret["comment"]
    assert raw("instances/c")["status"] == "Stopped" and raw("instances/b") is None


def test_failed_start_after_create_is_reported_as_created(apply, imported, raw):
    declared = {"source": "busybox", "devices": NOWHERE, "running": True}
    ret = apply("lxdapi_instance.present", "c1", **declared)
    assert (ret["result"], ret["changes"]) == (False, {"created": "c1"})
    assert "instance c1 could not be started: Failed to start device" in ret["comment"]
    assert raw("instances/c1")["status"] == "Stopped"
    ret = apply("lxdapi_instance.present", "c1", **declared, timeout=5)
    assert (ret["result"], ret["changes"]) == (False, {}), "it is started again, and fails again"


@pytest.mark.mainly("lxd")
def test_next_batch_starts_only_after_success(fleet, raw):
    declared = {"a[1-2]": None, "b": {"source": "nothing"}, "c": None, "d[1-2]": None}
    ret = fleet(declared, batch=2)
    assert (ret["result"], sorted(ret["changes"])) == (False, ["a1", "a2", "c"])
    assert "b could not be created" in ret["comment"] and "not started: d1, d2" in ret["comment"]
    assert sorted(path.rpartition("/")[2] for path in raw("instances")) == ["a1", "a2", "c"]
    ret = fleet(declared, batch="50%", max_failures="20%")
    assert sorted(ret["changes"]) == ["d1", "d2"], "one of six may fail"


@pytest.mark.mainly("incus")
def test_too_many_failures_stop_the_fleet(fleet, raw):
    ret = fleet({"a[1-3]": {"source": "nothing"}, "b[1-4]": None}, concurrency=1, max_failures=1)
    assert (ret["result"], ret["changes"]) == (False, {})
    assert "a1, a2 could not be created" in ret["comment"] and "not started: a3, b[1-4]" in ret["comment"]
    assert raw("instances") == []


@pytest.mark.mainly("incus")
def test_undeclared_instances_are_reported_or_deleted_if_stopped(apply, fleet, daemon, raw):
    daemon.ask("POST", "/1.0/instances", {"name": "kept", "source": {"type": "none"}})
    daemon.request("PATCH", "/1.0/instances/kept", {"config": {"security.protection.delete": "true"}})
    for name in ("old1", "old2", "origin"):
        daemon.ask("POST", "/1.0/instances", {"name": name, "source": {"type": "none"}})
    daemon.ask(
        "POST", "/1.0/instances", {"name": "busy", "source": {"type": "image", "alias": "busybox"}, "start": True}
    )
    daemon.request("PUT", "/1.0/instances/busy/state", {"action": "start"})
    declared = {"web": {"source": {"type": "copy", "source": "origin"}}}
    ret = fleet(declared, purge="report")
    assert ret["changes"] == {"web": {"created": "web"}}
    assert "not declared, and kept: busy, kept, old1, old2" in ret["comment"]
    ret = fleet({**declared, "bad": {"source": "nothing"}}, purge="stopped")
    assert ret["changes"] == {} and "not deleted because something failed: old1, old2" in ret["comment"]
    changes = fleet(declared, apply.changed, purge="stopped")
    assert changes == {name: {"deleted": name} for name in ("old1", "old2")}
    comment = fleet(declared, purge="stopped")["comment"]
    assert "busy (it is Running)" in comment and "kept (it has security.protection.delete)" in comment
    assert raw("instances/origin") is not None, "web is copied from it"
    assert fleet(declared)["comment"] == "fleet shop is as declared"


@pytest.mark.mainly("lxd")
def test_copy_waits_for_its_source_in_the_fleet(apply, fleet, raw):
    copies = {"b[1-2]": {"source": {"type": "copy", "source": "a"}}, "a": {"config": {"user.a": "1"}}}
    assert fleet(copies, apply.changed) == {name: {"created": name} for name in ("a", "b1", "b2")}
    assert raw("instances/b2")["config"]["user.a"] == "1"


@pytest.mark.mainly("incus7")
def test_copy_of_failed_instance_is_not_started(fleet):
    ret = fleet({"b": {"source": {"type": "copy", "source": "a"}}, "a": {"source": "nothing"}})
    assert (ret["result"], ret["changes"]) == (False, {})
    assert "a could not be created" in ret["comment"] and "not started: b" in ret["comment"]


@pytest.mark.mainly("lxd")
def test_dependencies_of_instances_are_created_first(apply, fleet, raw):
    profile = {"web": {"config": {"limits.cpu": 2}}}
    network = {"br77": {"config": {"ipv4.address": "none", "ipv6.address": "none"}}}
    changes = fleet({"web1": {"profiles": ["default", "web"]}}, apply.changed, profiles=profile, networks=network)
    made = {f"{kind} {name}": {"created": name} for kind, name in (("network", "br77"), ("profile", "web"))}
    assert changes == {**made, "web1": {"created": "web1"}}
    broken = {"web": {"config": {"limits.cpu": "many"}}}
    ret = fleet({"web2": None}, profiles=broken)
    assert (ret["result"], ret["changes"]) == (False, {})
    assert "no instance was changed; profile web could not be updated" in ret["comment"]
    assert raw("instances/web2") is None


@pytest.mark.mainly("incus7")
def test_concurrency_changes_no_result(apply, fleet, daemon, raw):
    declared = {"a[1-2]": {"running": True}, "b": {"source": "nothing"}, "c[1-2]": {"config": {"user.a": "1"}}}

    def life(concurrency):
        made = fleet(declared, concurrency=concurrency)
        changed = fleet({**declared, "c[1-2]": {"config": {"user.a": "2"}}}, concurrency=concurrency)
        states = {each: raw(f"instances/{each}")["status"] for each in ("a1", "a2", "c1", "c2")}
        gone = fleet({"a[1-2]": {"absent": True, "force": True}, "c[1-2]": {"absent": True}}, concurrency=concurrency)
        return [states, *([ret["result"], ret["changes"]] for ret in (made, changed, gone))]

    assert life(1) == life(8)


@pytest.fixture
def meanwhile(proxy, daemon):
    """Make another client change instances after a request was answered and before the reply arrives."""

    def arm(method, path, names, body):
        def edit(reply):
            for name in names:
                daemon.request("PATCH", f"/1.0/instances/{name}", {"description": "", **body})
            return reply

        proxy.arm("swap", method, path, reply=edit)

    return arm


def test_edit_between_listing_and_change_is_kept(fleet, meanwhile, raw):
    fleet({"a[1-3]": None})
    device = {"d": {"type": "disk", "path": "/t", "source": "/tmp"}}
    theirs = {"config": {"user.theirs": "x", "limits.cpu": "1"}, "devices": device}
    meanwhile("GET", r"/instances\?", ["a1", "a2", "a3"], theirs)
    ret = fleet({"a[1-3]": {"config": {"user.ours": "x"}}})
    assert ret["result"] is True and len(ret["changes"]) == 3
    for name in ("a1", "a2", "a3"):
        found = raw(f"instances/{name}")
        assert {"user.ours": "x", **theirs["config"]}.items() <= found["config"].items()
        assert found["devices"]["d"] == device["d"]


@pytest.mark.mainly("incus")
def test_reverted_change_is_applied_again(fleet, meanwhile, raw):
    fleet({"a[1-3]": None})
    meanwhile("PATCH", "/instances/a2", ["a2"], {"config": {"user.ours": "theirs"}})
    ret = fleet({"a[1-3]": {"config": {"user.ours": "x"}}})
    assert ret["result"] is True and sorted(ret["changes"]) == ["a1", "a2", "a3"]
    assert raw("instances/a2")["config"]["user.ours"] == "x"


@pytest.mark.mainly("incus7")
def test_change_with_lost_reply_is_done_once(fleet, proxy, raw):
    fleet({"a[1-3]": None})
    proxy.arm("drop_reply", "PATCH", "/instances/a2")
    ret = fleet({"a[1-3]": {"config": {"user.ours": "x"}}})
    ours = {"config": {"user.ours": {"old": None, "new": "x"}}}
    assert (ret["result"], ret["changes"]) == (True, {name: ours for name in ("a1", "a2", "a3")})
    assert len([each for each in proxy.writes() if each[0] == "PATCH"]) == 3


@pytest.mark.mainly("incus7")
@pytest.mark.parametrize("fault", ["drop_reply", "close"])
def test_new_instance_with_lost_reply_still_runs(apply, proxy, imported, raw, fault):
    proxy.arm(fault, "POST", "/instances$")
    ret = apply("lxdapi_instance.present", "c1", source="busybox", running=True)
    assert (ret["result"], ret["changes"]) == (True, {"created": "c1", **STARTED}), ret
    assert raw("instances/c1")["status"] == "Running"


@pytest.mark.mainly("incus")
def test_instance_created_by_others_is_updated_and_started(fleet, proxy, daemon, raw):
    def make(reply):
        daemon.ask("POST", "/1.0/instances", {"name": "a", "source": {"type": "image", "alias": "busybox"}})
        return reply

    proxy.arm("swap", "GET", r"/instances\?", reply=make)
    ret = fleet({"a": {"running": True, "config": {"user.a": "1"}}})
    assert (ret["result"], ret["changes"]) == (
        True,
        {"a": {"config": {"user.a": {"old": None, "new": "1"}}, **STARTED}},
    )
    assert raw("instances/a")["status"] == "Running"


@pytest.mark.mainly("incus")
def test_deletion_between_listing_and_change_is_a_failure(fleet, proxy, daemon, raw):
    fleet({"a[1-3]": None})
    proxy.arm("swap", "GET", r"/instances\?", reply=lambda reply: [reply, daemon.ask("DELETE", "/1.0/instances/a2")][0])
    ret = fleet({"a[1-3]": {"config": {"user.a": "1"}}})
    assert (ret["result"], sorted(ret["changes"])) == (False, ["a1", "a3"])
    assert "a2 could not be updated: " in ret["comment"] and "/1.0/instances/a2" in ret["comment"]


@pytest.mark.mainly("lxd")
def test_sensitive_values_are_masked_for_each_instance(apply, fleet):
    fleet({"a[1-2]": None})
    hidden = {"instances": {"a[1-2]": None}, "defaults": {"config": {"user.db": "geheim"}}, "sensitive": ["user.db"]}
    expected = apply.predicted("lxdapi_fleet.managed", "shop", **hidden)
    ret = apply("lxdapi_fleet.managed", "shop", **hidden)
    assert ret["changes"] == expected["changes"] and set(ret["changes"]) == {"a1", "a2"}
    assert "geheim" not in repr((ret, expected))
