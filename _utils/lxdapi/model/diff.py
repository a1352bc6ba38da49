"""
Comparison by meaning: what is declared against what the daemon holds, and what would change.

Undeclared (None) is left alone. In a map, a key that is None or "" is to be removed; an empty map or
list that is declared clears. Two spellings of one value are equal: see :mod:`lxdapi.model.equality`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from lxdapi import masking, validation
from lxdapi.errors import InvalidError
from lxdapi.model import equality, keyed_lists
from lxdapi.model.equality import NEVER, parse_time
from lxdapi.model.schema import FIELDS

if TYPE_CHECKING:
    from lxdapi.model.schema import Kind

# The roles of cluster members that the daemon gives and takes by itself.
AUTOMATIC_ROLES = ("database", "database-leader", "database-standby")


class Delta(NamedTuple):
    """
    What differs between the declared and the present.

    changes
        ``{field: {key: {"old": x, "new": y}}}``; secret values masked.
    fields
        The new value of each field that differs, whole.
    touched
        Of each map that differs, only the keys that change, "" for those that go: what a PATCH sends.
    removes
        True if a key or a device goes, which only a PUT of the whole object does.
    """

    changes: dict[str, Any]
    fields: dict[str, Any]
    touched: dict[str, Any]
    removes: bool

    def __bool__(self) -> bool:
        return bool(self.changes)


def normalize(kind: Kind, wanted: Any) -> dict[str, Any]:
    """
    Return the declared fields with canonical values; fields that are None are left out.

    Raises :class:`InvalidError` for a field the kind does not have, a wrong type or a bad value.
    """
    if not isinstance(wanted, dict):
        raise InvalidError(f"{kind.label}: a mapping of fields is needed, not {type(wanted).__name__}")
    wanted = {_field(kind, name): given for name, given in wanted.items()}
    return {field: _normalize_field(kind, field, given) for field, given in wanted.items() if given is not None}


def _field(kind, name):
    """Return a field by its name, or by the parameter's of a state: ``secret_key`` is ``secret-key``."""
    field = name if name in kind.known else str(name).replace("_", "-")
    if field not in kind.known:
        raise InvalidError(f"{kind.label}: unknown field {name!r}; there are: {', '.join(kind.known)}")
    return field


def _normalize_field(kind, field, given):
    if field in kind.items:
        return keyed_lists.normalize(kind.items[field], field, given)
    value = _NORMAL[FIELDS[field]](field, given)
    value = value.strip() if field in kind.write.trimmed else value
    return kind.write.expiry_reset if FIELDS[field] == "time" and value == NEVER else value


def _normalize_map(field, given):
    if isinstance(given, list) and all(isinstance(item, dict) for item in given):
        given = {key: value for item in given for key, value in item.items()}
    if not isinstance(given, dict):
        raise InvalidError(f"{field}: a mapping is needed, not {type(given).__name__}")
    return {_key(field, key): validation.config_value(f"{field} {key}", value) for key, value in given.items()}


def _key(field, key):
    return validation.check("any", f"{field} key", key)


def _normalize_devices(field, given):
    if not isinstance(given, dict):
        raise InvalidError(f"{field}: a mapping of names to devices is needed")
    return {
        _key(field, name): None if device is None else _normalize_map(f"{field} {name}", device)
        for name, device in given.items()
    }


def _normalize_list(field, given):
    if not isinstance(given, (list, tuple)) or not all(isinstance(item, str) for item in given):
        raise InvalidError(f"{field}: a list of names is needed")
    if len(set(given)) != len(given):
        raise InvalidError(f"{field}: a name stands there twice")
    return list(given)


def _normalize_addresses(field, given):
    return sorted({sense: text for text, sense in equality.addresses(field, _normalize_list(field, given))}.values())


def _compare_addresses(kind, field, old, new):
    before, after = (dict(reversed(pair) for pair in equality.addresses(field, texts or ())) for texts in (old, new))
    if set(before) == set(after):
        return None
    whole = sorted({**after, **{key: text for key, text in before.items() if key in after}}.values())
    return {"old": sorted(old or ()), "new": whole}, whole, whole, False


