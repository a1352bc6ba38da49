"""
Verbs for many instances: selects them, acts concurrently, and returns each outcome.

The daemons have their own request for this, ``PUT /1.0/instances``, but it acts on all instances of the project at the
time of the request. Somebody can create or start another instance after the listing, so it cannot be limited to the
selected instances, and lxdapi does not use it.
"""

from fnmatch import fnmatchcase
from typing import Callable

from lxdapi import concurrency as workers
from lxdapi import validation
from lxdapi.api import API
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
from lxdapi.plan.steps import Steps

# Returns the steps for an instance of this name.
PlanInstance = Callable[[API, str], Steps]
_GLOB = "*?["
_FILTERS = ("status", "profile", "type", "config")


class Selection:
    """
    A selection of instances; raises :class:`InvalidError` for an invalid one.

    names
        A name, a range (``web[01-20]``), a pattern (``web*``), or a list of these. Default: all that match the filters.
    filters
        ``{"status": ..., "profile": ..., "type": ..., "config": {key: value}}``; all of them must match.
    parameter
        The parameter with the names, for errors.
    """

    def __init__(self, names=None, filters=None, parameter="names"):
        if names is None and not filters:
            raise InvalidError(
                f"no instance is selected: declare {parameter} or filter ({parameter}: '*' selects the whole project)"
            )
        names = ["*"] if names is None else [names] if isinstance(names, str) else names
        if not isinstance(names, (list, tuple)) or not all(isinstance(each, str) for each in names):
            raise InvalidError.of_value(parameter, "a name, a range, a pattern, or a list of these", names)
        ranges = [each for each in names if name_ranges.is_range(each) or not set(each) & set(_GLOB)]
        self._patterns = [each for each in names if each not in ranges]
        self._named = list(dict.fromkeys(name for each in ranges for name in name_ranges.expand(each)))
        self._filters = _parse_filter(filters)

    def names(self, entries):
        """Return the selected names of a listing; raises if a name that is spelled out does not exist."""
        missing = self.missing(entries)
        if missing:
            raise InvalidError(f"instances not found: {name_ranges.fold(missing)}")
        return self.existing(entries)

    def missing(self, entries):
        """Return the names that are spelled out and not in a listing."""
        return [name for name in self._named if name not in entries]

    def existing(self, entries):
        """Return the selected names that are in a listing."""
        named = [name for name in self._named if name in entries]
        matching = [name for name in sorted(entries) if any(fnmatchcase(name, each) for each in self._patterns)]
        return [name for name in dict.fromkeys([*named, *matching]) if self._passes(entries[name])]

    def _passes(self, entry):
        config = entry.get("expanded_config") or entry.get("config") or {}
        filters, status = self._filters, power.status(CachedObject(entry))
        return (
            filters.get("status", status).lower() == status.lower()
            and filters.get("type", entry["type"]) == entry["type"]
            and ("profile" not in filters or filters["profile"] in (entry.get("profiles") or ()))
            and all(equality.satisfies(key, config.get(key), value) for key, value in filters.get("config", {}).items())
        )


def _parse_filter(filters):
    filters = validation.mapping("filter", filters, f"a mapping with {', '.join(_FILTERS)}")
    validation.require_known("filter", filters, _FILTERS)
    parsed = {name: validation.check("any", f"filter {name}", filters[name]) for name in set(filters) - {"config"}}
    config = validation.mapping("filter config", filters.get("config"), "a mapping of keys to values")
    parsed["config"] = {key: validation.config_value(f"filter config {key}", value) for key, value in config.items()}
    return {**parsed, "type": normalize_type(parsed["type"])} if "type" in parsed else parsed


def run(api, selection, plan, concurrency=None, test=False):
    """
    Apply the same plan to many instances concurrently; returns ``{name: changes, or the error}``.

    selection
        A :class:`Selection`.
    plan
        Called with the API and a name, returns the steps.
    concurrency
        The number of simultaneous steps. Default: see :class:`lxdapi.fleet.runner.FleetRunner`.
    test
        True: return the predicted changes and write nothing.
    """
    runner = FleetRunner(parse_concurrency(concurrency))
    test = validation.flag("test", test)
    entries = listing.Listing(api)
    with entries.cached_reads():
        planned = {
            name: InstancePlan.of(lambda name=name: plan(api, name)) for name in selection.names(entries.instances)
        }
        if test:
            return {
                name: outcome(name, run_state("instance", name, each.plan_or_raise, test=True))
                for name, each in planned.items()
            }
    for name, each in planned.items():
        if not each.plan:
            runner.record(name, run_state("instance", name, each.plan_or_raise))
    runner.run({name: each.plan for name, each in planned.items() if each.plan})
    return {name: outcome(name, runner.answers[name]) for name in planned}


def outcome(name, answer):
    """Return the changes, or why they could not be made or predicted."""
    if answer["result"] or (answer["result"] is None and answer["changes"]):
        return answer["changes"]
    return answer["comment"].removeprefix(f"instance {name}").lstrip(": ")


def plan_power(goal, timeout=None, force=False) -> PlanInstance:
    """Return the plan function for a power state: see :func:`lxdapi.instances.power.plan_status`."""
    timeout, force = validation.parse_seconds(timeout), validation.flag("force", force)
    return lambda api, name: power.plan_status(api, name, goal, timeout, force)


def plan_restart(timeout=None, force=False) -> PlanInstance:
    """Return the plan function for a restart: see :func:`lxdapi.instances.power.plan_restart`."""
    timeout, force = validation.parse_seconds(timeout), validation.flag("force", force)
    return lambda api, name: power.plan_restart(api, name, timeout, force)


def plan_unfreeze(timeout=None) -> PlanInstance:
    """Return the plan function that unfreezes frozen instances."""
    timeout = validation.parse_seconds(timeout)
    return lambda api, name: power.plan_unfreeze(api, name, timeout)


def plan_snapshot(snapshot, expires_at=None, stateful=None) -> PlanInstance:
    """Return the plan function for a new snapshot; an existing one of this name is an error."""
    validation.check("snapshot", "snapshot", snapshot)
    fields = {"expires_at": expires_at, "stateful": stateful}
    return lambda api, name: converge.plan_create_new(api, "instance_snapshot", f"{name}/{snapshot}", fields)


def execute(api, selection, command, format_outcome, concurrency=None, test=False):
    """
    Run a command in many instances concurrently; return ``{name: result of format_outcome, or the error}``.

    command
        See :func:`lxdapi.instances.exec.make_command`.
    format_outcome
        Called with the :class:`lxdapi.instances.exec.Outcome` of an instance.
    test
        True: run nothing, and return an empty mapping for each.
    """
    size, test = parse_concurrency(concurrency) or workers.STOPS, validation.flag("test", test)
    chosen = selection.names(listing.list_instances(api))
    if test or not chosen:
        return {name: {} for name in chosen}
    with workers.Workers(min(size, len(chosen))) as pool:
        futures = {name: pool.begin(lambda name=name: _execute(api, name, command, format_outcome)) for name in chosen}
    return {name: future.result() for name, future in futures.items()}


def _execute(api, name, command, format_outcome):
    try:
        return format_outcome(execs.run(api, name, command))
    except LxdapiError as exc:
        return exc.explain()


def any_failed(answers):
    """Return True if an answer is a failure."""
    return any(isinstance(each, str) or each.get("retcode") for each in answers.values())
