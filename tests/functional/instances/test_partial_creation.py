"""
Instances that look like partial creations: missing config keys never lead to the deletion of an instance that may hold
data.
"""

import threading

import pytest

from tests.support.images import busybox_image
from tests.support.loader import Loaded
from tests.support.processes import Process, race

KEYS = ("volatile.apply_template", "volatile.last_state.power")
DECLARED = {"source": "busybox", "config": {"user.a": "1"}}
MINE = "/1.0/instances/{}/files?path=/mine"


@pytest.fixture
def earlier_run(tmp_path, daemon):
    """Apply a state in a new process, which knows nothing of earlier observations."""
    salt = Loaded(tmp_path / "earlier", {"local": {"endpoint": daemon.socket}})

    def run(function, name, **arguments):
        ret = Process(lambda: salt.states[function](name=name, **arguments)).result()
        assert ret["result"] is True, ret
        return ret

    return run


def write_file(daemon, name, words=b"mine"):
    """Put a file into an instance, as a user does who considers it complete."""
    status, reply = daemon.request("POST", MINE.format(name), words)
    assert status == 200, reply


def has_file(daemon, name, words=b"mine"):
    """Return whether the file exists."""
    return daemon.request("GET", MINE.format(name)) == (200, words)


def lose_keys(daemon, name):
    """Remove the keys that an edit of a profile sometimes removes."""
    daemon.ask("PATCH", f"/1.0/instances/{name}", {"config": dict.fromkeys(KEYS, ""), "description": ""})
    assert not set(KEYS) & set(daemon.ask("GET", f"/1.0/instances/{name}")["config"])


def delete_link(daemon, name):
    """Remove what a daemon writes last in a creation, as if it had died before."""
    lose_keys(daemon, name)
    (daemon.directory / "containers" / name).unlink()


@pytest.mark.parametrize("replace_partial", [False, True])
def test_readable_instance_without_marks_is_complete(apply, daemon, earlier_run, imported, replace_partial):
    earlier_run("lxdapi_instance.present", "c1", **DECLARED)
    lose_keys(daemon, "c1")
    write_file(daemon, "c1")
    apply.unchanged("lxdapi_instance.present", "c1", replace_partial=replace_partial, **DECLARED)
    started = apply.changed("lxdapi_instance.present", "c1", running=True, **DECLARED)
    assert started == {"status": {"old": "Stopped", "new": "Running"}}
    assert has_file(daemon, "c1")


@pytest.mark.parametrize("evidence", ["running", "stopped", "snapshot", "backup"])
def test_used_instance_without_marks_is_complete(apply, daemon, earlier_run, imported, evidence):
    running = evidence in ("running", "stopped")
    earlier_run("lxdapi_instance.present", "c1", running=running, **DECLARED)
    if evidence == "stopped":
        daemon.ask("PUT", "/1.0/instances/c1/state", {"action": "stop", "force": True, "timeout": 5})
    elif not running:
        daemon.ask("POST", f"/1.0/instances/c1/{evidence}s", {"name": "s0"})
    lose_keys(daemon, "c1")
    write_file(daemon, "c1")
    apply.unchanged("lxdapi_instance.present", "c1", replace_partial=True, **DECLARED)
    assert has_file(daemon, "c1")


def test_empty_partial_creation_is_replaced(apply, daemon, earlier_run, imported, raw):
    earlier_run("lxdapi_instance.present", "c1", **DECLARED)
    before = raw("instances/c1")["config"]["volatile.uuid"]
    delete_link(daemon, "c1")
    assert "was never filled" in apply.failed("lxdapi_instance.running", "c1")
    changes = apply.changed("lxdapi_instance.present", "c1", **DECLARED)
    assert changes == {"deleted": "c1", "created": "c1"}
    assert raw("instances/c1")["config"]["volatile.uuid"] != before


def move_volume(daemon, old, new):
    """Rename the volume of an instance, as a daemon does first in a rename of the instance."""
    query = f"UPDATE storage_volumes SET name = '{new}' WHERE name = '{old}'"  # noqa: S608
    daemon.ask("POST", "/internal/sql", {"database": "global", "query": query})
    pool, links = daemon.directory / "storage-pools/default/containers", daemon.directory / "containers"
    (pool / old).rename(pool / new)
    (links / old).unlink()
    (links / new).symlink_to(pool / new)


def test_instance_whose_rename_broke_off_is_kept(apply, daemon, earlier_run, imported):
    earlier_run("lxdapi_instance.present", "c1", **DECLARED)
    lose_keys(daemon, "c1")
    move_volume(daemon, "c1", "c2")
    try:
        comment = apply.failed("lxdapi_instance.present", "c1", **DECLARED)
        assert "its data may be in volume c2 of pool default, which belongs to no instance" in comment
    finally:
        move_volume(daemon, "c2", "c1")
    apply.unchanged("lxdapi_instance.present", "c1", **DECLARED)


