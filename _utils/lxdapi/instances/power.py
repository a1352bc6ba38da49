"""
The power state of instances and the actions that change it.

Somebody else can start, stop or freeze the instance between the read and the action. So lxdapi reads it again after an
action that the daemon refuses. If its state has changed, lxdapi continues from there, and reports only its own changes.

The state comes from ``instances/NAME``: ``instances/NAME/state`` answers 500 around every stop on Incus 6.0.4.
"""

import logging
import math
import time
from typing import Any

from lxdapi import validation
from lxdapi.errors import (
    APIException,
    APINotFoundException,
    APIOperationException,
    APITimeoutException,
    InvalidError,
    LxdapiError,
)
from lxdapi.http import operations, retry
from lxdapi.instances import partial_creation
from lxdapi.model import objects
from lxdapi.model.kinds import KINDS
from lxdapi.plan import steps as plans
from lxdapi.plan.steps import Step

log = logging.getLogger(__name__)

KIND = KINDS["instance"]
STOP_SECONDS = 30
START_SECONDS = 120
_STABLE_PAUSE = 0.2
_SETTLE_SECONDS = 5
# How often somebody else may change the state meanwhile before lxdapi gives up.
_TRIES = 5
# "Ready" is a running instance whose agent is up.
_SAME_STATUS = {"Ready": "Running"}
# In the daemon's error for an instance that already has the state: "The instance is already stopped".
_ALREADY = "already"
_STABLE = ("Running", "Stopped", "Frozen", "Error")
# action: (the status after it, the verb of its step)
_ACTIONS = {
    "start": ("Running", "started"),
    "unfreeze": ("Running", "unfrozen"),
    "stop": ("Stopped", "stopped"),
    "freeze": ("Frozen", "frozen"),
}
# (from, to): the actions between them.
_WAYS = {
    ("Stopped", "Running"): ("start",),
    ("Error", "Running"): ("start",),
    ("Frozen", "Running"): ("unfreeze",),
    ("Running", "Stopped"): ("stop",),
    ("Error", "Stopped"): ("stop",),
    # a graceful stop of a frozen instance times out on Incus 6.0.4
    ("Frozen", "Stopped"): ("unfreeze", "stop"),
    ("Running", "Frozen"): ("freeze",),
    ("Stopped", "Frozen"): ("start", "freeze"),
    ("Error", "Frozen"): ("start", "freeze"),
}


def status(result):
    """Return the status of the instance in a GET's result; ``Ready`` counts as ``Running``."""
    reported = result.metadata["status"]
    return _SAME_STATUS.get(reported, reported)


def is_stable(result):
    """Return True if the status is not a transitional one (Starting, Stopping, ...)."""
    return status(result) in _STABLE


def require_not_ephemeral(result, goal):
    """Raise if a stop would delete the instance: the daemon deletes an ephemeral instance when it stops."""
    if goal == "Stopped" and status(result) != "Stopped" and result.metadata["ephemeral"]:
        raise InvalidError("it is ephemeral, so a stop would delete it: declare it absent to delete it")


def wait_until_stable(api, name, result=None, timeout=STOP_SECONDS):
    """Return the instance once its status is not a transitional one (Starting, Stopping, ...)."""
    deadline = time.monotonic() + timeout
    while True:
        result = result or api.get(objects.path_of(KIND, name))
        if is_stable(result):
            return result
        if time.monotonic() >= deadline:
            raise APITimeoutException(
                result, f"still {status(result)} after {timeout} s: raise timeout, or wait and repeat it"
            )
        time.sleep(_STABLE_PAUSE)
        result = None


def wait_for_autostart(api, name, result, goal):
    """
    Return the instance once the daemon has finished its autostarts.

    For about half a second after its own start a daemon answers requests while such an instance is still Stopped. Only
    its unix socket reports the end of that time (LXD 5.0.2, Incus 6.0.4, Incus 7.0.2).
    """
    if goal not in ("Running", "Frozen") or status(result) != "Stopped" or not api.local or not _has_autostart(result):
        return result
    try:
        api.get("/internal/ready")
    except APIException:
        return result
    return wait_until_stable(api, name)


def _has_autostart(result):
    config = result.metadata.get("expanded_config") or result.metadata["config"]
    autostart = config.get("boot.autostart")
    last_power_state = result.metadata["config"].get("volatile.last_state.power")
    return str(autostart).lower() in validation.TRUE or (autostart is None and last_power_state == "RUNNING")


def plan_status(api, name, goal, timeout=None, force=False) -> list[Step]:
    """
    Return the steps that bring an existing instance to a power state.

    goal
        ``Running``, ``Stopped`` or ``Frozen``.
    timeout
        Seconds for each action. Default: 30 for a stop, 120 for a start.
    force
        True: stop the instance by force if it does not stop in time.
    """
    timeout, force = validation.parse_seconds(timeout), validation.flag("force", force)
    result = partial_creation.wait_until_created(api, name)
    if result is None:
        return [_plan_once_created(api, name, goal, timeout, force)]
    partial_creation.require_created(api, name, result, proven=False)
    result = wait_for_autostart(api, name, wait_until_stable(api, name, result), goal)
    require_not_ephemeral(result, goal)
    return plan_transition(api, name, status(result), goal, timeout, force)


