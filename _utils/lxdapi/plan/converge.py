"""
The one way to a declared state: read, compare, and say in steps what is to be done.

A plan is made of :class:`lxdapi.plan.steps.Step`, with GETs only.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from lxdapi import validation
from lxdapi.errors import InvalidError
from lxdapi.model import diff
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
from lxdapi.model.writes import create, create_or_adopt, delete, rename, require_immutable_unchanged, update
from lxdapi.plan.steps import Plan, Step

if TYPE_CHECKING:
    from lxdapi.api import API, APIResult
    from lxdapi.model.schema import Kind
    from lxdapi.plan.steps import Steps


def plan_present(
    api: API, kind_name: str, name: str, wanted: dict[str, Any], purge: bool = False, renamed_from: str | None = None
) -> Steps:
    """
    Return the steps to an object with the declared fields.

    wanted
        ``{field: value}``; None is left alone. See :mod:`lxdapi.model.diff`.
    purge
        True: of rules, ports and the like, those that are not declared go.
    renamed_from
        The name of an object that is to become this one, if this one does not exist.
    """
    kind = get_kind(kind_name)
    path_of(kind, name)
    wanted, purge = diff.normalize(kind, wanted), validation.truth("purge", purge or False)
    current = read(api, kind, name)
    require_fields(api, kind, wanted)
    if current is not None:
        return plan_changes(api, kind, name, wanted, current, purge=purge)
    renamed = plan_rename_if_absent(api, kind, renamed_from, name)
    other = read(api, kind, with_parents_of(kind, name, renamed_from)) if renamed and renamed_from else None
    if other is None:
        return plan_create(api, kind, name, wanted)
    steps = plan_changes(api, kind, name, wanted, other, purge=purge)
    apply = partial(update, api, kind, name, wanted, None, purge)
    return renamed + [replace(step, apply=apply) for step in steps]


def plan_create_new(api: API, kind_name: str, name: str, wanted: dict[str, Any]) -> Steps:
    """Return the steps to a new object, whether there is one or not: the daemon refuses a second one."""
    kind = get_kind(kind_name)
    if kind.create.hint:
        raise InvalidError(f"a new {kind.label} is not made like this: {kind.create.hint}")
    path_of(kind, name)
    wanted = diff.normalize(kind, wanted)
    require_fields_for_create(kind, wanted)
    require_fields(api, kind, wanted)
    if read(api, kind, name) is not None:
        return [Step("created", {"created": name}, partial(create, api, kind, name, wanted))]
    return plan_create(api, kind, name, wanted, shared=False)


def plan_update(api: API, kind_name: str, name: str, wanted: dict[str, Any], purge: bool = False) -> Steps:
    """Return the steps that make an existing object as declared; raises if there is none."""
    kind = get_kind(kind_name)
    wanted, purge = diff.normalize(kind, wanted), validation.truth("purge", purge or False)
    require(api, kind)
    require_fields(api, kind, wanted)
    return plan_changes(api, kind, name, wanted, api.get(path_of(kind, name)), purge=purge)


def plan_rename(api: API, kind_name: str, name: str, other: str) -> list[Step]:
    """Return the step that gives an existing object another name; raises if there is none."""
    kind = get_kind(kind_name)
    path_of(kind, name, existing=True)
    new = with_parents_of(kind, name, other)
    path_of(kind, new)
    require(api, kind)
    steps = plan_rename_if_absent(api, kind, name, new)
    if not steps:
        raise InvalidError(f"there is no {kind.label} {name}")
    return steps


def plan_create(api: API, kind: Kind, name: str, wanted: dict[str, Any], shared: bool = True) -> list[Step]:
    """
    Return the steps to a new object; raises :class:`InvalidError` for a kind that cannot be created.

    shared
        True: that somebody else makes it meanwhile is as good, if it becomes as declared. False: it is refused.

    The daemon gives some a key that was not sent (``features.images``, ``ipv6.address``): what is declared to be
    absent goes afterwards.
    """
    if kind.create.hint:
        raise InvalidError(f"there is none: {kind.create.hint}")
    require_fields_for_create(kind, wanted)
    apply = partial(create_or_adopt, api, kind, name, wanted, shared)
    made = Step("created", {"created": name}, apply, missing=partial(_missing_parent, api, kind, name))
    late = {field: wanted[field] for field in kind.after_create if field in wanted}
    return [made] + plan_follow_up(api, kind, name, {**late, **removals(wanted)})


def require_fields_for_create(kind: Kind, wanted: dict[str, Any]) -> None:
    """Raise :class:`InvalidError` for a new object without a field that it has to have."""
    without = [field for field in kind.required if not wanted.get(field)]
    if without:
        raise InvalidError(f"{', '.join(without)}: needed for a new {kind.label}")


def removals(wanted: dict[str, Any]) -> dict[str, Any]:
    """Return what a create cannot do: what is declared to be absent, and the daemon may put in."""
    maps = {field: value for field, value in wanted.items() if isinstance(value, dict)}
    return {field: value for field, value in maps.items() if not value or None in value.values()}


def _missing_parent(api, kind, name):
    """Return in words that what the object is to be in does not exist, "" if it does."""
    if missing_project_reason(api) and not kind.of_server:
        return f"project {api.project} does not exist"
    if not kind.parents:
        return ""
    parent, above = get_kind(kind.parents[-1]), name.rpartition("/")[0]
    return "" if read(api, parent, above) is not None else f"{parent.label} {above} does not exist"


def plan_rename_if_absent(api: API, kind: Kind, old: str | None, name: str) -> list[Step]:
    """Return the step that gives another object this name; none if there is no other."""
    if old is None:
        return []
    if not kind.rename:
        raise InvalidError(f"the kind {kind.label} cannot be renamed")
    old = with_parents_of(kind, name, old)
    before = parts_of(kind, old, existing=True)
    if before != {**parts_of(kind, name), "name": before["name"]}:
        raise InvalidError(f"{kind.label} {old} cannot be renamed to {name}: that is elsewhere")
    if read(api, kind, old) is None:
        return []
    change = {"name": {"old": old, "new": name}}
    return [Step(f"renamed from {old}", change, partial(rename, api, kind, old, name))]


def plan_changes(
    api: API, kind: Kind, name: str, wanted: dict[str, Any], current: APIResult, note: str = "", purge: bool = False
) -> Steps:
    """Return the steps that make an existing object as declared: one or none."""
    require_immutable_unchanged(kind, wanted, current)
    delta = diff.compare(kind, wanted, current.metadata, purge)
    others = "" if purge else diff.undeclared_note(kind, wanted, current.metadata)
    if not delta:
        return Plan().with_note(diff.write_only_note(wanted, current.metadata)).with_note(others)
    note = "; ".join(filter(None, [note, _without_effect(api, kind, delta.changes), others]))
    return [Step("updated", delta.changes, partial(update, api, kind, name, wanted, current, purge), note)]


def _without_effect(api, kind, changes):
    """Return in words which of the changes this daemon only stores."""
    words = [
        f"{key} has no effect on what is there already: {daemon_of(api)} lacks the API extension {extension}"
        for place, extension in kind.needs_extension_to_apply.items()
        for field, _, key in [place.partition(".")]
        if key in changes.get(field, ()) and not api.has(extension)
    ]
    return ", ".join(words)


def plan_follow_up(api: API, kind: Kind, name: str, wanted: dict[str, Any]) -> list[Step]:
    """
    Return the steps that give a new object what its creation could not: a failure leaves the object,
    of which ``changes`` says that it was created, to the next run.
    """
    if not wanted:
        return []

    def complete():
        update(api, kind, name, wanted)
        return {}

    return [Step("completed", {}, complete)]


def plan_absent(api: API, kind_name: str, name: str, force: bool = False) -> Steps:
    """
    Return the steps to the absence of an object; a daemon that does not know its kind has none.

    force
        True: with all that is in it, where the daemon can.
    """
    kind, force = get_kind(kind_name), validation.truth("force", force or False)
    path_of(kind, name, existing=True)
    if not kind.path:
        raise InvalidError(f"the {kind.label} cannot be deleted: {kind.create.hint}")
    if force and not kind.force_delete:
        raise InvalidError(f"force: the kind {kind.label} has none")
    words = unsupported_reason(api, kind)
    current = None if words else read(api, kind, name)
    if current is None:
        return Plan(summary="absent").with_note(words or missing_project_reason(api))
    if force:
        require_fields(api, kind, ("force",))
    note = "" if force else _users(kind, name, current.metadata)
    return [Step("deleted", {"deleted": name}, partial(delete, api, kind, name, force), note)]


def _users(kind, name, found):
    """Return in words who uses an object, "" for nobody but what goes with it."""
    own = [path.format(name=name) for path in kind.implicit_users]
    users = [path.replace("/1.0/", "", 1) for path in found.get("used_by") or ()]
    users = [path for path in users if path not in own]
    more = f" and {len(users) - 5} more" if len(users) > 5 else ""
    return f"it is used by {', '.join(users[:5])}{more}" if users else ""
