"""
Prefetched states: the same results and the same outcome, in less time.
"""

import os
import signal
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.daemons import until
from tests.support.examples import tried
from tests.support.salt_run import Runs, chunk, results_of

PRESENT, ABSENT, RUNNING, STOPPED = (f"lxdapi_instance.{word}" for word in ("present", "absent", "running", "stopped"))
NAMES = [f"c{number}" for number in range(6)]
EMPTY = {"type": "none"}


@pytest.fixture
def runs(proxy, tmp_path):
    """Apply SLS with the daemon behind the proxy."""
    return Runs(tmp_path / "on", proxy.socket)


def each(function, names=NAMES, **arguments):
    """Return an SLS with one state for each instance."""
    return {name: chunk(function, **arguments) for name in names}


def test_prefetched_states_run_at_once_and_report_separately(runs, daemon, imported, proxy, raw):
    names = NAMES[:5]
    answers = runs(each(PRESENT, names, source="busybox", running=True))
    created = {"status": {"old": "Stopped", "new": "Running"}}
    assert [each["__id__"] for each in answers] == names
    assert [each["changes"] for each in answers] == [{"created": name, **created} for name in names]
    assert all(raw(f"instances/{name}")["status"] == "Running" for name in names)
    # a POST and its wait, on LXD two of each; a busy daemon needs one more request
    assert proxy.most_at_once > 1 and len(proxy.requests()) <= 2 + 5 * len(names)
    proxy.clear()
    assert all(each["result"] and not each["changes"] for each in runs(each(PRESENT, names, running=True)))
    assert len(proxy.requests()) <= 5 and proxy.writes() == []
    answers = runs(each(STOPPED, names, force=True, timeout=0))
    assert [each["changes"]["status"]["new"] for each in answers] == ["Stopped"] * 5
    proxy.clear()
    answers = runs(each(ABSENT, names))
    assert [each["changes"] for each in answers] == [{"deleted": name} for name in names]
    assert proxy.most_at_once > 1


@pytest.mark.mainly("incus")
def test_prefetch_setting_limits_concurrency_and_0_disables_it(proxy, tmp_path, daemon):
    for bound, most in ((0, 1), (2, 2)):
        daemon.wipe()
        proxy.clear()
        runs = Runs(tmp_path / str(bound), proxy.socket, ahead=bound)
        assert all(each["result"] for each in runs(each(PRESENT, source=EMPTY)))
        assert proxy.most_at_once == most
    daemon.wipe()
    answers = Runs(tmp_path / "wrong", proxy.socket, ahead="many")(each(PRESENT, source=EMPTY))
    assert {each["comment"] for each in answers} == {
        "expected a number of threads (0 for none) for lxdapi:ahead, got 'many'"
    }


@pytest.mark.mainly("lxd")
def test_test_mode_and_failhard_disable_prefetch(runs, daemon, proxy, raw):
    answers = runs(each(PRESENT, source=EMPTY), test=True)
    assert {each["result"] for each in answers} == {None} and proxy.writes() == []
    sls = {**each(PRESENT, NAMES[:1], source="nope"), **each(PRESENT, NAMES[1:], source=EMPTY)}
    sls["c0"]["lxdapi_instance"].append({"failhard": True})
    answers = runs(sls)
    assert [each["result"] for each in answers] == [False]
    assert all(raw(f"instances/{name}") is None for name in NAMES)


@pytest.mark.mainly("incus7")
def test_required_order_is_kept(runs, raw, daemon, imported):
    """
    One instance gives up an address that the next one takes: in parallel that fails, so it is tried again at its turn.
    """
    network = {"config": {"ipv4.address": "10.77.9.1/24", "ipv4.nat": "false", "ipv6.address": "none"}}
    daemon.ask("POST", "/1.0/networks", {"name": "lxdapi9", **network})
    nic = lambda address: {"eth0": {"type": "nic", "network": "lxdapi9", "ipv4.address": address}}  # noqa: E731
    first = {name: chunk(PRESENT, source=EMPTY, devices=nic(f"10.77.9.{10 + n}")) for n, name in enumerate(NAMES)}
    assert all(each["result"] for each in runs(first))
    updates = {name: chunk(PRESENT, devices=nic(f"10.77.9.{9 + n}")) for n, name in enumerate(NAMES)}
    answers = runs(updates)
    assert all(each["result"] for each in answers), [each["comment"] for each in answers]
    assert raw("instances/c5")["devices"]["eth0"]["ipv4.address"] == "10.77.9.14"


