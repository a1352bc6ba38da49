"""
The data of an instance on the daemon: logs, metadata, templates, metrics, and its name.
"""

import os
import time

import pytest
from lxdapi.errors import APIException, APINotFoundException, InvalidError, LxdapiError

from tests.support.daemons import until

ABSENT = {
    **dict.fromkeys(("console_log", "logs", "metadata", "metrics", "templates"), ()),
    **{"log": ("lxc.log",), "log_delete": ("migration_dump.log",), "metadata_set": ({"architecture": "x"},)},
    **{"template": ("a.tpl",), "template_set": ("a.tpl", "x"), "template_delete": ("a.tpl",), "rename": ("c2",)},
}
NO_METADATA = [
    *[5, None, [], "x", {"bogus": 1}, {"architecture": 5}, {"creation_date": "1"}, {"creation_date": True}],
    *[{"expiry_date": -1}, {"expiry_date": 2**63}, {"properties": ["a"]}, {"properties": {"a": 1.5}}],
    *[{"properties": {"a\0": "1"}}, {"templates": {"/a": {}}}, {"templates": {"/a": {"template": "a.tpl"}}}],
    {"templates": {"/a": {"template": "../a", "when": ["start"]}}},
    {"templates": {"/a": {"template": "a", "when": [5]}}},
    {"templates": {"/a": {"template": "a", "when": ["start"], "x": 1}}},
]
BAD_FILES = ["..", "../lxc.log", "a/b", "", "a\0", 5, None]


@pytest.fixture
def inside(salt):
    """Call a function of lxdapi_instance by its name."""
    return lambda function, *given, **more: salt.modules[f"lxdapi_instance.{function}"](*given, **more)


@pytest.fixture
def stopped(daemon, imported):
    """A container c1 that has never run."""
    daemon.ask("POST", "/1.0/instances", {"name": "c1", "source": {"type": "image", "alias": "busybox"}})
    return "c1"


@pytest.fixture
def running(daemon, stopped):
    """The container c1, running."""
    daemon.ask("PUT", "/1.0/instances/c1/state", {"action": "start"})
    return stopped


def shown(daemon, text):
    """Write a line to the console of c1."""
    command = ["sh", "-c", f"echo {text} > /dev/console"]
    body = {"command": command, "record-output": False, "wait-for-websocket": False}
    daemon.ask("POST", "/1.0/instances/c1/exec", body)


def folder_of(daemon):
    """Return the folder of the daemon with the log files of c1."""
    return os.path.join(daemon.directory, "logs", "c1")


def test_console_is_read_once_while_running_and_kept_after_stop(inside, daemon, running):
    assert inside("console_log", "c1") == ""
    shown(daemon, "one")
    shown(daemon, "two")
    read = []
    assert until(lambda: read.append(inside("console_log", "c1")) or "".join(read) == "one\r\ntwo\r\n", 10), read
    assert inside("console_log", "c1") == ""
    shown(daemon, "three four")
    assert until(lambda: read.append(inside("console_log", "c1", limit=6)) or read[-1] == "four\r\n", 10), read
    shown(daemon, "five")
    daemon.ask("PUT", "/1.0/instances/c1/state", {"action": "stop", "force": True})
    assert inside("console_log", "c1") == inside("console_log", "c1") == "five\r\n"
    assert inside("console_log", "c1", limit=3) == "e\r\n"
    assert inside("console_log", "c1", clear=True) == "five\r\n"
    assert inside("console_log", "c1") == ""


def test_console_without_output_is_empty(inside, stopped):
    assert inside("console_log", "c1") == ""
    assert inside("console_log", "c1", clear=True) == ""


def test_end_of_log_file_of_any_size_is_read(inside, daemon, proxy, stopped):
    os.makedirs(folder_of(daemon), exist_ok=True)
    with open(os.path.join(folder_of(daemon), "migration_dump.log"), "wb") as file:
        file.write(b"first\n" + b"x" * 20_000_000 + b"\nlast but one\n\xff\xc3\xa9 last\n")
    assert {"lxc.log", "migration_dump.log"} <= set(inside("logs", "c1"))
    log = inside("log", "c1", "migration_dump.log")
    assert len(log) < 1024 * 1024 and log.endswith("x\nlast but one\n\ufffdé last\n")
    assert inside("log", "c1", "migration_dump.log", lines=2) == "last but one\n\ufffdé last\n"
    assert inside("log", "c1", "migration_dump.log", limit=5) == "last\n"
    assert inside("log_delete", "c1", "migration_dump.log") == {"deleted": "migration_dump.log"}
    assert "migration_dump.log" not in inside("logs", "c1")
    proxy.clear()
    assert inside("log_delete", "c1", "migration_dump.log") == {}


