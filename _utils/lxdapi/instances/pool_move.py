"""
An instance in another storage pool or another project of its daemon.
"""

from functools import partial

from lxdapi import validation
from lxdapi.errors import InvalidError, LxdapiError
from lxdapi.http import operations, retry
from lxdapi.instances import copy, partial_creation, power
from lxdapi.model import objects
from lxdapi.model.kinds import KINDS
from lxdapi.plan import steps
from lxdapi.plan.steps import Step

KIND = KINDS["instance"]
SECONDS = 3600


def plan_move(api, name, there, pool=None, timeout=None):
    """
    Return the step that moves an instance, which is stopped for that, to a storage pool, a project or both.

    there
        The API of the project that it is to be in; of the same daemon.
    pool
        The storage pool of its root disk; None: where it is.
    timeout
        Seconds for each move; 3600.

    The pool first and the project then: where both are in one request LXD 5.0.2 leaves the project as it is, and says
    that all went well.
    """
    if pool is None and there is api:
        raise InvalidError("nowhere to move to: target, pool or to_project is needed")
    now = power.wait_until_stable(api, name)
    partial_creation.require_created(api, name, now)
    before, after = _places(api, now, there, pool)
    changes = {word: {"old": before[word], "new": after[word]} for word in after if before[word] != after[word]}
    if not changes:
        return []
    _require_destination(api, changes)
    power.require_not_ephemeral(now, "Stopped")
    seconds = SECONDS if timeout is None else validation.parse_seconds(timeout)
    return [Step("moved", changes, partial(_move, api, name, there, changes, seconds))]


def _pool_of(found):
    """Return the storage pool of the root disk."""
    devices = found.get("expanded_devices") or found["devices"]
    return next((each.get("pool") for each in devices.values() if each.get("path") == "/"), None)


def _places(api, now, there, pool):
    here = {"pool": _pool_of(now.metadata), "project": api.project or "default"}
    return here, {"pool": here["pool"] if pool is None else pool, "project": there.project or "default"}


def _require_destination(api, changes):
    for word in changes:
        extension = f"instance_{word}_move"
        if not api.has(extension):
            raise InvalidError(f"{word}: the daemon lacks the API extension {extension}")


def _move(api, name, there, changes, seconds):
    found = copy.read_source(api, name)
    wanted = copy.copied_fields(found, changes.get("pool", {}).get("new"))
    copy.require_prerequisites(there, wanted)
    here = power.stop_for(api, name)
    done, place = {}, api
    try:
        if "pool" in changes:
            _send(api, name, {"pool": changes["pool"]["new"]}, seconds, lambda: _is_in_pool(api, name, changes))
            done["pool"] = changes["pool"]
        if "project" in changes:
            project = {"project": changes["project"]["new"]}
            _send(api, name, project, seconds, lambda: _is_in_project(api, name, there))
            done["project"], place = changes["project"], there
        copy.repair(place, name, wanted)
    except LxdapiError as exc:
        exc.changes = {**done, **_start_again(place, name, here)}
        raise
    steps.apply(power.plan_transition(place, name, "Stopped", here))
    return changes


def _send(api, name, where, seconds, look):
    path, body = objects.path_of(KIND, name), {"name": name, "migration": True, "live": False, **where}
    retry.write_verified(api, lambda: api.post(path, json=body).wait(seconds), look)


def _is_in_pool(api, name, changes):
    operations.wait_until_idle(api, objects.path_of(KIND, name))
    return True if _pool_of(api.get(objects.path_of(KIND, name)).metadata) == changes["pool"]["new"] else None


def _is_in_project(api, name, there):
    found = partial_creation.wait_until_created(there, name)
    return True if found is not None and objects.read(api, KIND, name) is None else None


def _start_again(api, name, here):
    """Start what was stopped for a move that failed; returns what is changed all the same."""
    try:
        steps.apply(power.plan_transition(api, name, "Stopped", here))
    except LxdapiError:
        return {"status": {"old": here, "new": "Stopped"}}
    return {}