def test_foreign_partial_creation_is_replaced_only_on_request(apply, daemon, imported, raw):
    daemon.ask("POST", "/1.0/instances", {"name": "c1", "source": {"type": "image", "alias": "busybox"}})
    delete_link(daemon, "c1")
    for state in (apply.salt.states, apply.salt.predicted):
        ret = state["lxdapi_instance.present"](name="c1", **DECLARED)
        assert (ret["result"], ret["changes"]) == (False, {}), ret
        assert "it looks like a partial creation" in ret["comment"]
        assert "lxdapi did not create it" in ret["comment"]
        assert "replace_partial: true" in ret["comment"]
    changes = apply.changed("lxdapi_instance.present", "c1", replace_partial=True, **DECLARED)
    assert changes == {"deleted": "c1", "created": "c1"}


def test_partial_creation_without_image_is_replaced_on_request(apply, daemon, earlier_run):
    earlier_run("lxdapi_instance.present", "c1", source="none")
    delete_link(daemon, "c1")
    assert "lxdapi cannot read its root file system" in apply.failed("lxdapi_instance.present", "c1")
    assert "no source is declared" in apply.failed("lxdapi_instance.present", "c1", replace_partial=True)
    changes = apply.changed("lxdapi_instance.present", "c1", source="none", replace_partial=True)
    assert changes == {"deleted": "c1", "created": "c1"}


def test_fleet_replaces_foreign_partials_only_on_request(apply, daemon, imported):
    daemon.ask("POST", "/1.0/instances", {"name": "c1", "source": {"type": "image", "alias": "busybox"}})
    delete_link(daemon, "c1")
    ret = apply("lxdapi_fleet.managed", "web", instances={"c[1-2]": DECLARED})
    assert ret["result"] is False
    assert "replace_partial: true" in ret["comment"]
    ret = apply("lxdapi_fleet.managed", "web", instances={"c[1-2]": DECLARED}, defaults={"replace_partial": True})
    assert (ret["result"], ret["changes"]) == (True, {"c1": {"deleted": "c1", "created": "c1"}}), ret


@pytest.fixture
def edited(daemon):
    """The profile web, which two other clients edit as fast as they can during the test."""
    daemon.ask("POST", "/1.0/profiles", {"name": "web"})
    over = threading.Event()

    def edit(key):
        number = 0
        while not over.is_set():
            number += 1
            daemon.request("PATCH", "/1.0/profiles/web", {"config": {f"user.{key}": str(number)}})

    editors = [threading.Thread(target=edit, args=(key,)) for key in "ab"]
    for editor in editors:
        editor.start()
    yield "web"
    over.set()
    for editor in editors:
        editor.join()


@pytest.fixture
def slow_image(daemon, tmp_path):
    """The alias of an image that takes a while to unpack."""
    daemon.import_image(busybox_image(tmp_path / "slow.tar.gz", files=300), alias="slow")
    return "slow"


@pytest.mark.parametrize(
    "running",
    [pytest.param(False, marks=pytest.mark.mainly("incus")), pytest.param(True, marks=pytest.mark.mainly("incus7"))],
)
def test_profile_edits_never_cause_a_deletion(daemon, edited, slow_image, tmp_path, raw, running):
    salt = Loaded(tmp_path / "race", {"local": {"endpoint": daemon.socket}})
    names = [f"c{number}" for number in range(12)]
    declared = {"source": "slow", "profiles": ["default", edited], "running": running}
    state = lambda name: lambda: salt.states["lxdapi_instance.present"](name=name, **declared)  # noqa: E731
    for group in (names[:6], names[6:]):
        race(*[state(name) for name in group])
    made = [each["name"] for each in raw("instances?recursion=1") if each["status"] in ("Stopped", "Running")]
    for name in made:
        write_file(daemon, name)
    again = [state(name)() for name in made]
    assert [ret["changes"] for ret in again if "deleted" in ret["changes"] or "created" in ret["changes"]] == []
    assert [name for name in made if not has_file(daemon, name)] == []
    lost = [name for name in made if not set(KEYS) & set(raw(f"instances/{name}")["config"])]
    print(f"{daemon.name}: {len(lost)} of {len(made)} instances without keys")


@pytest.mark.parametrize("crossed", ["POST", "GET"])
def test_reply_about_another_instance_proves_no_creation(apply, daemon, proxy, imported, raw, crossed):
    source = {"type": "image", "alias": "busybox"}
    _, other = daemon.request("POST", "/1.0/instances", {"name": "c2", "source": source})
    ended = daemon.request("GET", f"{other['operation']}/wait?timeout=30")[1]
    path, reply = {"POST": ("/instances$", other), "GET": ("/operations/.*/wait", ended)}[crossed]
    proxy.arm("swap", method=crossed, path=path, reply=reply)
    ret = apply("lxdapi_instance.present", "c1", source="busybox", config={"bogus": "1"})
    assert (ret["result"], ret["changes"]) == (False, {}), ret
    assert "bogus" in ret["comment"]
    assert raw("instances/c1") is None
