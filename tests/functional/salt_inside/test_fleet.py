"""
States that Salt applies inside many instances: the function ``lxdapi_fleet.apply`` and the state
``lxdapi_fleet.applied``.
"""

import ast
import re
import textwrap

import pytest
import salt.utils.yaml

from tests.support import fronts

WEB = "/etc/{{ grains['id'] }}:\n  file.managed:\n    - contents: a\n"
BROKEN = "/nowhere/a:\n  file.managed:\n    - contents: {{ grains['id'] }}\n"
APPLIED = "lxdapi_fleet.applied"


@pytest.fixture
def instances(salt, daemon, imported):
    """Two running containers web01 and web02, a stopped one web03, and states for them."""
    for name in ("web01", "web02", "web03"):
        daemon.ask("POST", "/1.0/instances", {"name": name, "source": {"type": "image", "alias": "busybox"}})
    for name in ("web01", "web02"):
        daemon.ask("PUT", f"/1.0/instances/{name}/state", {"action": "start"})
    (salt.tree / "web.sls").write_text(WEB)
    (salt.tree / "broken.sls").write_text(BROKEN)


@pytest.fixture
def fleet(salt):
    """Return a function that calls ``lxdapi_fleet.apply``."""
    return salt.modules["lxdapi_fleet.apply"]


def changed(*names):
    """Return the changes of instances that get their file."""
    return {name: {f"/etc/{name}": {"diff": "New file"}} for name in names}


def example():
    """Return the arguments in the example of the state."""
    docstring = ast.get_docstring(fronts.functions("_states", "lxdapi_fleet")["applied"])
    block = re.search(r"code-block:: yaml\n\n((?:    .*\n)+)", docstring)[1]
    (states,) = salt.utils.yaml.safe_load(textwrap.dedent(block)).values()
    return {key: value for each in states[APPLIED] for key, value in each.items()}


def starts(proxy):
    """Return the instances in which a command was started."""
    return [path.split("/")[3] for method, path, *_ in proxy.seen if method == "POST" and "/exec" in path]


@pytest.mark.mainly("incus")
def test_function_reports_each_instance_and_starts_once_in_it(fleet, instances, inside, proxy, salt):
    predicted = fleet("web*", "web", test=True)
    assert {name: list(predicted[name]) for name in ("web01", "web02")} == {
        "web01": ["/etc/web01"],
        "web02": ["/etc/web02"],
    }
    assert predicted["web03"] == "Salt cannot predict the changes, because it is Stopped"
    proxy.clear()
    assert fleet("web*", "web", filter={"status": "Running"}, python="carried") == changed("web01", "web02")
    assert salt.modules.pack["__context__"]["retcode"] == 0
    assert sorted(starts(proxy)) == ["web01", "web02"]
    assert [inside(name, f"cat /etc/{name}") for name in ("web01", "web02")] == ["a\n", "a\n"]
    answers = fleet(["web03", "web01"], "broken", max_failures="50%")
    assert answers["web03"] == "is Stopped: Salt runs inside running instances, start it first"
    assert answers["web01"].startswith("1 state, 0 changed, 1 failed: /nowhere/a: ")
    assert salt.modules.pack["__context__"]["retcode"] == 1


@pytest.mark.mainly("incus7")
def test_state_reports_each_instance_and_is_predicted(apply, instances, raw):
    declared = example()
    wider = {**declared, "instances": [declared["instances"], "web09"]}
    predicted = apply.salt.predicted[APPLIED](name="all", **wider)
    assert (predicted["result"], set(predicted["changes"])) == (None, {"web01", "web02"})
    assert "web09: Salt cannot predict the changes, because it does not exist" in predicted["comment"]
    assert "web01, web02: 1 state, 1 would change" in predicted["comment"]
    assert "fleet all: instances not found: web09" in apply.failed(APPLIED, "all", **wider)
    ret = apply(APPLIED, "all", **declared)
    assert (ret["result"], ret["changes"]) == (True, changed("web01", "web02"))
    ret = apply.salt.predicted[APPLIED](name="all", **declared)
    assert (ret["result"], ret["changes"]) == (True, {})
    assert [raw(f"instances/{name}")["devices"] for name in ("web01", "web02")] == [{}, {}]


@pytest.mark.mainly("lxd")
def test_too_many_failures_keep_salt_from_other_instances(apply, instances, proxy):
    ret = apply(APPLIED, "all", instances=["web03", "web01", "web02"], mods="web", batch=1)
    assert (ret["result"], ret["changes"]) == (False, {})
    assert "web03 is Stopped" in ret["comment"] and "not started: web01, web02" in ret["comment"]
    assert set(starts(proxy)) <= {"web03"}


@pytest.mark.mainly("lxd")
@pytest.mark.parametrize(
    "arguments, words",
    [
        ({}, "declare instances or filter"),
        ({"instances": 7}, "for instances, got"),
        ({"instances": "c1", "mods": []}, "mods"),
        ({"instances": "c1", "python": "3"}, "python"),
        ({"instances": "c1", "batch": 0}, "batch"),
        ({"instances": "c1", "max_failures": "x"}, "max_failures"),
        ({"instances": "c1", "concurrency": 99}, "concurrency"),
    ],
    ids=str,
)
def test_invalid_declaration_is_refused(apply, arguments, words):
    assert words in apply.refused(APPLIED, "all", **arguments)
