"""
A converted file is applied to a host that was made as the file says: nothing changes.
"""

import shutil

import pytest
from lxdapi.errors import InvalidError
from salt.utils.yaml import safe_dump

OLD = """\
{% set memory = '64MiB' %}
web:
  lxd_profile.present:
    - description: web servers
    - config:
      - key: limits.memory
        value: {{ memory }}
      - key: user.role
        value: web
    - devices:
        tmp: {type: disk, source: /tmp, path: /mnt}

busybox:
  lxd_image.present:
    - source: {type: file, filename: "salt://busybox.tar.gz"}

c1:
  lxd_container.present:
    - source: busybox
    - profiles: [default, web]
    - architecture: x86_64
    - config: [{key: user.a, value: 1}]
    - running: true
    - require:
      - lxd_profile: web

c2:
  lxd_container.stopped: []

gone:
  lxd_container.absent:
    - stop: true

user.b:
  lxd.config_managed:
    - value: host
"""


@pytest.fixture
def host(daemon, imported):
    """A host as Salt's old modules leave it."""
    devices = {"tmp": {"type": "disk", "source": "/tmp", "path": "/mnt"}}
    config = {"limits.memory": "64MiB", "user.role": "web"}
    profile = {"name": "web", "description": "web servers", "config": config, "devices": devices}
    daemon.ask("POST", "/1.0/profiles", profile)
    source = {"type": "image", "alias": "busybox"}
    first = {"name": "c1", "profiles": ["default", "web"], "config": {"user.a": "1"}, "source": source}
    for body in (first, {"name": "c2", "source": {"type": "none"}}):
        daemon.ask("POST", "/1.0/instances", body)
    daemon.ask("PUT", "/1.0/instances/c1/state", {"action": "start"})
    daemon.ask("PATCH", "/1.0", {"config": {"user.b": "host"}})
    return daemon


@pytest.fixture
def silent(salt, proxy, tmp_path):
    """Return a function that converts a text, checks that its SLS changes nothing, and returns the SLS."""

    def check(text, **arguments):
        (tmp_path / "old").write_text(text, encoding="utf-8")
        converted = salt.modules["lxdapi.convert_sls"](str(tmp_path / "old"), **arguments)
        (salt.tree / "converted.sls").write_text(converted, encoding="utf-8")
        proxy.clear()
        answers = salt.modules["state.apply"]("converted")
        assert isinstance(answers, dict), answers
        assert {
            each["__id__"]: each for each in answers.values() if (each["result"], each["changes"]) != (True, {})
        } == {}
        assert proxy.writes() == []
        return converted

    return check


def test_converted_old_states_change_nothing(host, silent, salt, image):
    shutil.copy(image, salt.tree / "busybox.tar.gz")
    assert "lxd_" not in silent(OLD)


def test_converted_instance_changes_nothing(host, silent, raw):
    instance = raw("instances/c1")
    assert instance["config"]["volatile.base_image"]
    converted = silent("### This is a YAML representation.\n" + safe_dump(instance, default_flow_style=False))
    assert "volatile." not in converted and "image." not in converted


def test_instance_without_name_needs_one(host, silent, raw):
    instance = {key: value for key, value in raw("instances/c1").items() if key != "name"}
    text = safe_dump(instance, default_flow_style=False)
    with pytest.raises(InvalidError, match="has no name"):
        silent(text)
    silent(text, name="c1")


def test_converted_preseed_changes_nothing(host, silent, raw):
    lists = ("networks", "storage_pools", "profiles", "projects")
    preseed = {each: raw(f"{each.replace('_', '-')}?recursion=1") for each in lists}
    preseed["networks"] = [each for each in preseed["networks"] if each["managed"]]
    wanted = ("name", "type", "driver", "description", "config", "devices")
    preseed = {
        name: [{key: value for key, value in each.items() if key in wanted} for each in objects]
        for name, objects in preseed.items()
    }
    preseed["config"] = {"user.b": "host"}
    converted = silent(safe_dump(preseed, default_flow_style=False))
    for state in ("storage_pool", "profile", "project", "server"):
        assert f"lxdapi_{state}.present" in converted
