"""
The reaction of an instance to a change of something that it watches.
"""

from lxdapi import validation
from lxdapi.instances import power
from lxdapi.instances import wait_for as waiting
from lxdapi.model import objects
from lxdapi.model.kinds import KINDS
from lxdapi.plan.steps import Plan


def parse(command=None, timeout=None, force=False):
    """Return (command or None, timeout, force); raises for invalid values."""
    return (
        _parse_command(command, timeout),
        validation.parse_seconds(timeout),
        validation.flag("force", force),
    )


def _parse_command(command, timeout):
    if command is None:
        return None
    # few watch with a command, and with the websockets it takes a millisecond
    from lxdapi.instances import exec as execs

    return execs.make_command(command, timeout=timeout)


def plan(api, name, command=None, timeout=None, force=False, wait_for=None) -> Plan:
    """
    Return the step that restarts a running instance or runs a command in it; no steps for any other instance.

    command
        Default: restart it.
    timeout
        Seconds for its shutdown (default: 30), or for the command.
    force
        True: stop it by force after that.
    wait_for
        Conditions to wait for afterwards: see :mod:`lxdapi.instances.wait_for`.
    """
    parsed_command, timeout, force = parse(command, timeout, force)
    waits, result = (
        waiting.plan(api, name, waiting.parse_conditions(wait_for)),
        objects.read(api, KINDS["instance"], name),
    )
    status = "absent" if result is None else power.status(power.wait_until_stable(api, name, result))
    if status != "Running":
        return Plan(summary=f"{status}, so it is not restarted")
    if parsed_command:
        from lxdapi.instances import cmd_run

        return cmd_run.plan(api, name, command, parsed_command, {}, [], False, True).then(waits)
    return Plan.of([power.plan_restart_running(api, name, timeout, force), *waits])
