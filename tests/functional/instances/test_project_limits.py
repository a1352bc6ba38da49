"""
Instances in projects with limits or restrictions: creation, lost replies, killed clients and simultaneous requests.
"""

import os
from functools import partial

import pytest
from salt.exceptions import CommandExecutionError

from tests.support.daemons import until
from tests.support.images import busybox_image
from tests.support.loader import Loaded
from tests.support.processes import Process
from tests.support.salt_run import Runs, chunk
from tests.support.spread import spread
from tests.support.two_daemons import STATE, WAY, found, make

PRESENT = "lxdapi_instance.present"
ROOT = {"root": {"type": "disk", "pool": "default", "path": "/"}}
LIMITED = {"limits.instances": "20"}
RESTRICTED = {"restricted": "true", "restricted.snapshots": "allow", "restricted.backups": "allow"}
C1 = {"project": "team", "source": "busybox", "config": {"user.a": "1"}}
COPY = {"type": "copy", "source": "c0", "project": "team"}
FILES = 3000


def make_project(daemon, config, name="team"):
    """Create a project that shares the images of the default one and has a default profile with a root disk."""
    daemon.ask("POST", "/1.0/projects", {"name": name, "config": {"features.images": "false", **config}})
    daemon.ask("PATCH", f"/1.0/profiles/default?project={name}", {"devices": ROOT})


@pytest.fixture(params=[LIMITED, RESTRICTED], ids=["limits", "restricted"])
def team(request, daemon, imported):
    """The project team, with a limit or with restrictions."""
    make_project(daemon, request.param)
    return "team"


@pytest.fixture
def stored(daemon):
    """Return a function that reads an instance of the project past the code under test."""
    return lambda name="c1": found(daemon, name, "?project=team")


def without_mark(instance):
    """Check that the config of an instance has no key of lxdapi but volatile ones."""
    assert [key for key in instance["config"] if "lxdapi" in key and not key.startswith("volatile.")] == []


def test_instance_is_created_and_changed_in_project(apply, salt, team, stored):
    assert apply.changed(PRESENT, "c1", running=True, **C1)["created"] == "c1"
    without_mark(stored())
    changed = {**C1, "config": {"user.a": "2"}}
    assert apply.changed(PRESENT, "c1", **changed) == {"config": {"user.a": {"old": "1", "new": "2"}}}
    copy = {"project": team, "source": {"type": "copy", "source": "c1", "project": team}}
    assert apply.changed(PRESENT, "c2", **copy) == {"created": "c2"}
    assert salt.modules["lxdapi.create"]("instance", "c3", {"source": "busybox"}, project=team) == {"created": "c3"}
    for name in ("c2", "c3"):
        without_mark(stored(name))
    assert "creation" not in salt.modules["lxdapi.export"]("instance", project=team)


@pytest.mark.mainly("lxd")
def test_instance_is_published_in_project(apply, salt, team):
    apply(PRESENT, "c1", **C1)
    assert salt.modules["lxdapi_image.publish"]("c1", aliases=["own"], project=team)
    assert apply.changed(PRESENT, "c2", source="own", project=team) == {"created": "c2"}


def test_backup_is_imported_in_project_unless_daemon_refuses(apply, salt, daemon, team, stored, tmp_path):
    apply(PRESENT, "c1", **C1)
    backup = str(tmp_path / "c1.tar.gz")
    salt.modules["lxdapi_backup.export"]("c1", backup, project=team)
    if daemon.name in ("incus", "lxd13"):  # it refuses the volatile keys that every backup contains
        with pytest.raises(CommandExecutionError, match='"volatile..+ is forbidden'):
            salt.modules["lxdapi_backup.import"]("c2", backup, project=team)
        assert daemon.ask("GET", "/1.0/instances?project=team") == ["/1.0/instances/c1?project=team"]
        return
    salt.modules["lxdapi_backup.import"]("c2", backup, project=team)
    assert stored("c2")["config"]["user.a"] == "1"
    apply.unchanged(PRESENT, "c2", **C1)


@pytest.mark.mainly("incus7")
def test_fleet_is_created_in_restricted_project(apply, team, stored):
    fleet = {"project": team, "defaults": {"source": "busybox"}, "instances": {"f[1-2]": {}}}
    assert apply.changed("lxdapi_fleet.managed", "web", **fleet) == {name: {"created": name} for name in ("f1", "f2")}


@pytest.mark.mainly("incus7")
def test_project_is_read_once_and_only_for_a_creation(apply, proxy, team):
    fleet = {"project": team, "defaults": {"source": "busybox"}, "instances": {"f[1-3]": {}}}
    apply("lxdapi_fleet.managed", "web", **fleet)
    proxy.clear()
    apply("lxdapi_fleet.managed", "web", **{**fleet, "instances": {"f[1-6]": {}}})
    reads = [each for each in proxy.requests("GET") if each.path.startswith("/1.0/projects/")]
    assert len(reads) <= 2
    proxy.clear()
    apply.unchanged(PRESENT, "f1", project=team, source="busybox")
    assert not [each for each in proxy.requests("GET") if each.path.startswith("/1.0/projects/")]


@pytest.mark.parametrize("source", spread("busybox", COPY), ids=["image", "copy"])
def test_creation_with_lost_reply_is_done_once(apply, proxy, team, stored, source):
    apply(PRESENT, "c0", **C1)
    proxy.clear()
    proxy.arm("drop_reply", method="POST", path="/instances")
    ret = apply(PRESENT, "c1", project=team, source=source)
    assert (ret["result"], ret["changes"]) == (True, {"created": "c1"}), ret
    assert len(proxy.requests("POST")) == 1
    without_mark(stored())
    apply.unchanged(PRESENT, "c1", project=team, source=source)


