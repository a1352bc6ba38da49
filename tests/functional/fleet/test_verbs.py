"""
Functions for many instances at once: their selection and their results.
"""

import pytest
from lxdapi.errors import InvalidError

STARTED = {"status": {"old": "Stopped", "new": "Running"}}


@pytest.fixture
def three(apply, imported):
    """Stopped containers a1 and a2, the first with a config key, and a third one that cannot start."""
    devices = {"e": {"type": "nic", "nictype": "macvlan", "parent": "nowhere0", "name": "eth9"}}
    apply("lxdapi_instance.present", "a1", source="busybox", config={"user.owner": "shop"})
    apply("lxdapi_instance.present", "a2", source="busybox")
    apply("lxdapi_instance.present", "b", source="busybox", devices=devices)


@pytest.fixture
def verb(salt, proxy):
    """Call a function and return the paths of its writes too."""

    def call(function, *arguments, **options):
        proxy.clear()
        return salt.modules[f"lxdapi_fleet.{function}"](*arguments, **options)

    return call


def test_verbs_report_each_instance_and_its_failure(verb, three, salt, proxy, raw):
    predicted = verb("start", "*", test=True)
    assert predicted == {name: STARTED for name in ("a1", "a2", "b")} and proxy.writes() == []
    answers = verb("start", "*")
    assert {name: answers[name] for name in ("a1", "a2")} == {"a1": STARTED, "a2": STARTED}
    assert answers["b"].startswith("could not be started: Failed to start device") and "/state" in answers["b"]
    assert verb("start", "a[1-2]") == {"a1": {}, "a2": {}} and len(proxy.requests()) == 1

    answers = verb("exec", "*", "echo $((6 * 7)); exit 3", filter={"config": {"user.owner": "shop"}})
    assert answers == {"a1": {"retcode": 3, "stdout": "42", "stderr": ""}}
    answers = verb("exec", ["a1", "b"], "true")
    assert answers["a1"]["retcode"] == 0 and "not running" in answers["b"]

    assert verb("freeze", filter={"status": "Running"}).keys() == {"a1", "a2"}
    assert raw("instances/a2")["status"] == "Frozen"
    thawed = {"status": {"old": "Frozen", "new": "Running"}}
    assert verb("unfreeze", "*") == {"a1": thawed, "a2": thawed, "b": {}}
    assert verb("restart", "a*", timeout=0, force=True) == {
        name: {"restarted": name, "forced": True} for name in ("a1", "a2")
    }
    stopped = {"status": {"old": "Running", "new": "Stopped"}, "forced": True}
    assert verb("stop", "*", timeout=0, force=True) == {"a1": stopped, "a2": stopped, "b": {}}


@pytest.mark.mainly("lxd")
def test_snapshot_verb_is_refused_only_where_one_exists(verb, three, salt):
    salt.modules["lxdapi_snapshot.create"]("a2/before")
    answers = verb("snapshot", "a*", "before")
    assert answers["a1"] == {"created": "a1/before"} and isinstance(answers["a2"], str)


@pytest.mark.mainly("incus")
def test_explicit_names_must_exist_and_patterns_may_not_match(verb, three, proxy):
    with pytest.raises(InvalidError, match="instances not found: a3, c"):
        verb("start", "a[2-3],c".split(","))
    assert proxy.writes() == []
    assert verb("start", "x*") == verb("stop", "a*", filter={"type": "vm"}) == {}
    assert verb("stop", filter={"profile": "default", "status": "stopped"}, test=True).keys() == {"a1", "a2", "b"}


@pytest.mark.mainly("incus7")
@pytest.mark.parametrize(
    "function, arguments, words",
    [
        ("start", {}, "no instance is selected"),
        ("start", {"names": 7}, "expected a name, a range"),
        ("start", {"names": "web[2-1]"}, "2 is greater than 1"),
        ("start", {"names": "*", "filter": {"mood": "x"}}, "filter: unknown key mood"),
        ("start", {"names": "*", "filter": {"type": "x"}}, "for type, got 'x'"),
        ("start", {"names": "*", "timeout": "x"}, "expected a number of seconds from 0 to 100000000 for timeout"),
        ("start", {"names": "*", "concurrency": 99}, "expected a number from 1 to 32 for concurrency"),
        ("stop", {"names": "*", "force": "x"}, "expected true or false for force"),
        ("snapshot", {"names": "*"}, "for snapshot name, got null"),
        ("snapshot", {"names": "*", "snapshot": ".."}, "snapshot name '..' is not valid"),
        ("exec", {"names": "*"}, "command"),
    ],
)
def test_invalid_arguments_are_refused_before_any_request(verb, proxy, function, arguments, words):
    with pytest.raises(InvalidError) as caught:
        verb(function, **arguments)
    assert words in str(caught.value) and proxy.requests() == []
