"""
Snapshots that a rotation creates, keeps, and never touches.
"""

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxdapi.errors import InvalidError
from lxdapi.instances import snapshot_rotation
from lxdapi.plan import steps as plans
from lxdapi.plan.state_result import run_state

from tests.support.fake_transport import MISSING, Paper, finished, server, started, sync

pytestmark = pytest.mark.usefixtures("contract_kept")

NOW = datetime(2026, 11, 25, 21, 22, 23, 456789, tzinfo=timezone.utc)
TODAY = "lxdapi-20261125T000000Z"


class Instance:
    """The instance web1 and its snapshots, with their names in ``there``."""

    def __init__(self, *there):
        self.there = list(there)

    def __call__(self, seen):
        method, path = seen.line.split(" /1.0", 1)
        if not path:
            return server()
        if path.startswith("/operations/"):
            return finished()
        if path == "/instances/web1/snapshots" and method == "GET":
            return sync([{"name": name} for name in self.there])
        if method == "POST":
            self.there.append(seen.json["name"])
            return started()
        name = path.rpartition("/")[2]
        if name not in self.there:
            return MISSING
        if method == "DELETE":
            self.there.remove(name)
            return started()
        return sync({"name": name, "expires_at": "0001-01-01T00:00:00Z"})


def rotated(instance, rules, now=NOW, test=False, **more):
    """Return Salt's answer for a rotation."""
    plan = lambda: snapshot_rotation.plan_rotation(Paper(instance).api, "web1", rules, now=now, **more)  # noqa: E731
    return run_state("the rotation of", "web1", plan, test=test)


def times(*texts):
    """Return the times for texts such as ``11-25 21:00``."""
    return {datetime.strptime(f"2026-{text}+0000", "%Y-%m-%d %H:%M%z") for text in texts}


def settled(rules, hours, step):
    """Return the snapshots after a rotation in each of the given hours, and the last hour."""
    have, now = set(), NOW
    for _ in range(hours):
        made, gone = snapshot_rotation.schedule(have, snapshot_rotation._parse_periods(rules), now)
        have = (have | set(made)) - set(gone)
        last, now = now, now + timedelta(hours=step)
    return have, last


def test_snapshot_is_named_after_the_start_of_its_period():
    instance = Instance()
    predicted = rotated(instance, {"daily": 2}, test=True)
    change = {"snapshots": {TODAY: {"old": None, "new": "2026-11-25T00:00:00Z"}}}
    assert (predicted["result"], predicted["changes"]) == (None, change)
    ret = rotated(instance, {"daily": 2})
    assert (ret["result"], ret["changes"], instance.there) == (True, change, [TODAY])
    assert ret["comment"] == f"the rotation of web1 was given the snapshot {TODAY}"
    for test in (True, False):
        again = rotated(instance, {"daily": 2}, now=NOW.replace(hour=23), test=test)
        assert (again["result"], again["changes"]) == (True, {})


@pytest.mark.parametrize(
    "rules, name",
    [
        ({"keep_last": 1}, "20261125T000000Z"),
        ({"keep_last": 1, "every": "1h"}, "20261125T210000Z"),
        ({"keep_last": 1, "every": "30m"}, "20261125T210000Z"),
        ({"keep_last": 1, "every": "6h"}, "20261125T180000Z"),
        ({"daily": 1, "monthly": 1}, "20261125T000000Z"),
        ({"weekly": 1}, "20261123T000000Z"),
        ({"monthly": 1}, "20261101T000000Z"),
        ({"monthly": 1, "weekly": 2}, "20261123T000000Z"),
    ],
)
def test_the_shortest_period_counts(rules, name):
    instance = Instance()
    rotated(instance, rules)
    assert instance.there == [f"lxdapi-{name}"]


def test_timezone_of_the_clock_does_not_matter():
    instance = Instance()
    rotated(instance, {"daily": 1}, now=NOW.astimezone(timezone(timedelta(hours=5))))
    assert instance.there == [TODAY]


def test_old_snapshots_are_deleted_after_the_new_one_exists():
    instance = Instance("lxdapi-20261122T000000Z", "lxdapi-20261124T000000Z")
    changes = rotated(instance, {"daily": 2})["changes"]
    assert changes == {
        "snapshots": {
            TODAY: {"old": None, "new": "2026-11-25T00:00:00Z"},
            "lxdapi-20261122T000000Z": {"old": "2026-11-22T00:00:00Z", "new": None},
        }
    }
    assert list(changes["snapshots"])[0] == TODAY
    assert instance.there == ["lxdapi-20261124T000000Z", TODAY]


FOREIGN = (
    *("before", "lxdapi-before-1", "lxdapi-", "lxdapi-20200101T000000", "lxdapi-20200101T000000Z-2", "lxdapi-2020"),
    *("lxdapi-20209901T000000Z", "Lxdapi-20200101T000000Z", "xlxdapi-20200101T000000Z", "20200101T000000Z"),
    *("hourly-20200101T000000Z", "lxdapi-20200101T000000z", "lxdapi-٢٠٢٠0101T000000Z"),
)


def test_foreign_snapshots_stay():
    instance = Instance(*FOREIGN, "lxdapi-20200101T000000Z")
    ret = rotated(instance, {"keep_last": 1})
    assert set(ret["changes"]["snapshots"]) == {TODAY, "lxdapi-20200101T000000Z"}
    assert instance.there == [*FOREIGN, TODAY]


