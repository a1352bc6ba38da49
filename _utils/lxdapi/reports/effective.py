"""
Which config and devices are in effect for an instance, and where each value comes from.
"""

from lxdapi import masking
from lxdapi.errors import InvalidError
from lxdapi.model import objects
from lxdapi.model.kinds import KINDS

# Config keys that the daemon keeps for itself, and ours.
HIDDEN = ("volatile.", "image.", "user.lxdapi.")


def read(api, name):
    """
    Return each config key and device that is in effect for an instance, and where it comes from.

    ``{"config": {key: {"value": x, "origin": "profile web"}}, "devices": {...}}``; the origin is
    ``instance`` or the last of its profiles that has it, as the daemon applies them in order.
    """
    objects.require_project(api)
    found = objects.read(api, KINDS["instance"], name)
    if found is None:
        raise InvalidError(f"there is no instance {name}")
    profiles = {each["name"]: each for each in api.get("profiles", params={"recursion": 1}).metadata}
    layers = [(f"profile {each}", profiles[each]) for each in found.metadata["profiles"] or ()]
    layers.append(("instance", found.metadata))
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
