"""
The states ``lxdapi_salt.applied`` and ``lxdapi_salt.highstate``.
"""

import json

import pytest

from tests.support.spread import spread

HELLO = "/etc/hello:\n  file.managed:\n    - contents: {{ grains['id'] }} {{ salt['cmd.run']('ls /sbin/init') }}\n"
BROKEN = "/nowhere/a:\n  file.managed:\n    - contents: a\n\n/etc/b:\n  file.managed:\n    - contents: b\n"
APPLIED, HIGHSTATE = "lxdapi_salt.applied", "lxdapi_salt.highstate"


@pytest.fixture
def tree(salt):
    """States for the instances, by name and by the top file."""
    (salt.tree / "hello.sls").write_text(HELLO)
    (salt.tree / "broken.sls").write_text(BROKEN)
    (salt.tree / "top.sls").write_text("base:\n  'c1':\n    - hello\n")
    return salt.tree


@pytest.fixture
def run(salt, tree):
    """Return a function that applies states by an SLS and returns their results by id."""

    def applied(states, **arguments):
        (tree / "run.sls").write_text(json.dumps(states))
        results = salt.modules["state.apply"]("run", **arguments)
        return {each["__id__"]: each for each in results.values()}

    return applied


@pytest.mark.parametrize("function, arguments", spread((APPLIED, {"mods": "hello"}), (HIGHSTATE, {})))
def test_changes_are_those_inside_by_state_id(apply, tree, c1, inside, function, arguments):
    predicted = apply.salt.predicted[function](name=c1, **arguments)
    assert (predicted["result"], set(predicted["changes"])) == (None, {"/etc/hello"})
    assert predicted["comment"] == "instance c1: 1 state, 1 would change"
    assert inside(c1, "ls /etc/hello 2>/dev/null") == ""
    ret = apply(function, c1, **arguments)
    assert (ret["result"], ret["changes"]) == (True, {"/etc/hello": {"diff": "New file"}})
    assert inside(c1, "cat /etc/hello") == "c1 /sbin/init\n"
    for states in (apply.salt.states, apply.salt.predicted):
        ret = states[function](name=c1, **arguments)
        assert (ret["result"], ret["changes"]) == (True, {})


@pytest.mark.mainly("incus")
def test_failed_states_are_named_and_the_others_reported(apply, tree, c1):
    ret = apply(APPLIED, c1, mods=["broken"])
    assert (ret["result"], set(ret["changes"])) == (False, {"/etc/b"})
    assert ret["comment"].startswith("instance c1: 2 states, 1 changed, 1 failed: /nowhere/a: ")
    ret = apply(APPLIED, c1, mods="missing")
    assert (ret["result"], ret["changes"]) == (False, {})
    assert "No matching sls found for 'missing'" in ret["comment"]


@pytest.mark.mainly("lxd")
def test_only_a_running_instance_can_be_predicted(apply, tree, daemon, imported):
    daemon.ask("POST", "/1.0/instances", {"name": "c1", "source": {"type": "image", "alias": "busybox"}})
    for name, reason in (("c1", "it is Stopped"), ("c9", "it does not exist")):
        ret = apply.predicted(APPLIED, name, mods="hello")
        assert (ret["result"], ret["changes"]) == (None, {})
        assert ret["comment"] == f"instance {name}: Salt cannot predict the changes, because {reason}"
    assert "c1 is Stopped: Salt runs inside running instances" in apply.failed(APPLIED, "c1", mods="hello")
    assert "not found" in apply.failed(APPLIED, "c9", mods="hello")
    assert "mods" in apply.refused(APPLIED, "c1", mods=[])


@pytest.mark.mainly("incus7")
def test_states_of_a_run_use_one_salt_for_an_instance(run, p1, proxy, running):
    states = {
        "first": {APPLIED: [{"name": p1}, {"mods": "hello"}]},
        "between": {"test.nop": []},
        "second": {APPLIED: [{"name": p1}, {"mods": ["hello"]}]},
        "third": {APPLIED: [{"name": p1}, {"mods": "broken"}]},
    }
    results = run(states)
    assert {name: each["result"] for name, each in results.items()} == {**dict.fromkeys(states, True), "third": False}
    assert sum(path.endswith("/exec") for method, path, *_ in proxy.seen if method == "POST") == 1
    assert not running(p1)


@pytest.mark.mainly("incus")
def test_instances_of_a_run_change_side_by_side(run, daemon, c1, inside, proxy):
    body = {"source": {"type": "image", "alias": "busybox"}}
    names = [c1, "c2", "c3"]
    for name in names[1:]:
        daemon.ask("POST", "/1.0/instances", {"name": name, **body})
        daemon.ask("PUT", f"/1.0/instances/{name}/state", {"action": "start"})
    results = run({name: {APPLIED: [{"mods": "hello"}]} for name in names})
    assert {name: (each["result"], set(each["changes"])) for name, each in results.items()} == {
        name: (True, {"/etc/hello"}) for name in names
    }
    assert [inside(name, "cat /etc/hello") for name in names] == [f"{name} /sbin/init\n" for name in names]
    assert all(daemon.ask("GET", f"/1.0/instances/{name}")["devices"] == {} for name in names)


@pytest.mark.mainly("lxd")
def test_sealed_instance_gets_only_what_its_states_name(apply, tree, p1, call, inside):
    inside(p1, "rm -rf /var/cache/lxdapi/salt-*")
    (tree / "web.sls").write_text("include: [parts]\n/etc/a:\n  file.managed:\n    - source: salt://conf/a\n")
    (tree / "parts.sls").write_text("/etc/d:\n  file.recurse:\n    - source: salt://d\n")
    for name in ("conf/a", "conf/b", "d/1", "e/1"):
        (tree / name).parent.mkdir(exist_ok=True)
        (tree / name).write_text(f"{name}\n")
    ret = apply(APPLIED, p1, mods="web", sealed=True)
    assert (ret["result"], set(ret["changes"])) == (True, {"/etc/a", "/etc/d"}), ret["comment"]
    assert inside(p1, "cat /etc/a /etc/d/1; ls /etc/d") == "conf/a\nd/1\n1\n"
    cached = inside(p1, "cd /var/cache/lxdapi/salt-*/files/base; find . -type f").split()
    assert sorted(cached) == ["./conf/a", "./d/1", "./parts.sls", "./web.sls"]
    assert call("call", p1, "cp.list_master", sealed=True) == call("call", p1, "cp.list_states", sealed=True) == []
    assert call("call", p1, "cp.get_file_str", "salt://conf/b", sealed=True) == "conf/b\n"
    assert "sealed: state.highstate needs the top file" in apply.failed(APPLIED, p1, sealed=True)
