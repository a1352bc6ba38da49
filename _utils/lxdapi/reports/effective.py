"""
The effective config and devices of an instance, and the origin of each value.
"""

from lxdapi import masking
from lxdapi.errors import InvalidError
from lxdapi.model import objects
from lxdapi.model.kinds import KINDS

# Config keys of the daemon and of lxdapi.
HIDDEN = ("volatile.", "image.", "user.lxdapi.")


def read(api, name):
    """
    Return each effective config key and device of an instance, with its origin.

    ``{"config": {key: {"value": x, "origin": "profile web"}}, "devices": {...}}``; the origin is
    ``instance`` or the last of its profiles that has it, as the daemon applies them in order.
    """
    objects.require_project(api)
    result = objects.read(api, KINDS["instance"], name)
    if result is None:
        raise InvalidError(f"instance {name} does not exist")
    profiles = {profile["name"]: profile for profile in api.get("profiles", params={"recursion": 1}).metadata}
    layers = [(f"profile {profile}", profiles[profile]) for profile in result.metadata["profiles"] or ()]
    layers.append(("instance", result.metadata))
    return {field: _merge_layers(field, layers) for field in ("config", "devices")}


def _merge_layers(field, layers):
    values = {}
    for origin, layer in layers:
        for key, value in (layer.get(field) or {}).items():
            if field == "devices" or not key.startswith(HIDDEN):
                values[key] = {"value": _mask(key, value), "origin": origin}
    return dict(sorted(values.items()))


def _mask(key, value):
    if isinstance(value, dict):
        return {inner: masking.mask_value(inner, text, key) for inner, text in value.items()}
    return masking.mask_value(key, value)