def _normalize_text(field, given):
    return validation.config_value(field, given) or ""


def _normalize_time(field, given):
    if given == "":
        return NEVER
    when = parse_time(given)
    if when is None:
        raise InvalidError(f"{field}: a time such as 2030-01-31T00:00:00Z is needed, not {given!r}")
    return when if isinstance(when, str) else when.strftime("%Y-%m-%dT%H:%M:%SZ")


def _normalize_given(field, given):
    try:
        json.dumps(given, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as exc:
        raise InvalidError(f"{field}: {exc}; write it as text in quotes") from exc
    return given


def _normalize_set(field, given):
    return sorted(_normalize_list(field, given))


_NORMAL = {
    "map": _normalize_map,
    "devices": _normalize_devices,
    "addresses": _normalize_addresses,
    "list": _normalize_list,
    "set": _normalize_set,
    "roles": _normalize_set,
    "text": _normalize_text,
    "bool": validation.truth,
    "time": _normalize_time,
    "given": _normalize_given,
}


def compare(kind: Kind, wanted: dict[str, Any], current: dict[str, Any], purge: bool = False) -> Delta:
    """
    Return the :class:`Delta` between declared fields (of :func:`normalize`) and the object read.

    purge
        True: of the lists of things with an identity, what is not declared goes.

    What only a create takes is not looked at here: see :func:`immutable_differences`.
    """
    changes, fields, touched, removes = {}, {}, {}, False
    for field in kind.fields:
        if field not in wanted:
            continue
        part = _compare(kind, field, current.get(field), wanted[field], purge)
        if part is not None:
            changes[field], fields[field], touched[field], gone = part
            removes = removes or gone
    return Delta(changes, fields, touched, removes)


def _compare(kind, field, old, new, purge):
    if field in kind.items:
        part = keyed_lists.compare(kind.items[field], old, new, purge)
        return part and (*part, part[1], False)
    return _COMPARE.get(FIELDS[field], _compare_plain)(kind, field, old, new)


def undeclared_note(kind: Kind, wanted: dict[str, Any], current: dict[str, Any]) -> str:
    """Return in words what there is in declared lists of things and is not declared."""
    counts = {
        field: keyed_lists.undeclared(kind.items[field], current.get(field), wanted[field])
        for field in kind.items
        if wanted.get(field)
    }
    words = [f"{field} {', '.join(found)}" for field, found in counts.items() if found]
    return f"not declared, and left alone without purge: {'; '.join(words)}" if words else ""


def write_only_note(wanted: dict[str, Any], current: dict[str, Any]) -> str:
    """Return in words the declared keys whose values the daemon does not show."""
    config, there = wanted.get("config") or {}, current.get("config") or {}
    keys = [key for key in sorted(config) if there.get(key) is True]
    return f"{', '.join(keys)}: set, but not shown, so it cannot be compared" if keys else ""


def immutable_differences(kind: Kind, wanted: dict[str, Any], current: dict[str, Any]) -> list[str]:
    """Return in words what is declared otherwise than it is, and is fixed once the object exists."""
    differs = [
        (field, field, current.get(field), wanted[field])
        for field in kind.create_only
        if field in wanted and wanted[field] != (current.get(field) or type(wanted[field])())
    ]
    config = current.get("config") or {}
    for key, kept in kind.create_only_config.items():
        declared = (wanted.get("config") or {}).get(key)
        if declared and declared not in (config.get(key), config.get(kept)):
            differs.append((f"config {key}", key, config.get(key), declared))
    return [
        f"{what} is {masking.mask_value(key, old)!r} and cannot be changed to {masking.mask_value(key, new)!r}"
        for what, key, old, new in differs
    ]


def create_body(kind: Kind, wanted: dict[str, Any]) -> dict[str, Any]:
    """Return the declared fields as a create takes them: without what is declared to be absent."""
    sent = {
        field: keyed_lists.create_body(kind.items[field], value) if field in kind.items else _without_none(value)
        for field, value in wanted.items()
        if field not in kind.after_create
    }
    return {**kind.create.defaults, **sent}


def _without_none(value):
    if not isinstance(value, dict):
        return value
    return {key: _without_none(inner) for key, inner in value.items() if inner is not None}


def _goals(kind, old, new):
    """Return what each key shall be: those named, or with an empty map every one gone."""
    if new:
        return {key: value for key, value in new.items() if key not in kind.create_only_config}
    return {key: None for key in old if not key.startswith(kind.write.server_owned)}


def _compare_map(kind, field, old, new):
    old = old or {}
    goals = {k: v for k, v in _goals(kind, old, new).items() if not kind.satisfies(k, old.get(k), v)}
    if not goals:
        return None
    changes = {key: masking.masked_change(key, old.get(key), value) for key, value in goals.items()}
    merged = {key: value for key, value in {**old, **goals}.items() if value is not None}
    return changes, merged, {k: v or "" for k, v in goals.items()}, None in goals.values()


def _compare_devices(kind, field, old, new):
    old = old or {}
    goals = new or {name: None for name in old}
    merged, changes, touched, removes = dict(old), {}, {}, False
    for name, device in goals.items():
        pair, goal = _compare_device(name, old.get(name), device)
        if pair is None:
            continue
        changes[name], merged[name] = pair, goal
        removes = removes or goal is None
        touched.update({} if goal is None else {name: goal})
    merged = {name: device for name, device in merged.items() if device is not None}
    return (changes, merged, touched, removes) if changes else None


def _compare_device(name, old, new):
    """Return ({old, new} of what differs or None, the device as it shall be or None)."""
    if new is None:
        return (None, None) if old is None else ({"old": _masked_device(name, old), "new": None}, None)
    if old is None or new.get("type", old.get("type")) != old.get("type"):
        goal = {key: value for key, value in new.items() if value is not None}
        return {"old": _masked_device(name, old), "new": _masked_device(name, goal)}, goal
    differs = [key for key, value in new.items() if not equality.satisfies(key, old.get(key), value)]
    if not differs:
        return None, old
    goal = {key: value for key, value in {**old, **new}.items() if value is not None}
    pair = {"old": {k: old.get(k) for k in differs}, "new": {k: new[k] for k in differs}}
    return {side: _masked_device(name, device) for side, device in pair.items()}, goal


def _masked_device(name, device):
    return device and {key: masking.mask_value(key, value, name) for key, value in device.items()}


def _compare_plain(kind, field, old, new):
    if FIELDS[field] == "time" and parse_time(old) == parse_time(new):
        return None
    if (old or type(new)()) == new or (field in kind.write.trimmed and (old or "").strip() == new):
        return None
    return masking.masked_change(field, old, new), new, new, False


def _compare_set(kind, field, old, new):
    if set(old or ()) == set(new):
        return None
    return {"old": sorted(old or ()), "new": sorted(new)}, new, new, False


def _compare_roles(kind, field, old, new):
    """Compare but for what the daemon gives by itself, which stays."""
    automatic = [role for role in old or () if role in AUTOMATIC_ROLES]
    return _compare_set(kind, field, old, [*automatic, *(role for role in new if role not in AUTOMATIC_ROLES)])


_COMPARE = {
    "set": _compare_set,
    "roles": _compare_roles,
    "addresses": _compare_addresses,
    "devices": _compare_devices,
    "map": _compare_map,
}


def merge_changes(changes: dict[str, Any], more: dict[str, Any]) -> None:
    """Add the changes of a step to those before: of a value changed twice the first old stays."""
    for key, change in more.items():
        before = changes.get(key)
        if not isinstance(before, dict) or not isinstance(change, dict):
            changes[key] = change
        elif _is_pair(change):
            changes[key] = {"old": before.get("old"), "new": change["new"]}
        else:
            merge_changes(before, change)


def subtract_changes(changes: dict[str, Any], left: dict[str, Any]) -> dict[str, Any]:
    """Return the changes without those that are still to be made."""
    done = {}
    for key, change in changes.items():
        if key not in left:
            done[key] = change
        elif isinstance(change, dict) and not _is_pair(change):
            part = subtract_changes(change, left[key])
            done.update({key: part} if part else {})
    return done


def _is_pair(change):
    return set(change) == {"old", "new"}
