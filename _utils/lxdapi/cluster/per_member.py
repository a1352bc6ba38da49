"""
What networks and storage pools need beyond the table in a cluster: a part on every member, with the config that
is the member's own, and then the whole.

A create that failed half way is ``Pending`` (parts are missing) or ``Errored`` (a part failed); both are
completed by the same steps (LXD 5.0.2, Incus 6.0.4, Incus 7.0.2).
"""

from dataclasses import replace

from lxdapi import masking
from lxdapi.errors import InvalidError
from lxdapi.http import retry
from lxdapi.model import diff, objects, patches, writes
from lxdapi.model.kinds import KINDS, get_kind
from lxdapi.plan import converge
from lxdapi.plan.steps import Step

# Types of networks of which the daemon makes the parts on the members by itself.
_AUTO_PARTS = ("ovn",)


def plan_present(api, kind_name, name, wanted, members=None, renamed_from=None):
    """
    Return the steps to a network or storage pool, on every member where the server is clustered.

    members
        ``{member: {key: value}}``: the config that each has of its own.
    """
    if not api.clustered:
        _require_cluster(members)
        return converge.plan_present(api, kind_name, name, wanted, renamed_from=renamed_from)
    kind = get_kind(kind_name)
    own = _member_configs(kind, members)
    current = objects.read(api, kind, name)
    if current is None and converge.plan_rename_if_absent(api, kind, renamed_from, name):
        raise InvalidError(f"{kind.label} {renamed_from} cannot be renamed in a cluster")
    common = diff.normalize(kind, wanted)
    if current is None or current.metadata["status"] != "Created":
        return _plan_create(api, kind, name, common, own, current)
    _require_members(own, _members(api) if own else ())
    return converge.plan_changes(api, kind, name, common, current) + _plan_part_updates(api, kind, name, own)


def plan_create_new(api, kind_name, name, settings):
    """Return the steps to a new network or storage pool; the daemon refuses a second one."""
    members, wanted = _split_members(settings)
    if not api.clustered:
        _require_cluster(members)
        return converge.plan_create_new(api, kind_name, name, wanted)
    kind = get_kind(kind_name)
    current, common = objects.read(api, kind, name), diff.normalize(kind, wanted)
    if current is not None and current.metadata["status"] == "Created":
        return [_plan_create_whole(api, kind, name, _common_fields(kind, common, None), common, None)]
    return _plan_create(api, kind, name, common, _member_configs(kind, members), current)


def plan_update(api, kind_name, name, settings):
    """Return the steps that make an existing network or storage pool as declared; raises if there is none."""
    members, wanted = _split_members(settings)
    api.get(objects.path_of(get_kind(kind_name), name))
    return plan_present(api, kind_name, name, wanted, members)


def _split_members(settings):
    """Return (members' own config or None, the rest) of settings."""
    return settings.get("members"), {field: given for field, given in settings.items() if field != "members"}


def _require_cluster(members):
    if members:
        raise InvalidError("members: the server is not clustered")


def read_parts(api, kind, name, found):
    """Return ``{member: config}``: what each member has of its own of an object that was read as a whole."""
    # an image of Incus 7.0.2 has locations, and is the same in all of them
    locations = found.get("locations") if api.clustered and "config" in found else ()
    path, common = objects.path_of(kind, name), found.get("config") or {}
    configs = {each: api.get(path, params={"target": each}).metadata["config"] for each in sorted(locations or ())}
    return {each: {key: config[key] for key in config if key not in common} for each, config in configs.items()}


def _member_configs(kind, members):
    if members is None:
        return {}
    if not isinstance(members, dict):
        raise InvalidError("members: a mapping of members to their config is needed")
    configs = {member: diff.normalize(kind, {"config": config or {}}) for member, config in members.items()}
    return {member: config["config"] for member, config in configs.items()}


def _members(api):
    found = api.get(KINDS["cluster_member"].collection, params={"recursion": 1}).metadata
    return sorted(member["server_name"] for member in found)


def _require_members(own, everyone):
    unknown = sorted(str(member) for member in set(own) - set(everyone))
    if unknown:
        raise InvalidError(f"members: there is no {', '.join(unknown)} in the cluster, but {', '.join(everyone)}")


