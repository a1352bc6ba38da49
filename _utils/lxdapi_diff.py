"""
Comparison by meaning: what is declared against what the daemon holds, and what would change.

Undeclared (None) is left alone. In a map, a key that is None or "" is to be removed; an empty map or
list that is declared clears. The daemons keep text as it was sent (LXD 5.0.2 and Incus 6.0.4 store
``True``, ``yes`` and ``2GB`` verbatim), so two spellings of one value are equal here.
"""

import ipaddress
import re
from datetime import datetime, timezone
from typing import NamedTuple

import lxdapi_names as names
import lxdapi_secrets as secrets
from lxdapi_errors import InvalidError
from lxdapi_kinds import FIELDS

# "No time". Never set it reads 1970-01-01 on LXD 5.0.2 and 0001-01-01 on Incus 6.0.4; only this one
# clears a time that was set: both ignore a zero time and null.
NEVER = "1970-01-01T00:00:00Z"
_TRUE = {"true", "1", "yes", "on"}
_FALSE = {"false", "0", "no", "off"}
_UNITS = {"": 1, "B": 1, "bit": 1, **{f"{p}B": 1000**n for n, p in enumerate("kMGTPE", 1)}}
_UNITS.update({f"{p}iB": 1024**n for n, p in enumerate("KMGTPE", 1)})
_UNITS.update({f"{p}bit": 1000**n for n, p in enumerate("kMGTPE", 1)})
_UNITS.update({f"{p}ibit": 1024**n for n, p in enumerate("KMGTPE", 1)})
_SIZE = re.compile(r"(\d+)([A-Za-z]*)")
# Free text and names: "yes" and "true" are two different values there.
_TEXT = re.compile(
    r"(user|environment|raw|cloud-init|image|volatile)\.|"
    r"(name|path|source|parent|network|pool|hwaddr|host_name|os|release|description)$"
)


class Delta(NamedTuple):
    """
    What differs between the declared and the present.

    changes
        ``{field: {key: {"old": x, "new": y}}}``; secret values masked.
    fields
        The new value of each field that differs, whole.
    touched
        Of each map that differs, only the keys that change: what a PATCH sends.
    removes
        True if a key or a device goes, which only a PUT of the whole object does.
    """

    changes: dict
    fields: dict
    touched: dict
    removes: bool

    def __bool__(self):
        return bool(self.changes)


def normal(kind, wanted):
    """
    Return the declared fields with canonical values; fields that are None are left out.

    Raises :class:`InvalidError` for a field the kind does not have, a wrong type or a bad value.
    """
    known = kind.fields + kind.create_only
    for field in wanted:
        if field not in known:
            raise InvalidError(f"{kind.label}: unknown field {field!r}; there are: {', '.join(known)}")
    return {field: _NORMAL[FIELDS[field]](field, given) for field, given in wanted.items() if given is not None}


def _normal_map(field, given):
    if isinstance(given, list) and all(isinstance(item, dict) for item in given):
        given = {key: value for item in given for key, value in item.items()}
    if not isinstance(given, dict):
        raise InvalidError(f"{field}: a mapping is needed, not {type(given).__name__}")
    return {_key(field, key): names.value(f"{field} {key}", value) for key, value in given.items()}


def _key(field, key):
    return names.check("any", f"{field} key", key)


def _normal_devices(field, given):
    if not isinstance(given, dict):
        raise InvalidError(f"{field}: a mapping of names to devices is needed")
    return {
        _key(field, name): None if device is None else _normal_map(f"{field} {name}", device)
        for name, device in given.items()
    }


def _normal_list(field, given):
    if not isinstance(given, (list, tuple)) or not all(isinstance(item, str) for item in given):
        raise InvalidError(f"{field}: a list of names is needed")
    if len(set(given)) != len(given):
        raise InvalidError(f"{field}: a name stands there twice")
    return list(given)


def _normal_addresses(field, given):
    return sorted({meaning: text for text, meaning in _meanings(field, _normal_list(field, given))}.values())


def _meanings(field, texts):
    """Return (text, meaning) of addresses, networks and ranges (``192.0.2.1-192.0.2.9``)."""
    try:
        return [(text, tuple(_address(part) for part in text.split("-"))) for text in texts]
    except ValueError as exc:
        raise InvalidError(f"{field}: {exc}") from exc


def _address(text):
    network = ipaddress.ip_network(text.strip(), strict=False)
    return network.version, int(network.network_address), network.prefixlen


def _compare_addresses(kind, field, old, new):
    before, after = (dict(reversed(pair) for pair in _meanings(field, texts or ())) for texts in (old, new))
    if set(before) == set(after):
        return None
    whole = sorted({**after, **{key: text for key, text in before.items() if key in after}}.values())
    return {"old": sorted(old or ()), "new": whole}, whole, whole, False


def _normal_text(field, given):
    return names.value(field, given) or ""


def _normal_bool(field, given):
    text = str(given).lower()
    if text not in _TRUE | _FALSE:
        raise InvalidError(f"{field}: true or false is needed, not {given!r}")
    return text in _TRUE


