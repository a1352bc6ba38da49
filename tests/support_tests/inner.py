"""
Tests that other tests run in their own pytest; pytest does not collect this file.

Each test launches a container on a bridge and writes the location of the daemon to the file $LAUNCHED.
"""

import os
import signal
import time
from pathlib import Path

import pytest

BRIDGE = {"ipv4.address": "10.78.0.1/24", "ipv6.address": "none"}
DEVICES = {"eth0": {"type": "nic", "network": "left0"}, "tmp": {"type": "disk", "source": "/tmp", "path": "/machine"}}


@pytest.fixture
def launched(daemon, imported):
    """A running container with a network interface and a disk."""
    daemon.ask("POST", "/1.0/networks", {"name": "left0", "type": "bridge", "config": BRIDGE})
    body = {"name": "c1", "source": {"type": "image", "alias": "busybox"}, "devices": DEVICES}
    daemon.ask("POST", "/1.0/instances", body)
    daemon.ask("PUT", "/1.0/instances/c1/state", {"action": "start"})
    return daemon


@pytest.fixture(scope="session")
def interrupted_at_its_end(daemons):
    """Send a signal when the fixtures of the session begin to end, among them those of pytest-salt-factories."""
    yield
    os.kill(os.getpid(), signal.SIGTERM)


def announce(daemon):
    ready = Path(os.environ["LAUNCHED"])
    ready.with_suffix(".new").write_text(str(daemon.directory))
    ready.with_suffix(".new").rename(ready)


def test_that_launches(launched):
    announce(launched)


def test_that_waits_to_be_interrupted(launched):
    announce(launched)
    time.sleep(60)


def test_that_is_interrupted_at_its_end(launched, interrupted_at_its_end):
    announce(launched)


def test_that_kills_its_daemon_and_fails(launched):
    announce(launched)
    launched.kill()
    raise AssertionError
