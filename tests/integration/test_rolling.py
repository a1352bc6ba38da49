"""
examples/orch/rolling.sls with a real master and a real minion: it updates a cluster member by member.
"""

import json

import pytest


def pytest_generate_tests(metafunc):
    """Run a test that uses ``members`` for one kind of daemon, with --long for each."""
    if "members" in metafunc.fixturenames:
        first, *rest = metafunc.config.getoption("--daemon")
        kinds = [first, *(pytest.param(kind, marks=pytest.mark.long) for kind in rest)]
        metafunc.parametrize("members", kinds, indirect=True)


@pytest.fixture
def members(request, clusters):
    """A cluster of n1 and n2."""
    running = clusters[request.param]
    yield running
    running.wipe()


@pytest.fixture
def roll(master, members, tmp_path_factory):
    """Apply rolled.sls to both members over a minion that knows the cluster; return the results of the states."""
    options = {
        "extension_modules": str(tmp_path_factory.mktemp("member") / "extmods"),
        "enable_fqdns_grains": False,
        "lxdapi": {"remotes": {"cluster": members.first.socket}},
    }
    minion = master.salt_minion_daemon(f"member-{members.name}", overrides=options)
    with minion.started():
        synced = master.salt_cli(timeout=180).run("saltutil.sync_all", minion_tgt=minion.id)
        assert synced.returncode == 0, synced
        command = master.salt_run_cli(timeout=300)
        yield lambda **pillar: answers(command, minion, pillar)


def answers(command, minion, pillar):
    """Return {state id: whether it succeeded} in the order of the states."""
    words = {"members": dict.fromkeys(["n1", "n2"], minion.id), "sls": "rolled", "remote": "cluster", "pillar": pillar}
    said = command.run("state.orchestrate", "examples.orch.rolling", f"pillar={json.dumps(words)}")
    (states,) = said.data["data"].values()
    states = sorted(states.values(), key=lambda each: each["__run_num__"])
    return {each["__id__"]: each["result"] for each in states}


def seen(members):
    """Return {member: (status, description)}."""
    return {each["server_name"]: (each["status"], each["description"]) for each in members.listed()}


def test_rolling_change_stops_at_first_failure(roll, members):
    steps = [f"{member} is {done}" for member in ("n1", "n2") for done in ("evacuated", "changed", "restored")]
    assert roll() == dict.fromkeys(steps, True)
    assert seen(members) == dict.fromkeys(["n1", "n2"], ("Online", "changed while Evacuated"))
    assert roll(groups=["nope"]) == {"n1 is evacuated": True, "n1 is changed": False}
    assert {name: status for name, (status, _) in seen(members).items()} == {"n1": "Evacuated", "n2": "Online"}
