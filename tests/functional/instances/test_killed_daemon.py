"""
A daemon that is killed by SIGKILL, or shut down, during an action: the result of the running state, and the next run,
which completes the declaration.
"""

import os
from pathlib import Path

import pytest

from tests.support.daemons import until
from tests.support.images import busybox_image
from tests.support.loader import Loaded
from tests.support.processes import Process, does, when
from tests.support.spread import spread

FILES = 3000
PARTIAL = "it looks like a partial creation"


@pytest.fixture
def direct(tmp_path, daemon):
    """A state without a proxy, which would still accept connections when the daemon is dead."""
    salt = Loaded(tmp_path / "direct", {"local": {"endpoint": daemon.socket, "timeout": 20}})
    return lambda function, name, **arguments: salt.states[function](name=name, **arguments)


@pytest.fixture(scope="module")
def many_files(tmp_path_factory):
    """The path of an image that is unpacked, copied and deleted slowly."""
    return busybox_image(tmp_path_factory.mktemp("many") / "many.tar.gz", files=FILES)


@pytest.fixture
def many(daemon, many_files):
    """The alias of that image on the daemon."""
    daemon.import_image(many_files, alias="many")
    return "many"


@pytest.fixture
def killed_while(daemon):
    """Kill the daemon while an operation with this description runs, and start it again at once."""

    def kill():
        daemon.kill()
        daemon.start()

    return lambda words: when(lambda: does(daemon, words), kill)


def unpacked(daemon, name):
    """Return the number of files of an instance that are on the disk."""
    try:
        return len(os.listdir(daemon.directory / "storage-pools/default/containers" / name / "rootfs/mnt"))
    except FileNotFoundError:
        return 0


def unpacks(daemon, name="c1"):
    """Return whether an instance is under construction, neither at the very beginning nor at the end."""
    return does(daemon, "Creating instance") and 10 < unpacked(daemon, name) < FILES - 500


def healthy(apply, daemon, raw, name="c1", **declared):
    """Check that an instance is complete and running, and that nothing is left to do."""
    found = raw(f"instances/{name}")
    assert (found["status"], unpacked(daemon, name)) == ("Running", FILES)
    assert not [key for key in found["config"] if key.startswith("user.lxdapi")]
    apply.unchanged("lxdapi_instance.present", name, running=True, **declared)


def said(ret):
    """Return the result of a state after a check that it gave a reason without a traceback."""
    assert "Traceback" not in ret["comment"], ret
    return ret["result"]


def made(ret):
    """Check that a state created the instance c1."""
    assert (said(ret), ret["changes"].get("created")) == (True, "c1"), ret


DECLARED = {"source": "many", "config": {"user.a": "1"}}


@pytest.mark.mainly("lxd")
def test_killed_daemon_during_create_is_recovered_by_same_run(direct, apply, daemon, raw, many):
    with when(lambda: unpacks(daemon), lambda: (daemon.kill(), daemon.start())):
        ret = direct("lxdapi_instance.present", "c1", running=True, **DECLARED)
    made(ret)
    assert raw("instances/c1")["config"]["user.a"] == "1"
    healthy(apply, daemon, raw, **DECLARED)


def test_killed_daemon_and_client_are_recovered_by_next_run(direct, apply, daemon, raw, many):
    process = Process(lambda: direct("lxdapi_instance.present", "c1", running=True, **DECLARED))
    assert until(lambda: unpacks(daemon), 30)
    daemon.kill()
    process.kill()
    daemon.start()
    # the daemon's tar may have finished
    assert 0 < unpacked(daemon, "c1")
    assert not {"volatile.apply_template", "volatile.last_state.power"} & set(raw("instances/c1")["config"])
    expected = apply.predicted("lxdapi_instance.present", "c1", running=True, **DECLARED)
    ret = apply("lxdapi_instance.present", "c1", running=True, **DECLARED)
    assert (said(ret), ret["changes"]) == (True, expected["changes"]), ret
    assert "it was a partial creation" in ret["comment"]
    healthy(apply, daemon, raw, **DECLARED)


@pytest.mark.mainly("incus")
def test_killed_copy_is_completed_by_next_run(direct, apply, daemon, raw, many):
    source = {"source": {"type": "copy", "source": "c0"}}
    apply("lxdapi_instance.present", "c0", **DECLARED)
    process = Process(lambda: direct("lxdapi_instance.present", "c1", running=True, **source))
    assert until(lambda: unpacks(daemon), 30)
    daemon.kill()
    process.kill()
    daemon.start()
    ret = apply("lxdapi_instance.present", "c1", running=True, **source)
    made(ret)
    healthy(apply, daemon, raw, **source)


@pytest.mark.mainly("incus7")
def test_foreign_partial_creation_is_named_and_not_touched(apply, daemon, raw, many):
    body = {"name": "c1", "source": {"type": "image", "alias": "many"}}
    daemon.request("POST", "/1.0/instances", body)
    assert until(lambda: unpacks(daemon), 30)
    daemon.kill()
    daemon.start()
    before = raw("instances/c1")
    for function, more in (("present", {"running": True}), ("running", {})):
        comment = apply.failed(f"lxdapi_instance.{function}", "c1", **more)
        assert PARTIAL in comment
        assert "delete it" in comment
    assert raw("instances/c1") == before
    assert apply("lxdapi_instance.absent", "c1")["result"] is True
    assert apply("lxdapi_instance.present", "c1", running=True, **DECLARED)["result"] is True
    healthy(apply, daemon, raw, **DECLARED)


