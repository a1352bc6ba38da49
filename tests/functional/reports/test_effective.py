"""
The effective config of an instance, key by key, equals that of the daemon, and each key has its origin.
"""

import msgpack
import pytest
from salt.exceptions import SaltException

NONE = {"type": "none"}
TMP = {"type": "disk", "source": "/tmp", "path": "/t"}
# Each of the two profiles has a key of its own, overrides the one before, and is overridden by the instance.
BASE = {
    "config": {"user.all": "base", "user.base": "base", "user.both": "base", "user.password": "Hidden-1"},
    "devices": {"all": TMP, "base": {**TMP, "path": "/base"}, "masked": {**TMP, "path": "/m"}},
}
WEB = {
    "config": {"user.all": "web", "user.both": "web", "user.web": "web", "limits.cpu": "2"},
    "devices": {"all": {**TMP, "path": "/web"}, "web": {**TMP, "path": "/only", "user.token": "Hidden-2"}},
}
OWN = {
    "config": {"user.all": "own", "user.own": "own", "limits.cpu": "1", "image.os": "Busybox"},
    "devices": {"all": {**TMP, "path": "/own"}, "masked": NONE},
}
CONFIG = {
    "limits.cpu": "instance",
    "user.all": "instance",
    "user.base": "profile base",
    "user.both": "profile web",
    "user.own": "instance",
    "user.password": "profile base",
    "user.web": "profile web",
}
DEVICES = {
    "all": "instance",
    "base": "profile base",
    "masked": "instance",
    "root": "profile default",
    "web": "profile web",
}


def build(daemon, project=""):
    """Create an instance with three profiles."""
    for name, profile in (("base", BASE), ("web", WEB)):
        daemon.ask("POST", "/1.0/profiles", {"name": name, **profile})
    body = {"name": "c1", "source": {"type": "none"}, "profiles": ["default", "base", "web"], **OWN}
    daemon.ask("POST", f"/1.0/instances{project}", body)
    return daemon.ask("GET", f"/1.0/instances/c1{project}")


def values(part):
    return {key: each["value"] for key, each in part.items()}


def origins(part):
    return {key: each["origin"] for key, each in part.items()}


@pytest.mark.parametrize("project", [None, "team"])
def test_effective_config_matches_daemon_with_origin(salt, daemon, project):
    if project:  # its profiles are those of the default project
        config = {"features.profiles": "false", "features.images": "false"}
        daemon.ask("POST", "/1.0/projects", {"name": "team", "config": config})
    found = build(daemon, "?project=team" if project else "")
    said = salt.modules["lxdapi.effective"]("instance", "c1", project=project)
    daemons = {key for key in found["expanded_config"] if key.startswith(("volatile.", "image."))}
    assert daemons > {"image.os"}
    expected = {key: value for key, value in found["expanded_config"].items() if key not in daemons}
    assert values(said["config"]) == {**expected, "user.password": "(hidden)"}
    web = {**found["expanded_devices"]["web"], "user.token": "(hidden)"}
    assert values(said["devices"]) == {**found["expanded_devices"], "web": web}
    assert said["devices"]["masked"] == {"value": NONE, "origin": "instance"}
    assert (origins(said["config"]), origins(said["devices"])) == (CONFIG, DEVICES)
    assert list(said["config"]) == sorted(CONFIG)
    assert "Hidden" not in str(said)
    assert msgpack.loads(msgpack.dumps(said)) == said


def test_instance_without_profiles_has_only_its_own_config(salt, daemon):
    root = {"type": "disk", "pool": "default", "path": "/"}
    body = {"name": "c1", "source": {"type": "none"}, "profiles": [], "devices": {"root": root}}
    daemon.ask("POST", "/1.0/instances", body)
    said = salt.modules["lxdapi.effective"]("instance", "c1")
    assert said == {"config": {}, "devices": {"root": {"value": root, "origin": "instance"}}}


def test_effective_config_needs_an_existing_instance(salt, daemon):
    refused = [
        (["instance", "nope"], "instance nope does not exist"),
        (["instance", "a/b"], "instance name 'a/b' is not valid"),
        (["profile", "default"], "expected instance for kind, got 'profile': only instances have profiles"),
    ]
    for arguments, words in refused:
        with pytest.raises(SaltException, match=words):
            salt.modules["lxdapi.effective"](*arguments)
