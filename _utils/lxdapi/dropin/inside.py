"""
Commands in containers, and snapshots of containers.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from lxdapi.dropin import errors, objects
from lxdapi.instances import exec as execs
from lxdapi.model import listing
from lxdapi.plan import converge, steps

if TYPE_CHECKING:
    from lxdapi.api import API

_KIND = "instance_snapshot"


def execute(api: API, name: str, command: Any) -> dict[str, Any]:
    """Run a command in a container and return its exit code, its output as text, and whether it succeeded."""
    outcome = execs.run(api, name, execs.make_command(command))
    output = {key: getattr(outcome, key).decode("utf-8", "replace") for key in ("stdout", "stderr")}
    return {"exit_code": outcome.retcode, **output, "result": outcome.retcode == 0}


def list_snapshots(api: API, name: str | None) -> dict[str, list[dict[str, str]]]:
    """Return ``{container: [{"name": snapshot}]}`` of a container, or of all containers."""
    names = list(objects.list_containers(api)) if name is None else [name]
    return {each: [{"name": snapshot} for snapshot in _names(api, each)] for each in names}


def _names(api, name):
    objects.require(api, objects.CONTAINER, name)
    return [each.rpartition("/")[2] for each in listing.list_objects(api, _KIND, name)]


def create_snapshot(api: API, container: str, name: str | None) -> dict[str, str]:
    """Create a snapshot and return its name, by default the current time."""
    objects.require(api, objects.CONTAINER, container)
    name = str(name or datetime.now().strftime("%Y%m%d%H%M%S"))
    steps.apply(converge.plan_create_new(api, _KIND, f"{container}/{name}", {}))
    return {"name": name}


def delete_snapshot(api: API, container: str, name: str) -> bool:
    """Delete a snapshot and return whether it existed."""
    objects.require(api, objects.CONTAINER, container)
    return bool(steps.apply(converge.plan_absent(api, _KIND, f"{container}/{name}")))


def get_snapshot(api: API, container: str, name: str) -> dict[str, Any]:
    """Return a snapshot; raises Salt's own error if it does not exist."""
    objects.require(api, objects.CONTAINER, container)
    found = listing.find(api, _KIND, f"{container}/{name}")
    if found is None:
        raise errors.not_found("Snapshot", f"{container}/{name}")
    return found
