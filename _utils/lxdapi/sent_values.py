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
_MOST = 5


def describe(request, error):
    """
    Return the values that an error is about as a clause, "" without such values.

    These have either their key or their value in the error. An "invalid" without any key or value is about one of the
    values that are booleans or numbers.
    """
    if "unknown" in error.lower():  # about a key
        return ""
    values = _values(getattr(request, "body", None))
    named = {label: value for (label, key), value in values.items() if _has(error, key) != (f'"{value}"' in error)}
    if not named and "invalid" in error.lower() and not any(_has(error, key) for _, key in values):
        named = {label: value for (label, _), value in values.items() if _CONVERTED.fullmatch(value)}
    parts = [f"{label} {value!r}" for label, value in named.items()]
    return f"; sent: {', '.join(parts)}" if 0 < len(parts) <= _MOST else ""


def _has(error, key):
    """Return True if the error names a key: in quotes, or one with dots as a word."""
    return f'"{key}"' in error or ("." in key and bool(re.search(rf"(?<![\w.-]){re.escape(key)}(?![\w-]|\.\w)", error)))


def _values(body):
    """Return {(label, key): value} of config and devices in a body, secrets masked."""
    try:
        decoded = json.loads(body)
        maps = {"config": decoded.get("config"), **(decoded.get("devices") or {})}
    except (AttributeError, TypeError, ValueError):  # no body, or not that of an object
        return {}
    masked = {
        (f"{name} {key}", key): str(masking.mask_value(key, value, name))
        for name, values in maps.items()
        for key, value in (values or {}).items()
        if value and not key.startswith(("volatile.", "image."))
    }
    return {label: value for label, value in masked.items() if len(value) <= _LONGEST}
