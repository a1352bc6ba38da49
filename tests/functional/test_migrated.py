"""
Instances that move from one daemon to another: all that they had is there, and nothing is lost on the way.
"""

from contextlib import ExitStack

import pytest
import twins
from conftest import free_port
from daemons import Daemon
from twins import essence, found, make, pulled, push, snapshots

STATE = "lxdapi_instance.migrated"
WAY = {"source_remote": "here", "remote": "there"}


@pytest.fixture(scope="session")
def second():
    """A second daemon, an Incus 6.0.4, ended when the session is over."""
    made = Daemon.in_new_directory("incus")
    try:
        yield made.start().preseed()
    finally:
        made.stop()
        made.remove()


@pytest.fixture
def pair(daemon, second, tmp_path, watched, image):
    """The tested daemon, which has an instance, and the second one."""
    with ExitStack() as stack:
        made = twins.Twins(daemon, second, tmp_path, watched, stack)
        made.prepare(image)
        yield made
    second.start().wipe()


@pytest.fixture
def listens():
    """Make a daemon listen on loopback; it stops afterwards."""
    heard = []

    def listen(daemon):
        address = f"127.0.0.1:{free_port()}"
        daemon.ask("PATCH", "/1.0", {"config": {"core.https_address": address}})
        heard.append(daemon)
        return address

    yield listen
    for daemon in heard:
        daemon.start().ask("PATCH", "/1.0", {"config": {"core.https_address": ""}})


def test_an_instance_is_moved_with_all_that_it_has(pair, listens):
    listens(pair.here)
    make(pair.here, start=True)
    push(pair.here, "treasure")
    before, kept = found(pair.here), snapshots(pair.here)
    changes = pair.apply.changed(STATE, "web1", allow_stop=True, **WAY)
    assert changes == {"remote": {"old": "here", "new": "there"}}
    after = found(pair.there)
    assert essence(after) == essence(before) and after["status"] == "Running"
    assert snapshots(pair.there) == kept and pulled(pair.there) == "treasure"
    assert found(pair.here) is None
