"""
Lists of things with an identity (rules of an ACL, ports of a forward, records): compared one by one.

An item that is declared is there afterwards, with what is declared of it; others are left alone, unless
the list is declared empty or ``purge`` is. Order means nothing to the daemons.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from lxdapi import validation
from lxdapi.errors import InvalidError
from lxdapi.model import equality

if TYPE_CHECKING:
    from lxdapi.model.schema import Items


def normalize(spec: Items, field: str, given: Any) -> list[dict[str, Any]]:
    """
    Return the declared items with canonical values.

    spec
        A :class:`lxdapi.model.schema.Items`.

    Raises :class:`InvalidError` for an unknown key, a wrong type, or one thing declared twice.
    """
    if not isinstance(given, (list, tuple)) or not all(isinstance(item, dict) for item in given):
        raise InvalidError(f"{field}: a list of mappings is needed")
    items = [_normalize_item(spec, field, item) for item in given]
    seen = set()
    for item in items:
        if _identity(spec, item) in seen:
            raise InvalidError(f"{field}: {_words(spec, item)} stands there twice")
        seen.add(_identity(spec, item))
    return items


def _normalize_item(spec, field, item):
    known = (*spec.identity, *spec.attributes)
    for key in item:
        if key not in known:
            raise InvalidError(f"{field}: unknown key {key!r}; there are: {', '.join(known)}")
    normal = {key: _VALUES[spec.attributes.get(key, "text")](f"{field} {key}", value) for key, value in item.items()}
    # the daemons drop the white space around what is no identity
    normal = {key: value.strip() if spec.attributes.get(key) == "text" else value for key, value in normal.items()}
    return {key: spec.defaults.get(key, value) if value == "" else value for key, value in normal.items()}


def _number(what, given):
    if given is None or (isinstance(given, int) and not isinstance(given, bool) and given >= 0):
        return given or 0
    if isinstance(given, str) and re.fullmatch("[0-9]{1,20}", given):
        return int(given)
    raise InvalidError(f"{what}: a whole number is needed, not {given!r}")


def _names(what, given):
    if not isinstance(given, (list, tuple)) or not all(isinstance(name, str) for name in given):
        raise InvalidError(f"{what}: a list of names is needed")
    return sorted(given)


_VALUES = {
    "text": lambda what, given: validation.config_value(what, given) or "",
    "parts": lambda what, given: validation.config_value(what, given) or "",
    "bool": validation.truth,
    "number": _number,
    "names": _names,
}


def _identity(spec, item):
    return tuple(
        equality.split_set(item.get(key)) if key in spec.lists else item.get(key) or "" for key in spec.identity
    )


def _words(spec, item):
    """Return what an item is, for ``changes``: ``action=allow protocol=tcp destination_port=443``."""
    return " ".join(f"{key}={item[key]}" for key in spec.identity if item.get(key))


def create_body(spec: Items, new: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the items for a create."""
    return [{**spec.defaults, **item} for item in new]


def compare(
    spec: Items, old: list[dict[str, Any]] | None, new: list[dict[str, Any]], purge: bool = False
) -> tuple[dict[str, Any], list[dict[str, Any]]] | None:
    """Return (changes by item, the whole list as it shall be), None if everything is as declared."""
    whole, changes = [dict(item) for item in old or ()], {}
    places = {_identity(spec, item): number for number, item in enumerate(whole)}
    for item in new:
        number = places.get(_identity(spec, item))
        if number is None:
            whole.append({**spec.defaults, **item})
            changes[_words(spec, item)] = {"old": None, "new": whole[-1]}
        else:
            pair = _differing(spec, whole[number], item)
            whole[number].update(pair["new"])
            changes.update({_words(spec, item): pair} if pair["new"] else {})
    if purge or not new:
        declared = {_identity(spec, item) for item in new}
        gone = [item for item in whole if _identity(spec, item) not in declared]
        whole = [item for item in whole if item not in gone]
        changes.update({_words(spec, item): {"old": item, "new": None} for item in gone})
    return (changes, whole) if changes else None


def undeclared(spec: Items, old: list[dict[str, Any]] | None, new: list[dict[str, Any]]) -> list[str]:
    """Return what there is and is not declared, in words."""
    declared = {_identity(spec, item) for item in new}
    return [_words(spec, item) for item in old or () if _identity(spec, item) not in declared]


def _differing(spec, old, new):
    differs = [
        key for key, sort in spec.attributes.items() if key in new and _sense(sort, old, key) != _sense(sort, new, key)
    ]
    differs += [key for attribute, key in spec.beside.items() if _is_reordered(attribute, key, old, new)]
    return {"old": {key: old.get(key) for key in differs}, "new": {key: new[key] for key in differs}}


def _is_reordered(attribute, key, old, new):
    """Return True if a list of the identity has another order, and another list says something of each in turn."""
    several = len(equality.split_ordered(new.get(attribute) or old.get(attribute))) > 1
    return several and equality.split_ordered(old.get(key)) != equality.split_ordered(new.get(key))


def _sense(sort, item, key):
    """Return an attribute to compare: absent is the same as empty, names have no order, addresses many spellings."""
    value = item.get(key) or ""
    if sort == "parts":
        return equality.split_ordered(value)
    return sorted(value) if isinstance(value, list) else value
