"""
Overrides keys of a profile's device by a local device of the instance.
"""

from lxdapi import validation
from lxdapi.errors import APINotFoundException, InvalidError
from lxdapi.instances import sources
from lxdapi.model import device_rules, diff, objects
from lxdapi.model.kinds import KINDS

INSTANCE, PROFILE = KINDS["instance"], KINDS["profile"]
_DEFAULT = ("default",)


def merge(api, name, declared, overriding, source=sources.UNDECLARED, renamed_from=None):
    """
    Return the declared devices of an instance with the overridden devices of its profiles.

    declared
        The declared fields in canonical form. Undeclared ``profiles`` and ``devices`` are those of the instance.
    overriding
        ``{device: {key: value}}``: each device is that of the last profile that has it, with these keys; None removes
        a key. Default: the devices are returned unchanged.
    source, renamed_from
        The origin of the profiles of an instance that does not exist yet.

    A missing profile is not an error here, because creating or updating the instance reports it; the device then has
    only the overriding keys. Raises :class:`InvalidError` for a device that no profile has, or that is also in
    ``devices``.
    """
    if overriding is None:
        return declared.get("devices")
    overrides = _parse(declared, overriding)
    devices, profiles = declared.get("devices"), declared.get("profiles")
    if not overrides:
        return devices
    base = _read_base(api, name, source, renamed_from) if profiles is None or devices == {} else {}
    if profiles is None:
        profiles = base.get("profiles", _DEFAULT)
    # an empty mapping declares that no other device exists
    others = dict.fromkeys(base.get("devices") or ()) if devices == {} else devices or {}
    return {**others, **_override(overrides, *_profile_devices(api, profiles))}


def check_devices(api, declared, result, source=sources.UNDECLARED):
    """
    Return a note about devices that are declared absent and come from a profile, "" without such devices.

    result
        The instance, or None. The devices of a copy or backup are unknown here.

    Raises :class:`InvalidError` for a device without a type that the instance does not have yet.
    """
    if result is None and source["type"] in ("copy", "backup"):
        return ""
    metadata = result.metadata if result else {}
    absent = [name for name, device in (declared.get("devices") or {}).items() if device is None]
    untyped = device_rules.untyped_devices(declared, metadata)
    if not absent and not untyped:
        return ""
    origins, all_exist = _origins(api, declared.get("profiles", metadata.get("profiles", _DEFAULT)))
    if untyped and all_exist:
        raise InvalidError(_missing_type(untyped[0], origins.get(untyped[0])))
    inherited = [f"{name} of profile {origins[name]}" for name in absent if name in origins]
    return f"{', '.join(inherited)} stays: type: none disables a device of a profile" if inherited else ""


def _missing_type(name, profile):
    if profile is None:
        return device_rules.missing_type(name)
    return f"devices {name}: it is a device of profile {profile}: declare the keys that differ in devices_override"


def _origins(api, profiles):
    """Return {device: the last profile that has it}, and whether all profiles exist."""
    results = {profile: objects.read(api, PROFILE, profile) for profile in profiles or ()}
    origins = {device: profile for profile, each in results.items() if each for device in each.metadata["devices"]}
    return origins, all(results.values())


def _parse(declared, overriding):
    """Return the overriding keys by device."""
    overriding = validation.mapping("devices_override", overriding, "a mapping of names to keys")
    masked = [str(device) for device, keys in overriding.items() if keys is None]
    if masked:
        raise InvalidError(
            f"devices_override: no keys for {', '.join(masked)}; to remove a device, declare type: none in devices"
        )
    overrides = diff.normalize(INSTANCE, {"devices": overriding})["devices"]
    twice = [device for device in overrides if device in declared.get("devices", ())]
    if twice:
        raise InvalidError(f"devices_override: {', '.join(twice)} is also declared in devices; declare it once")
    return overrides


def _read_base(api, name, source, renamed_from):
    """Return the metadata of the instance or of its source; ``profiles``: None if neither exists yet."""
    for each in filter(None, (name, renamed_from)):
        result = objects.read(api, INSTANCE, each)
        if result is not None:
            return result.metadata
    if source["type"] != "copy":
        return {}
    try:
        return sources.inherited_fields(api, source)
    except APINotFoundException:
        return {"profiles": None}


def _profile_devices(api, profiles):
    """Return the devices of the profiles, later ones over earlier ones, and whether all profiles exist."""
    devices, all_exist = {}, profiles is not None
    for profile in profiles or ():
        result = objects.read(api, PROFILE, profile)
        all_exist = all_exist and result is not None
        devices.update(result.metadata["devices"] if result else {})
    return devices, all_exist


def _override(overrides, devices, all_exist):
    unknown = [device for device in overrides if device not in devices]
    if unknown and all_exist:
        names = ", ".join(sorted(devices)) or "none"
        raise InvalidError(f"devices_override: no profile has a device {', '.join(unknown)}; choose from: {names}")
    return {device: {**devices.get(device, {}), **keys} for device, keys in overrides.items()}
