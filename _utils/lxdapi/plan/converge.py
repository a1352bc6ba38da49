"""
Plans for an object of any kind: read it, compare it, and return the steps to the declared state.

Planning sends GETs only; a plan consists of :class:`lxdapi.plan.steps.Step`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from lxdapi import validation
from lxdapi.errors import InvalidError, list_some
from lxdapi.model import diff, listing
from lxdapi.model.kinds import get_kind
from lxdapi.model.objects import (
    daemon_of,
    missing_project_reason,
    parts_of,
    path_of,
    read,
    require,
    require_fields,
    unsupported_reason,
    with_parents_of,
)
from lxdapi.model.project_rules import in_turn
from lxdapi.model.writes import create, create_or_adopt, delete, rename, require_immutable_unchanged, update
from lxdapi.plan.steps import Plan, Step
from lxdapi.yaml_numbers import free_text_note

if TYPE_CHECKING:
    from lxdapi.api import API, APIResult
    from lxdapi.model.schema import Kind


def plan_present(
    api: API, kind_name: str, name: str, declared: dict[str, Any], purge: bool = False, renamed_from: str | None = None
) -> Plan:
    """
    Return the steps to an object with the declared fields.

    declared
        ``{field: value}``; None: unchanged. See :mod:`lxdapi.model.diff`.
    purge
        True: rules, ports and the like that are not declared are removed.
    renamed_from
        The old name of the object: it is renamed if no object has the new name.
    """
    kind = get_kind(kind_name)
    path_of(kind, name)
    raw, declared, purge = declared, diff.normalize(kind, declared), validation.flag("purge", purge)
    result = read(api, kind, name)
    require_fields(api, kind, declared)
    if result is not None:
        return plan_changes(api, kind, name, declared, result, purge=purge)
    rename_steps = plan_rename_if_absent(api, kind, renamed_from, name)
    old_result = read(api, kind, with_parents_of(kind, name, renamed_from)) if rename_steps and renamed_from else None
    if old_result is None:
        return plan_create(api, kind, name, declared).with_note(free_text_note(raw))
    plan = plan_changes(api, kind, name, declared, old_result, purge=purge)
    apply = partial(update, api, kind, name, declared, None, purge)
    return Plan.of(rename_steps).then(plan.with_steps(step._replace(apply=apply) for step in plan))


def plan_create_new(api: API, kind_name: str, name: str, declared: dict[str, Any]) -> Plan:
    """Return the steps that create an object, even if it exists: the daemon refuses a second one."""
    kind = get_kind(kind_name)
    if kind.create.hint:
        raise InvalidError(f"a new {kind.label} cannot be created here: {kind.create.hint}")
    path_of(kind, name)
    declared = diff.normalize(kind, declared)
    require_fields_for_create(kind, declared)
    require_fields(api, kind, declared)
    if read(api, kind, name) is not None:
        return Plan.of([Step("created", {"created": name}, partial(create, api, kind, name, declared))])
    return plan_create(api, kind, name, declared, shared=False)


def plan_update(api: API, kind_name: str, name: str, declared: dict[str, Any], purge: bool = False) -> Plan:
    """Return the steps that update an existing object; raises if it does not exist."""
    kind = get_kind(kind_name)
    declared, purge = diff.normalize(kind, declared), validation.flag("purge", purge)
    require(api, kind)
    require_fields(api, kind, declared)
    return plan_changes(api, kind, name, declared, api.get(path_of(kind, name)), purge=purge)


def plan_rename(api: API, kind_name: str, name: str, other: str) -> Plan:
    """Return the step that renames an existing object; raises if it does not exist."""
    kind = get_kind(kind_name)
    path_of(kind, name, existing=True)
    require(api, kind)
    steps = plan_rename_if_absent(api, kind, name, with_parents_of(kind, name, other))
    if not steps:
        raise InvalidError(f"{kind.label} {name} does not exist")
    return Plan.of(steps)


def plan_create(api: API, kind: Kind, name: str, declared: dict[str, Any], shared: bool = True) -> Plan:
    """
    Return the steps that create an object; raises :class:`InvalidError` for a kind that cannot be created.

    shared
        True: if somebody else creates the object first, it is updated. False: that is an error.

    The daemon adds keys to some new objects (``features.images``, ``ipv6.address``): those that are declared absent
    are removed afterwards.
    """
    if kind.create.hint:
        raise InvalidError(f"it does not exist: {kind.create.hint}")
    require_fields_for_create(kind, declared)
    kind.require_valid(declared, {})
    changes = {"created": name}
    apply = in_turn(api, kind, changes, partial(create_or_adopt, api, kind, name, declared, shared))
    creation = Step("created", changes, apply, missing=partial(_missing_parent, api, kind, name))
    after_create = kind.fields_after_create(parts_of(kind, name)["name"], declared)
    return Plan.of([creation, *plan_follow_up(api, kind, name, {**after_create, **removals(declared)})])


def require_fields_for_create(kind: Kind, declared: dict[str, Any]) -> None:
    """Raise :class:`InvalidError` if a required field of a new object is missing."""
    missing = [field for field in kind.required if not declared.get(field)]
    if missing:
        raise InvalidError(f"a new {kind.label} requires {', '.join(missing)}: declare it")


def removals(declared: dict[str, Any]) -> dict[str, Any]:
    """Return the declared removals, which a create cannot do: keys that the daemon may add by itself."""
    maps = {field: value for field, value in declared.items() if isinstance(value, dict)}
    return {field: value for field, value in maps.items() if not value or None in value.values()}


def _missing_parent(api, kind, name):
    """Return what prevents the creation: a missing project or parent, or something on the host; "" if nothing does."""
    if missing_project_reason(api) and not kind.of_server:
        return f"project {api.project} does not exist"
    if not kind.parents:
        return kind.obstacle(api, name)
    parent_kind, parent_name = get_kind(kind.parents[-1]), name.rpartition("/")[0]
    return (
        "" if read(api, parent_kind, parent_name) is not None else f"{parent_kind.label} {parent_name} does not exist"
    )


def plan_rename_if_absent(api: API, kind: Kind, old: str | None, name: str) -> list[Step]:
    """Return the step that renames the old object; [] if it does not exist."""
    if old is None:
        return []
    if not kind.rename:
        raise InvalidError(f"the kind {kind.label} cannot be renamed")
    old = with_parents_of(kind, name, old)
    before = parts_of(kind, old, existing=True)
    if before != {**parts_of(kind, name), "name": before["name"]}:
        raise InvalidError(f"{kind.label} {old} cannot be renamed to {name}: it would have another parent")
    require_not_permanent(kind, old, "renamed")
    result = read(api, kind, old)
    if result is None:
        return []
    kind.require_renamable(result.metadata)
    change = {"name": {"old": old, "new": name}}
    return [Step(f"renamed from {old}", change, partial(rename, api, kind, old, name))]


def plan_changes(
    api: API, kind: Kind, name: str, declared: dict[str, Any], result: APIResult, note: str = "", purge: bool = False
) -> Plan:
    """Return the step that updates an existing object; a plan without steps if it is as declared."""
    reason = kind.recreate_reason(declared, result.metadata)
    if reason:
        return _plan_recreate(api, kind, name, declared, result.metadata, reason)
    api = _at_its_member(api, kind, result)
    require_immutable_unchanged(kind, declared, result)
    kind.require_valid(declared, result.metadata)
    delta = diff.compare(kind, declared, result.metadata, purge)
    undeclared = "" if purge else diff.undeclared_note(kind, declared, result.metadata)
    if not delta:
        return Plan().with_note(diff.write_only_note(declared, result.metadata)).with_note(undeclared)
    about_change = kind.change_note(api, name, result.metadata, delta.changes)
    note = "; ".join(filter(None, [note, _stored_only_note(api, kind, delta.changes), about_change, undeclared]))
    apply = in_turn(api, kind, delta.changes, partial(update, api, kind, name, declared, result, purge))
    return Plan.of([Step("updated", delta.changes, apply, note, deferrable=True)])


def _at_its_member(api, kind, result):
    """Return the API for writes to an object on one member: the daemons read a forward anywhere, but write it there."""
    member = listing.member_of(kind, result.metadata, None)
    return api.at(member) if member and not api.target else api


def _plan_recreate(
    api: API, kind: Kind, name: str, declared: dict[str, Any], actual: dict[str, Any], reason: str
) -> Plan:
    """Return the steps that delete an object and create it again, with its undeclared settings too."""
    kept = {field: actual[field] for field in (*kind.create_only, *kind.fields) if actual.get(field)}
    fields = {**kept, **declared, **diff.compare(kind, declared, actual).fields}

    def delete_unusable():
        result = read(api, kind, name)
        if result is None or not kind.recreate_reason(declared, result.metadata):
            return {}  # somebody else repaired it
        return delete(api, kind, name)

    missing = partial(_users_note, api, kind, name) if actual.get("used_by") else str
    deletion = Step("deleted", {"deleted": name}, delete_unusable, reason, missing)
    return Plan.of([deletion]).then(plan_create(api, kind, name, fields))


def _stored_only_note(api, kind, changes):
    """Return a note that names the changes that this daemon stores without applying them."""
    parts = [
        f"{key} has no effect on an existing {kind.label}: {daemon_of(api)} lacks the API extension {extension}"
        for key_path, extension in kind.needs_extension_to_apply.items()
        for field, _, key in [key_path.partition(".")]
        if key in changes.get(field, ()) and not api.has(extension)
    ]
    return ", ".join(parts)


def plan_follow_up(api: API, kind: Kind, name: str, declared: dict[str, Any]) -> list[Step]:
    """
    Return the step that writes the fields a create cannot set. If it fails, ``changes`` still reports the created
    object, and the next run completes it.
    """
    if not declared:
        return []

    def complete():
        update(api, kind, name, declared)
        return {}

    return [Step("completed", {}, complete)]


def require_not_permanent(kind: Kind, name: str, verb: str) -> None:
    """Raise :class:`InvalidError` for an object that the daemons neither delete nor rename."""
    if name in kind.permanent:
        raise InvalidError(f"the {kind.label} {name} cannot be {verb}: {kind.permanent[name]}")


def plan_absent(api: API, kind_name: str, name: str, force: bool = False) -> Plan:
    """
    Return the step that deletes an object; a plan without steps if it does not exist, or the daemon lacks its kind.

    force
        True: delete its content too, if the daemon supports that.
    """
    kind, force = get_kind(kind_name), validation.flag("force", force)
    path_of(kind, name, existing=True)
    if not kind.path:
        raise InvalidError(f"the {kind.label} cannot be deleted: {kind.create.hint}")
    if force and not kind.force_delete:
        raise InvalidError(f"force: the daemon cannot force the deletion of a {kind.label}; omit it")
    reason = unsupported_reason(api, kind)
    result = None if reason else read(api, kind, name)
    if result is None:
        return Plan(summary="absent").with_note(reason or missing_project_reason(api))
    require_not_permanent(kind, name, "deleted")
    if force:
        require_fields(api, kind, ("force",))
    api = _at_its_member(api, kind, result)
    users = () if force else result.metadata.get("used_by")
    missing = partial(_users_note, api, kind, name) if users else str
    return Plan.of([Step("deleted", {"deleted": name}, partial(delete, api, kind, name, force), missing=missing)])


def _users_note(api, kind, name):
    """
    Return a note that names the users of an object, "" without users. Implicit users do not count, nor those that
    earlier states of a run in test mode would delete.
    """
    result = read(api, kind, name)
    leaving = [path.format(name=name) for path in kind.implicit_users]
    leaving += api.cache.predicted_deletions(api) if api.cache else []
    users = [path.replace("/1.0/", "", 1) for path in (result and result.metadata.get("used_by")) or ()]
    collections = tuple(path for path in leaving if path.endswith("/"))
    users = [path for path in users if path not in leaving and not path.startswith(collections)]
    return f"it is used by {list_some(users)}" if users else ""
