"""
The states that Salt applies inside instances: from the globals of a front to the dictionary that Salt expects.
"""

from functools import partial

from lxdapi.errors import InvalidError, LxdapiError
from lxdapi.instances import power
from lxdapi.minion import connection, prefetch, salt_sessions, state_run
from lxdapi.model import objects
from lxdapi.model.kinds import KINDS
from lxdapi.salt_inside import calls, report

STATE = "lxdapi_salt"


def apply(names, name, mods, pillar, saltenv, exclude, python, sealed, remote, project):
    """
    Return Salt's answer for states that are applied inside an instance.

    names
        The globals of the front.
    name
        The instance; see :func:`lxdapi.salt_inside.calls.apply_arguments` and
        :func:`lxdapi.minion.salt_sessions.use` for the other parameters.
    """
    ret = {"name": name, "changes": {}, "result": False, "comment": ""}
    try:
        this_run = state_run.current_run(names)
        call = calls.apply_arguments(mods, this_run.test, pillar, saltenv, exclude)
        act = partial(_apply, this_run, names, ret, call, python, sealed, remote, project)
        return prefetch.run_or_collect(this_run, lambda apply_with: apply_with(act))
    except InvalidError as exc:
        return {**ret, "comment": f"instance {name}: {exc}"}


def _apply(this_run, names, ret, call, python, sealed, remote, project):
    kept = _is_used_again(this_run, ret["name"])
    return apply_inside(names, ret["name"], call, this_run.test, python, sealed, remote, project, *kept)


def apply_inside(names, name, call, test, python, sealed, remote, project, keep=False, keep_device=False):
    """
    Return the answer of a state for states that are applied inside an instance, or predicted.

    call
        (function, args, kwargs).
    sealed, keep, keep_device
        See :func:`lxdapi.minion.salt_sessions.use`.
    """
    ret, (function, args, kwargs) = {"name": name, "changes": {}, "result": False, "comment": ""}, call
    try:
        missing = _missing_reason(names, name, remote, project) if test else ""
        if missing:
            return {**ret, "result": None, "comment": unpredictable(name, missing)}
        with salt_sessions.use(names, name, python, remote, project, keep, keep_device, sealed=sealed) as session:
            found = report.summarize(session.call(function, args, kwargs).value, test)
    except LxdapiError as exc:
        return {**ret, "comment": exc.explain()}
    return {**ret, "changes": found.changes, "result": found.result, "comment": f"instance {name}: {found.comment}"}


def unpredictable(name, reason="it does not exist"):
    """Return the comment for an instance in which Salt cannot run yet."""
    return f"instance {name}: Salt cannot predict the changes, because {reason}"


def _missing_reason(names, name, remote, project):
    """Return why nothing can be predicted, "" if the instance runs."""
    result = objects.read(connection.connect(names, remote, project), KINDS["instance"], name)
    if result is None:
        return "it does not exist"
    status = power.status(result)
    return "" if status == "Running" else f"it is {status}"


def _is_used_again(this_run, name):
    """Return whether a later chunk of the run applies states inside the instance, and whether the next one does so."""
    if this_run.lowstate is None:
        return False, False
    place = this_run.lowstate.places.get(state_run.tag(this_run.low), 0)
    later = [each["state"] == STATE and each["name"] == name for each in this_run.lowstate.chunks[place + 1 :]]
    return any(later), any(later[:1])
