"""
An instance on another member of the cluster.
"""

from functools import partial

from lxdapi import validation
from lxdapi.errors import InvalidError, LxdapiError
from lxdapi.http import operations, retry
from lxdapi.instances import power
from lxdapi.model import objects
from lxdapi.model.kinds import KINDS
from lxdapi.plan.steps import Plan, Step

KIND = KINDS["instance"]


def plan_move(api, name, now, target, move, timeout=None):
    """
    Return the step that moves a stopped instance to the target; None if it is there, or is to stay where it is.

    now
        The result of its GET.
    target
        A member, or ``@group`` for one of these: of those that are online the one with the fewest instances.
    """
    if not validation.truth("move", move or False):
        return None
    if not target:
        raise InvalidError("move: target is needed")
    if not api.clustered:
        raise InvalidError("target: the server is not clustered")
    here = now.metadata["location"]
    meant = members(api, target)
    if here in meant:
        return None
    power.require_not_ephemeral(now, "Stopped")
    there = _choose_member(api, meant)
    change = {"location": {"old": here, "new": there}}
    return Step("moved", change, partial(_move, api, name, there, validation.parse_seconds(timeout)))


def _move(api, name, there, seconds):
    path, options = (
        objects.path_of(KIND, name),
        {"json": {"name": name, "migration": True}, "params": {"target": there}},
    )

    def post():
        api.post(path, **options).wait(seconds)

    retry.write_verified(api, post, lambda: _verify_moved(api, path, there))


def _verify_moved(api, path, there):
    operations.wait_until_idle(api, path)
    return True if api.get(path).metadata["location"] == there else None


def with_location_note(api, now, target, move, steps):
    """Return the plan for an existing instance, which says if that one is not on its target and stays there."""
    here = now.metadata.get("location")
    if not target or move or not api.clustered or here in _members_or_none(api, target):
        return Plan.of(steps)
    return Plan.of(steps).with_note(f"it is on {here}, not on {target} (move: True moves it)")


def _members_or_none(api, target):
    """Return the names of the members that a target stands for, none where that cannot be told."""
    try:
        return members(api, target)
    except LxdapiError:
        return ()


def members(api, target):
    """Return the names of the members that a target stands for; raises :class:`InvalidError` if there is none."""
    kind_name = "cluster_group" if str(target).startswith("@") else "cluster_member"
    name = str(target).lstrip("@")
    found = objects.read(api, KINDS[kind_name], name)
    if found is None:
        raise InvalidError(f"target: there is no {KINDS[kind_name].label} {name}")
    return found.metadata.get("members", [name])


def _choose_member(api, meant):
    """Return the member to move to; the daemon's own choice cannot be predicted, and LXD 5.0.2 has none."""
    found = api.get(KINDS["cluster_member"].collection, params={"recursion": 1}).metadata
    members = {each["server_name"]: each for each in found if each["server_name"] in meant}
    online = sorted(name for name, each in members.items() if each["status"] == "Online")
    if not online:
        words = [f"{name} is {each['status']}: {each['message']}" for name, each in sorted(members.items())]
        raise InvalidError(f"target: {', '.join(words) or 'the group has no members'}")
    if len(online) == 1:
        return online[0]
    listed = api.get(KIND.collection, params={"recursion": 1, "all-projects": "true"}).metadata
    places = [each["location"] for each in listed]
    return min(online, key=places.count)
