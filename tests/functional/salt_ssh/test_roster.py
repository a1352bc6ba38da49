"""
The roster of salt-ssh: running instances of the remotes and projects in the master's configuration.
"""

import json
import os
import re

import pytest
import salt.loader as salt_loader
from lxdapi.salt_ssh import hosts
from salt.exceptions import SaltClientError

pytestmark = pytest.mark.mainly("incus7")


@pytest.fixture
def targets(salt, monkeypatch):
    """Return a function that returns the targets of the roster with these settings, as salt-ssh finds them."""
    monkeypatch.setenv("PATH", f"{salt.opts()['cachedir']}/lxdapi/ssh:{os.environ['PATH']}")
    monkeypatch.setenv(hosts.REMOTES, "[]")

    def find(target="*", tgt_type="glob", far=None, roster_defaults=None, **settings):
        opts = {**salt.opts(), "roster_defaults": roster_defaults or {}}
        remotes = {**opts["lxdapi"]["remotes"], "far": {"endpoint": far}}
        opts["lxdapi"] = {"remotes": remotes, "roster": settings}
        utils = salt_loader.utils(opts)
        roster = salt_loader.roster(opts, salt_loader.runner(opts, utils=utils), utils)
        return roster["lxdapi.targets"](target, tgt_type)

    return find


@pytest.fixture
def instances(daemon, imported):
    """Running instances in two projects, and a stopped one."""
    features = dict.fromkeys(("features.images", "features.profiles"), "false")
    daemon.ask("POST", "/1.0/projects", {"name": "shop", "config": features})
    for project, name in (("default", "web1"), ("default", "off"), ("shop", "web1")):
        body = {"name": name, "source": {"type": "image", "alias": "busybox"}}
        daemon.ask("POST", f"/1.0/instances?project={project}", body)
        if name != "off":
            daemon.ask("PUT", f"/1.0/instances/{name}/state?project={project}", {"action": "start"})


def test_roster_lists_and_matches_running_instances(targets, instances, proxy):
    found = targets(roster_defaults={"user": "admin", "sudo": True, "thin_dir": "/srv/thin"})
    assert [each.path for each in proxy.requests() if "instances" in each.path] == ["/1.0/instances?recursion=1"]
    entry = {"user": "root", "sudo": False, "tty": False, "set_path": "", "thin_dir": "/srv/thin"}
    assert found == {"web1": {**entry, "host": "web1.default.0.lxdapi"}}
    assert targets("db*") == {} and list(targets("web1,off", "list")) == list(targets("[vw]eb", "pcre")) == ["web1"]
    assert json.loads(os.environ[hosts.REMOTES]) == [{"endpoint": str(proxy.socket)}]


def test_roster_has_several_remotes_and_projects(targets, instances, daemon, tmp_path):
    settings = {"far": daemon.socket, "remotes": ["local", "far"], "projects": "default, shop"}
    found = targets("web1*", id="{name}.{project}.{remote}", **settings)
    assert {name: entry["host"] for name, entry in found.items()} == {
        "web1.default.local": "web1.default.0.lxdapi",
        "web1.shop.local": "web1.shop.0.lxdapi",
        "web1.default.far": "web1.default.1.lxdapi",
        "web1.shop.far": "web1.shop.1.lxdapi",
    }
    reason = "two instances have the id web1: web1 in the project default on local, and web1 in the project shop"
    with pytest.raises(SaltClientError, match=reason):
        targets("db*", **settings)
    reasons = [
        ({"remotes": ["near"]}, "unknown remote 'near'"),
        ({"remotes": ["local", "far"]}, "far.socket"),
        ({"projects": ["nope"]}, "nope"),
        ({"remote": "local"}, "lxdapi:roster: unknown setting remote; choose from: remotes, projects, id"),
        ({"projects": 1}, "expected a name, names with commas, or a list of names for lxdapi:roster:projects"),
        ({"id": "{host}"}, "expected text with {name}, {project}, {remote} for lxdapi:roster:id, got '{host}'"),
        ({"id": 1}, "for lxdapi:roster:id, got 1"),
    ]
    for settings, reason in reasons:
        with pytest.raises(SaltClientError, match=re.escape(reason)):
            targets(far=str(tmp_path / "far.socket"), **settings)
