"""
The same verb for many instances: which ones they are, and what came of each.

The daemons have a verb for many of their own, ``PUT /1.0/instances``, which acts on all instances of the project at
the moment when it is done. Somebody can make or start another one between the listing and the verb, so it never means
exactly those that were chosen, and is not used.
"""

from collections.abc import Mapping
from fnmatch import fnmatchcase

from lxdapi import concurrency as workers
from lxdapi import validation
from lxdapi.errors import InvalidError, LxdapiError
from lxdapi.fleet import listing, name_ranges
from lxdapi.fleet.planner import InstancePlan
from lxdapi.fleet.runner import FleetRunner, parse_concurrency
from lxdapi.instances import exec as execs
from lxdapi.instances import power
from lxdapi.instances.spec import normalize_type
from lxdapi.model import equality
from lxdapi.model.cached_reads import CachedObject
from lxdapi.plan import converge
from lxdapi.plan.state_result import run_state

_GLOB = "*?["
_FILTERS = ("status", "profile", "type", "config")


class Selection:
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
        ranges = [each for each in given if name_ranges.is_range(each) or not set(each) & set(_GLOB)]
        self._patterns = [each for each in given if each not in ranges]
        self._named = list(dict.fromkeys(name for each in ranges for name in name_ranges.expand(each)))
        self._sieve = _parse_filter(sieve)

    def names(self, found):
        """Return the names of those that are meant, of a listing; raises for one that is spelled out and not there."""
        missing = [name for name in self._named if name not in found]
        if missing:
            raise InvalidError(f"there is no instance {name_ranges.fold(missing)}")
        matching = [name for name in sorted(found) if any(fnmatchcase(name, each) for each in self._patterns)]
        return [name for name in dict.fromkeys([*self._named, *matching]) if self._passes(found[name])]

    def _passes(self, entry):
        config = entry.get("expanded_config") or entry.get("config") or {}
        wanted, here = self._sieve, power.status(CachedObject(entry))
        return (
            wanted.get("status", here).lower() == here.lower()
            and wanted.get("type", entry["type"]) == entry["type"]
            and ("profile" not in wanted or wanted["profile"] in (entry.get("profiles") or ()))
            and all(equality.satisfies(key, config.get(key), value) for key, value in wanted.get("config", {}).items())
        )


def _parse_filter(given):
    given = {} if given is None else given
    if not isinstance(given, Mapping):
        raise InvalidError(f"filter: a mapping is needed, of {', '.join(_FILTERS)}")
    unknown = [str(word) for word in set(given) - set(_FILTERS)]
    if unknown:
        raise InvalidError(f"filter: unknown {', '.join(unknown)}; there are: {', '.join(_FILTERS)}")
    found = {word: validation.check("any", f"filter {word}", given[word]) for word in set(given) - {"config"}}
    config = given.get("config", {})
    if not isinstance(config, Mapping):
        raise InvalidError("filter config: a mapping of keys to values is needed")
    found["config"] = {key: validation.config_value(f"filter config {key}", value) for key, value in config.items()}
    return {**found, "type": normalize_type(found["type"])} if "type" in found else found


def run(api, choice, plan, concurrency=None, test=False):
    """
    Do the same with many instances, side by side; returns ``{name: what changed, or in words why it failed}``.

    choice
        A :class:`Selection`.
    plan
        Called with an API and a name, returns the steps; the API answers from a listing until all are planned.
    concurrency
        How many things at once; None: see :class:`lxdapi.fleet.runner.FleetRunner`.
    test
        True: nothing is done, and returned is what would be.
    """
    run = FleetRunner(parse_concurrency(concurrency))
    test = validation.truth("test", test or False)
    view = listing.ListingAPI(api)
    planned = {name: InstancePlan.of(lambda name=name: plan(view, name)) for name in choice.names(view.instances)}
    if test:
        return {
            name: _outcome(name, run_state("instance", name, each.give, test=True)) for name, each in planned.items()
        }
    view.release()
    for name, each in planned.items():
        if not each.steps:
            run.record(name, run_state("instance", name, each.give))
    run.run({name: each.steps for name, each in planned.items() if each.steps})
    return {name: _outcome(name, run.answers[name]) for name in planned}


def _outcome(name, answer):
    """Return what changed, or why it failed and what had been done."""
    if answer["result"] is not False:
        return answer["changes"]
    return answer["comment"].removeprefix(f"instance {name}").lstrip(": ")


def plan_power(goal, timeout=None, force=False):
    """Return the plan of a verb that leads to this status: see :func:`lxdapi.instances.power.plan_status`."""
    timeout, force = validation.parse_seconds(timeout), validation.truth("force", force or False)
    return lambda api, name: power.plan_status(api, name, goal, timeout, force)


def plan_restart(timeout=None, force=False):
    """Return the plan of a restart: see :func:`lxdapi.instances.power.plan_restart`."""
    timeout, force = validation.parse_seconds(timeout), validation.truth("force", force or False)
    return lambda api, name: power.plan_restart(api, name, timeout, force)


def plan_unfreeze(timeout=None):
    """Return the plan that thaws what is frozen, and leaves what is not as it is."""
    timeout = validation.parse_seconds(timeout)
    return lambda api, name: power.plan_thaw(api, name, timeout)


def plan_snapshot(own, expires_at=None, stateful=None):
    """Return the plan of a new snapshot of each; one that has a snapshot of this name is a failure."""
    validation.check("snapshot", "snapshot", own)
    wanted = {"expires_at": expires_at, "stateful": stateful}
    return lambda api, name: converge.plan_create_new(api, "instance_snapshot", f"{name}/{own}", wanted)


def execute(api, choice, order, written, concurrency=None, test=False):
    """
    Run a command in many instances, side by side; returns ``{name: what written says, or in words why it failed}``.

    order
        See :func:`lxdapi.instances.exec.make_command`.
    written
        Called with what came of the command in one.
    test
        True: nothing is run, and each has an empty mapping.
    """
    size, test = parse_concurrency(concurrency) or workers.STOPS, validation.truth("test", test or False)
    chosen = choice.names(listing.list_instances(api))
    if test or not chosen:
        return {name: {} for name in chosen}
    with workers.Workers(min(size, len(chosen))) as pool:
        futures = {name: pool.begin(lambda name=name: _execute(api, name, order, written)) for name in chosen}
    return {name: future.result() for name, future in futures.items()}


def _execute(api, name, order, written):
    try:
        return written(execs.run(api, name, order))
    except LxdapiError as exc:
        return exc.explain()


def any_failed(answers):
    """Return True if there is one that failed."""
    return any(isinstance(each, str) or each.get("retcode") for each in answers.values())
