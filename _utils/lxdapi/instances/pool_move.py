"""
An instance in another storage pool or another project of its daemon.
"""

from functools import partial

from lxdapi import validation as names
from lxdapi.errors import InvalidError, LxdapiError
from lxdapi.http import operations, retry
from lxdapi.instances import copy as copies
from lxdapi.instances import partial_creation
from lxdapi.instances import power as statuses
from lxdapi.model import objects
from lxdapi.model.kinds import KINDS
from lxdapi.plan import steps as plans
from lxdapi.plan.steps import Step

KIND = KINDS["instance"]
SECONDS = 3600


def moved(api, name, there, pool=None, timeout=None):
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
    now = statuses.settled(api, name)
    partial_creation.require_created(api, name, now)
    before, after = _places(api, now, there, pool)
    changes = {word: {"old": before[word], "new": after[word]} for word in after if before[word] != after[word]}
    if not changes:
        return []
    _refuse_lacking(api, changes)
    statuses.refuse_vanishing(now, "Stopped")
    seconds = SECONDS if timeout is None else names.seconds(timeout)
    return [Step("moved", changes, partial(_move, api, name, there, changes, seconds))]


def _pool_of(found):
    """Return the storage pool of the root disk."""
    devices = found.get("expanded_devices") or found["devices"]
    return next((each.get("pool") for each in devices.values() if each.get("path") == "/"), None)


def _places(api, now, there, pool):
    here = {"pool": _pool_of(now.metadata), "project": api.project or "default"}
    return here, {"pool": here["pool"] if pool is None else pool, "project": there.project or "default"}


def _refuse_lacking(api, changes):
    for word in changes:
        extension = f"instance_{word}_move"
        if not api.has(extension):
            raise InvalidError(f"{word}: the daemon lacks the API extension {extension}")


def _move(api, name, there, changes, seconds):
    found = copies.origin(api, name)
    wanted = copies.fields(found, changes.get("pool", {}).get("new"))
    copies.refuse_lacking(there, wanted)
    here = statuses.stop_for(api, name)
    done, place = {}, api
    try:
        if "pool" in changes:
            _sent(api, name, {"pool": changes["pool"]["new"]}, seconds, lambda: _is_in_pool(api, name, changes))
            done["pool"] = changes["pool"]
        if "project" in changes:
            project = {"project": changes["project"]["new"]}
            _sent(api, name, project, seconds, lambda: _is_in_project(api, name, there))
            done["project"], place = changes["project"], there
        copies.mended(place, name, wanted)
    except LxdapiError as exc:
        exc.changes = {**done, **_started(place, name, here)}
        raise
    plans.apply(statuses.steps_to(place, name, "Stopped", here))
    return changes


def _sent(api, name, where, seconds, look):
    path, body = objects.path_of(KIND, name), {"name": name, "migration": True, "live": False, **where}
    retry.settle(api, lambda: api.post(path, json=body).wait(seconds), look)


def _is_in_pool(api, name, changes):
    operations.left_alone(api, objects.path_of(KIND, name))
    return True if _pool_of(api.get(objects.path_of(KIND, name)).metadata) == changes["pool"]["new"] else None


def _is_in_project(api, name, there):
    found = partial_creation.wait_until_created(there, name)
    return True if found is not None and objects.read(api, KIND, name) is None else None


def _started(api, name, here):
    """Start what was stopped for a move that failed; returns what is changed all the same."""
    try:
        plans.apply(statuses.steps_to(api, name, "Stopped", here))
    except LxdapiError:
        return {"status": {"old": here, "new": "Stopped"}}
    return {}
