"""
Moves of instances to another member of the cluster.
"""

from __future__ import annotations

from functools import partial

from lxdapi import validation
from lxdapi.errors import InvalidError, LxdapiError
from lxdapi.http import operations, retry
from lxdapi.instances import power
from lxdapi.model import objects
from lxdapi.model.kinds import KINDS
from lxdapi.plan.steps import Plan, Step

KIND = KINDS["instance"]


def plan_move(api, name, result, target, move, timeout=None) -> Step | None:
    """
    Return the step that moves a stopped instance to the target; None if it is on the target, or ``move`` is not set.

    result
        The result of the instance's GET.
    target
        A member, or ``@group`` for the member of the group that is online and has the fewest instances.
    """
    if not validation.flag("move", move):
        return None
    if not target:
        raise InvalidError("move needs a destination: declare target")
    if not api.clustered:
        raise InvalidError("target: the server is not clustered; omit it")
    location = result.metadata["location"]
    candidates = members(api, target)
    if location in candidates:
        return None
    power.require_not_ephemeral(result, "Stopped")
    member = _choose_member(api, candidates)
    change = {"location": {"old": location, "new": member}}
    return Step("moved", change, partial(_move, api, name, member, validation.parse_seconds(timeout)))


def _move(api, name, member, seconds):
    path = objects.path_of(KIND, name)
    options = {"json": {"name": name, "migration": True}, "params": {"target": member}}

    def post():
        api.post(path, **options).wait(seconds)

    retry.write_verified(api, post, lambda: _verify_moved(api, path, member))


def _verify_moved(api, path, member):
    operations.wait_until_idle(api, path)
    return True if api.get(path).metadata["location"] == member else None


def with_location_note(api, result, target, move, steps) -> Plan:
    """Return the plan of an existing instance, with a note if the instance stays on another member than its target."""
    location = result.metadata.get("location")
    if not target or move or not api.clustered or location in _members_or_none(api, target):
        return Plan.of(steps)
    return Plan.of(steps).with_note(f"it is on {location}, not on {target} (set move: true to move it)")


def _members_or_none(api, target):
    """Return the names of the members that a target stands for, () if they cannot be read."""
    try:
        return members(api, target)
    except LxdapiError:
        return ()


def members(api, target):
    """Return the names of the members that a target stands for; raises :class:`InvalidError` for an unknown one."""
    kind_name = "cluster_group" if str(target).startswith("@") else "cluster_member"
    name = str(target).lstrip("@")
    result = objects.read(api, KINDS[kind_name], name)
    if result is None:
        raise InvalidError(f"target: {KINDS[kind_name].label} {name} does not exist")
    return result.metadata.get("members", [name])


def _choose_member(api, candidates):
    """Return the member to move to; the daemon's own choice cannot be predicted, and LXD 5.0.2 does not choose."""
    listed = api.get(KINDS["cluster_member"].collection, params={"recursion": 1}).metadata
    members = {member["server_name"]: member for member in listed if member["server_name"] in candidates}
    online = sorted(name for name, member in members.items() if member["status"] == "Online")
    if not online:
        reasons = [f"{name} is {member['status']}: {member['message']}" for name, member in sorted(members.items())]
        raise InvalidError(f"target: {', '.join(reasons) or 'the group has no members'}")
    if len(online) == 1:
        return online[0]
    instances = api.get(KIND.collection, params={"recursion": 1, "all-projects": "true"}).metadata
    locations = [instance["location"] for instance in instances]
    return min(online, key=locations.count)
