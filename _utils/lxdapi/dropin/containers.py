"""
Plans for containers as the removed states declared them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lxdapi import validation
from lxdapi.dropin import inputs, objects
from lxdapi.errors import InvalidError
from lxdapi.instances import migration, partial_creation, power, sources
from lxdapi.instances import plan as instances
from lxdapi.instances.spec import InstanceSpec
from lxdapi.plan import steps
from lxdapi.plan.steps import Plan, Step

if TYPE_CHECKING:
    from lxdapi.api import API, APIResult
    from lxdapi.plan.steps import Steps

# The seconds for a shutdown, after which the removed functions force it.
STOP_SECONDS = 30


def plan_present(
    api: API, name: str, declared: dict[str, Any], source: Any, running: Any, restart_on_change: Any
) -> Plan:
    """
    Return the steps to a container.

    declared
        The result of :func:`lxdapi.dropin.inputs.container_fields`. Only a new container takes ``ephemeral``.
    source
        Ignored for an existing container.
    running
        True, False, or None: unchanged.
    restart_on_change
        True: restart a running container after any change.
    """
    if running not in (None, True, False):
        raise InvalidError.of_value("running", "true or false", running)
    restart = validation.flag("restart_on_change", restart_on_change)
    result = partial_creation.wait_until_created(api, name)
    if result is not None:
        kept = {field: value for field, value in declared.items() if field != "ephemeral"}
        declared = {k: v for k, v in inputs.whole(kept, result.metadata).items() if v is not None}
    spec = InstanceSpec(declared, sources.parse_source(source or None), running or None, restart)
    plan = instances.plan_present(api, name, spec)
    return plan if result is None else _plan_power(api, name, result, running, restart, plan)


def _plan_power(api, name, result, running, restart, plan) -> Plan:
    """Return the plan with the stop before it, or the restart after it."""
    status = power.status(power.wait_until_stable(api, name, result))
    if running is False and status != "Stopped":
        return Plan.of(power.plan_status(api, name, "Stopped", STOP_SECONDS, True)).then(plan)
    restarts = any("status" in step.changes for step in plan)
    if restart and status == "Running" and len(plan) and not restarts:
        return plan.then([power.plan_restart_running(api, name, STOP_SECONDS, True)])
    return plan


def plan_absent(api: API, name: str, stop: Any) -> Plan:
    """
    Return the steps that delete a container; a running one only with ``stop``.

    In test mode an earlier state would perhaps stop it, so the refusal comes with the apply.
    """
    stop = validation.flag("stop", stop)
    if objects.find(api, objects.CONTAINER, name) is None:
        return Plan(summary="absent")
    status = power.status(power.wait_until_stable(api, name))
    if stop or status == "Stopped":
        return instances.plan_absent(api, name, stop)

    def apply():
        status = power.status(power.wait_until_stable(api, name))
        if status != "Stopped":
            raise InvalidError(f"it is {status}; set stop: true to stop and delete it")
        return steps.apply(instances.plan_absent(api, name))

    return Plan.of([Step("deleted", {"deleted": name}, apply, f"it is {status}, and must be stopped first")])


def _read(api: API, name: str) -> APIResult | None:
    """Return the result of an instance, None if it does not exist; raises for a virtual machine."""
    result = partial_creation.wait_until_created(api, name)
    if result is not None and not objects.is_container(result.metadata):
        raise InvalidError("it is a virtual machine, not a container: use lxdapi_instance")
    return result and power.wait_until_stable(api, name, result)


def plan_running(api: API, name: str, restart: Any) -> Steps:
    """Return the steps that start a container, or restart it if it runs."""
    restart, result = validation.flag("restart", restart), _read(api, name)
    if restart and result is not None and power.status(result) == "Running":
        return [power.plan_restart_running(api, name, STOP_SECONDS, True)]
    return power.plan_status(api, name, "Running")


def plan_frozen(api: API, name: str, start: Any) -> Steps:
    """Return the steps that freeze a container; a stopped one only with ``start``."""
    start, result = validation.flag("start", start), _read(api, name)
    if not start and result is not None and power.status(result) not in ("Running", "Frozen"):
        raise InvalidError(f"it is {power.status(result)}; set start: true to start it before it is frozen")
    return power.plan_status(api, name, "Frozen")


def plan_stopped(api: API, name: str, kill: Any) -> Steps:
    """Return the steps that stop a container, with ``kill`` by force and at once."""
    kill, _ = validation.flag("kill", kill), _read(api, name)
    return power.plan_status(api, name, "Stopped", 0 if kill else STOP_SECONDS, kill)


def plan_migrated(source_api: API, target_api: API, name: str, stop_and_start: Any) -> Plan:
    """Return the steps that move a container to another daemon; a running one only with ``stop_and_start``."""
    allow_stop, result = validation.flag("stop_and_start", stop_and_start), _read(source_api, name)
    if result is not None and power.status(result) != "Stopped" and not allow_stop:
        raise InvalidError(
            f"it is {power.status(result)}; set stop_and_start: true to stop it for the migration and start it there"
        )
    change = {"remote": {"old": source_api.address_text, "new": target_api.address_text}}
    options = {"mode": None, "pool": None, "target": None, "timeout": None, "refresh": False, "allow_stop": allow_stop}
    return migration.plan_migration(source_api, target_api, name, change, options)
