"""
Containers and profiles, and single config keys and devices of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lxdapi.dropin import errors, inputs
from lxdapi.instances import plan as instances
from lxdapi.model import listing, objects
from lxdapi.model.kinds import KINDS
from lxdapi.plan import converge, steps

if TYPE_CHECKING:
    from lxdapi.api import API, APIResult

CONTAINER, PROFILE = "instance", "profile"
_LABELS = {CONTAINER: "Container", PROFILE: "Profile"}


def is_container(metadata: dict[str, Any]) -> bool:
    """Return True unless the instance is a virtual machine, which the removed functions did not see."""
    return metadata.get("type", "container") == "container"


def find(api: API, kind_name: str, name: str) -> APIResult | None:
    """Return the result of a container or a profile, None if it does not exist."""
    result = objects.read(api, KINDS[kind_name], name)
    return result if result is not None and (kind_name == PROFILE or is_container(result.metadata)) else None


def require(api: API, kind_name: str, name: str) -> dict[str, Any]:
    """Return a container or a profile; raises Salt's own error if it does not exist."""
    result = find(api, kind_name, name)
    if result is None:
        raise errors.not_found(_LABELS[kind_name], name)
    return result.metadata


def update(api: API, kind_name: str, name: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Update an existing container or profile and return it."""
    if kind_name == CONTAINER:
        steps.apply(instances.plan_update(api, name, settings))
    else:
        steps.apply(converge.plan_update(api, kind_name, name, settings))
    return require(api, kind_name, name)


def get_item(api: API, kind_name: str, name: str, field: str, key: str) -> Any:
    """Return a config key or a device; raises Salt's own error if the object does not have it."""
    items = require(api, kind_name, name)[field] or {}
    if key not in items:
        raise errors.without_key(key)
    return items[key]


def delete_item(api: API, kind_name: str, name: str, field: str, key: str) -> bool:
    """Remove a config key or a device and return True; raises Salt's own error if the object does not have it."""
    get_item(api, kind_name, name, field, key)
    update(api, kind_name, name, {field: {key: None}})
    return True


def set_key(api: API, kind_name: str, name: str, key: str, value: Any) -> dict[str, Any]:
    """Set a config key and return the object."""
    require(api, kind_name, name)
    return update(api, kind_name, name, {"config": {key: value}})


def set_device(api: API, kind_name: str, name: str, device_name: str, device: dict[str, Any]) -> dict[str, Any]:
    """Set a device, as a whole, and return the object."""
    actual = (require(api, kind_name, name)["devices"] or {}).get(device_name)
    return update(api, kind_name, name, {"devices": {device_name: inputs.whole_device(actual, device)}})


def list_containers(api: API) -> dict[str, dict[str, Any]]:
    """Return ``{name: container}`` of all containers."""
    found = listing.list_objects(api, CONTAINER)
    return {name: metadata for name, metadata in found.items() if is_container(metadata)}


def list_states(api: API, name: str | None = None) -> list[dict[str, Any]]:
    """Return ``[{name: state}]`` of a container, or of all containers."""
    names = list(list_containers(api)) if name is None else [name]
    return [{each: _state(api, each)} for each in names]


def _state(api, name):
    require(api, CONTAINER, name)
    return api.get(objects.path_of(KINDS[CONTAINER], name) + "/state").metadata
