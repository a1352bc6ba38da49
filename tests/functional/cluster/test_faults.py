"""
Clusters with members that were killed by SIGKILL, and a cluster of three that goes through every operation.
"""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.cluster import Cluster
from tests.support.loader import Loaded

INSTANCE, MEMBER, PROFILE = "lxdapi_instance", "lxdapi_cluster_member", "lxdapi_profile"


# The daemon of each test without --long; tests/unit/model/test_objects.py covers the differences with a fake daemon.
SHORT = {"three_members": "lxd", "killed_member": "incus", "without_quorum": "lxd"}


@pytest.fixture
def made(request):
    """A cluster for this test alone, of n1, n2 and so on."""
    kind, size = request.param
    running = Cluster(kind, size)
    try:
        yield running.start()
    finally:
        running.stop()
        running.remove()


def pytest_generate_tests(metafunc):
    """Run each test of this file with one kind of daemon, with --long with all."""
    kinds = metafunc.config.getoption("--daemon")
    name = next(each for each in SHORT if each in metafunc.function.__name__)
    short = SHORT[name] if SHORT[name] in kinds else kinds[0]
    size = 2 if name == "killed_member" else 3
    if "seconds" not in metafunc.fixturenames:
        marks = {kind: () if kind == short else pytest.mark.long for kind in kinds}
        runs = [pytest.param((kind, size), marks=marks[kind], id=kind) for kind in kinds]
        return metafunc.parametrize("made", runs, indirect=True)
    # A daemon takes some time to report the loss of the quorum: LXD 14 to 24 s, Incus up to 55 s.
    runs = [pytest.param((kind, size), 100, marks=pytest.mark.long, id=f"{kind}-whole") for kind in kinds]
    runs.append(pytest.param((short, size), 3, id=short))
    return metafunc.parametrize("made, seconds", runs, indirect=["made"])


def states_of(folder, cluster, name="n1", **settings):
    """The states; their daemon is a member."""
    return Loaded(folder / name, {"local": {"endpoint": cluster[name].socket, **settings}}).states


def changes_of(answer):
    """Return the changes of a state that succeeded."""
    assert answer["result"] is True, answer
    return answer["changes"]


def test_three_members_converge_and_second_run_changes_nothing(made, tmp_path, image):
    made.first.import_image(image, alias="busybox")
    states = states_of(tmp_path, made, "n2")
    whole = {"source": "busybox", "running": True}
    runs = [
        (f"{INSTANCE}.present", "c1", {"target": "n3", **whole}, {"created": "c1"}),
        (f"{INSTANCE}.present", "c2", {"target": "n1", "source": "busybox"}, {"created": "c2"}),
        (f"{INSTANCE}.present", "c1", {"target": "n1", "move": True}, {"location": {"old": "n3", "new": "n1"}}),
        (f"{MEMBER}.evacuated", "n3", {}, {"status": {"old": "Online", "new": "Evacuated"}}),
        (f"{INSTANCE}.present", "c2", {"target": "@default", "move": True}, {}),
        (f"{MEMBER}.restored", "n3", {}, {"status": {"old": "Evacuated", "new": "Online"}}),
        (
            f"{INSTANCE}.present",
            "c1",
            {"target": "n3", "move": True, **whole},
            {"location": {"old": "n1", "new": "n3"}},
        ),
        (f"{MEMBER}.evacuated", "n3", {}, {"status": {"old": "Online", "new": "Evacuated"}}),
        (f"{MEMBER}.restored", "n3", {}, {"status": {"old": "Evacuated", "new": "Online"}}),
    ]
    for function, name, arguments, expected in runs:
        assert changes_of(states[function](name=name, **arguments)).items() >= expected.items()
        assert changes_of(states[function](name=name, **arguments)) == {}
    found = {each["name"]: each for each in made.first.ask("GET", "/1.0/instances?recursion=1")}
    assert {name: (each["location"], each["status"]) for name, each in found.items()} == {
        "c1": ("n3", "Running"),
        "c2": ("n1", "Stopped"),
    }
    for name in found:
        assert changes_of(states[f"{INSTANCE}.absent"](name=name, force=True))["deleted"] == name
        assert changes_of(states[f"{INSTANCE}.absent"](name=name, force=True)) == {}


def test_instance_on_killed_member_is_reported_not_recreated(made, tmp_path):
    states = states_of(tmp_path, made)
    assert changes_of(states[f"{INSTANCE}.present"](name="c1", source="none", target="n2")) == {"created": "c1"}
    declared = {
        "present": {"source": "busybox", "target": "n1", "move": True},
        "absent": {"force": True},
        "running": {},
    }
    for function in declared:
        assert states[f"{INSTANCE}.{function}"]
    made["n2"].kill()

    def applied(function):
        start = time.monotonic()
        answer = states[f"{INSTANCE}.{function}"](name="c1", **declared[function])
        return answer, time.monotonic() - start

    with ThreadPoolExecutor() as together:
        for answer, seconds in together.map(applied, declared):
            assert (answer["result"], answer["changes"]) == (False, {}), answer
            assert "it is on the cluster member n2, which " in answer["comment"], answer
            assert "which does not answer" in answer["comment"] or "which is offline: No " in answer["comment"]
            assert seconds < 15
    (found,) = made.first.ask("GET", "/1.0/instances?recursion=1")
    assert (found["name"], found["location"]) == ("c1", "n2")


def test_write_without_quorum_fails_and_next_run_converges(made, seconds, tmp_path):
    states = states_of(tmp_path, made, timeout=seconds)
    declared = {"name": "web", "config": {"user.a": "1"}}
    assert changes_of(states[f"{PROFILE}.present"](name="other")) == {"created": "other"}
    for name in ("n2", "n3"):
        made[name].kill()
    answer = states[f"{PROFILE}.present"](**declared)
    # A daemon that knows of the loss does not even answer a read.
    assert answer["result"] is False, answer
    assert answer["comment"].startswith(("profile web could not be created: ", "profile web could not be read: ")), (
        answer
    )
    for name in ("n2", "n3"):
        made[name].start()
    assert changes_of(states[f"{PROFILE}.present"](**declared)) in ({}, {"created": "web"})
    assert made["n2"].ask("GET", "/1.0/profiles/web")["config"] == {"user.a": "1"}
    assert changes_of(states[f"{PROFILE}.present"](**declared)) == {}