def _normal_time(field, given):
    if not given:
        return NEVER
    moment = _moment(given)
    if moment is None:
        raise InvalidError(f"{field}: a time such as 2030-01-31T00:00:00Z is needed, not {given!r}")
    return NEVER if moment == NEVER else moment.strftime("%Y-%m-%dT%H:%M:%SZ")


_NORMAL = {
    "map": _normal_map,
    "devices": _normal_devices,
    "addresses": _normal_addresses,
    "list": _normal_list,
    "text": _normal_text,
    "bool": _normal_bool,
    "time": _normal_time,
}


def _moment(text):
    """Return the time, :data:`NEVER` for both of the daemons' zero times, None if it is unreadable."""
    try:
        moment = datetime.fromisoformat(re.sub(r"\.\d+", "", str(text)).replace("Z", "+00:00"))
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).astimezone(timezone.utc)
    except (ValueError, OverflowError):
        return None
    return NEVER if moment.year in (1, 1970) else moment


def same(key, old, new):
    """Return True if two config values mean the same; absent and "" are the same."""
    old, new = old or "", new or ""
    if old == new or _TEXT.match(key):
        return old == new
    for words in (_TRUE, _FALSE):
        if old.lower() in words and new.lower() in words:
            return True
    size = _bytes(old)
    return size is not None and size == _bytes(new)


def _bytes(text):
    match = _SIZE.fullmatch(text)
    if not match or match[2] not in _UNITS:
        return None
    # a bit is no byte, although both count from 1
    return int(match[1]) * _UNITS[match[2]], "bit" in match[2]


def compare(kind, wanted, current):
    """
    Return the :class:`Delta` between declared fields (of :func:`normal`) and the object read.

    A create-only field is not looked at here: see :func:`fixed`.
    """
    changes, fields, touched, removes = {}, {}, {}, False
    for field, new in wanted.items():
        if field in kind.create_only:
            continue
        old = current.get(field)
        part = _COMPARE.get(FIELDS[field], _compare_plain)(kind, field, old, new)
        if part is not None:
            changes[field], fields[field], touched[field], gone = part
            removes = removes or gone
    return Delta(changes, fields, touched, removes)


def fixed(kind, wanted, current):
    """Return in words the declared create-only fields that differ from the object read."""
    return [
        f"{field} is {current.get(field)!r} and cannot be changed to {wanted[field]!r}"
        for field in kind.create_only
        if field in wanted and wanted[field] != current.get(field)
    ]


def _pair(key, old, new):
    return {"old": secrets.mask_value(key, old), "new": secrets.mask_value(key, new)}


def _goals(kind, old, new):
    """Return what each key shall be: those named, or with an empty map every one gone."""
    if new:
        return new
    return {key: None for key in old if not key.startswith(kind.kept)}


def _compare_map(kind, field, old, new):
    old = old or {}
    goals = {k: v for k, v in _goals(kind, old, new).items() if not same(k, old.get(k), v)}
    if not goals:
        return None
    changes = {key: _pair(key, old.get(key), value) for key, value in goals.items()}
    merged = {key: value for key, value in {**old, **goals}.items() if value is not None}
    return changes, merged, {k: v for k, v in goals.items() if v}, None in goals.values()


def _compare_devices(kind, field, old, new):
    old = old or {}
    goals = new or {name: None for name in old}
    merged, changes, touched, removes = dict(old), {}, {}, False
    for name, device in goals.items():
        pair, goal = _compare_device(old.get(name), device)
        if pair is None:
            continue
        changes[name], merged[name] = pair, goal
        removes = removes or goal is None
        touched.update({} if goal is None else {name: goal})
    merged = {name: device for name, device in merged.items() if device is not None}
    return (changes, merged, touched, removes) if changes else None


def _compare_device(old, new):
    """Return ({old, new} of what differs or None, the device as it shall be or None)."""
    if new is None:
        return (None, None) if old is None else ({"old": _shown(old), "new": None}, None)
    if old is None or new.get("type", old.get("type")) != old.get("type"):
        goal = {key: value for key, value in new.items() if value is not None}
        return {"old": _shown(old), "new": _shown(goal)}, goal
    differs = [key for key, value in new.items() if not same(key, old.get(key), value)]
    if not differs:
        return None, old
    goal = {key: value for key, value in {**old, **new}.items() if value is not None}
    pair = {"old": {k: old.get(k) for k in differs}, "new": {k: new[k] for k in differs}}
    return {side: _shown(device) for side, device in pair.items()}, goal


def _shown(device):
    return device and {key: secrets.mask_value(key, value) for key, value in device.items()}


def _compare_plain(kind, field, old, new):
    if FIELDS[field] == "time" and _moment(old) == _moment(new):
        return None
    if (old or type(new)()) == new:
        return None
    return _pair(field, old, new), new, new, False


_COMPARE = {"addresses": _compare_addresses, "devices": _compare_devices, "map": _compare_map}
