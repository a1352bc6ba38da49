"""
The same verb for many instances: which ones they are, and what came of each.

The daemons have a verb for many of their own, ``PUT /1.0/instances``, which acts on all instances of the project at
the moment when it is done. Somebody can make or start another one between the listing and the verb, so it never means
exactly those that were chosen, and is not used.
"""

from collections.abc import Mapping
from fnmatch import fnmatchcase

from lxdapi import concurrency as workers
from lxdapi import validation as names
from lxdapi.errors import InvalidError, LxdapiError
from lxdapi.fleet import listing as seen
from lxdapi.fleet import name_ranges as fleet_names
from lxdapi.fleet.planner import InstancePlan
from lxdapi.fleet.runner import Run, width
from lxdapi.instances import exec as execs
from lxdapi.instances import power as statuses
from lxdapi.instances.spec import type_of
from lxdapi.model import equality as meaning
from lxdapi.model.cached_reads import CachedObject
from lxdapi.plan import converge
from lxdapi.plan.state_result import run_state

_GLOB = "*?["
_FILTERS = ("status", "profile", "type", "config")


class Choice:
    """
    Which instances are meant; raises :class:`InvalidError` for what cannot be right.

    given
        A name, a range (``web[01-20]``), a pattern (``web*``), or a list of them; None: all that the filter lets pass.
    sieve
        ``{"status": ..., "profile": ..., "type": ..., "config": {key: value}}``, of which all has to be so.
    """

    def __init__(self, given=None, sieve=None):
        if given is None and not sieve:
            raise InvalidError("names or filter is needed; '*' is all of the project")
        given = ["*"] if given is None else [given] if isinstance(given, str) else given
        if not isinstance(given, (list, tuple)) or not all(isinstance(each, str) for each in given):
            raise InvalidError("names: a name, a range, a pattern or a list of them is needed")
        ranges = [each for each in given if fleet_names.is_range(each) or not set(each) & set(_GLOB)]
        self._patterns = [each for each in given if each not in ranges]
        self._named = list(dict.fromkeys(name for each in ranges for name in fleet_names.expand(each)))
        self._sieve = _sieve(sieve)

    def of(self, found):
        """Return the names of those that are meant, of a listing; raises for one that is spelled out and not there."""
        missing = [name for name in self._named if name not in found]
        if missing:
            raise InvalidError(f"there is no instance {fleet_names.folded(missing)}")
        matching = [name for name in sorted(found) if any(fnmatchcase(name, each) for each in self._patterns)]
        return [name for name in dict.fromkeys([*self._named, *matching]) if self._passes(found[name])]

    def _passes(self, entry):
        config = entry.get("expanded_config") or entry.get("config") or {}
        wanted, here = self._sieve, statuses.status(CachedObject(entry))
        return (
            wanted.get("status", here).lower() == here.lower()
            and wanted.get("type", entry["type"]) == entry["type"]
            and ("profile" not in wanted or wanted["profile"] in (entry.get("profiles") or ()))
            and all(meaning.met(key, config.get(key), value) for key, value in wanted.get("config", {}).items())
        )


def _sieve(given):
    given = {} if given is None else given
    if not isinstance(given, Mapping):
        raise InvalidError(f"filter: a mapping is needed, of {', '.join(_FILTERS)}")
    unknown = [str(word) for word in set(given) - set(_FILTERS)]
    if unknown:
        raise InvalidError(f"filter: unknown {', '.join(unknown)}; there are: {', '.join(_FILTERS)}")
    found = {word: names.check("any", f"filter {word}", given[word]) for word in set(given) - {"config"}}
    config = given.get("config", {})
    if not isinstance(config, Mapping):
        raise InvalidError("filter config: a mapping of keys to values is needed")
    found["config"] = {key: names.value(f"filter config {key}", value) for key, value in config.items()}
    return {**found, "type": type_of(found["type"])} if "type" in found else found


def act(api, choice, plan, concurrency=None, test=False):
    """
    Do the same with many instances, side by side; returns ``{name: what changed, or in words why it failed}``.

    choice
        A :class:`Choice`.
    plan
        Called with an API and a name, returns the steps; the API answers from a listing until all are planned.
    concurrency
        How many things at once; None: see :class:`lxdapi.fleet.runner.Run`.
    test
        True: nothing is done, and returned is what would be.
    """
    run = Run(width(concurrency))
    test = names.truth("test", test or False)
    view = seen.Seen(api)
    planned = {name: InstancePlan.of(lambda name=name: plan(view, name)) for name in choice.of(view.instances)}
    if test:
        return {name: _told(name, run_state("instance", name, each.give, test=True)) for name, each in planned.items()}
    view.over()
    for name, each in planned.items():
        if not each.steps:
            run.settle(name, run_state("instance", name, each.give))
    run.carry_out({name: each.steps for name, each in planned.items() if each.steps})
    return {name: _told(name, run.answers[name]) for name in planned}


def _told(name, answer):
    """Return what changed, or why it failed and what had been done."""
    if answer["result"] is not False:
        return answer["changes"]
    return answer["comment"].removeprefix(f"instance {name}").lstrip(": ")


def reach(goal, timeout=None, force=False):
    """Return the plan of a verb that leads to this status: see :func:`lxdapi.instances.power.reached`."""
    timeout, force = names.seconds(timeout), names.truth("force", force or False)
    return lambda api, name: statuses.reached(api, name, goal, timeout, force)


def restart(timeout=None, force=False):
    """Return the plan of a restart: see :func:`lxdapi.instances.power.restarted`."""
    timeout, force = names.seconds(timeout), names.truth("force", force or False)
    return lambda api, name: statuses.restarted(api, name, timeout, force)


def thaw(timeout=None):
    """Return the plan that thaws what is frozen, and leaves what is not as it is."""
    timeout = names.seconds(timeout)
    return lambda api, name: statuses.plan_thaw(api, name, timeout)


def snapshot(own, expires_at=None, stateful=None):
    """Return the plan of a new snapshot of each; one that has a snapshot of this name is a failure."""
    names.check("snapshot", "snapshot", own)
    wanted = {"expires_at": expires_at, "stateful": stateful}
    return lambda api, name: converge.made(api, "instance_snapshot", f"{name}/{own}", wanted)


def execute(api, choice, order, written, concurrency=None, test=False):
    """
    Run a command in many instances, side by side; returns ``{name: what written says, or in words why it failed}``.

    order
        See :func:`lxdapi.instances.exec.order`.
    written
        Called with what came of the command in one.
    test
        True: nothing is run, and each has an empty mapping.
    """
    size, test = width(concurrency) or workers.STOPS, names.truth("test", test or False)
    chosen = choice.of(seen.listed(api))
    if test or not chosen:
        return {name: {} for name in chosen}
    with workers.Workers(min(size, len(chosen))) as pool:
        futures = {name: pool.begin(lambda name=name: _executed(api, name, order, written)) for name in chosen}
    return {name: future.result() for name, future in futures.items()}


def _executed(api, name, order, written):
    try:
        return written(execs.run(api, name, order))
    except LxdapiError as exc:
        return exc.explain()


def failed(answers):
    """Return True if there is one that failed."""
    return any(isinstance(each, str) or each.get("retcode") for each in answers.values())
