"""
Salt inside instances with the Python of this machine: on a disk device, or copied.
"""

import os
import signal
import subprocess
import threading

import pytest
from salt.exceptions import CommandExecutionError

from tests.support.daemons import until
from tests.support.salt_commands import REPO, Salt, this_environment
from tests.support_tests.traces import heed_signals

HELLO = "/etc/hello:\n  file.managed:\n    - contents: {{ grains['id'] }}\n"


@pytest.fixture
def devices(daemon):
    """Return a function that returns the names of an instance's own devices."""
    return lambda name, project="default": sorted(
        daemon.ask("GET", f"/1.0/instances/{name}?project={project}")["devices"]
    )


def test_instance_without_python_gets_states(call, salt, c1, inside, devices):
    (salt.tree / "hello.sls").write_text(HELLO)
    (applied,) = call("apply", c1, "hello").values()
    assert applied["result"] is True, applied
    assert inside(c1, "cat /etc/hello; ls /var/cache/lxdapi") == f"c1\nsalt-{salt_version(call, c1)}\n"
    assert devices(c1) == []
    assert inside(c1, "find /opt/lxdapi -mindepth 2") == ""


def salt_version(call, name):
    """Return the version of Salt inside."""
    return call("call", name, "test.version")


@pytest.mark.mainly("incus")
def test_two_runs_share_the_device(call, c1, devices, inside, running):
    results = []
    thread = threading.Thread(target=lambda: results.append(call("call", c1, "cmd.run", "sleep 3; echo a")))
    thread.start()
    assert until(lambda: running(c1, "sleep 3"), 60)
    (device,) = devices(c1)
    assert call("ping", c1, python="carried") is True
    assert devices(c1) == [device]
    thread.join(60)
    assert results == ["a"] and devices(c1) == []


@pytest.mark.mainly("lxd")
def test_python_is_copied_once_where_no_device_is_allowed(call, salt, daemon, image, inside, devices):
    daemon.ask("POST", "/1.0/projects", {"name": "shop", "config": {"features.images": "false", "restricted": "true"}})
    root = {"type": "disk", "path": "/", "pool": "default"}
    daemon.ask("PATCH", "/1.0/profiles/default?project=shop", {"devices": {"root": root}})
    daemon.import_image(image, alias="busybox")
    body = {"name": "s1", "source": {"type": "image", "alias": "busybox"}}
    daemon.ask("POST", "/1.0/instances?project=shop", body)
    daemon.ask("PUT", "/1.0/instances/s1/state?project=shop", {"action": "start"})
    assert call("ping", "s1", project="shop") is True
    assert devices("s1", "shop") == []
    listed = "cd /var/cache/lxdapi; ls -d python-*; stat -c %Y python-*/bin/python"
    before = inside("s1", listed, "shop")
    assert before.startswith("python-")
    assert call("call", "s1", "grains.get", "id", python="carried", project="shop") == "s1"
    assert inside("s1", listed, "shop") == before
    assert call("clean", "s1", project="shop") == ["/var/cache/lxdapi"]
    assert inside("s1", "ls /var/cache", "shop") == ""


@pytest.mark.mainly("incus7")
def test_python_that_cannot_run_salt_is_replaced(call, c1, inside):
    old = '#!/bin/sh\\necho "SyntaxError: invalid syntax" >&2\\nexit 1\\n'
    inside(c1, f"printf '{old}' > /usr/bin/python3; chmod 755 /usr/bin/python3")
    with pytest.raises(CommandExecutionError, match="instance c1 ended with 1: SyntaxError: invalid syntax"):
        call("ping", c1, python="inside")
    assert call("ping", c1) is True


@pytest.mark.mainly("lxd")
def test_instance_whose_cache_cannot_be_written_uses_run(call, c1, p1, inside):
    for name in (c1, p1):
        inside(name, "rm -rf /var/cache/lxdapi; mkdir -p /var/cache; touch /var/cache/lxdapi")
        assert call("ping", name) is True
        assert inside(name, "ls /run/lxdapi").startswith("salt-")
    with pytest.raises(CommandExecutionError, match="cannot write to /var/cache/lxdapi"):
        call("ping", p1, python="inside")


@pytest.fixture
def command(salt_folder, daemon):
    """Return a function that starts ``salt-call`` as a process of its own."""
    remotes = {"remotes": {"local": {"endpoint": daemon.socket}}}
    minion = Salt(this_environment(), salt_folder, [salt_folder], lxdapi=remotes, cachedir=str(salt_folder / "cache"))
    started = []

    def start(*words):
        words = ["--local", "-c", str(minion.folder), "-m", str(REPO), *words]
        line = [str(minion.python), str(minion.venv / "bin" / "salt-call"), *words]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        started.append(subprocess.Popen(line, preexec_fn=heed_signals, **quiet))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait(30)


def test_nothing_runs_on_after_the_minion_was_killed(command, c1, devices, running):
    process = command("lxdapi_salt.call", c1, "cmd.run", "sleep 62")
    assert until(lambda: running(c1, "sleep 62"), 60)
    os.kill(process.pid, signal.SIGKILL)
    assert until(lambda: not running(c1, "sleep 62") and not running(c1), 30)
    assert len(devices(c1)) == 1
    assert command("lxdapi_salt.ping", c1).wait(100) == 0
    assert devices(c1) == [] and not running(c1)


@pytest.mark.mainly("incus7")
def test_interrupted_run_leaves_neither_a_process_nor_a_device(command, c1, devices, running):
    process = command("lxdapi_salt.call", c1, "cmd.run", "sleep 63")
    assert until(lambda: running(c1, "sleep 63"), 60)
    process.send_signal(signal.SIGINT)
    process.wait(60)
    assert devices(c1) == []
    assert until(lambda: not running(c1, "sleep 63") and not running(c1), 30)


@pytest.mark.mainly("incus")
def test_clean_removes_everything_of_a_stopped_instance(call, c1, daemon, devices):
    assert call("ping", c1) is True
    device = {"type": "disk", "source": "/", "path": "/opt/lxdapi/x", "readonly": "true"}
    daemon.ask("PATCH", "/1.0/instances/c1", {"devices": {"lxdapi-salt-12345678": device}})
    daemon.ask("PUT", "/1.0/instances/c1/state", {"action": "stop", "force": True})
    assert call("clean", c1) == ["lxdapi-salt-12345678", "/var/cache/lxdapi", "/opt/lxdapi"]
    assert devices(c1) == []
    assert call("clean", c1) == []
