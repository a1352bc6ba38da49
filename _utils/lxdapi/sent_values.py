"""
The values of a refused request that its error leaves out: a value that is not text in the SLS may be sent otherwise.
"""

import json
import re

from lxdapi import masking

# Longer values are documents.
_LONGEST = 100
# Values that YAML may have made of text.
_CONVERTED = re.compile(r"true|false|-?[0-9]+")
_ABOUT_VALUE = re.compile(r"invalid|must be|syntax|unsupported|unknown (?!.*key)", re.IGNORECASE)
# Fields of a body with keys of their own, besides the devices: mappings, and lists of mappings.
_MAPS, _LISTS = ("config",), ("backends", "egress", "entries", "ingress", "ports")
_TEXTS = ("content_type", "driver", "type")
_MOST = 5


def describe(request, error):
    """
    Return the values that an error is about as a clause, "" without such values.

    These have either their key or their value in the error. An error about a value without any key or value is about
    one of the values that are booleans or numbers; in a body without these, about any value.
    """
    values = _values(getattr(request, "body", None))
    is_about_key = any(_has(error, key) for _, key in values)
    if is_about_key and "unknown" in error.lower():
        return ""
    named = {label: value for (label, key), value in values.items() if _has(error, key) != (f'"{value}"' in error)}
    if not named and not is_about_key and _ABOUT_VALUE.search(error):
        named = {label: value for (label, _), value in values.items() if _CONVERTED.fullmatch(value)}
        named = named or {label: value for (label, _), value in values.items()}
    parts = [f"{label} {value!r}" for label, value in named.items()]
    return f"; sent: {', '.join(parts)}" if 0 < len(parts) <= _MOST else ""


def _has(error, key):
    """Return True if the error names a key: in quotes, or one with dots as a word."""
    return f'"{key}"' in error or ("." in key and bool(re.search(rf"(?<![\w.-]){re.escape(key)}(?![\w-]|\.\w)", error)))


def _values(body):
    """Return {(label, key): value} of the values in a body, secrets masked; without a device's own name."""
    try:
        parts = _parts(json.loads(body))
    except (AttributeError, TypeError, ValueError):  # no body, or not that of an object
        return {}
    masked = {
        (f"{name} {key}".lstrip(), key): str(masking.mask_value(key, value, name))
        for name, values in parts.items()
        for key, value in (values or {}).items()
        if value and value != name and not key.startswith(("volatile.", "image."))
    }
    return {label: value for label, value in masked.items() if len(value) <= _LONGEST}


def _parts(body):
    """Return {label: mapping of values} of the parts of a body."""
    parts = {"": {key: body[key] for key in _TEXTS if key in body}}
    parts.update({field: body.get(field) for field in _MAPS})
    parts.update(body.get("devices") or {})
    items = [(field, number, item) for field in _LISTS for number, item in enumerate(body.get(field) or (), 1)]
    return {**parts, **{f"{field} {number}": item for field, number, item in items}}