def test_missing_log_file_error_lists_the_existing_ones(inside, stopped):
    for file in ("nope.log", "migration_nope.log", "exec_nope.stdout"):
        with pytest.raises(APIException, match=rf"{file}.*; the log files of c1 are: .*lxc\.log"):
            inside("log", "c1", file)
        assert inside("log_delete", "c1", file) == {}


def test_undeletable_log_file_is_reported(inside, running):
    with pytest.raises(APIException, match=r"lxc\.log.* may (not )?be deleted"):
        inside("log_delete", "c1", "lxc.log")
    assert "lxc" in inside("log", "c1", "lxc.log", lines=1)


@pytest.mark.mainly("incus")
def test_invalid_file_name_is_refused_before_any_request(inside, proxy, daemon):
    proxy.clear()
    for file in BAD_FILES:
        for function in ("log", "log_delete", "template", "template_delete"):
            with pytest.raises(InvalidError):
                inside(function, "c1", file)
    # the daemon decodes a path twice, but not a query
    for file in ("a%2fb", "%2e%2e", " "):
        for function in ("log", "log_delete"):
            with pytest.raises(InvalidError):
                inside(function, "c1", file)
    assert proxy.requests() == []


def test_missing_instance_is_reported_by_each_function(inside, daemon):
    for function, given in ABSENT.items():
        with pytest.raises(APINotFoundException, match="Instance not found"):
            inside(function, "nope", *given)


def test_the_metadata_is_read_and_changed_by_key(inside, raw, stopped):
    before = raw("instances/c1/metadata")
    found = inside("metadata", "c1")
    assert found == {**before, "templates": before["templates"] or {}}
    rule = {"when": ["create", "copy"], "template": "hosts.tpl", "properties": {"a": "b"}}
    declared = {"expiry_date": 99, "properties": {"os": "Other", "n": 5}, "templates": {"/etc/hosts": rule}}
    changes = inside("metadata_set", "c1", declared)
    assert changes == {
        "expiry_date": {"old": 0, "new": 99},
        "properties": {"os": {"old": "Busybox", "new": "Other"}, "n": {"old": None, "new": "5"}},
        "templates": {"/etc/hosts": {"old": None, "new": {**rule, "create_only": False}}},
    }
    after = raw("instances/c1/metadata")
    assert after["properties"] == {**before["properties"], "os": "Other", "n": "5"}
    assert after["templates"]["/etc/hosts"]["template"] == "hosts.tpl"
    assert inside("metadata_set", "c1", declared) == {}


def test_metadata_key_is_removed_and_others_are_kept(inside, raw, stopped):
    rule = {"when": ["start"], "template": "a.tpl"}
    inside("metadata_set", "c1", {"properties": {"n": "5", "m": "6"}, "templates": {"/a": rule, "/b": rule}})
    before = raw("instances/c1/metadata")
    changes = inside("metadata_set", "c1", {"properties": {"n": None}, "templates": {"/b": None}})
    assert changes["properties"] == {"n": {"old": "5", "new": None}} and set(changes["templates"]) == {"/b"}
    after = raw("instances/c1/metadata")
    assert set(before["properties"]) - set(after["properties"]) == {"n"}
    assert set(after["templates"]) == {"/a"}
    assert {**before, "properties": 0, "templates": 0} == {**after, "properties": 0, "templates": 0}
    assert inside("metadata_set", "c1", {"properties": {"n": None}}) == {}
    assert set(inside("metadata_set", "c1", {"templates": {}})["templates"]) == {"/a"}
    assert inside("metadata", "c1")["templates"] == {}
    assert "m" in raw("instances/c1/metadata")["properties"]


@pytest.mark.mainly("incus")
def test_invalid_metadata_is_refused_before_any_request(inside, proxy, daemon):
    proxy.clear()
    for given in NO_METADATA:
        with pytest.raises(InvalidError):
            inside("metadata_set", "c1", given)
    assert proxy.requests() == []


def test_template_is_created_updated_read_and_deleted(inside, proxy, raw, stopped):
    assert inside("templates", "c1") == []
    name, text = "é %2e.tpl", "{{ container.name }}\npassword: canary\n"
    changes = inside("template_set", "c1", name, text)
    assert changes["templates"][name]["new"].startswith("{{ container.name }}") and "canary" not in str(changes)
    assert raw("instances/c1/metadata/templates") == inside("templates", "c1") == [name]
    assert inside("template", "c1", name) == text
    proxy.clear()
    assert inside("template_set", "c1", name, text) == {} and proxy.writes() == []
    changes = inside("template_set", "c1", name, text.replace("name", "uuid"))
    assert "+{{ container.uuid }}" in changes["templates"][name]["diff"]
    assert "canary" not in str(changes)
    inside("template_set", "c1", name, "")
    assert inside("template", "c1", name) == ""
    assert inside("template_delete", "c1", name) == {"deleted": name}
    assert inside("template_delete", "c1", name) == {}
    with pytest.raises(APINotFoundException, match="not found"):
        inside("template", "c1", name)


