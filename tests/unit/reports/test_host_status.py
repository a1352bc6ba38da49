"""
The status table of a host: the data of the single listing, and the states of each instance.
"""

import msgpack
import pytest
from lxdapi.errors import InvalidError
from lxdapi.reports import host_status

from tests.support.fake_transport import Paper, sync

SERVER = {
    "auth": "trusted",
    "environment": {"server": "incus", "server_version": "6.0.4", "server_name": "h"},
    "api_extensions": [],
}


def instance(name, **more):
    start = {"name": name, "project": "default", "status": "Running", "type": "container", "location": "none"}
    return {**start, "created_at": "2020-01-01T00:00:00.5Z", "snapshots": None, "state": None, **more}


def status(*instances, **arguments):
    paper = Paper(sync(list(instances)), sync(SERVER))
    return host_status.status(paper.api, **arguments), paper


def address(text, family="inet", scope="global"):
    return {"family": family, "address": text, "scope": scope}


def test_reachable_addresses_are_shown_ipv4_first():
    network = {
        "lo": {"addresses": [address("127.0.0.1", scope="local")]},
        "eth1": {"addresses": [address("10.0.0.2")]},
        "eth0": {"addresses": [address("fe80::1", "inet6", "link"), address("fd00::1", "inet6"), address("10.0.0.1")]},
        "tun0": {"addresses": None},
    }
    state = {"memory": {"usage": 4096}, "network": network}
    found, _ = status(instance("a", state=state, snapshots=[{}, {}]))
    (row,) = found["instances"]
    assert row["addresses"] == ["10.0.0.1", "10.0.0.2", "fd00::1"]
    assert (row["memory"], row["snapshots"]) == (4096, 2)
    assert row["age"] > 0 and row["location"] is None
    assert msgpack.loads(msgpack.dumps(found)) == found


def test_instance_on_unreachable_member_has_a_row():
    found, _ = status(instance("a", status="Error", location="n2", created_at="0001-01-01T00:00:00Z"))
    (row,) = found["instances"]
    assert (row["addresses"], row["memory"], row["age"], row["location"]) == ([], None, None, "n2")


@pytest.mark.parametrize("state, depth", [(True, "2"), (False, "1")])
def test_state_is_read_only_when_needed(state, depth):
    found, paper = status(instance("a"), state=state)
    assert [(seen.path, seen.query) for seen in paper.seen] == [("/1.0/instances", {"recursion": depth}), ("/1.0", {})]
    assert ("memory" in found["instances"][0]) is state


def test_names_match_patterns_and_sort_naturally():
    names = ["web10", "web2", "db1", "web", "cache", "1a", "a1"]
    chosen = {"*": ["1a", "a1", "cache", "db1", "web", "web2", "web10"], "web*,db?": ["db1", "web", "web2", "web10"]}
    for pattern, expected in chosen.items():
        found, _ = status(*map(instance, names), name=pattern)
        assert [row["name"] for row in found["instances"]] == expected
    with pytest.raises(InvalidError, match="expected text or a list of text for name"):
        status(name=[1])


def chunk(name, fun="present", state="lxdapi_instance", **more):
    return {"state": state, "__id__": name, "name": name, "fun": fun, **more}


def said(chunk, changes=None, result=True, comment=""):
    tag = "{state}_|-{__id__}_|-{name}_|-{fun}".format(**chunk)
    return {tag: {"changes": changes or {}, "result": result, "comment": comment}}


def drift(*pairs, there=("a",), ours=("local", "default"), patterns=("*",)):
    """Return {name: drift} for states as pairs of low data and result."""
    found = {"instances": [dict(instance(name)) for name in there]}
    answers = {tag: each for _, answer in pairs for tag, each in answer.items()}
    chunks = [chunk for chunk, _ in pairs]
    host_status.compare(found, chunks, answers, (("local", "default"), ours), patterns)
    return {row["name"]: row["drift"] for row in found["instances"]}


def pair(chunk, *answer, **more):
    return chunk, said(chunk, *answer, **more)