def plan_unfreeze(api, name, timeout=None) -> list[Step]:
    """Return the step that unfreezes a frozen instance; [] for any other."""
    timeout = validation.parse_seconds(timeout)
    if status(wait_until_stable(api, name, objects.read(api, KIND, name))) != "Frozen":
        return []
    return [_plan_action(api, name, "Frozen", "unfreeze", None, timeout, False)]


def plan_restart(api, name, timeout=None, force=False) -> list[Step]:
    """
    Return the steps of a restart: a frozen instance is stopped and started, a stopped one is started.

    timeout, force
        For the stop, see :func:`plan_status`.
    """
    timeout, force = validation.parse_seconds(timeout), validation.flag("force", force)
    actual = status(wait_until_stable(api, name, objects.read(api, KIND, name)))
    if actual != "Running":
        stop = [] if actual == "Stopped" else plan_status(api, name, "Stopped", timeout, force)
        return stop + plan_transition(api, name, "Stopped", "Running")
    return [plan_restart_running(api, name, timeout, force)]


def plan_restart_running(api, name, timeout=None, force=False) -> Step:
    """Return the step that restarts a running instance."""
    change = {"restarted": name, "forced": True} if force and timeout == 0 else {"restarted": name}
    return Step("restarted", change, lambda: restart(api, name, timeout, force))


def restart(api, name, timeout=None, force=False):
    """
    Restart a running instance and return the changes.

    If somebody else stopped or froze it meanwhile, or if the restart stopped but did not start it, it is started.
    """
    try:
        forced = act_on(api, name, "restart", timeout, force)
    except APIException as exc:
        if not retry.is_refusal(exc):
            raise
        actual = status(wait_until_stable(api, name))
        if actual == "Running":
            raise
        return _start_again(api, name, actual, exc, timeout, force)
    return {"restarted": name, "forced": True} if forced else {"restarted": name}


def _start_again(api, name, actual, error, timeout, force):
    """Bring an instance whose restart was refused to Running and return the changes of both."""
    stopped_by_restart = actual == "Stopped" and _ALREADY not in error.error
    steps = [] if actual == "Stopped" else plan_transition(api, name, actual, "Stopped", timeout, force)
    try:
        changes = plans.apply(steps + plan_transition(api, name, "Stopped", "Running"))
    except LxdapiError as exc:
        if stopped_by_restart:
            exc.changes = {"status": {"old": "Running", "new": actual}}
        raise
    return {"restarted": name} if stopped_by_restart else changes


def _plan_once_created(api, name, goal, timeout, force) -> Step:
    """Return the step for an instance that does not exist yet: in test mode an earlier state would create it."""

    def apply():
        result = wait_until_stable(api, name)
        return plans.apply(plan_transition(api, name, status(result), goal, timeout, force))

    change = {"status": {"old": None, "new": goal}}
    verb = next(done_verb for leads_to, done_verb in _ACTIONS.values() if leads_to == goal)
    return Step(verb, change, apply, "it does not exist yet")


def plan_transition(api, name, actual, goal, timeout=None, force=False, tries=_TRIES) -> list[Step]:
    """
    Return the steps from one status to another; [] if they are equal.

    tries
        How often somebody else may change the status meanwhile.
    """
    if actual == goal:
        return []
    actions = _WAYS.get((actual, goal))
    if actions is None:
        raise InvalidError(f"cannot change the status from {actual} to {goal}; choose Running, Stopped or Frozen")
    if force and actual == "Frozen" and goal == "Stopped":
        actions = ("stop",)
    steps = []
    for action in actions:
        steps.append(_plan_action(api, name, actual, action, goal, timeout, force, tries))
        actual, _ = _ACTIONS[action]
    return steps


def _plan_action(api, name, actual, action, goal, timeout, force, tries=_TRIES) -> Step:
    """Return the step of one action towards ``goal``; with goal None it gives way to a change by somebody else."""
    reached, verb = _ACTIONS[action]
    change: dict[str, Any] = {"status": {"old": actual, "new": reached}}
    if action == "stop" and force and timeout == 0:
        change["forced"] = True

    def apply():
        try:
            forced = act_on(api, name, action, timeout, force)
        except APIException as exc:
            overtaken_by = _status_if_overtaken(api, name, actual, action, exc)
            if overtaken_by is None:
                return change
            if tries == 0:
                raise
            steps = plan_transition(api, name, overtaken_by, goal or overtaken_by, timeout, force, tries - 1)
            return plans.apply(steps)
        return {**change, "forced": True} if forced else change

    return Step(verb, change, apply)


def _status_if_overtaken(api, name, expected, action, error):
    """
    Return the status to which somebody else brought an instance before an action, None if the action was done; raises
    the error of the action otherwise.

    A status that is the goal of the action proves nothing: after a failed start an instance can be shown as Running for
    a moment. If somebody else was faster, all daemons report that it "is already running", stopped or frozen.
    """
    if not retry.is_refusal(error):
        raise error
    try:
        actual = status(wait_until_stable(api, name))
    except APINotFoundException:
        if action == "stop" and isinstance(error, APIOperationException):  # it was ephemeral
            return None
        raise error from None
    reached, _ = _ACTIONS[action]
    if _ALREADY not in error.error and actual in (expected, reached):
        raise error
    return actual


