"""
The read cache of a run: valid for seconds, and never used where it can be outdated.
"""

from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lxdapi.model import read_cache
from lxdapi.model.kinds import KINDS

from tests.support.examples import tried
from tests.support.hand_built_host import HandBuilt
from tests.support.salt_run import Runs, chunk, results_of

PRESENT, ABSENT = "lxdapi_instance.present", "lxdapi_instance.absent"
NAMES = [f"c{number}" for number in range(7)]
EMPTY = {"type": "none"}


@pytest.fixture
def runs(proxy, tmp_path):
    """Apply SLS with the daemon behind the proxy, one state after the other."""
    return Runs(tmp_path / "on", proxy.socket, ahead=0)


def made(daemon, names=NAMES):
    """Reset the daemon to empty instances with these names."""
    for name in names:
        status, reply = daemon.request("GET", f"/1.0/instances/{name}")
        if status == 404:
            daemon.ask("POST", "/1.0/instances", {"name": name, "source": EMPTY})
            continue
        config = {key: value for key, value in reply["metadata"]["config"].items() if key.startswith("volatile.")}
        body = {"architecture": "x86_64", "config": config, "profiles": ["default"]}
        daemon.ask("PUT", f"/1.0/instances/{name}", body)


def declared(**config):
    """Return an SLS that declares this config for every instance."""
    return {name: chunk(PRESENT, config=config) for name in NAMES}


def reads(proxy):
    """Return the requests for instances."""
    return [f"{seen.method} {seen.path}" for seen in proxy.requests() if "/instances" in seen.path]


def test_many_states_of_a_kind_share_one_list(runs, daemon, proxy):
    made(daemon)
    runs(declared(**{"user.a": "1"}))
    proxy.clear()
    answers = runs(declared(**{"user.a": "1"}))
    assert all(each["result"] and not each["changes"] for each in answers)
    assert reads(proxy) == ["GET /1.0/instances?recursion=1"] and len(proxy.requests()) <= 2
    proxy.clear()
    answers = runs(declared(**{"user.a": "2"}), test=True)
    assert {each["result"] for each in answers} == {None}
    assert reads(proxy) == ["GET /1.0/instances?recursion=1"]


@pytest.mark.mainly("incus")
def test_few_states_or_ttl_0_read_each_object(runs, daemon, proxy, tmp_path):
    made(daemon)
    few = dict(list(declared(**{"user.a": "1"}).items())[: read_cache.MANY - 1])
    runs(few)
    proxy.clear()
    runs(few)
    assert reads(proxy) == [f"GET /1.0/instances/{name}" for name in few]
    off = Runs(tmp_path / "off", proxy.socket, ahead=0, snapshot_ttl=0)
    runs(declared(**{"user.a": "1"}))
    proxy.clear()
    off(declared(**{"user.a": "1"}))
    assert reads(proxy) == [f"GET /1.0/instances/{name}" for name in NAMES]


def test_write_reads_again_and_keeps_concurrent_edits(runs, daemon, proxy, raw):
    made(daemon)
    theirs = {"config": {"user.theirs": "kept"}, "description": "theirs"}
    # between the list and the write of the third
    meddle = lambda reply: daemon.ask("PATCH", f"/1.0/instances/{NAMES[2]}", theirs) and reply or reply  # noqa: E731
    proxy.arm("swap", method="PATCH", path=f"/{NAMES[0]}$", reply=meddle)
    answers = runs(declared(**{"user.a": "1"}))
    assert all(each["result"] for each in answers)
    found = raw(f"instances/{NAMES[2]}")
    assert (found["config"]["user.theirs"], found["config"]["user.a"], found["description"]) == ("kept", "1", "theirs")


# few, so that the writes of both clients meet, and mostly nothing is left to do
KEYS, SOME = ["user.a"], NAMES[:3]
DECLARED = st.sampled_from([None, None, "1"]).map(lambda value: {"user.a": value})
OURS = st.tuples(st.just(PRESENT), st.sampled_from(SOME), DECLARED)
GONE = st.tuples(st.just(ABSENT), st.sampled_from(SOME), st.just({}))
PROFILE = st.tuples(st.just("lxdapi_profile.present"), st.just("default"), DECLARED)
THEIRS = st.tuples(st.just("PATCH"), st.sampled_from(SOME), st.just({"user.a": "1"}))
THEIR_END = st.tuples(st.sampled_from(["DELETE", "POST"]), st.sampled_from(SOME), st.just({}))
BLOCK = st.lists(OURS | OURS | OURS | GONE, min_size=5, max_size=8)
BETWEEN = st.lists(THEIRS | THEIRS | THEIR_END | PROFILE, min_size=1, max_size=2)
SCRIPTS = st.tuples(BLOCK, BETWEEN, BLOCK, BETWEEN, BLOCK)
NONE, ONE = {"user.a": None}, {"user.a": "1"}
SILENT = [(PRESENT, name, NONE) for name in NAMES[:3] * 2]


def sls(script, socket):
    """Return the SLS of a script, with writes of another client between the states."""
    found = {}
    for what, name, config in [each for part in script for each in part]:
        own = f"{len(found)} {name}"
        if what in (PRESENT, "lxdapi_profile.present"):
            found[own] = chunk(what, name, config=config)
        elif what == ABSENT:
            found[own] = chunk(ABSENT, name)
        else:
            path = "/1.0/instances" + ("" if what == "POST" else f"/{name}")
            body = {"name": name, "source": EMPTY} if what == "POST" else {"config": config, "description": "theirs"}
            asked = {"socket": socket, "method": what, "path": path, "body": body}
            found[own] = chunk("foreign.asks", **asked)
    return found


def state_of(instance):
    """Return what the script can have changed of an instance, None if it does not exist."""
    if instance is not None:
        return instance["description"], {key: value for key, value in instance["config"].items() if key in KEYS}


@pytest.mark.mainly("incus")
@tried(8)
@example([SILENT, [("PATCH", "c0", ONE)], SILENT])
@example([SILENT + [(PRESENT, "c0", ONE), (PRESENT, "c0", NONE)]])
@given(SCRIPTS)
def test_run_with_read_cache_equals_run_without(both, daemon, raw, script):
    seen = []
    for runs in both:
        made(daemon, SOME)
        daemon.ask("PUT", "/1.0/profiles/default", {"devices": raw("profiles/default")["devices"]})
        answers = results_of(runs(sls(script, daemon.socket)))
        ends = [state_of(raw(f"instances/{name}")) for name in SOME]
        seen.append((answers, ends, raw("profiles/default")["config"]))
    assert seen[0] == seen[1]


@pytest.fixture(name="both")
def _both(proxy, tmp_path):
    """Runs with a read cache, and runs without."""
    return [Runs(tmp_path / f"ttl{ttl}", proxy.socket, ahead=0, snapshot_ttl=ttl) for ttl in (60, 0)]


def test_list_entry_equals_its_own_get(daemon, image, raw):
    HandBuilt(daemon, image)
    seen = set()
    for word in read_cache.LISTED:
        collection = KINDS[word].path.format(storage_pool="default", name="").rstrip("/")
        for listed in raw(f"{collection}?recursion=1"):
            own = raw(f"{collection}/{quote(listed['name'], safe='')}")
            if own.get("managed") is not False:
                assert listed == own, word
                seen.add(word)
    assert seen == set(read_cache.LISTED)