def test_drift_names_keys_and_never_values():
    change = {"old": "Hidden-1", "new": "Hidden-2"}
    changes = {"config": {"user.x": change, "limits.cpu": change}, "devices": {"eth0": {"mtu": change}, "d": change}}
    said = drift(pair(chunk("a"), {**changes, "description": change, "profiles": {"diff": "-Hidden-3"}}, None))
    words = "config user.x, config limits.cpu, devices eth0 mtu, devices d, description, profiles"
    assert said == {"a": f"would change: {words}"}


def test_each_instance_is_as_declared_or_not_declared():
    pairs = [pair(chunk("a")), pair(chunk("x", state="file")), pair(chunk("p", state="lxdapi_profile"))]
    assert drift(*pairs, there=("a", "b")) == {"a": "as declared", "b": "not declared"}


def test_states_of_one_instance_are_reported_together():
    pairs = [
        pair(chunk("a"), {"config": {"limits.cpu": {"old": 1, "new": 2}}}, None),
        pair(chunk("a", "running"), {"status": {"old": "Stopped", "new": "Running"}}, None),
        pair(chunk("/etc/motd", "managed", "lxdapi_file", instance="a"), {"created": "/etc/motd"}, None),
        pair(chunk("uptime", "cmd_run", instance="a"), {"pid": 1}, None),
    ]
    words = "config limits.cpu, status, file /etc/motd, instance uptime"
    assert drift(*pairs) == {"a": f"would change: {words}"}


def test_state_inside_an_instance_declares_no_instance():
    pairs = [pair(chunk("/etc/motd", "managed", "lxdapi_file", instance="a"))]
    assert drift(*pairs) == {"a": "not declared"}


def test_created_and_deleted_instances_have_a_row():
    pairs = [pair(chunk("new"), {"created": "new"}, None), pair(chunk("a", "absent"), {"deleted": "a"}, None)]
    pairs += [pair(chunk("gone", "absent"))]
    assert drift(*pairs) == {"a": "would be deleted", "new": "would be created"}
    assert drift(*pairs, patterns=("a*",)) == {"a": "would be deleted"}


def test_fleet_is_about_each_of_its_instances():
    fleet = chunk("shop", "managed", "lxdapi_fleet", instances={"web[1-3]": None, "old": {"absent": True}})
    change = {"config": {"limits.cpu": {"old": "1", "new": "2"}}}
    answer = said(fleet, {"web2": change, "web3": {"created": "web3"}, "default": change}, None)
    expected = {"web1": "as declared", "web2": "would change: config limits.cpu", "web3": "would be created"}
    assert drift((fleet, answer), there=("web1", "web2", "x")) == {**expected, "x": "not declared"}
    failed = said(fleet, {"web2": change}, False, "web1 could not be read")
    expected = {"web1": "unknown: web1 could not be read", "web2": "would change: config limits.cpu"}
    assert drift((fleet, failed), there=("web1", "web2"), patterns=("web1", "web2")) == expected
    assert drift((chunk("shop", "managed", "lxdapi_fleet", instances=["x"]), {})) == {"a": "not declared"}


def test_failure_in_test_mode_is_reported_in_one_line():
    failed = pair(chunk("a"), None, False, "instance a could not be read:\n  no such pool" + "x" * 999)
    words = drift(failed)["a"]
    assert words.startswith("unknown: instance a could not be read: no such pool") and len(words) < 250
    assert drift((chunk("a"), {})) == {"a": "unknown: the state was not run"}


def test_state_of_another_remote_or_project_is_another_instance():
    elsewhere = [pair(chunk("a", remote="far")), pair(chunk("b", project="team"))]
    there = ("a", "b")
    assert drift(*elsewhere, there=there) == dict.fromkeys(there, "not declared")
    assert drift(pair(chunk("a")), ours=("far", "default")) == {"a": "not declared"}
    assert drift(pair(chunk("a", remote="far")), ours=("far", "default")) == {"a": "as declared"}
    assert drift(pair(chunk("a", remote="local", project="default")), ours=("local", None)) == {"a": "as declared"}