def act_on(api, name, action, timeout=None, force=False):
    """
    Run an action on an instance and wait for it; return True if a stop had to be forced.

    action
        ``start``, ``stop``, ``restart``, ``freeze``, ``unfreeze``.
    """
    seconds = timeout if timeout is not None else STOP_SECONDS
    graceful = action in ("stop", "restart")
    if not graceful:
        put_state(api, name, {"action": action}, START_SECONDS if timeout is None else timeout)
        return False
    if seconds > 0 or not force:
        try:
            # the daemons accept only whole seconds
            put_state(api, name, {"action": action, "timeout": math.ceil(seconds)}, seconds + STOP_SECONDS)
            return False
        except APIOperationException:
            if not force:
                raise
    put_state(api, name, {"action": action, "force": True}, STOP_SECONDS)
    return True


def put_state(api, name, body, wait):
    """
    Send an action and wait until it is done; the error of a failed start has the end of the instance's log.

    If the reply is lost, the status shows the outcome. It cannot show that of a restart, which is not sent twice.
    """

    def put():
        api.put(objects.path_of(KIND, name) + "/state", json=body).wait(wait)

    goal, _ = _ACTIONS.get(body["action"], (None, None))
    try:
        retry.write_verified(api, put, lambda: _verify_status(api, name, body["action"], goal))
    except APIOperationException as exc:
        if body["action"] == "start":
            wait_after_failed_start(api, name)
            add_reason_of_failed_start(api, name, exc)
        raise


def add_reason_of_failed_start(api, name, error):
    """See :func:`lxdapi.instances.start_log.add_reason`."""
    # imported here, because few starts fail
    from lxdapi.instances import start_log

    start_log.add_reason(api, name, error)


def wait_after_failed_start(api, name):
    """
    Wait until the daemon has cleared up after a failed start.

    The daemon shows the instance as Stopped at first. Then, for 0.6 s and longer on a busy machine, it shows it as
    Running and answers a request for its state with "Invalid PID" (Incus 6.0.4, Incus 7.0.2). So two looks in a row
    must agree. If the instance runs because somebody else started it, the wait ends after ``_SETTLE_SECONDS``.
    """
    deadline, calm = time.monotonic() + _SETTLE_SECONDS, 0
    while calm < 2 and time.monotonic() < deadline:
        time.sleep(_STABLE_PAUSE)
        calm = calm + 1 if _is_down(api, name) else 0


def _is_down(api, name):
    """Return whether an instance does not run, or its state cannot be read for another reason than a stop."""
    try:
        return api.get(objects.path_of(KIND, name) + "/state").metadata["status"] != "Running"
    except APIException as exc:
        return not retry.is_busy(exc)


def _verify_status(api, name, action, goal):
    """Return True if an action whose reply was lost reached its goal; raises if that is unknown."""
    if goal is None:
        raise InvalidError(f"the reply to {action} was lost, so the outcome is unknown: check {name}")
    operations.wait_until_idle(api, objects.path_of(KIND, name))
    try:
        return True if status(wait_until_stable(api, name)) == goal else None
    except APINotFoundException:
        return True if action == "stop" else None


def stop_for(api, name, timeout=None, force=False):
    """
    Stop an instance for a change and return the status to restore afterwards.

    That is ``Stopped`` if somebody else stopped it: then it is not started afterwards.
    """
    result = wait_until_stable(api, name)
    require_not_ephemeral(result, "Stopped")
    changes = plans.apply(plan_transition(api, name, status(result), "Stopped", timeout, force))
    return changes["status"]["old"] if changes else "Stopped"


def while_stopped(api, name, act, timeout=None, force=False, renamed=None, changes=None):
    """
    Stop an instance, call ``act``, restore the status even after a failure, and return the result of ``act``.

    timeout, force
        For the stop, see :func:`plan_status`.
    renamed
        Its name after ``act``, if that changes it.
    changes
        The changes of ``act``: if the status cannot be restored, the error has these and the status.
    """
    original_status = stop_for(api, name, timeout, force)
    stopped_change = {"status": {"old": original_status, "new": "Stopped"}}
    try:
        outcome = act()
    except LxdapiError as exc:
        try:
            plans.apply(plan_transition(api, name, "Stopped", original_status))
        except LxdapiError as other:
            log.warning("lxdapi: could not bring instance %s back to %s: %s", name, original_status, other.explain())
            exc.changes = {**getattr(exc, "changes", {}), **stopped_change}
        raise
    try:
        plans.apply(plan_transition(api, renamed or name, "Stopped", original_status))
    except LxdapiError as exc:
        error = LxdapiError(
            f"the change was made, but the instance could not be brought back to {original_status}: {exc.explain()}"
        )
        error.changes = {**(changes or {}), **stopped_change}
        raise error from exc
    return outcome
