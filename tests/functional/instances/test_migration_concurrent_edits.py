"""
A migration while another client uses the source or the copy: lxdapi deletes neither a source without a proven, complete
and current copy, nor the work of another client.
"""

from contextlib import suppress

import pytest

from tests.support.daemons import until
from tests.support.processes import Process, race, when
from tests.support.rest import Refused
from tests.support.two_daemons import STATE, WAY, found, make, pulled, push, snapshots

pytestmark = pytest.mark.mainly("incus")
WEB1 = r"/1\.0/instances/web1$"
MARK = "user.lxdapi.migrating"


def run(daemon):
    """Start and stop the instance."""
    for action in ("start", "stop"):
        daemon.ask("PUT", "/1.0/instances/web1/state", {"action": action, "force": True, "timeout": 10})


CHANGES = {
    "run": run,
    "declared otherwise": lambda daemon: daemon.ask("PATCH", "/1.0/instances/web1", {"config": {"user.owner": "x"}}),
    "given a snapshot": lambda daemon: daemon.ask("POST", "/1.0/instances/web1/snapshots", {"name": "s9"}),
    "restored": lambda daemon: daemon.ask("PUT", "/1.0/instances/web1", {"restore": "s0"}),
}


def armed(proxy, method, path, seconds=1.5):
    """Delay the reply to the next such request; return a condition that is true once the request was sent."""
    proxy.arm("delay", method=method, path=path, seconds=seconds)
    return lambda: [each for each in proxy.requests() if each.fault]


@pytest.mark.parametrize("change", ["run", *(pytest.param(each, marks=pytest.mark.long) for each in list(CHANGES)[1:])])
def test_source_changed_during_copy_stays_and_copy_is_deleted(pair, change):
    make(pair.here, snapshots=("s0",))
    with when(armed(pair.behind, "PATCH", WEB1), lambda: CHANGES[change](pair.here)):
        comment = pair.apply.failed(STATE, "web1", **WAY)
    assert "meanwhile" in comment or "is incomplete" in comment
    assert found(pair.here) and found(pair.there) is None


def left_off(pair, side, method, path, **options):
    """Kill a run once it has sent this request."""
    getattr(pair, side).arm("delay", method=method, path=path, seconds=60)
    process = Process(lambda: pair.apply(STATE, "web1", **options, **WAY))
    assert until(lambda: [each for each in getattr(pair, side).requests() if each.fault], 30)
    process.kill()
    pair.clear()


@pytest.mark.parametrize(
    "change", [pytest.param(each, marks=pytest.mark.long) for each in list(CHANGES)[:3]] + ["restored"]
)
def test_source_changed_since_earlier_run_is_not_deleted(pair, change):
    make(pair.here, start=True, snapshots=("s0",))
    left_off(pair, "behind", "PUT", "/state", allow_stop=True)
    CHANGES[change](pair.here)
    comment = pair.apply.failed(STATE, "web1", allow_stop=True, **WAY)
    assert "somebody started or changed it on" in comment or "both were started" in comment
    assert found(pair.here) and found(pair.there)["status"] == "Running"


def starts(daemon):
    """Return whether a start of the instance succeeds; a write that the killed run has sent may still go on."""
    with suppress(Refused):
        daemon.ask("PUT", "/1.0/instances/web1/state", {"action": "start"})
        return True
    return False


def test_unverified_copy_started_by_others_does_not_replace(pair):
    make(pair.here, snapshots=())
    left_off(pair, "behind", "PATCH", WEB1)
    assert until(lambda: starts(pair.there), 30)
    assert "may be incomplete" in pair.apply.failed(STATE, "web1", **WAY)
    assert found(pair.here) and found(pair.there)


def test_copy_taken_over_by_another_run_is_not_touched(pair):
    make(pair.here, start=True, snapshots=())

    def take_over():
        words = found(pair.there)["config"][MARK].split()
        body = {"config": {MARK: " ".join([*words[:2], "another"])}}
        # the instance starts
        assert until(lambda: pair.there.request("PATCH", "/1.0/instances/web1", body)[0] == 200, 5)

    with when(armed(pair.behind, "PUT", "/state", 4), take_over):
        ret = pair.apply(STATE, "web1", allow_stop=True, **WAY)
    assert (ret["result"], set(ret["changes"])) == (False, {"copied"}), ret
    assert "somebody replaced or deleted the copy" in ret["comment"]
    assert found(pair.here) and found(pair.there)["status"] == "Running"


def test_foreign_instance_on_target_stays_and_source_restarts(pair):
    make(pair.here, start=True, snapshots=())
    body = {"name": "web1", "source": {"type": "none"}}
    with when(armed(pair.before, "PUT", "/state"), lambda: pair.there.ask("POST", "/1.0/instances", body)):
        ret = pair.apply(STATE, "web1", allow_stop=True, **WAY)
    assert (ret["result"], ret["changes"]) == (False, {}), ret
    assert found(pair.here)["status"] == "Running" and MARK not in found(pair.here)["config"]
    assert found(pair.there)["profiles"] == ["default"]


def test_two_concurrent_migrations_lose_nothing(pair):
    make(pair.here, snapshots=("s0",))
    push(pair.here, "treasure")
    works = [lambda: pair.apply(STATE, "web1", **WAY)] * 2
    assert not [each for each in race(*works, seconds=120) if "Traceback" in each["comment"]]
    assert pair.apply(STATE, "web1", **WAY)["result"] is True
    assert pulled(pair.there) == "treasure" and [name for name, _ in snapshots(pair.there)] == ["s0"]
    assert found(pair.here) is None


def test_copy_started_by_others_before_delete_runs_on(pair):
    make(pair.here, snapshots=())
    pair.before.arm("status", method="DELETE", path=WEB1, status=500, error="no")
    ret = pair.apply(STATE, "web1", **WAY)
    assert (ret["result"], set(ret["changes"])) == (False, {"copied"}), ret
    pair.there.ask("PUT", "/1.0/instances/web1/state", {"action": "start"})
    since = found(pair.there)["last_used_at"]
    assert pair.apply(STATE, "web1", **WAY)["result"] is True
    assert found(pair.here) is None
    assert (found(pair.there)["status"], found(pair.there)["last_used_at"]) == ("Running", since)
