"""
Snapshots that are made anew again and again, and of which old ones go: which are to be there at a time.

What is made is named after the beginning of its period, in UTC: ``lxdapi-20261125T000000Z``. So two runs at once make
the same one, a second run finds it, and the names alone tell which are whose and how old: a volume's snapshots have no
time of creation on LXD 5.0.2, and an instance's have no description.
"""

import re
from dataclasses import replace
from datetime import datetime, timedelta, timezone

from lxdapi import validation
from lxdapi.errors import APINotFoundException, InvalidError
from lxdapi.instances import snapshots
from lxdapi.model import listing, objects
from lxdapi.model.kinds import get_kind
from lxdapi.plan import converge
from lxdapi.plan.steps import Plan

PREFIX = "lxdapi-"
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_STAMP = "%Y%m%dT%H%M%SZ"
_SHOWN = "%Y-%m-%dT%H:%M:%SZ"


def plan_rotation(api, name, rules, prefix=None, now=None):
    """
    Return the steps to the snapshots that an instance or a custom volume is to have now.

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
    prefix, periods = _prefix(prefix), _periods(rules)
    # what is in a path is checked before anything is asked
    objects.path_of(get_kind(kind_name), f"{name}/{prefix}0")
    have = _own_times(api, kind_name, name, prefix)
    made, gone = schedule(have, periods, datetime.now(timezone.utc) if now is None else now)
    steps = [step for time in made for step in _plan_create(api, kind_name, name, prefix, time)]
    steps += [step for time in gone for step in _plan_delete(api, kind_name, name, prefix, time)]
    return steps or Plan().with_note(f"{len(have)} snapshots are its own")


def _prefix(given):
    given = PREFIX if given is None else given
    if given == "":
        raise InvalidError("prefix: it has to be told which snapshots are this rotation's, so it cannot be empty")
    return validation.check("snapshot", "prefix", given)


def _periods(rules):
    """Return [(count, function that returns the beginning of a time's period)] of the rules."""
    every = _every(rules.get("every"), rules.get("keep_last"))
    begins = {"keep_last": every, "daily": _day, "weekly": _week, "monthly": _month}
    periods = [(_count(rule, rules.get(rule)), begins[rule]) for rule in begins if rules.get(rule) is not None]
    if not periods:
        raise InvalidError("keep_last, daily, weekly or monthly is needed: how many are kept")
    return periods


def _count(rule, given):
    if isinstance(given, bool) or not isinstance(given, int) or given < 1:
        raise InvalidError(f"{rule}: a whole number of 1 or more is needed, not {given!r}")
    return given


def _every(given, keep_last):
    """Return the function for the periods of keep_last."""
    if given is not None and keep_last is None:
        raise InvalidError("every: it is for keep_last, which is not given")
    seconds = validation.duration("1d" if given is None else given, "mhd")
    if not seconds:
        raise InvalidError(f"every: a time such as 30m, 6h or 1d is needed, not {given!r}")
    return lambda time: time - timedelta(seconds=int((time - _EPOCH).total_seconds()) % seconds)


def _day(time):
    return time.replace(hour=0, minute=0, second=0)


def _week(time):
    return _day(time) - timedelta(days=time.weekday())


def _month(time):
    return _day(time).replace(day=1)


def schedule(have, periods, now):
    """
    Return (the times of which a snapshot is to be made, those of which it is to go), each in order.

    have
        The times of the snapshots that there are.
    periods
        [(count, function)]: of each of the last so many periods that have any, the newest one is kept. The function
        returns the beginning of a time's period.
    now
        One is made where there is none since the beginning of the period that has begun last. What a clock that was
        wrong named after a time to come counts for nothing until then: it would keep new ones from being made.
    """
    now = now.astimezone(timezone.utc).replace(microsecond=0)
    have = {time for time in have if time <= now}
    begun = max(begin(now) for _, begin in periods)
    made = [] if any(time >= begun for time in have) else [begun]
    everything = sorted({*have, *made}, reverse=True)
    kept = {time for count, begin in periods for time in _newest(everything, count, begin)}
    return made, sorted(set(everything) - kept)


def _newest(times, count, begin):
    """Return the newest time of each of the last periods that have any."""
    found = {}
    for time in times:
        found.setdefault(begin(time), time)
    return list(found.values())[:count]


def _own_times(api, kind_name, name, prefix):
    """Return the times of the snapshots that this rotation made; none where there is nothing to have any."""
    try:
        found = listing.list_objects(api, kind_name, name)
    except APINotFoundException:
        return set()
    return {time for time in (_time(each.rpartition("/")[2], prefix) for each in found) if time}


def _time(snapshot, prefix):
    """Return the time in the name of a snapshot of this rotation, None for any other."""
    if not re.fullmatch(rf"{re.escape(prefix)}[0-9]{{8}}T[0-9]{{6}}Z", snapshot):
        return None
    try:
        return datetime.strptime(snapshot[len(prefix) :], _STAMP).replace(tzinfo=timezone.utc)
    except ValueError:
        return None


def _plan_create(api, kind_name, name, prefix, time):
    """Return the step that makes a snapshot; that somebody else made it meanwhile is as good."""
    snapshot = prefix + time.strftime(_STAMP)
    steps = converge.plan_present(api, kind_name, f"{name}/{snapshot}", {})
    changes = {"snapshots": {snapshot: {"old": None, "new": time.strftime(_SHOWN)}}}
    return [_of_one(step, f"given the snapshot {snapshot}", changes) for step in steps]


def _plan_delete(api, kind_name, name, prefix, time):
    snapshot = prefix + time.strftime(_STAMP)
    steps = converge.plan_absent(api, kind_name, f"{name}/{snapshot}")
    changes = {"snapshots": {snapshot: {"old": time.strftime(_SHOWN), "new": None}}}
    return [_of_one(step, f"rid of the snapshot {snapshot}", changes) for step in steps]


def _of_one(step, verb, changes):
    """Return a snapshot's step as one of what it is of; whoever found it done changed nothing."""

    def apply():
        return changes if step.apply() is None else {}

    return replace(step, verb=verb, changes=changes, apply=apply)
