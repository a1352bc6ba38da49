"""
A state of Salt: from the globals of a front and what is declared to the answer that Salt wants.

Here it is decided whether a state runs or has been prefetched, and which reads the run's cache may answer; the plan
knows neither.
"""

from contextlib import nullcontext
from functools import partial

from lxdapi.errors import InvalidError
from lxdapi.minion import connection, prefetch, state_run
from lxdapi.plan import converge
from lxdapi.plan.state_result import run_state


def run(names, kind_name, name, plan, remote=None, project=None, target=None, sensitive=None):
    """
    Return Salt's answer for a state.

    names
        The globals of the front.
    kind_name
        The kind; for a state of no kind, what it is about in words.
    name
        The state's name.
    plan
        Called with the :class:`lxdapi.api.API`, returns the steps; it sends only GETs.
    remote, project, target
        See :func:`lxdapi.minion.connection.connect`.
    sensitive
        Patterns of keys whose values are masked.
    """
    return run_plan(names, kind_name, name, lambda: plan(connection.connect(names, remote, project, target)), sensitive)


def run_plan(names, kind_name, name, plan, sensitive=None):
    """Return Salt's answer for a state whose plan, called without arguments, connects by itself if it has to."""
    try:
        here = state_run.current(names)
        return prefetch.run_or_collect(here, partial(_run, here, kind_name, name, plan, sensitive))
    except InvalidError as exc:
        return {"name": name, "changes": {}, "result": False, "comment": str(exc)}


def _run(here, kind_name, name, plan, sensitive):
    def plan_cached():
        with here.cached_reads(kind_name):
            return plan()

    # in test mode what a step misses is read as well
    with here.cached_reads(kind_name) if here.test else nullcontext():
        return run_state(kind_name, name, plan_cached, here.test, sensitive)


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
    """Return Salt's answer for an object that is to exist with the declared fields: see :mod:`lxdapi.plan.converge`."""

    def plan(api):
        return converge.plan_present(api, kind_name, name, declared, purge, renamed_from)

    return run(names, kind_name, name, plan, remote, project, target, sensitive)


def absent(names, kind_name, name, remote=None, project=None, target=None, force=False):
    """Return Salt's answer for an object that is not to exist."""
    return run(
        names, kind_name, name, lambda api: converge.plan_absent(api, kind_name, name, force), remote, project, target
    )
