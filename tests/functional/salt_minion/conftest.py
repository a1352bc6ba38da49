"""
Fixtures for instances that become minions: a master that does not run, and the keys that it has.
"""

import json
from pathlib import Path

import pytest
import salt.config
import salt.loader as salt_loader

from tests.support.loader import REPO

PKI = "etc/salt/pki/minion"


class Master:
    """The runners of a master, and its keys as files."""

    def __init__(self, folder, socket):
        self.pki = folder / "pki"
        opts = salt.config.master_config(None)
        opts.update(
            root_dir=str(folder),
            pki_dir=str(self.pki),
            cachedir=str(folder / "cache"),
            sock_dir=str(folder / "sock"),
            extension_modules=str(folder / "extmods"),
            module_dirs=[str(REPO)],
            lxdapi={"remotes": {"local": {"endpoint": str(socket)}}},
        )
        for state in ("minions", "minions_pre", "minions_rejected", "minions_denied"):
            (self.pki / state).mkdir(parents=True)
        (folder / "cache").mkdir()
        (self.pki / "master.pub").write_text("the key of the master\n")
        self.runners = salt_loader.runner(opts)

    def add(self, state, minion_id, key):
        """Add a key in a state."""
        (self.pki / state / minion_id).write_text(key)

    def keys(self):
        """Return {state/id: key}."""
        return {str(path.relative_to(self.pki)): path.read_text() for path in self.pki.glob("minions*/*")}

    def run(self, function, *args, **kwargs):
        """Return (result, changes, comment) of a runner; it contains no private key."""
        ret = self.runners[f"lxdapi.{function}"](*args, **kwargs)
        assert "PRIVATE" not in json.dumps(ret)
        return ret["result"], ret["changes"], ret["comment"]


@pytest.fixture
def master(tmp_path, proxy):
    """A master whose local daemon is the tested one behind the proxy."""
    return Master(Path(tmp_path), proxy.socket)


@pytest.fixture
def place(daemon, inside):
    """Return a function that writes the public key of a minion into an instance."""
    return lambda name, key: inside(name, f"mkdir -p /{PKI}; printf '{key}' > /{PKI}/minion.pub")
