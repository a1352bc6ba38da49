"""
What is done to an instance that stands still: it is stopped for that and brought back to where it was.
"""

import logging

import lxdapi_converge as converge
import lxdapi_items as items
import lxdapi_names as names
import lxdapi_plan as plans
import lxdapi_retry as retry
import lxdapi_status as statuses
from lxdapi_errors import APIException, InvalidError, LxdapiError
from lxdapi_kinds import KINDS
from lxdapi_plan import Nothing, Step

log = logging.getLogger(__name__)

KIND = KINDS["instance"]


def renamed(api, name, new, stop=False, timeout=None, force=False):
    """
    Return the steps that give an instance another name; none for its own.

    stop, timeout, force
        See :func:`stopped_for`.
    """
    converge.path_of(KIND, new)
    stop, timeout, force = _checked(stop, timeout, force)
    now = statuses.settled(api, name)
    if name == new:
        return Nothing("as declared")
    if converge.read(api, KIND, new) is not None:
        raise InvalidError(f"there is an instance {new} already")
    change = {"name": {"old": name, "new": new}}
    step = Step("renamed", change, lambda: converge.rename(api, KIND, name, new))
    return stopped_for(api, name, now, step, stop, timeout, force, new)


def _checked(stop, timeout, force):
    stop, force = items.truth("stop", stop or False), items.truth("force", force or False)
    return stop or force, names.seconds(timeout), force


def stopped_for(api, name, now, step, stop=False, timeout=None, force=False, new=None):
    """
    Return the steps for a change of an instance that has to be stopped for it.

    now
        The result of its GET.
    stop
        True: one that runs is stopped, and started again in the end; also if the change is refused. False: it is
        refused.
    timeout, force
        Of the stop: see :func:`lxdapi_status.reached`.
    new
        Its name after the change, where that is another.
    """
    here = statuses.status(now)
    if here == "Stopped":
        return [step]
    if not stop:
        raise InvalidError(f"it is {here}; stop: True stops it for that and starts it again")
    statuses.refuse_vanishing(now, "Stopped")
    before = statuses.steps_to(api, name, here, "Stopped", timeout, force)
    after = statuses.steps_to(api, new or name, "Stopped", here)
    return [*before, step._replace(act=lambda: _changed(api, name, here, step)), *after]


def _changed(api, name, here, step):
    """Do the step; if it is refused, bring the instance back to where it was and raise."""
    try:
        return step.act()
    except APIException as exc:
        if retry.is_refusal(exc):  # else it may still be done
            _back(api, name, here)
        raise


def _back(api, name, here):
    try:
        plans.do(statuses.steps_to(api, name, "Stopped", here))
    except LxdapiError as exc:
        log.warning("lxdapi: instance %s is not %s again: %s", name, here, plans.explained(exc))
