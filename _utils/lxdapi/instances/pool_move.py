"""
Moves an instance to another storage pool or project of its daemon.
"""

from functools import partial

from lxdapi import validation
from lxdapi.errors import InvalidError, LxdapiError
from lxdapi.http import operations, retry
from lxdapi.instances import copy, partial_creation, power
from lxdapi.model import objects
from lxdapi.model.instance import root_pool
from lxdapi.model.kinds import KINDS
from lxdapi.plan import steps
from lxdapi.plan.steps import Step

KIND = KINDS["instance"]
SECONDS = 3600


def plan_move(api, name, target_api, pool=None, timeout=None) -> list[Step]:
    """
    Return the step that stops an instance and moves it to another storage pool, project or both.

    target_api
        The API for the new project, of the same daemon.
    pool
        The storage pool of its root disk. Default: unchanged.
    timeout
        Seconds for each move. Default: 3600.

    The pool comes first and the project second: LXD 5.0.2 ignores the project in a request with both, and reports
    success.
    """
    if pool is None and target_api is api:
        raise InvalidError("no destination to move to: declare target, pool or to_project")
    result = power.wait_until_stable(api, name)
    partial_creation.require_created(api, name, result)
    old, new = _old_and_new_place(api, result, target_api, pool)
    changes = {field: {"old": old[field], "new": new[field]} for field in new if old[field] != new[field]}
    if not changes:
        return []
    _require_destination(api, changes)
    power.require_not_ephemeral(result, "Stopped")
    seconds = SECONDS if timeout is None else validation.parse_seconds(timeout)
    return [Step("moved", changes, partial(_move, api, name, target_api, changes, seconds))]


def _old_and_new_place(api, result, target_api, pool):
    old = {"pool": root_pool(result.metadata), "project": api.project or "default"}
    return old, {"pool": old["pool"] if pool is None else pool, "project": target_api.project or "default"}


def _require_destination(api, changes):
    for field in changes:
        extension = f"instance_{field}_move"
        if not api.has(extension):
            raise InvalidError(f"the daemon cannot move it to another {field}: it lacks the API extension {extension}")


def _move(api, name, target_api, changes, seconds):
    metadata = copy.read_source(api, name)
    fields = copy.fields_for_copy(metadata, changes.get("pool", {}).get("new"))
    copy.require_prerequisites(target_api, fields)
    original_status = power.stop_for(api, name)
    moved, current_api = {}, api
    try:
        if "pool" in changes:
            _send(api, name, {"pool": changes["pool"]["new"]}, seconds, lambda: _is_in_pool(api, name, changes))
            moved["pool"] = changes["pool"]
        if "project" in changes:
            project = {"project": changes["project"]["new"]}
            _send(api, name, project, seconds, lambda: _is_in_project(api, name, target_api))
            moved["project"], current_api = changes["project"], target_api
        copy.repair(current_api, name, fields)
    except LxdapiError as exc:
        exc.changes = {**moved, **_start_again(current_api, name, original_status)}
        raise
    steps.apply(power.plan_transition(current_api, name, "Stopped", original_status))
    return changes


def _send(api, name, destination, seconds, verify):
    path, body = objects.path_of(KIND, name), {"name": name, "migration": True, "live": False, **destination}
    retry.write_verified(api, lambda: api.post(path, json=body).wait(seconds), verify)


def _is_in_pool(api, name, changes):
    operations.wait_until_idle(api, objects.path_of(KIND, name))
    return True if root_pool(api.get(objects.path_of(KIND, name)).metadata) == changes["pool"]["new"] else None


def _is_in_project(api, name, target_api):
    result = partial_creation.wait_until_created(target_api, name)
    return True if result is not None and objects.read(api, KIND, name) is None else None


def _start_again(api, name, original_status):
    """Start the instance again after a failed move and return the changes that remain."""
    try:
        steps.apply(power.plan_transition(api, name, "Stopped", original_status))
    except LxdapiError:
        return {"status": {"old": original_status, "new": "Stopped"}}
    return {}
