"""
States of Salt: from the globals of a front and the declaration to the dictionary that Salt expects.

This module decides whether a state runs or was prefetched, and which reads the cache may answer; plans know neither.
"""

import inspect
from contextlib import nullcontext
from functools import partial

from lxdapi.errors import InvalidError
from lxdapi.minion import connection, prefetch, state_run
from lxdapi.model import objects
from lxdapi.model.kinds import KINDS
from lxdapi.plan import converge
from lxdapi.plan.state_result import run_state


def with_signature(function):
    """
    Return the function, which now knows its signature.

    Salt asks for it twice for each state. With 26 parameters, that takes as long as half of its plan.
    """
    function.__signature__ = inspect.signature(function)
    return function


def run(names, kind_name, name, plan, remote=None, project=None, target=None, sensitive=None):
    """
    Return Salt's answer for a state.

    names
        The globals of the front.
    kind_name
        The kind, or the subject of the comment for a state without a kind.
    name
        The state's name.
    plan
        Called with the :class:`lxdapi.api.API`, returns the steps; it sends only GETs.
    remote, project, target
        See :func:`lxdapi.minion.connection.connect`.
    sensitive
        Patterns of keys whose values are masked.
    """
    connect = partial(connection.connect, names, remote, project, target)
    ret = run_plan(names, kind_name, name, lambda: plan(connect()), sensitive)
    if kind_name in KINDS and "deleted" in ret["changes"] and ret["changes"]["deleted"] == name:
        _note_deletion(names, connect, objects.path_of(KINDS[kind_name], name, existing=True))
    return ret


def _note_deletion(names, connect, path):
    """Let the following states of a run in test mode know that an object would be deleted."""
    this_run = state_run.current_run(names)
    if this_run.test and this_run.lowstate is not None:
        api = connect()
        api.cache.predict_deletion(api, path)


def saltenv_of(names, saltenv=None):
    """Return the declared Salt environment; by default that of the SLS, outside of a state run ``base``."""
    return saltenv or names.get("__env__", "base")


def run_plan(names, kind_name, name, plan, sensitive=None):
    """Return Salt's answer for a state whose plan takes no arguments and connects by itself."""
    try:
        this_run = state_run.current_run(names)
        return prefetch.run_or_collect(this_run, partial(_run, this_run, kind_name, name, plan, sensitive))
    except InvalidError as exc:
        return {"name": name, "changes": {}, "result": False, "comment": str(exc)}


def _run(this_run, kind_name, name, plan, sensitive, apply_with):
    def plan_cached():
        with this_run.cached_reads(kind_name):
            return plan()

    # test mode also reads the missing prerequisites of steps
    with this_run.cached_reads(kind_name) if this_run.test else nullcontext():
        return run_state(kind_name, name, plan_cached, this_run.test, sensitive, apply_with)


def present(
    names,
    kind_name,
    name,
    declared,
    remote=None,
    project=None,
    target=None,
    sensitive=None,
    purge=False,
    renamed_from=None,
):
    """Return Salt's answer for an object that must exist with its fields: see :mod:`lxdapi.plan.converge`."""

    def plan(api):
        return converge.plan_present(api, kind_name, name, declared, purge, renamed_from)

    return run(names, kind_name, name, plan, remote, project, target, sensitive)


def absent(names, kind_name, name, remote=None, project=None, target=None, force=False):
    """Return Salt's answer for an object that must not exist."""
    return run(
        names, kind_name, name, lambda api: converge.plan_absent(api, kind_name, name, force), remote, project, target
    )


def run_for_dropin(names, kind_name, name, plan, words):
    """
    Return Salt's answer for a state of the drop-in, its changes in the words of the state that Salt removed.

    plan
        Takes no arguments and connects by itself.
    words
        One of :mod:`lxdapi.dropin.words`.
    """
    ret = run_plan(names, kind_name, name, plan)
    return {**ret, "changes": words(name, ret["changes"], ret["result"] is None) if ret["changes"] else {}}