def _plan_create(api, kind, name, common, own, current):
    """Return the steps to the parts that are missing, and to the whole."""
    everyone = _members(api)
    _require_members(own, everyone)
    if current is not None:
        writes.require_immutable_unchanged(kind, common, current)
    there = set(current.metadata["locations"] or ()) if current is not None else set()
    steps = _plan_part_updates(api, kind, name, {member: config for member, config in own.items() if member in there})
    fixed = _common_fields(kind, common, current)
    converge.require_fields_for_create(kind, fixed)
    if fixed.get("type") in _AUTO_PARTS:
        if own:
            raise InvalidError(f"members: the type {fixed['type']} has no config of its own on a member")
        there = everyone
    steps += [
        _plan_create_part(api, kind, name, fixed, each, own.get(each, {})) for each in everyone if each not in there
    ]
    steps.append(_plan_create_whole(api, kind, name, fixed, common, current))
    late = {"description": common["description"]} if common.get("description") else {}
    late.update(converge.removals(common))
    return steps + converge.plan_follow_up(api, kind, name, common if _is_errored(current) else late)


def _is_errored(current):
    return current is not None and current.metadata["status"] == "Errored"


def _common_fields(kind, common, current):
    """Return what every part has to be told alike: as declared, or as the parts are that are there."""
    known = {} if current is None else {field: current.metadata.get(field) for field in kind.create_only}
    fixed = {**known, **{field: common[field] for field in kind.create_only if field in common}}
    return {field: value for field, value in fixed.items() if value}


def _plan_create_part(api, kind, name, fixed, member, config):
    """Return the step to a member's part; a description is refused there (Incus 7.0.2) or lost."""
    body = diff.create_body(kind, {**fixed, "config": config})
    shown = {key: masking.mask_value(key, value) for key, value in body["config"].items()}

    def apply():
        retry.write_verified(
            api, lambda: _post(api, kind, name, body, {"target": member}), lambda: _has_part(api, kind, name, member)
        )

    return Step(f"prepared on {member}", {"members": {member: {"old": None, "new": shown}}}, apply)


def _plan_create_whole(api, kind, name, fixed, common, current):
    """
    Return the step to the whole. Of one whose parts are there in part a config is refused: the first try
    stored it.
    """
    body = diff.create_body(kind, {**fixed, **({} if _is_errored(current) else {"config": common.get("config", {})})})
    change = {"created": name} if current is None else {"status": {"old": current.metadata["status"], "new": "Created"}}

    def apply():
        retry.write_verified(api, lambda: _post(api, kind, name, body), lambda: _is_whole(api, kind, name))

    return Step("created" if current is None else "completed", change, apply)


def _post(api, kind, name, body, params=None):
    api.post(kind.collection, json={**body, kind.key: name}, params=params, **writes.write_timeout(api, kind)).wait()


def _has_part(api, kind, name, member):
    """Return True if a part whose answer was lost is there, None if not."""
    current = objects.read(api, kind, name)
    return True if current is not None and member in (current.metadata["locations"] or ()) else None


def _is_whole(api, kind, name):
    current = objects.read(api, kind, name)
    return True if current is not None and current.metadata["status"] == "Created" else None


def _plan_part_updates(api, kind, name, own):
    """Return the steps that give members the config that is declared to be their own."""
    return [step for member, config in own.items() if config for step in _update_part(api, kind, name, member, config)]


def _update_part(api, kind, name, member, config):
    there, wanted = api.at(member), {"config": config}
    current = objects.read(there, kind, name)
    kind = _part_kind(kind, current)
    # Read anew: the common config may have been written meanwhile, and the description with it.

    def apply():
        return _changes_of_member(member, writes.update(there, kind, name, wanted))

    steps = converge.plan_changes(there, kind, name, wanted, current)
    return [replace(step, changes=_changes_of_member(member, step.changes), apply=apply) for step in steps]


def _part_kind(kind, current):
    """
    Return the kind of a member's part: it is written by PATCH, which refuses common keys, and without the
    description empties it everywhere. Until the whole is there nothing is fixed.
    """
    fixed = {} if current.metadata["status"] in ("Pending", "Errored", "Unknown") else kind.create_only_config
    return replace(kind, write=replace(kind.write, patch=patches.unset_with_description), create_only_config=fixed)


def _changes_of_member(member, changes):
    return {"members": {member: changes["config"]}} if changes else {}
