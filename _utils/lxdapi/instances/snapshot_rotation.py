"""
Snapshot rotation: creates snapshots periodically and deletes outdated ones.

The name of a snapshot is the beginning of its period, in UTC: ``lxdapi-20261125T000000Z``. So simultaneous runs create
the same snapshot, and a second run finds it. The name alone shows the owner and the age, because snapshots of a volume
have no creation time on LXD 5.0.2, and those of an instance have no description.
"""

import re
from datetime import datetime, timedelta, timezone

from lxdapi import validation
from lxdapi.errors import APINotFoundException, InvalidError
from lxdapi.instances import snapshots
from lxdapi.model import listing, objects
from lxdapi.model.kinds import get_kind
from lxdapi.plan import converge
from lxdapi.plan.steps import Plan, Step

PREFIX = "lxdapi-"
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_STAMP = "%Y%m%dT%H%M%SZ"
_DISPLAY_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def plan_rotation(api, name, rules, prefix=None, now=None) -> Plan:
    """
    Return the steps that create and delete snapshots of an instance or a custom volume by its rules.

    name
        ``INSTANCE`` or ``POOL/VOLUME``.
    rules
        ``{"keep_last": count, "every": "1d", "daily": count, "weekly": count, "monthly": count}``; None: no rule.
    prefix
        The beginning of the names of this rotation's snapshots. Default: ``lxdapi-``. Others are never touched.
    now
        The time, a :class:`datetime.datetime` with its zone. Default: the time of the clock.
    """
    kind_name = snapshots.snapshot_kind_of(name)
    prefix, periods = _parse_prefix(prefix), _parse_periods(rules)
    # check the names before the first request
    objects.path_of(get_kind(kind_name), f"{name}/{prefix}0")
    existing = _rotation_times(api, kind_name, name, prefix)
    missing, outdated = schedule(existing, periods, datetime.now(timezone.utc) if now is None else now)
    steps = [step for time in missing for step in _plan_create(api, kind_name, name, prefix, time)]
    steps += [step for time in outdated for step in _plan_delete(api, kind_name, name, prefix, time)]
    return Plan.of(steps) if steps else Plan().with_note(f"it has {len(existing)} snapshots of this rotation")


def _parse_prefix(value):
    value = PREFIX if value is None else value
    if value == "":
        raise InvalidError("prefix: it cannot be empty, because it marks the snapshots of this rotation")
    return validation.check("snapshot", "prefix", value)


def _parse_periods(rules):
    """Return [(count, function that returns the start of a time's period)] of the rules."""
    every = _parse_every(rules.get("every"), rules.get("keep_last"))
    begins = {"keep_last": every, "daily": _day, "weekly": _week, "monthly": _month}
    periods = [(_parse_count(rule, rules.get(rule)), begins[rule]) for rule in begins if rules.get(rule) is not None]
    if not periods:
        raise InvalidError("no rule says how many snapshots to keep: declare keep_last, daily, weekly or monthly")
    return periods


def _parse_count(rule, value):
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidError.of_value(rule, "a whole number of 1 or more", value)
    return value


def _parse_every(value, keep_last):
    """Return the function that returns the start of a time's period for ``keep_last``."""
    if value is not None and keep_last is None:
        raise InvalidError("every: it applies to keep_last; declare keep_last too")
    seconds = validation.duration("1d" if value is None else value, "mhd")
    if not seconds:
        raise InvalidError.of_value("every", "a time (30m, 6h, 1d)", value)
    return lambda time: time - timedelta(seconds=int((time - _EPOCH).total_seconds()) % seconds)


def _day(time):
    return time.replace(hour=0, minute=0, second=0)


def _week(time):
    return _day(time) - timedelta(days=time.weekday())


def _month(time):
    return _day(time).replace(day=1)


def schedule(existing, periods, now):
    """
    Return (the times of the snapshots to create, the times of the snapshots to delete), each in order.

    existing
        The times of the existing snapshots.
    periods
        [(count, function)]: keep the newest snapshot in each of the last ``count`` periods that have one. The function
        returns the beginning of a time's period.
    now
        The current time. A snapshot is created if none exists since the beginning of the latest period. Snapshots with
        a future time, from a wrong clock, are ignored until then: they would prevent new ones.
    """
    now = now.astimezone(timezone.utc).replace(microsecond=0)
    existing = {time for time in existing if time <= now}
    period_start = max(begin(now) for _, begin in periods)
    missing = [] if any(time >= period_start for time in existing) else [period_start]
    everything = sorted({*existing, *missing}, reverse=True)
    times_to_keep = {time for count, begin in periods for time in _newest(everything, count, begin)}
    return missing, sorted(set(everything) - times_to_keep)


def _newest(times, count, begin):
    """Return the newest time in each of the last ``count`` periods that have one."""
    newest = {}
    for time in times:
        newest.setdefault(begin(time), time)
    return list(newest.values())[:count]


def _rotation_times(api, kind_name, name, prefix):
    """Return the times of this rotation's snapshots; an empty set if their owner does not exist."""
    try:
        snapshots = listing.list_objects(api, kind_name, name)
    except APINotFoundException:
        return set()
    return {time for time in (_parse_time(each.rpartition("/")[2], prefix) for each in snapshots) if time}


def _parse_time(snapshot, prefix):
    """Return the time in the name of a snapshot of this rotation, None for any other."""
    if not re.fullmatch(rf"{re.escape(prefix)}[0-9]{{8}}T[0-9]{{6}}Z", snapshot):
        return None
    try:
        return datetime.strptime(snapshot[len(prefix) :], _STAMP).replace(tzinfo=timezone.utc)
    except ValueError:
        return None


def _plan_create(api, kind_name, name, prefix, time) -> list[Step]:
    """Return the step that creates a snapshot; one that somebody else creates meanwhile is accepted."""
    snapshot = prefix + time.strftime(_STAMP)
    steps = converge.plan_present(api, kind_name, f"{name}/{snapshot}", {})
    changes = {"snapshots": {snapshot: {"old": None, "new": time.strftime(_DISPLAY_FORMAT)}}}
    return [_as_owner_change(step, f"given the snapshot {snapshot}", changes) for step in steps]


def _plan_delete(api, kind_name, name, prefix, time) -> list[Step]:
    snapshot = prefix + time.strftime(_STAMP)
    steps = converge.plan_absent(api, kind_name, f"{name}/{snapshot}")
    changes = {"snapshots": {snapshot: {"old": time.strftime(_DISPLAY_FORMAT), "new": None}}}
    return [_as_owner_change(step, f"pruned of the snapshot {snapshot}", changes) for step in steps]


def _as_owner_change(step, verb, changes):
    """Return a snapshot's step as a change of its owner; it reports no changes if there was nothing to do."""

    def apply():
        return changes if step.apply() is None else {}

    return step._replace(verb=verb, changes=changes, apply=apply)
