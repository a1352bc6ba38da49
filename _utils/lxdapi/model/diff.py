"""
Comparison by meaning: the declared object against the actual one, and the changes between them.

Undeclared fields (None) stay unchanged. In a map, None or "" removes the key; a declared empty map or list clears the
field. Two spellings of one value are equal: see :mod:`lxdapi.model.equality`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from lxdapi import masking, validation
from lxdapi.errors import InvalidError
from lxdapi.model import equality, rules_and_ports
from lxdapi.model.equality import NEVER, parse_time
from lxdapi.model.schema import FIELDS

if TYPE_CHECKING:
    from lxdapi.model.schema import Kind

# The roles of cluster members that the daemon assigns automatically.
AUTOMATIC_ROLES = ("database", "database-leader", "database-standby")


class Delta(NamedTuple):
    """
    The difference between a declared and an actual object.

    changes
        ``{field: {key: {"old": x, "new": y}}}``; secret values masked.
    fields
        The complete new value of each field that differs.
    touched
        The keys to change of each map that differs, "" for removed ones: the body of a PATCH.
    removes
        True if a key or a device is removed, which needs a PUT of the whole object.
    """

    changes: dict[str, Any]
    fields: dict[str, Any]
    touched: dict[str, Any]
    removes: bool

    def __bool__(self) -> bool:
        return bool(self.changes)


def normalize(kind: Kind, declared: Any) -> dict[str, Any]:
    """
    Return the declared fields with canonical values; undeclared fields (None) are omitted.

    Raises :class:`InvalidError` for a field that the kind lacks, a wrong type or an invalid value.
    """
    if not isinstance(declared, dict):
        raise InvalidError.of_value(f"the {kind.label}", "a mapping of fields", declared, secret=True)
    known = kind.known
    declared = {_field(kind, known, name): value for name, value in declared.items()}
    return {field: _normalize_field(kind, field, value) for field, value in declared.items() if value is not None}


def _field(kind, known, name):
    """Return the name of a field, also for the parameter of a state: ``secret_key`` is ``secret-key``."""
    field = name if name in known else str(name).replace("_", "-")
    if field not in known:
        validation.require_known(kind.label, [name], known, "field")
    return field


def _normalize_field(kind, field, declared):
    if field in kind.items:
        return rules_and_ports.normalize(kind.items[field], field, declared)
    value = _NORMAL[FIELDS[field]](field, declared)
    value = value.strip() if field in kind.write.trimmed else value
    return kind.write.expiry_reset if FIELDS[field] == "time" and value == NEVER else value


def _normalize_map(field, declared):
    declared = validation.mapping(field, declared)
    return {_key(field, key): validation.config_value(f"{field} {key}", value) for key, value in declared.items()}


def _key(field, key):
    return validation.check("any", f"{field} key", key)


def _normalize_devices(field, declared):
    declared = validation.mapping(field, declared, "a mapping of names to devices")
    return {
        _key(field, name): None if device is None else _normalize_map(f"{field} {name}", device)
        for name, device in declared.items()
    }


def _normalize_list(field, declared):
    if not isinstance(declared, (list, tuple)) or not all(isinstance(item, str) for item in declared):
        raise InvalidError.of_value(field, f"a list of {'addresses' if field == 'addresses' else 'names'}", declared)
    if len(set(declared)) != len(declared):
        raise InvalidError(f"duplicate name in {field}: list each name once")
    return list(declared)


def _normalize_addresses(field, declared):
    return sorted({sense: text for text, sense in equality.addresses(field, _normalize_list(field, declared))}.values())


def _compare_addresses(kind, field, old, new):
    before, after = (dict(reversed(pair) for pair in equality.addresses(field, texts or ())) for texts in (old, new))
    if set(before) == set(after):
        return None
    whole = sorted({**after, **{key: text for key, text in before.items() if key in after}}.values())
    return {"old": sorted(old or ()), "new": whole}, whole, whole, False


def _normalize_text(field, declared):
    return validation.config_value(field, declared) or ""


def _normalize_time(field, declared):
    if declared == "":
        return NEVER
    time = parse_time(declared)
    if time is None:
        raise InvalidError.of_value(field, "a time (2030-01-31T00:00:00Z)", declared)
    return time if isinstance(time, str) else time.strftime("%Y-%m-%dT%H:%M:%SZ")


def _normalize_json(field, declared):
    try:
        json.dumps(declared, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as exc:
        raise InvalidError(f"{field}: {exc}; quote the value") from exc
    return declared


def _normalize_set(field, declared):
    return sorted(_normalize_list(field, declared))


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
    "given": _normalize_json,
}


def compare(kind: Kind, declared: dict[str, Any], actual: dict[str, Any], purge: bool = False) -> Delta:
    """
    Return the :class:`Delta` between declared fields (of :func:`normalize`) and the object read.

    purge
        True: items of keyed lists that are not declared are removed.

    Immutable fields are not compared here: see :func:`immutable_differences`.
    """
    changes, fields, touched, removes = {}, {}, {}, False
    for field in kind.fields:
        if field not in declared:
            continue
        part = _compare(kind, field, actual, declared, purge)
        if part is not None:
            changes[field], fields[field], touched[field], removed = part
            removes = removes or removed
    return Delta(changes, fields, touched, removes)


def _compare(kind, field, actual, declared, purge):
    old, new = actual.get(field), declared[field]
    if field in kind.items:
        ordered = rules_and_ports.names_in_order(kind.items[field], actual, declared)
        part = rules_and_ports.compare(kind.items[field], old, new, purge, ordered)
        return part and (*part, part[1], False)
    if FIELDS[field] == "map":
        return _compare_map(kind, old or {}, new, kind.write.required.get(actual.get("type", ""), ()))
    return _COMPARE.get(FIELDS[field], _compare_plain)(kind, field, old, new)


def undeclared_note(kind: Kind, declared: dict[str, Any], actual: dict[str, Any]) -> str:
    """Return a note that names the undeclared items of declared lists, "" if there are no such items."""
    undeclared = {
        field: rules_and_ports.find_undeclared(kind.items[field], actual.get(field), declared[field])
        for field in kind.items
        if declared.get(field)
    }
    parts = [f"{field} {', '.join(items)}" for field, items in undeclared.items() if items]
    return f"not declared, and kept without purge: {'; '.join(parts)}" if parts else ""


def write_only_note(declared: dict[str, Any], actual: dict[str, Any]) -> str:
    """Return a note that names the declared keys whose values the daemon does not show."""
    declared_config, actual_config = declared.get("config") or {}, actual.get("config") or {}
    keys = [key for key in sorted(declared_config) if actual_config.get(key) is True]
    return f"{', '.join(keys)}: set, but the daemon does not show the value, so it cannot be compared" if keys else ""


def immutable_differences(kind: Kind, declared: dict[str, Any], actual: dict[str, Any]) -> list[str]:
    """Return a sentence for each immutable field whose declared value differs from the actual one."""
    differs = [
        (field, field, actual.get(field), declared[field])
        for field in kind.create_only
        if field in declared and declared[field] != (actual.get(field) or type(declared[field])())
    ]
    config = actual.get("config") or {}
    for key, kept in kind.create_only_config.items():
        value = (declared.get("config") or {}).get(key)
        if value and value not in (config.get(key), config.get(kept)):
            differs.append((f"config {key}", key, config.get(key), value))
    return [
        f"{label} is {masking.mask_value(key, old)!r} and cannot be changed to {masking.mask_value(key, new)!r}"
        for label, key, old, new in differs
    ]


def create_body(kind: Kind, declared: dict[str, Any]) -> dict[str, Any]:
    """Return the body of a create: the declared fields without the keys that are declared absent."""
    body = {
        field: rules_and_ports.create_body(kind.items[field], value) if field in kind.items else _without_none(value)
        for field, value in declared.items()
    }
    return {**kind.create.defaults, **body}


def _without_none(value):
    if not isinstance(value, dict):
        return value
    return {key: _without_none(inner) for key, inner in value.items() if inner is not None}


def _goals(kind, old, new, required):
    """Return the goal of each key: the declared value, or None for all of them if the declared map is empty."""
    if new:
        return {key: value for key, value in new.items() if key not in kind.create_only_config}
    return {key: None for key in old if not key.startswith(kind.write.server_owned) and key not in required}


def _compare_map(kind, old, new, required):
    goals = {k: v for k, v in _goals(kind, old, new, required).items() if not kind.satisfies(k, old.get(k), v)}
    if not goals:
        return None
    changes = {key: masking.format_change(key, old.get(key), value) for key, value in goals.items()}
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
    """Return ({old, new} of the differences or None, the device after the change or None)."""
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
    return masking.format_change(field, old, new), new, new, False


def _compare_set(kind, field, old, new):
    if set(old or ()) == set(new):
        return None
    return {"old": sorted(old or ()), "new": sorted(new)}, new, new, False


def _compare_roles(kind, field, old, new):
    """Compare the roles, except for the automatic ones, which stay."""
    automatic = [role for role in old or () if role in AUTOMATIC_ROLES]
    return _compare_set(kind, field, old, [*automatic, *(role for role in new if role not in AUTOMATIC_ROLES)])


_COMPARE = {
    "set": _compare_set,
    "roles": _compare_roles,
    "addresses": _compare_addresses,
    "devices": _compare_devices,
}


def merge_changes(changes: dict[str, Any], more: dict[str, Any]) -> None:
    """Add the changes of a step to earlier ones; a value that changed twice keeps its first old value."""
    for key, change in more.items():
        before = changes.get(key)
        if not isinstance(before, dict) or not isinstance(change, dict):
            changes[key] = change
        elif _is_pair(change):
            changes[key] = {"old": before.get("old"), "new": change["new"]}
        else:
            merge_changes(before, change)


def subtract_changes(changes: dict[str, Any], left: dict[str, Any]) -> dict[str, Any]:
    """Return the changes without the remaining ones."""
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