@pytest.fixture
def direct(tmp_path, daemon):
    """A state without a proxy, which would still accept connections when the daemon is dead."""
    salt = Loaded(tmp_path / "direct", {"local": {"endpoint": daemon.socket, "timeout": 20}})
    return lambda name, **arguments: salt.states[PRESENT](name=name, **arguments)


@pytest.fixture
def many(daemon, tmp_path):
    """The state of an instance of an image that is unpacked slowly."""
    daemon.import_image(busybox_image(tmp_path / "many.tar.gz", files=FILES), alias="many")
    return {**C1, "source": "many"}


def unpacked(daemon):
    """Return the number of files of the instance c1 that are on the disk."""
    try:
        return len(os.listdir(daemon.directory / "storage-pools/default/containers/team_c1/rootfs/mnt"))
    except FileNotFoundError:
        return 0


@pytest.mark.mainly("incus")
@pytest.mark.parametrize("daemon_dies", spread(False, True), ids=["client", "both"])
def test_killed_creation_is_completed_by_next_run(direct, apply, daemon, team, many, stored, daemon_dies):
    process = Process(lambda: direct("c1", **many))
    assert until(lambda: 10 < unpacked(daemon), 30)
    if daemon_dies:
        daemon.kill()
    process.kill()
    if daemon_dies:
        daemon.start()
    expected = apply.predicted(PRESENT, "c1", **many)
    ret = apply(PRESENT, "c1", **many)
    assert (ret["result"], ret["changes"]) == (True, expected["changes"]), ret
    assert not daemon_dies or ret["changes"] == {"deleted": "c1", "created": "c1"}
    without_mark(stored())
    assert unpacked(daemon) == FILES
    apply.unchanged(PRESENT, "c1", **many)


def test_simultaneous_creations_respect_project_limits(daemon, proxy, imported, tmp_path):
    make_project(daemon, {"limits.cpu": "2"})
    runs, names = Runs(tmp_path / "race", proxy.socket), [f"r{number}" for number in range(6)]
    declared = {"project": "team", "source": "busybox", "config": {"limits.cpu": 1}}
    answers = runs({name: chunk(PRESENT, **declared) for name in names})
    made = [each["__id__"] for each in answers if each["result"]]
    assert len(made) == 2, answers
    assert all('"limits.cpu"' in each["comment"] for each in answers if not each["result"]), answers
    for note in ("x", "y"):
        edit = {"project": "team", "config": {"user.note": note}, "running": True}
        edits = runs({name: chunk(PRESENT, **edit) for name in made})
        assert [(each["result"], bool(each["changes"])) for each in edits] == [(True, True)] * 2, edits


def test_simultaneous_changes_respect_project_limits(daemon, apply, imported):
    make_project(daemon, {"limits.cpu": "8"})
    fleet = {"project": "team", "instances": {"f[1-6]": {}}}
    apply("lxdapi_fleet.managed", "web", defaults={"source": "busybox", "config": {"limits.cpu": 1}}, **fleet)
    ret = apply("lxdapi_fleet.managed", "web", defaults={"config": {"limits.cpu": 2}}, **fleet)
    assert (ret["result"], len(ret["changes"])) == (False, 2), ret
    ret = apply("lxdapi_fleet.managed", "web", defaults={"config": {"user.note": "x"}}, **fleet)
    assert (ret["result"], len(ret["changes"])) == (True, 6), ret


def test_fleet_respects_the_number_of_instances(daemon, apply, imported):
    make_project(daemon, {"limits.instances": "3"})
    ret = apply("lxdapi_fleet.managed", "web", project="team", defaults={"source": "busybox"}, instances={"f[1-8]": {}})
    assert (ret["result"], len(ret["changes"])) == (False, 3), ret
    assert "Reached maximum number of instances" in ret["comment"]
    changed = {"defaults": {"config": {"user.note": "x"}}, "instances": dict.fromkeys(ret["changes"])}
    ret = apply("lxdapi_fleet.managed", "web", project="team", **changed)
    assert (ret["result"], len(ret["changes"])) == (True, 3), ret


@pytest.mark.mainly("lxd")
def test_simultaneous_volumes_respect_project_limits(daemon, proxy, imported, tmp_path):
    make_project(daemon, {"limits.disk": "100MiB"})
    runs, names = Runs(tmp_path / "race", proxy.socket), [f"default/v{number}" for number in range(8)]
    present = partial(chunk, "lxdapi_storage_volume.present", project="team")
    answers = runs({name: present(config={"size": "40MiB"}) for name in names})
    made = [each["__id__"] for each in answers if each["result"]]
    assert len(made) == 2, answers
    answers = runs({name: present(config={"size": "60MiB"}) for name in made})
    assert sorted(each["result"] for each in answers) == [False, True], answers
    answers = runs({name: present(config={"user.a": "1"}) for name in made})
    assert [each["result"] for each in answers] == [True, True], answers


@pytest.mark.mainly("incus")
def test_instance_is_migrated_to_restricted_project(pair, listens):
    listens(pair.here)
    make(pair.here, profiles=["default"])
    make_project(pair.there, {"limits.instances": "20", **RESTRICTED, "restricted.devices.disk": "allow"})
    changes = pair.apply.changed(STATE, "web1", project="team", **WAY)
    assert changes == {"remote": {"old": "here", "new": "there"}}
    without_mark(found(pair.there, query="?project=team"))
    assert found(pair.here) is None
