"""
A device of an instance's profiles with some keys otherwise: it becomes a device of the instance itself.
"""

from collections.abc import Mapping

import lxdapi_converge as converge
import lxdapi_diff as diff
from lxdapi_errors import InvalidError
from lxdapi_kinds import KINDS

INSTANCE, PROFILE = KINDS["instance"], KINDS["profile"]
_DEFAULT = ("default",)


def merged(api, name, devices, profiles, given, origin=None):
    """
    Return the declared devices with those in them that override one of a profile.

    name
        The instance; read where ``profiles`` or ``devices`` do not say enough.
    devices, profiles
        As declared, or None.
    given
        ``{device: {key: value}}``: of a device as the last profile that has it gives it; None removes a key. None: the
        devices are returned as they are.
    origin
        The instance of this name if that one does not exist: one that is renamed or copied.

    A profile that does not exist is left to whoever makes or changes the instance to complain of: the device has the
    overriding keys only then. Raises :class:`InvalidError` for a device that no profile has, and for one that is
    declared in ``devices`` as well.
    """
    if given is None:
        return devices
    overrides = _checked(given, devices)
    current = _current(api, name, origin) if profiles is None or devices == {} else {}
    found, missing = _inherited(api, current.get("profiles", _DEFAULT) if profiles is None else profiles)
    unknown = [] if missing else [device for device in overrides if device not in found]
    if unknown:
        words = f"{', '.join(unknown)} is in no profile of the instance; there are: {', '.join(sorted(found)) or 'none'}"
        raise InvalidError(f"devices_override: {words}")
    own = {device: {**found.get(device, {}), **keys} for device, keys in overrides.items()}
    # an empty mapping has declared that there is no other
    others = dict.fromkeys(current.get("devices", ())) if devices == {} else devices or {}
    return {**others, **own}


def _checked(given, devices):
    """Return ``{device: {key: value}}``; raises for what is none, and for what ``devices`` has, too."""
    if not isinstance(given, Mapping):
        raise InvalidError(f"devices_override: a mapping of names to keys is needed, not {type(given).__name__}")
    wrong = [str(device) for device, keys in given.items() if keys is None]
    if wrong:
        raise InvalidError(f"devices_override: {', '.join(wrong)} has no keys; devices masks one with type: none")
    checked = diff.normal(INSTANCE, {"devices": dict(given)})["devices"]
    twice = [device for device in checked if isinstance(devices, Mapping) and device in devices]
    if twice:
        raise InvalidError(f"devices_override: {', '.join(twice)} is declared in devices as well")
    return checked


def _current(api, name, origin):
    for each in filter(None, (name, origin)):
        found = converge.read(api, INSTANCE, each)
        if found is not None:
            return found.metadata
    return {}


def _inherited(api, profiles):
    """Return (the devices of the profiles, later ones over earlier ones; whether a profile does not exist)."""
    found, missing = {}, False
    for profile in diff.normal(INSTANCE, {"profiles": profiles})["profiles"]:
        result = converge.read(api, PROFILE, profile)
        missing = missing or result is None
        found.update(result.metadata["devices"] if result else {})
    return found, missing
