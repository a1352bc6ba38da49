"""
The ways of an instance from one daemon to another: pull, push, and relay.
"""

from functools import partial

import pytest
from lxdapi.errors import InvalidError

from tests.support import dialects
from tests.support.daemons import DEFAULT_ROOT
from tests.support.spread import spread
from tests.support.two_daemons import BACK, STATE, WAY, essence, found, make, pulled, push, snapshots

MODES = {"pull": "here", "push": "there", "relay": None}


@pytest.mark.parametrize("mode", spread(*MODES))
def test_each_mode_transfers_everything(pair, listens, mode):
    if MODES[mode]:
        listens(getattr(pair, MODES[mode]))
    make(pair.here)
    push(pair.here, "treasure")
    before, kept = found(pair.here), snapshots(pair.here)
    ret = pair.apply(STATE, "web1", **WAY)
    assert ret["result"] is True, ret
    assert f"by {mode}: " in ret["comment"]
    assert essence(found(pair.there)) == essence(before) and pulled(pair.there) == "treasure"
    assert snapshots(pair.there) == kept
    pair.apply.unchanged(STATE, "web1", **WAY)


@pytest.mark.mainly("incus7")
def test_migration_there_and_back_changes_nothing(pair, listens):
    listens(pair.there)
    make(pair.here, start=True, snapshots=())
    before = found(pair.here)
    pair.apply.changed(STATE, "web1", allow_stop=True, **WAY)
    pair.apply.changed(STATE, "web1", allow_stop=True, **BACK)
    assert essence(found(pair.here)) == essence(before)
    assert found(pair.here)["status"] == "Running" and found(pair.there) is None


@pytest.mark.mainly("lxd")
def test_snapshots_refused_by_target_are_named_before_any_write(pair, listens):
    listens(pair.there)
    make(pair.here)
    pair.apply(STATE, "web1", **WAY)
    pair.clear()
    if pair.here.server == "incus":
        pair.apply.changed(STATE, "web1", **BACK)
    else:
        comment = pair.apply.failed(STATE, "web1", **BACK)
        assert "does not accept the snapshots s0, s1" in comment and pair.writes() == []


@pytest.mark.mainly("incus")
def test_mode_without_a_listener_is_refused(pair):
    make(pair.here, snapshots=())
    for mode, who in (("pull", "source"), ("push", "target")):
        comment = pair.apply.failed(STATE, "web1", mode=mode, **WAY)
        assert f"mode {mode}: the {who}" in comment and "core.https_address" in comment


@pytest.mark.mainly("incus")
def test_refresh_copies_while_the_instance_runs(pair):
    make(pair.here, start=True)
    before = found(pair.here)
    changes = pair.apply.changed(STATE, "web1", allow_stop=True, refresh=True, **WAY)
    assert changes == {"remote": {"old": "here", "new": "there"}}
    assert essence(found(pair.there)) == essence(before) and found(pair.there)["status"] == "Running"


@pytest.mark.mainly("incus")
def test_root_disk_can_go_to_another_pool(pair):
    pair.there.ask("POST", "/1.0/storage-pools", {"name": "fast", "driver": "dir"})
    make(pair.here)
    pair.apply.changed(STATE, "web1", pool="fast", **WAY)
    assert found(pair.there)["devices"]["root"] == {"type": "disk", "path": "/", "pool": "fast"}
    assert set(found(pair.there)["devices"]) == {"data", "root"}


@pytest.mark.mainly("lxd")
def test_copy_on_another_daemon_is_created_and_refreshed(pair):
    make(pair.here, start=True)
    copy = pair.salt.modules["lxdapi_instance.copy"]
    done = copy("web1", "web2", to_remote="there", remote="here")
    assert (done["created"], done["mode"].partition(":")[0]) == ("web2", "relay")
    assert essence(found(pair.there, "web2")) == essence(found(pair.here))
    pair.here.ask("PATCH", "/1.0/instances/web1", {"config": {"user.owner": "nobody"}, "description": "closed"})
    pair.here.ask("DELETE", "/1.0/instances/web1/snapshots/s0")
    push(pair.here, "gold")
    assert copy("web1", "web2", to_remote="there", remote="here", refresh=True)["refreshed"] == "web2"
    assert essence(found(pair.there, "web2")) == essence(found(pair.here))
    assert snapshots(pair.there, "web2") == snapshots(pair.here) and pulled(pair.there, "web2") == "gold"
    assert found(pair.here)["status"] == "Running"


@pytest.mark.mainly("incus")
def test_restricted_project_of_new_lxd_is_entered_by_relay(pair, listens):
    listens(pair.here)
    config = {"restricted": "true", "features.images": "false"}
    pair.there.ask("POST", "/1.0/projects", {"name": "r", "config": config})
    pair.there.ask("PATCH", "/1.0/profiles/default?project=r", {"devices": {"root": DEFAULT_ROOT}})
    make(pair.here, snapshots=(), profiles=["default"], devices={})
    with dialects.speaking("lxd-6.9") as seen:
        copy = partial(pair.salt.modules["lxdapi_instance.copy"], "web1", remote="here", to_remote="there")
        with pytest.raises(InvalidError, match="mode pull: LXD refuses pull into the restricted project r"):
            copy(to_project="r", mode="pull")
        mode = copy(to_project="r")["mode"]
    assert mode.startswith("relay: LXD refuses pull into the restricted project r, and the target does not listen")
    assert found(pair.there, query="?project=r")["config"]["user.owner"] == "shop" and not seen["refused"]


@pytest.mark.mainly("incus")
def test_single_snapshot_is_copied_to_another_daemon(pair, listens):
    listens(pair.here)
    make(pair.here)
    pair.here.ask("PATCH", "/1.0/instances/web1", {"config": {"user.owner": "nobody"}, "description": "the shop"})
    pair.salt.modules["lxdapi_instance.copy"]("web1/s1", to_remote="there", remote="here")
    assert found(pair.there)["config"]["user.owner"] == "shop" and snapshots(pair.there) == []


@pytest.mark.mainly("incus")
def test_migrate_function_reports_its_mode(pair):
    make(pair.here, snapshots=())
    done = pair.salt.modules["lxdapi_instance.migrate"]("web1", "there", remote="here")
    assert done == {
        "remote": {"old": "here", "new": "there"},
        "mode": "by relay: neither daemon listens on https where the other can reach it",
    }
