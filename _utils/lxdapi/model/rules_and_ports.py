"""
Rules of an ACL, ports of a forward, records of a zone: lists of items with an identity, compared one by one.

A declared item exists afterwards with its declared attributes; other items stay, unless the declared list is empty or
``purge`` is set. The order has no meaning.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from lxdapi import validation
from lxdapi.errors import InvalidError
from lxdapi.model import equality

if TYPE_CHECKING:
    from lxdapi.model.schema import Items


def normalize(spec: Items, field: str, declared: Any) -> list[dict[str, Any]]:
    """
    Return the declared items with canonical values.

    spec
        A :class:`lxdapi.model.schema.Items`.

    Raises :class:`InvalidError` for an unknown key, a wrong type, or a duplicate entry.
    """
    if not isinstance(declared, (list, tuple)) or not all(isinstance(item, dict) for item in declared):
        raise InvalidError.of_value(field, "a list of mappings", declared)
    items = [_normalize_item(spec, field, item) for item in declared]
    seen = set()
    for item in items:
        if _identity(spec, item) in seen:
            raise InvalidError(f"duplicate entry in {field}: {_describe_item(spec, item)}")
        seen.add(_identity(spec, item))
    return items


def _normalize_item(spec, field, item):
    known = (*spec.identity, *spec.attributes)
    validation.require_known(field, item, known)
    normal = {key: _VALUES[spec.attributes.get(key, "text")](f"{field} {key}", value) for key, value in item.items()}
    # the daemons drop white space around attributes, but not around the identity
    normal = {key: value.strip() if spec.attributes.get(key) == "text" else value for key, value in normal.items()}
    return {key: spec.defaults.get(key, value) if value == "" else value for key, value in normal.items()}


def _number(label, value):
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
        return value or 0
    if isinstance(value, str) and re.fullmatch("[0-9]{1,20}", value):
        return int(value)
    raise InvalidError.of_value(label, "a whole number", value)


def _names(label, value):
    if not isinstance(value, (list, tuple)) or not all(isinstance(name, str) for name in value):
        raise InvalidError.of_value(label, "a list of names", value)
    return sorted(value)


_VALUES = {
    "text": lambda what, value: validation.config_value(what, value) or "",
    "parts": lambda what, value: validation.config_value(what, value) or "",
    "bool": validation.truth,
    "number": _number,
    "names": _names,
}


def _identity(spec, item):
    return tuple(_identifying(spec, key, item.get(key) or "") for key in spec.identity)


def _identifying(spec, key, text):
    if key in spec.lists:
        return equality.split_set(text)
    return equality.normalize_address(text) if key in spec.addresses else text


def _describe_item(spec, item):
    """Return the identity of an item as text, for ``changes``: ``action=allow protocol=tcp destination_port=443``."""
    return " ".join(f"{key}={item[key]}" for key in spec.identity if item.get(key))


def create_body(spec: Items, new: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the items for a create."""
    return [{**spec.defaults, **item} for item in new]


def names_in_order(spec: Items, actual: dict[str, Any], declared: dict[str, Any]) -> frozenset[str]:
    """Return the names of the items with several values in a key: see ``ordered_by``."""
    if not spec.ordered_by:
        return frozenset()
    _, field, key = spec.ordered_by
    values: dict[str, Any] = {}
    for item in (*(actual.get(field) or ()), *(declared.get(field) or ())):
        values[item.get("name")] = item.get(key, values.get(item.get("name")))
    return frozenset(name for name, value in values.items() if _has_several(value))


def compare(
    spec: Items,
    old: list[dict[str, Any]] | None,
    new: list[dict[str, Any]],
    purge: bool = False,
    ordered: frozenset[str] = frozenset(),
) -> tuple[dict[str, Any], list[dict[str, Any]]] | None:
    """
    Return (changes by item, the whole list after the change), None if everything is as declared.

    ordered
        The result of :func:`names_in_order`.
    """
    items, changes = [dict(item) for item in old or ()], {}
    indexes = {_identity(spec, item): index for index, item in enumerate(items)}
    for item in new:
        index = indexes.get(_identity(spec, item))
        if index is None:
            items.append({**spec.defaults, **item})
            changes[_describe_item(spec, item)] = {"old": None, "new": items[-1]}
        else:
            pair = _compare_item(spec, items[index], item, ordered)
            items[index].update(pair["new"])
            changes.update({_describe_item(spec, item): pair} if pair["new"] else {})
    if purge or not new:
        declared = {_identity(spec, item) for item in new}
        removed = [item for item in items if _identity(spec, item) not in declared]
        items = [item for item in items if item not in removed]
        changes.update({_describe_item(spec, item): {"old": item, "new": None} for item in removed})
    return (changes, items) if changes else None


def find_undeclared(spec: Items, old: list[dict[str, Any]] | None, new: list[dict[str, Any]]) -> list[str]:
    """Return the descriptions of the existing items that are not declared."""
    declared = {_identity(spec, item) for item in new}
    return [_describe_item(spec, item) for item in old or () if _identity(spec, item) not in declared]


def _compare_item(spec, old, new, ordered):
    differs = [
        key
        for key, value_type in spec.attributes.items()
        if key in new and _comparable(value_type, old, key) != _comparable(value_type, new, key)
    ]
    differs += [key for key in spec.lists if _is_ordered(spec, key, {**old, **new}, ordered) and _moved(key, old, new)]
    return {"old": {key: old.get(key) for key in differs}, "new": {key: new[key] for key in differs}}


def _is_ordered(spec, key, item, ordered):
    """Return True if the order of a list of the identity counts, because another list has a value for each entry."""
    beside = any(_has_several(item.get(attribute)) for attribute, other in spec.beside.items() if other == key)
    return beside or not ordered.isdisjoint(item.get(spec.ordered_by[0]) or () if spec.ordered_by else ())


def _moved(key, old, new):
    return equality.split_ordered(old.get(key)) != equality.split_ordered(new.get(key))


def _has_several(ports):
    """Return True for a list or a range: ``80,81`` and ``80-81``."""
    return "," in (ports or "") or "-" in (ports or "")


def _comparable(value_type, item, key):
    """Return an attribute to compare: absent is the same as empty, names have no order, addresses many spellings."""
    value = item.get(key) or ""
    if value_type == "parts":
        return equality.split_ordered(value)
    return sorted(value) if isinstance(value, list) else value
