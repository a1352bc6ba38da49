"""
Updates of prefetched states: one list verifies them, and a lost write is repeated.
"""

import pytest

from tests.support.processes import race
from tests.support.salt_run import Runs, chunk

PRESENT = "lxdapi_instance.present"
NAMES = [f"c{number}" for number in range(6)]
SET = {"config": {"user.a": {"old": None, "new": "1"}}}


@pytest.fixture
def runs(proxy, tmp_path, daemon):
    """Apply SLS to empty instances of the daemon behind the proxy."""
    for name in NAMES:
        daemon.ask("POST", "/1.0/instances", {"name": name, "source": {"type": "none"}})
    return Runs(tmp_path / "on", proxy.socket)


def declared(value="1", **more):
    """Return an SLS that declares a key of each instance."""
    return {name: chunk(PRESENT, config={"user.a": value}, **more) for name in NAMES}


def undone(daemon, proxy, name):
    """Let another client remove the key before the list that verifies the writes."""
    act = lambda: daemon.ask("PATCH", f"/1.0/instances/{name}", {"config": {"user.a": ""}})  # noqa: E731
    proxy.arm("overtake", method="GET", path="recursion=1", skip=1, act=act)


def test_one_list_verifies_the_updates_of_all_states(runs, proxy, raw):
    answers = runs(declared())
    assert [(each["result"], each["changes"]) for each in answers] == [(True, SET)] * len(NAMES)
    lists = [seen.path for seen in proxy.requests() if "recursion=1" in seen.path]
    assert lists == ["/1.0/instances?recursion=1"] * 2
    assert len(proxy.requests()) <= 2 * len(NAMES) + 2
    assert all(raw(f"instances/{name}")["config"]["user.a"] == "1" for name in NAMES)


@pytest.mark.mainly("lxd")
def test_update_that_another_client_undid_is_repeated(runs, daemon, proxy, raw):
    undone(daemon, proxy, "c2")
    answers = runs(declared())
    assert [(each["result"], each["changes"]) for each in answers] == [(True, SET)] * len(NAMES)
    assert raw("instances/c2")["config"]["user.a"] == "1"
    assert len(proxy.executed("PATCH")) == len(NAMES) + 1


@pytest.mark.mainly("incus7")
def test_refusal_of_a_repeated_update_fails_that_state(runs, daemon, proxy):
    undone(daemon, proxy, "c2")
    proxy.arm("status", method="PATCH", path="/c2$", skip=1, status=400, error="not now")
    answers = {each["__id__"]: each for each in runs(declared(value="s3cret", sensitive=["user.a"]))}
    failed = answers.pop("c2")
    assert (failed["result"], set(failed["changes"])) == (False, {"config"})
    assert "could not be updated: not now (PATCH /1.0/instances/c2)" in failed["comment"]
    assert all(each["result"] for each in answers.values())
    assert "s3cret" not in f"{failed}{answers}"


@pytest.mark.mainly("lxd")
def test_failed_list_is_replaced_by_reads_of_each_object(runs, proxy, raw):
    proxy.arm("status", method="GET", path="recursion=1", skip=1, status=500, error="no list")
    assert [(each["result"], each["changes"]) for each in runs(declared())] == [(True, SET)] * len(NAMES)
    assert len(proxy.requests()) == 3 * len(NAMES) + 2


@pytest.mark.mainly("incus")
def test_concurrent_runs_with_different_keys_lose_none(runs, daemon, tmp_path, raw):
    def work(own):
        runs = Runs(tmp_path / own, daemon.socket)
        return [runs({name: chunk(PRESENT, config={f"user.{own}.{n}": "1"}) for name in NAMES}) for n in range(3)]

    answers = race(*[lambda own=own: work(own) for own in "abc"])
    assert [ret for each in answers for run in each for ret in run if ret["result"] is not True] == []
    keys = {f"user.{own}.{n}" for own in "abc" for n in range(3)}
    for name in NAMES:
        assert set(raw(f"instances/{name}")["config"]) >= keys, name
