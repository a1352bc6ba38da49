"""
A migration that is interrupted by a crash of the client, the source or the target, or whose answers are lost: the next
run, or the same one, completes it, and nothing is lost.
"""

import pytest

from tests.support.daemons import until
from tests.support.processes import Process, does, when
from tests.support.two_daemons import STATE, WAY, essence, found, make, pulled, push, snapshots

INSTANCE, ALL = r"/1\.0/instances/web1$", r"/1\.0/instances$"
# The last request of a run: the proxy that it went through, its method and path.
POINTS = {
    "the mark at the source": ("before", "PATCH", INSTANCE),
    "the stop": ("before", "PUT", "/state"),
    "the offer": ("before", "POST", INSTANCE),
    "the transfer": ("behind", "POST", ALL),
    "the end of the creation": ("behind", "PATCH", INSTANCE),
    "the start": ("behind", "PUT", "/state"),
    "the deletion": ("before", "DELETE", INSTANCE),
}


def usually(*points):
    """Return the points as parameters; ``always`` run in any case, the others with --long."""
    return lambda *known: [pytest.param(each, marks=() if each in points else pytest.mark.long) for each in known]


@pytest.fixture
def shop(pair, listens):
    """The two daemons; the first has a running instance. Also the declaration of that instance."""
    listens(pair.here)
    make(pair.here, start=True, snapshots=("s0",))
    push(pair.here, "treasure")
    pair.before_move = essence(found(pair.here)), snapshots(pair.here)
    return pair


def arrived(pair):
    """Check that the complete instance is at the target and nowhere else, and that nothing is left to do."""
    after = found(pair.there)
    assert (essence(after), snapshots(pair.there)) == pair.before_move
    assert after["status"] == "Running" and pulled(pair.there) == "treasure" and found(pair.here) is None
    pair.apply.unchanged(STATE, "web1", allow_stop=True, **WAY)


def stayed(pair):
    """Check that the instance runs in its old place, as if nothing had been tried."""
    now = found(pair.here)
    assert (essence(now), snapshots(pair.here)) == pair.before_move
    assert now["status"] == "Running" and pulled(pair.here) == "treasure" and found(pair.there) is None


@pytest.mark.mainly("incus")
@pytest.mark.parametrize("point", usually("the transfer", "the deletion")(*POINTS))
def test_interrupted_migration_is_continued_by_next_run(shop, point):
    side, method, path = POINTS[point]
    getattr(shop, side).arm("delay", method=method, path=path, seconds=60)
    process = Process(lambda: shop.apply(STATE, "web1", allow_stop=True, **WAY))
    assert until(lambda: [each for each in getattr(shop, side).requests() if each.fault], 30)
    process.kill()
    shop.clear()
    ret = shop.apply(STATE, "web1", allow_stop=True, **WAY)
    assert ret["result"] is True, ret
    arrived(shop)


@pytest.mark.mainly("incus")
@pytest.mark.parametrize("point", usually("the transfer")("the offer", "the transfer", "the start", "the deletion"))
def test_lost_reply_is_resolved_by_the_same_run(shop, point):
    side, method, path = POINTS[point]
    getattr(shop, side).arm("drop_reply", method=method, path=path)
    ret = shop.apply(STATE, "web1", allow_stop=True, **WAY)
    assert ret["result"] is True, ret
    assert ret["changes"] == {"remote": {"old": "here", "new": "there"}}
    arrived(shop)


@pytest.mark.mainly("incus")
@pytest.mark.parametrize("who", [pytest.param("here", marks=pytest.mark.long), "there"])
def test_daemon_death_during_transfer_loses_nothing(shop, who):
    side, method, path = POINTS["the transfer"]
    getattr(shop, side).arm("delay", method=method, path=path, seconds=60)
    process = Process(lambda: shop.apply(STATE, "web1", allow_stop=True, **WAY))
    assert until(lambda: [each for each in getattr(shop, side).requests() if each.fault], 30)
    getattr(shop, who).kill()
    process.kill()
    getattr(shop, who).start()
    shop.clear()
    ret = shop.apply(STATE, "web1", allow_stop=True, **WAY)
    assert ret["result"] is True, ret
    arrived(shop)


@pytest.mark.mainly("incus")
def test_blocked_continuation_is_tried_again(shop):
    shop.behind.arm("delay", method="POST", path=ALL, seconds=60)
    process = Process(lambda: shop.apply(STATE, "web1", allow_stop=True, **WAY))
    assert until(lambda: [each for each in shop.behind.requests() if each.fault], 30)
    process.kill()
    shop.clear()
    shop.before.arm("swap", method="POST", path=INSTANCE, reply=useless)
    ret = shop.apply(STATE, "web1", allow_stop=True, **WAY)
    assert ret["result"] is True, ret
    assert len([each for each in shop.before.requests() if each.method == "POST"]) == 2
    arrived(shop)


def useless(reply):
    """Return the answer of a source to secrets that it does not know."""
    words = reply["metadata"]["metadata"]
    reply["metadata"]["metadata"] = {word: "0" * len(value) for word, value in words.items()}
    return reply


@pytest.mark.mainly("incus")
@pytest.mark.parametrize("point", usually("the start")("the transfer", "the start"))
def test_failed_migration_leaves_instance_running_at_source(shop, point):
    side, method, path = POINTS[point]
    getattr(shop, side).arm("status", method=method, path=path, status=500, error="no")
    ret = shop.apply(STATE, "web1", allow_stop=True, **WAY)
    assert (ret["result"], ret["changes"]) == (False, {}), ret
    assert "no (" in ret["comment"]
    stayed(shop)


@pytest.mark.mainly("incus")
@pytest.mark.parametrize(
    "who, mode",
    [
        ("here", "pull"),
        pytest.param("there", "pull", marks=pytest.mark.long),
        pytest.param("here", "relay", marks=pytest.mark.long),
        pytest.param("there", "relay", marks=pytest.mark.long),
    ],
)
def test_daemon_death_during_run_loses_nothing(shop, who, mode):
    daemon = getattr(shop, who)

    def restart():
        daemon.kill()
        daemon.start()

    moves = {"allow_stop": True, "mode": mode, **WAY}
    with when(lambda: does(shop.there, "Creating instance"), restart):
        first = shop.apply(STATE, "web1", **moves)
    assert "Traceback" not in first["comment"]
    assert first["result"] or shop.apply(STATE, "web1", **moves)["result"]
    arrived(shop)