def test_two_rotations_of_one_instance_need_two_prefixes():
    instance = Instance(TODAY)
    rotated(instance, {"keep_last": 1, "every": "1h"}, prefix="h.")
    assert instance.there == [TODAY, "h.20261125T210000Z"]
    assert rotated(instance, {"daily": 1})["changes"] == {}


def test_a_prefix_is_no_pattern():
    instance = Instance("hx20200101T000000Z")
    rotated(instance, {"keep_last": 1}, prefix="h.")
    assert instance.there == ["hx20200101T000000Z", "h.20261125T000000Z"]


def test_create_or_delete_by_others_is_no_failure():
    instance = Instance("lxdapi-20200101T000000Z")
    _, *deletion = snapshot_rotation.plan_rotation(Paper(instance).api, "web1", {"daily": 1}, now=NOW)
    rotated(instance, {"daily": 1})
    api = Paper(lambda seen: instance(seen) if seen.method == "GET" else MISSING).api
    late = snapshot_rotation.plan_rotation(api, "web1", {"daily": 1}, now=NOW)
    assert list(late) == [] and plans.apply(deletion) == {}


def test_future_snapshot_is_neither_used_nor_deleted():
    wrong = "lxdapi-20380119T000000Z"
    instance = Instance("lxdapi-20261124T000000Z", wrong)
    assert set(rotated(instance, {"daily": 1})["changes"]["snapshots"]) == {"lxdapi-20261124T000000Z", TODAY}
    assert instance.there == [wrong, TODAY]
    assert rotated(instance, {"daily": 1})["changes"] == {}


def test_reduced_count_deletes_without_new_snapshot():
    instance = Instance("lxdapi-20261123T000000Z", "lxdapi-20261124T000000Z", TODAY)
    rotated(instance, {"daily": 1})
    assert instance.there == [TODAY]


def test_change_from_hourly_to_daily_applies_at_once():
    have = times("11-25 01:00", "11-25 05:00")
    assert snapshot_rotation.schedule(have, snapshot_rotation._parse_periods({"daily": 1}), NOW) == (
        [],
        sorted(times("11-25 01:00")),
    )


def test_a_year_of_days_leaves_days_weeks_and_months():
    have, last = settled({"daily": 7, "weekly": 4, "monthly": 12}, 400, 24)
    days = {last.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=n) for n in range(7)}
    assert days <= have
    sundays = {day for day in have if day.weekday() == 6}
    assert len(sundays) >= 3 and len({(day.year, day.month) for day in have}) == 12
    assert 7 + 2 + 10 <= len(have) <= 7 + 4 + 12


rule = st.one_of(st.none(), st.integers(1, 9))
moments = st.sets(st.datetimes(datetime(2020, 1, 1), datetime(2027, 1, 1)).map(lambda t: t.replace(microsecond=0)))


@given(moments, rule, rule, rule, rule)
def test_second_rotation_is_silent_and_keeps_the_newest(have, keep_last, daily, weekly, monthly):
    rules = {"keep_last": keep_last, "daily": daily, "weekly": weekly, "monthly": monthly}
    if not any(rules.values()):
        return
    have = {time.replace(tzinfo=timezone.utc) for time in have}
    made, gone = snapshot_rotation.schedule(have, snapshot_rotation._parse_periods(rules), NOW)
    left = (have | set(made)) - set(gone)
    to_come = {time for time in have if time > NOW}
    assert left and max(left) == max({*have, *made}) and to_come <= left and not set(made) & set(gone)
    assert len(left - to_come) <= sum(count or 0 for count in rules.values())
    assert snapshot_rotation.schedule(left, snapshot_rotation._parse_periods(rules), NOW) == ([], [])


@pytest.mark.parametrize(
    "name, rules, prefix, words",
    [
        ("web1", {}, None, "declare keep_last, daily, weekly or monthly"),
        ("web1", {"daily": 0}, None, "expected a whole number of 1 or more for daily"),
        ("web1", {"daily": True}, None, "expected a whole number of 1 or more for daily"),
        ("web1", {"daily": "7"}, None, "expected a whole number of 1 or more for daily"),
        ("web1", {"monthly": -1}, None, "expected a whole number of 1 or more for monthly"),
        ("web1", {"daily": 1, "every": "1h"}, None, "every: it applies to keep_last"),
        ("web1", {"keep_last": 1, "every": "1w"}, None, "expected a time (.*) for every"),
        ("web1", {"keep_last": 1, "every": 3600}, None, "expected a time (.*) for every"),
        ("web1", {"keep_last": 1, "every": "0h"}, None, "expected a time (.*) for every"),
        ("web1", {"daily": 1}, "", "prefix: it cannot be empty"),
        ("web1", {"daily": 1}, "a/b", "prefix name 'a/b' is not valid"),
        ("web1", {"daily": 1}, "a%", "prefix name 'a%' is not valid"),
        ("web1", {"daily": 1}, 5, "for prefix name, got 5"),
        ("a/b/c", {"daily": 1}, None, "expected INSTANCE or POOL/VOLUME for name"),
        (None, {"daily": 1}, None, "expected INSTANCE or POOL/VOLUME for name"),
        ("..", {"daily": 1}, None, "instance name '..' is not valid"),
    ],
)
def test_invalid_rotation_is_refused_before_any_request(name, rules, prefix, words):
    paper = Paper()
    with pytest.raises(InvalidError, match=words):
        snapshot_rotation.plan_rotation(paper.api, name, rules, prefix)
    assert paper.seen == []