@pytest.mark.parametrize("function", spread("present", "absent"))
def test_creation_by_others_is_awaited(apply, daemon, raw, many, function):
    body = {"name": "c1", "source": {"type": "image", "alias": "many"}, "config": {"user.foreign": "1"}}
    _, reply = daemon.request("POST", "/1.0/instances", body)
    assert until(lambda: unpacks(daemon), 30)
    more = {"running": True, **DECLARED} if function == "present" else {}
    ret = apply(f"lxdapi_instance.{function}", "c1", **more)
    daemon.wait(reply)
    assert said(ret) is True, ret
    if function == "absent":
        assert raw("instances/c1") is None
        return
    assert "created" not in ret["changes"]
    assert raw("instances/c1")["config"]["user.foreign"] == "1"
    healthy(apply, daemon, raw, **DECLARED)


@pytest.fixture
def stopped(apply, imported):
    """A stopped container."""
    apply("lxdapi_instance.present", "c1", source="busybox")
    return "c1"


@pytest.mark.mainly("lxd")
def test_start_survives_daemon_death(direct, apply, stopped, raw, killed_while):
    with killed_while("Starting"):
        ret = direct("lxdapi_instance.running", stopped)
    assert said(ret) is True, ret
    assert raw("instances/c1")["status"] == "Running"
    apply.unchanged("lxdapi_instance.running", stopped)


@pytest.mark.mainly("incus")
def test_stop_survives_daemon_death(direct, apply, stubborn, raw, killed_while):
    with killed_while("Stopping"):
        ret = direct("lxdapi_instance.stopped", stubborn, timeout=2, force=True)
    assert said(ret) is True, ret
    assert raw(f"instances/{stubborn}")["status"] == "Stopped"
    apply.unchanged("lxdapi_instance.stopped", stubborn)
    assert apply("lxdapi_instance.running", stubborn)["result"] is True


@pytest.mark.mainly("incus7")
def test_deletion_survives_daemon_death(direct, apply, daemon, many, raw, killed_while):
    apply("lxdapi_instance.present", "c1", **DECLARED)
    with killed_while("Deleting"):
        ret = direct("lxdapi_instance.absent", "c1")
    assert said(ret) is True, ret
    assert raw("instances/c1") is None
    assert unpacked(daemon, "c1") == 0
    apply.unchanged("lxdapi_instance.absent", "c1")


@pytest.mark.mainly("incus")
def test_snapshot_survives_daemon_death_or_fails_clearly(direct, apply, many, raw, killed_while):
    apply("lxdapi_instance.present", "c1", **DECLARED)
    with killed_while("Snapshotting|Creating snapshot|Creating instance snapshot"):
        ret = direct("lxdapi_instance_snapshot.present", "c1/s0")
    said(ret)
    assert apply("lxdapi_instance_snapshot.present", "c1/s0")["result"] is True
    assert raw("instances/c1/snapshots/s0")


@pytest.fixture
def through(tmp_path, proxy):
    """The state of an image, through the proxy."""
    salt = Loaded(tmp_path / "through", {"local": {"endpoint": str(proxy.socket), "timeout": 20}})
    return lambda image: salt.states["lxdapi_image.present"](name="busybox", source=str(image))


@pytest.mark.mainly("incus7")
def test_upload_interrupted_by_daemon_death_is_done_by_next_run(daemon, proxy, through, image, raw):
    proxy.arm("stall", method="POST", path="/images$")
    sent = lambda: any(part.stat().st_size for part in Path(daemon.directory, "images").glob("*_build_*/*"))  # noqa: E731
    with when(sent, lambda: (daemon.kill(), daemon.start())):
        ret = through(image)
    assert said(ret) in (True, False)
    ret = through(image)
    assert ret["result"] is True, ret
    assert len(raw("images")) == 1
    assert list(Path(daemon.directory, "images").glob("*_build_*")) == []


@pytest.mark.mainly("lxd")
def test_upload_survives_daemon_death_after_the_202(daemon, proxy, through, image, raw):
    def die(reply):
        daemon.kill()
        daemon.start()
        return reply

    proxy.arm("swap", method="POST", path="/images$", reply=die)
    ret = through(image)
    assert said(ret) is True, ret
    assert len(raw("images")) == 1
    assert (through(image)["result"], through(image)["changes"]) == (True, {})


@pytest.mark.mainly("lxd")
def test_daemon_restart_between_post_and_wait_is_survived(apply, daemon, proxy, imported, raw, tmp_path):
    def restart(reply):
        daemon.restart()
        return reply

    salt = Loaded(tmp_path / "through", {"local": {"endpoint": str(proxy.socket), "timeout": 20}})
    proxy.arm("swap", method="POST", path="/instances$", reply=restart)
    ret = salt.states["lxdapi_instance.present"](name="c1", source="busybox", running=True)
    made(ret)
    assert len(proxy.requests("POST")) == 1
    assert raw("instances/c1")["status"] == "Running"


@pytest.mark.mainly("incus7")
def test_clean_daemon_restart_during_state_is_survived(direct, apply, daemon, raw, many):
    with when(lambda: unpacks(daemon), daemon.restart):
        ret = direct("lxdapi_instance.present", "c1", running=True, **DECLARED)
    made(ret)
    healthy(apply, daemon, raw, **DECLARED)
