"""
Snapshot rotation: creates snapshots periodically and deletes outdated ones.

What is made is named after the beginning of its period, in UTC: ``lxdapi-20261125T000000Z``. So two runs at once make
the same one, a second run finds it, and the names alone tell which are whose and how old: a volume's snapshots have no
time of creation on LXD 5.0.2, and an instance's have no description.
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
        ``{"keep_last": count, "every": "1d", "daily": count, "weekly": count, "monthly": count}``; None is no rule.
    prefix
        Of the names of the snapshots that are this rotation's; ``lxdapi-``. Others are never touched.
    now
        The time, a :class:`datetime.datetime` with its zone; None: that of the clock.
    """
    kind_name = snapshots.snapshot_kind_of(name)
    prefix, periods = _parse_prefix(prefix), _parse_periods(rules)
    # what is in a path is checked before anything is asked
    objects.path_of(get_kind(kind_name), f"{name}/{prefix}0")
    existing = _rotation_times(api, kind_name, name, prefix)
    missing, outdated = schedule(existing, periods, datetime.now(timezone.utc) if now is None else now)
    steps = [step for time in missing for step in _plan_create(api, kind_name, name, prefix, time)]
    steps += [step for time in outdated for step in _plan_delete(api, kind_name, name, prefix, time)]
    return Plan.of(steps) if steps else Plan().with_note(f"{len(existing)} snapshots are its own")


def _parse_prefix(value):
    value = PREFIX if value is None else value
    if value == "":
        raise InvalidError("prefix: it has to be told which snapshots are this rotation's, so it cannot be empty")
    return validation.check("snapshot", "prefix", value)


def _parse_periods(rules):
    """Return [(count, function that returns the start of a time's period)] of the rules."""
    every = _parse_every(rules.get("every"), rules.get("keep_last"))
    begins = {"keep_last": every, "daily": _day, "weekly": _week, "monthly": _month}
    periods = [(_parse_count(rule, rules.get(rule)), begins[rule]) for rule in begins if rules.get(rule) is not None]
    if not periods:
        raise InvalidError("keep_last, daily, weekly or monthly is needed: how many are kept")
    return periods


def _parse_count(rule, value):
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidError(f"{rule}: a whole number of 1 or more is needed, not {value!r}")
    return value


def _parse_every(value, keep_last):
    """Return the function that returns the start of a time's period for ``keep_last``."""
    if value is not None and keep_last is None:
        raise InvalidError("every: it is for keep_last, which is not given")
    seconds = validation.duration("1d" if value is None else value, "mhd")
    if not seconds:
        raise InvalidError(f"every: a time such as 30m, 6h or 1d is needed, not {value!r}")
    return lambda time: time - timedelta(seconds=int((time - _EPOCH).total_seconds()) % seconds)


def _day(time):
    return time.replace(hour=0, minute=0, second=0)


def _week(time):
    return _day(time) - timedelta(days=time.weekday())


def _month(time):
    return _day(time).replace(day=1)


def schedule(existing, periods, now):
    """
    Return (the times at which snapshots are to be created, the times of those to be deleted), each in order.

    existing
        The times of the snapshots that there are.
    periods
        [(count, function)]: of each of the last so many periods that have any, the newest one is kept. The function
        returns the beginning of a time's period.
    now
        One is made where there is none since the beginning of the period that has begun last. What a clock that was
        wrong named after a time to come counts for nothing until then: it would keep new ones from being made.
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
    """Return the times of this rotation's snapshots; none if their owner does not exist."""
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
    return [_as_owner_change(step, f"rid of the snapshot {snapshot}", changes) for step in steps]


def _as_owner_change(step, verb, changes):
    """Return a snapshot's step as a change of its owner; it reports no changes if there was nothing to do."""

    def apply():
        return changes if step.apply() is None else {}

    return step._replace(verb=verb, changes=changes, apply=apply)