@pytest.mark.mainly("incus")
def test_invalid_template_is_refused_before_any_request(inside, proxy, daemon):
    proxy.clear()
    for contents in (5, None, b"x", [], "a\0", "\ud800", "x" * (1024 * 1024 + 1)):
        with pytest.raises(InvalidError):
            inside("template_set", "c1", "a.tpl", contents)
    assert proxy.requests() == []


def test_metrics_are_numbers(inside, proxy, daemon, raw, running):
    state = raw("instances/c1/state")
    found = inside("metrics", "c1")
    assert (found["status"], found["pid"]) == ("Running", state["pid"]) and found["processes"] > 0
    assert set(found["memory"]) == set(state["memory"]) and set(found["cpu"]) == set(state["cpu"])
    assert all(isinstance(value, int) for part in ("cpu", "memory") for value in found[part].values())
    daemon.ask("POST", "/1.0/instances", {"name": "c2", "source": {"type": "none"}})
    proxy.clear()
    everything = inside("metrics")
    assert len(proxy.requests()) == 1
    assert set(everything) == {"c1", "c2"} and set(everything["c2"]) == set(found)
    assert (everything["c1"]["pid"], everything["c2"]["pid"]) == (found["pid"], 0)
    assert (everything["c2"]["status"], everything["c2"]["network"]) == ("Stopped", {})


def test_metrics_include_addresses(inside, daemon, running):
    network = {"name": "lxdbr0", "config": {"ipv4.address": "10.77.0.1/24", "ipv6.address": "none"}}
    daemon.ask("POST", "/1.0/networks", network)
    daemon.ask("PUT", "/1.0/instances/c1/state", {"action": "stop", "force": True})
    devices = {"eth0": {"type": "nic", "network": "lxdbr0"}}
    daemon.ask("PATCH", "/1.0/instances/c1", {"devices": devices})
    daemon.ask("PUT", "/1.0/instances/c1/state", {"action": "start"})
    body = {
        "command": ["ifconfig", "eth0", "10.77.0.7", "netmask", "255.255.255.0"],
        "record-output": False,
        "wait-for-websocket": False,
    }
    daemon.ask("POST", "/1.0/instances/c1/exec", body)
    deadline = time.monotonic() + 10
    while "10.77.0.7/24" not in (nic := inside("metrics", "c1")["network"]["eth0"])["addresses"]:
        assert time.monotonic() < deadline, nic
    assert nic["state"] == "up" and isinstance(nic["bytes_received"], int) and nic["mtu"] == 1500


def test_rename_to_itself_is_no_change_and_to_a_taken_name_fails(inside, proxy, daemon, raw, stopped):
    daemon.ask("POST", "/1.0/instances", {"name": "c2", "source": {"type": "none"}})
    proxy.clear()
    assert inside("rename", "c1", "c1") == {}
    with pytest.raises(InvalidError, match="instance c2 already exists"):
        inside("rename", "c1", "c2")
    for bad in ("..", "a/b", "", 5, None, "a%2fb"):
        with pytest.raises(InvalidError):
            inside("rename", "c1", bad)
    assert proxy.writes() == []
    assert inside("rename", "c1", "c3") == {"name": {"old": "c1", "new": "c3"}}
    assert raw("instances/c1") is None and raw("instances/c3")["status"] == "Stopped"


def test_running_instance_is_renamed_if_it_may_be_stopped(inside, raw, running):
    with pytest.raises(InvalidError, match="it is Running; set stop: true"):
        inside("rename", "c1", "c2")
    assert raw("instances/c1")["status"] == "Running"
    assert inside("rename", "c1", "c2", stop=True) == {"name": {"old": "c1", "new": "c2"}}
    assert raw("instances/c1") is None and raw("instances/c2")["status"] == "Running"


def test_instance_is_rebuilt_where_supported(inside, daemon, proxy, raw, running):
    image = raw("instances/c1")["config"]["volatile.base_image"]
    daemon.ask("PATCH", "/1.0/instances/c1", {"config": {"user.a": "1"}})
    proxy.clear()
    if "instances_rebuild" not in daemon.ask("GET", "/1.0")["api_extensions"]:
        with pytest.raises(InvalidError, match="lacks the API extension instances_rebuild"):
            inside("rebuild", "c1", "busybox")
        assert proxy.writes() == []
        return
    with pytest.raises(LxdapiError, match="image nope does not exist"):
        inside("rebuild", "c1", "nope")
    assert proxy.writes() == []
    assert inside("rebuild", "c1", "busybox") == {"image": {"old": image, "new": image}}
    after = raw("instances/c1")
    assert (after["status"], after["config"]["user.a"]) == ("Running", "1")
    daemon.ask("PUT", "/1.0/instances/c1/state", {"action": "stop", "force": True})
    assert inside("rebuild", "c1", "none") == {"image": {"old": image, "new": None}}
    assert raw("instances/c1")["status"] == "Stopped"
