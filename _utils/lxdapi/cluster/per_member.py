"""
Networks and storage pools in a cluster: a part on every member, with the member's own config, and then the whole.

A create that failed half way is ``Pending`` (parts are missing) or ``Errored`` (a part failed); both are
completed by the same steps (LXD 5.0.2, Incus 6.0.4, Incus 7.0.2).
"""

from lxdapi import masking, validation
from lxdapi.errors import InvalidError
from lxdapi.http import retry
from lxdapi.model import diff, objects, patches, writes
from lxdapi.model.kinds import KINDS, get_kind
from lxdapi.plan import converge
from lxdapi.plan.steps import Plan, Step

# Types of networks whose parts on the members the daemon creates by itself.
_AUTO_PARTS = ("ovn",)


def plan_present(api, kind_name, name, declared, members=None, renamed_from=None) -> Plan:
    """
    Return the steps to a network or storage pool, with a part on every member if the server is clustered.

    members
        ``{member: {key: value}}``: each member's own config.
    """
    if not api.clustered:
        _require_cluster(members)
        return converge.plan_present(api, kind_name, name, declared, renamed_from=renamed_from)
    kind = get_kind(kind_name)
    member_configs = _member_configs(kind, members)
    result = objects.read(api, kind, name)
    if result is None and converge.plan_rename_if_absent(api, kind, renamed_from, name):
        raise InvalidError(f"{kind.label} {renamed_from} cannot be renamed in a cluster")
    common = diff.normalize(kind, declared)
    if result is None or result.metadata["status"] != "Created":
        return _plan_create(api, kind, name, common, member_configs, result)
    _require_members(member_configs, _list_members(api) if member_configs else ())
    plan = converge.plan_changes(api, kind, name, common, result)
    return plan.then(_plan_part_updates(api, kind, name, member_configs))


def plan_create_new(api, kind_name, name, settings) -> Plan:
    """Return the steps to a new network or storage pool; the daemon refuses a second one."""
    members, declared = _split_members(settings)
    if not api.clustered:
        _require_cluster(members)
        return converge.plan_create_new(api, kind_name, name, declared)
    kind = get_kind(kind_name)
    result, common = objects.read(api, kind, name), diff.normalize(kind, declared)
    if result is not None and result.metadata["status"] == "Created":
        return Plan.of([_plan_create_whole(api, kind, name, _common_fields(kind, common, None), common, None)])
    return _plan_create(api, kind, name, common, _member_configs(kind, members), result)


def plan_update(api, kind_name, name, settings) -> Plan:
    """Return the steps that update an existing network or storage pool; raises if it does not exist."""
    members, declared = _split_members(settings)
    api.get(objects.path_of(get_kind(kind_name), name))
    return plan_present(api, kind_name, name, declared, members)


def _split_members(settings):
    """Return (members' own config or None, the rest) of settings."""
    return settings.get("members"), {field: value for field, value in settings.items() if field != "members"}


def _require_cluster(members):
    if members:
        raise InvalidError("members: the server is not clustered; omit it")


def read_parts(api, kind, name, metadata):
    """Return ``{member: config}``: each member's own config of an object whose metadata was read as a whole."""
    # images of Incus 7.0.2 have locations, but no config per member
    locations = metadata.get("locations") if api.clustered and "config" in metadata else ()
    path, common = objects.path_of(kind, name), metadata.get("config") or {}
    configs = {
        member: api.get(path, params={"target": member}).metadata["config"] for member in sorted(locations or ())
    }
    return {member: {key: config[key] for key in config if key not in common} for member, config in configs.items()}


def _member_configs(kind, members):
    if members is None:
        return {}
    members = validation.mapping("members", members, "a mapping of members to their config")
    configs = {member: diff.normalize(kind, {"config": config or {}}) for member, config in members.items()}
    return {member: config["config"] for member, config in configs.items()}


def _list_members(api):
    listed = api.get(KINDS["cluster_member"].collection, params={"recursion": 1}).metadata
    return sorted(member["server_name"] for member in listed)


def _require_members(member_configs, everyone):
    validation.require_known("members", member_configs, everyone, "member")


