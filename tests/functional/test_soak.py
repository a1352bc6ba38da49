"""
Many states in a row: no open files, growing memory, operations or files stay behind.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.daemons import until
from tests.support.loader import REPO
from tests.support.soak import STATES, WARM_UP

SHORT, LONG = 6, 102


def operations(daemon):
    """Return the operations that the daemon still lists."""
    _, reply = daemon.request("GET", "/1.0/operations?recursion=1")
    return [each["description"] for group in (reply["metadata"] or {}).values() for each in group]


def sockets(pid):
    """Return the number of open sockets of a process; LXD 5.0.2 itself keeps some of liblxc's logs open for long."""
    links = (each for each in Path(f"/proc/{pid}/fd").iterdir() if os.path.lexists(each))
    return sum(os.readlink(each).startswith("socket:") for each in links)


def files(daemon):
    """Return the files that the daemon keeps: logs, which outlive an instance, recorded outputs, images, backups."""
    folders = [Path(daemon.directory, name) for name in ("logs", "images", "backups")]
    return {str(path) for folder in folders for path in folder.rglob("*")}


@pytest.fixture
def soak(daemon, imported, tmp_path):
    """Live this many times in a new process, and return its resources before and after."""

    def soak(lives):
        command = [sys.executable, "-m", "tests.support.soak", daemon.socket, tmp_path, str(lives)]
        environment = {**os.environ, "PYTHONPATH": f"{REPO / '_utils'}:{REPO}"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return soak


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "lives", [pytest.param(SHORT, marks=pytest.mark.mainly("incus")), pytest.param(LONG, marks=pytest.mark.long)]
)
def test_many_states_leave_no_open_files_or_operations(daemon, soak, lives):
    soak(0)
    there, kept = sockets(daemon.pid), files(daemon)
    before, after = soak(lives)
    print(f"{(lives + WARM_UP) * STATES} states: before {before}, after {after}")
    assert after["files"] <= before["files"]
    assert after["KiB"] < before["KiB"] + 4096
    assert until(lambda: sockets(daemon.pid) <= there, 40)
    # the daemon remembers an operation for 5 s after its end
    assert until(lambda: operations(daemon) == [], 10), operations(daemon)
    assert files(daemon) == kept