ONE = st.fixed_dictionaries({"user.a": st.sampled_from(["1", "2", None])})
ARGUMENTS = {
    PRESENT: st.one_of(
        st.fixed_dictionaries({"source": st.just(EMPTY), "config": ONE}),
        st.fixed_dictionaries({"source": st.sampled_from([EMPTY, "nope", {"type": "copy", "source": "c1"}])}),
        st.fixed_dictionaries({"config": st.just({"limits.nope": "1"})}),
    ),
    ABSENT: st.just({}),
    STOPPED: st.just({}),
    "lxdapi_storage_volume.present": st.fixed_dictionaries({"config": ONE}),
    "lxdapi_instance_snapshot.present": st.just({}),
    "lxdapi_profile.present": st.fixed_dictionaries({"config": ONE}),
    "test.succeed_without_changes": st.just({}),
    "test.fail_without_changes": st.just({}),
}
PLACES = {"lxdapi_storage_volume.present": "default/{}", "lxdapi_instance_snapshot.present": "{}/s"}
# mostly of one kind, so that there is something to prefetch
LIKELY = [PRESENT] * 4 + [ABSENT] * 2 + [*ARGUMENTS]
REQUISITES = st.sampled_from([None] * 6 + ["require", "onchanges", "onfail", "watch"])


@st.composite
def scripts(draw):
    """Return an SLS of several blocks, each with one function."""
    found = {}
    for _ in range(draw(st.integers(2, 4))):
        function = draw(st.sampled_from(LIKELY))
        for name in draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=5)):
            own, requisite = f"{len(found)} {name}", draw(REQUISITES)
            before = draw(st.sampled_from(sorted(found))) if found and requisite else None
            needs = {requisite: [{next(iter(found[before])): before}]} if before else {}
            place = PLACES.get(function, "{}").format(name)
            found[own] = chunk(function, place, needs, **draw(ARGUMENTS[function]))
    return found


def reset(daemon):
    """Reset the daemon to three empty instances."""
    daemon.wipe()
    for name in NAMES[:3]:
        daemon.ask("POST", "/1.0/instances", {"name": name, "source": EMPTY})


def end_of(raw):
    """Return everything that a script can have changed."""
    found = {}
    for path in ("instances", "storage-pools/default/volumes/custom", "profiles"):
        for one in raw(f"{path}?recursion=1"):
            own = {key: value for key, value in one["config"].items() if key == "user.a"}
            found[path, one["name"]] = (own, sorted(one.get("profiles") or ()))
    snapshots = {
        name: raw(f"instances/{name}/snapshots") for _, name in [key for key in found if key[0] == "instances"]
    }
    return found, snapshots


@pytest.fixture(name="pair")
def _pair(proxy, tmp_path):
    """Runs with prefetching, and runs without."""
    return [Runs(tmp_path / f"ahead{ahead}", proxy.socket, ahead=ahead) for ahead in (6, 0)]


@pytest.mark.mainly("incus")
@tried(7, shrink=False)
@given(scripts())
def test_prefetched_run_equals_sequential_run(pair, daemon, raw, script):
    seen = []
    for runs in pair:
        reset(daemon)
        seen.append((results_of(runs(script)), end_of(raw)))
    assert seen[0] == seen[1]


@pytest.mark.mainly("lxd")
def test_killed_run_is_completed_by_the_next(runs, daemon, imported, proxy, tmp_path, raw):
    names = [f"k{number}" for number in range(8)]
    sls = each(PRESENT, names, source="busybox", config={"user.a": "1"})
    proxy.arm("delay", method="GET", path="/wait", skip=2, times=20, seconds=2)
    runs_of = f"salt_run.Runs(pathlib.Path({str(tmp_path / 'k')!r}), {str(proxy.socket)!r})"
    code = f"import pathlib; from tests.support import salt_run; {runs_of}({sls!r})"
    process = subprocess.Popen(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    )
    assert until(lambda: len(proxy.executed("POST")) >= 3, 30)
    os.kill(process.pid, signal.SIGKILL)
    process.wait(10)
    proxy.clear()
    answers = runs(sls)
    assert all(each["result"] for each in answers), answers
    assert all(raw(f"instances/{name}")["config"]["user.a"] == "1" for name in names)
    assert 0 < sum(bool(each["changes"]) for each in answers) < len(names) + 1
    assert not any(each["changes"] for each in runs(sls))