def _plan_create(api, kind, name, common, member_configs, result) -> Plan:
    """Return the steps that create the missing parts, and then the whole."""
    everyone = _list_members(api)
    _require_members(member_configs, everyone)
    if result is not None:
        writes.require_immutable_unchanged(kind, common, result)
    existing = set(result.metadata["locations"] or ()) if result is not None else set()
    steps = _plan_part_updates(
        api, kind, name, {member: config for member, config in member_configs.items() if member in existing}
    )
    common_fields = _common_fields(kind, common, result)
    converge.require_fields_for_create(kind, common_fields)
    if common_fields.get("type") in _AUTO_PARTS:
        if member_configs:
            raise InvalidError(
                f"members: a {kind.label} of type {common_fields['type']} has no config per member; omit it"
            )
        existing = everyone
    steps += [
        _plan_create_part(api, kind, name, common_fields, member, member_configs.get(member, {}))
        for member in everyone
        if member not in existing
    ]
    steps.append(_plan_create_whole(api, kind, name, common_fields, common, result))
    after_create = {"description": common["description"]} if common.get("description") else {}
    after_create.update(converge.removals(common))
    steps += converge.plan_follow_up(api, kind, name, common if _is_errored(result) else after_create)
    return Plan.of(steps)


def _is_errored(result):
    return result is not None and result.metadata["status"] == "Errored"


def _common_fields(kind, common, result):
    """Return the fields that all parts have in common: as declared, or as in the existing parts."""
    known = {} if result is None else {field: result.metadata.get(field) for field in kind.create_only}
    fields = {**known, **{field: common[field] for field in kind.create_only if field in common}}
    return {field: value for field, value in fields.items() if value}


def _plan_create_part(api, kind, name, common_fields, member, config) -> Step:
    """Return the step that creates a member's part; a description would be refused (Incus 7.0.2) or lost."""
    body = diff.create_body(kind, {**common_fields, "config": config})
    masked_config = {key: masking.mask_value(key, value) for key, value in body["config"].items()}

    def apply():
        retry.write_verified(
            api, lambda: _post(api, kind, name, body, {"target": member}), lambda: _has_part(api, kind, name, member)
        )

    return Step(f"prepared on {member}", {"members": {member: {"old": None, "new": masked_config}}}, apply)


def _plan_create_whole(api, kind, name, common_fields, common, result) -> Step:
    """
    Return the step that creates the whole. After a failed attempt the daemon refuses a config, because the first
    attempt stored it.
    """
    body = diff.create_body(
        kind, {**common_fields, **({} if _is_errored(result) else {"config": common.get("config", {})})}
    )
    change = {"created": name} if result is None else {"status": {"old": result.metadata["status"], "new": "Created"}}

    def apply():
        retry.write_verified(api, lambda: _post(api, kind, name, body), lambda: _is_created(api, kind, name))

    return Step("created" if result is None else "completed", change, apply)


def _post(api, kind, name, body, params=None):
    api.post(kind.collection, json={**body, kind.key: name}, params=params, **writes.write_timeout(api, kind)).wait()


def _has_part(api, kind, name, member):
    """Return True if a part exists whose reply was lost, None if not."""
    result = objects.read(api, kind, name)
    return True if result is not None and member in (result.metadata["locations"] or ()) else None


def _is_created(api, kind, name):
    result = objects.read(api, kind, name)
    return True if result is not None and result.metadata["status"] == "Created" else None


def _plan_part_updates(api, kind, name, member_configs) -> list[Step]:
    """Return the steps that update the members' own config."""
    return [
        step
        for member, config in member_configs.items()
        if config
        for step in _update_part(api, kind, name, member, config)
    ]


def _update_part(api, kind, name, member, config) -> list[Step]:
    member_api, declared = api.at(member), {"config": config}
    result = objects.read(member_api, kind, name)
    kind = _part_kind(kind, result)
    # Read again: an earlier step may have written the common config and the description.

    def apply():
        return _changes_of_member(member, writes.update(member_api, kind, name, declared))

    steps = converge.plan_changes(member_api, kind, name, declared, result)
    return [step._replace(changes=_changes_of_member(member, step.changes), apply=apply) for step in steps]


def _part_kind(kind, result):
    """
    Return the kind for writing a member's part, by PATCH: it refuses common keys, and empties the description of all
    parts if that is missing. Nothing is immutable before the whole is created.
    """
    immutable = {} if result.metadata["status"] in ("Pending", "Errored", "Unknown") else kind.create_only_config
    return kind._replace(write=kind.write._replace(patch=patches.unset_with_description), create_only_config=immutable)


def _changes_of_member(member, changes):
    return {"members": {member: changes["config"]}} if changes else {}
