"""
Fixtures for the drop-in: its states and functions beside those of lxdapi.
"""

from pathlib import Path

import pytest

from tests.functional.conftest import Applied
from tests.support.client_certificates import in_files
from tests.support.loader import Loaded
from tests.support.removed_lxd import RemovedLxd


class Worded(Applied):
    """States whose changes are sentences: test mode predicts their keys, not their words."""

    def changed(self, function, name, **arguments):
        """Return the changes of an apply after a check of the prediction and of a second run."""
        expected = self.predicted(function, name, **arguments)
        assert expected["result"] is None, expected
        ret = self(function, name, **arguments)
        assert ret["result"] is True, ret
        assert keys(ret["changes"]) == keys(expected["changes"]), (ret, expected)
        self.unchanged(function, name, **arguments)
        return ret["changes"]


def keys(changes):
    """Return the changes without their words."""
    if isinstance(changes, dict):
        return {key: keys(value) for key, value in changes.items()}
    return len(changes) if isinstance(changes, list) else ""


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """A stop is forced at once: the init of the image ignores a request to shut down just after its start."""
    monkeypatch.setattr("lxdapi.dropin.containers.STOP_SECONDS", 0)


@pytest.fixture
def salt(tmp_path, proxy):
    """Salt with the drop-in; its local daemon is the tested one behind the proxy."""
    return Loaded(tmp_path, {"local": {"endpoint": str(proxy.socket)}}, dropin=True)


@pytest.fixture
def apply(salt, proxy):
    """The states behind the proxy."""
    return Worded(salt, proxy)


@pytest.fixture
def call(salt):
    """Return a function that calls a function of the module ``lxd``."""
    return lambda name, *args, **kwargs: salt.modules[f"lxd.{name}"](*args, **kwargs)


@pytest.fixture
def lxd(daemons):
    """A running LXD in its initial state."""
    running = daemons["lxd"]
    yield running
    running.start().wipe()


@pytest.fixture
def removed(lxd, tree, tmp_path):
    """Salt 3007 with its own modules, and the SLS of the fixture ``tree``."""
    salt = RemovedLxd(lxd, tree, tmp_path / "removed")
    yield salt
    salt.close()


@pytest.fixture
def stranger(https, tmp_path):
    """The arguments for the address of the daemon, with a certificate that it does not know."""
    cert, key = tmp_path / "c.crt", tmp_path / "c.key"
    in_files(cert, key)
    return {"remote_addr": https, "cert": str(cert), "key": str(key), "verify_cert": False}


@pytest.fixture
def trusted(daemon, stranger):
    """The arguments for the address of the daemon, with a certificate that it trusts."""
    der = "".join(Path(stranger["cert"]).read_text().split("-----")[2].split())
    daemon.ask("POST", "/1.0/certificates", {"type": "client", "name": "test", "certificate": der})
    return stranger
