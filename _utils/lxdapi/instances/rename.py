"""
Renames instances, which the daemon does only while they are stopped.
"""

from functools import partial

from lxdapi import validation
from lxdapi.errors import InvalidError
from lxdapi.instances import power
from lxdapi.model import objects, writes
from lxdapi.model.kinds import KINDS
from lxdapi.plan.steps import Plan, Step

KIND = KINDS["instance"]


def plan_rename(api, name, new, stop=False, timeout=None, force=False) -> Plan:
    """
    Return the step that renames an instance; a plan without steps if the name stays the same.

    stop
        True: stop a running instance for the change, and restore its status. False: raise for a running instance.
    timeout, force
        For the stop: see :func:`lxdapi.instances.power.plan_status`. ``force`` implies ``stop``.
    """
    objects.path_of(KIND, new)
    stop, force = validation.flag("stop", stop), validation.flag("force", force)
    timeout, result = validation.parse_seconds(timeout), power.wait_until_stable(api, name)
    if name == new:
        return Plan()
    if objects.read(api, KIND, new) is not None:
        raise InvalidError(f"instance {new} already exists")
    status, rename, may_stop = power.status(result), partial(writes.rename, api, KIND, name, new), stop or force
    if status != "Stopped" and not may_stop:
        raise InvalidError(f"it is {status}; set stop: true to stop it for the change and start it again")
    power.require_not_ephemeral(result, "Stopped")
    changes = {"name": {"old": name, "new": new}}
    stopped = partial(power.while_stopped, api, name, rename, timeout, force, new, changes)
    return Plan.of([Step("renamed", changes, stopped if may_stop else rename)])
