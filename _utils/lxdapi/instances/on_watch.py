"""
What an instance does where something that it watches has changed.
"""

from lxdapi import validation
from lxdapi.instances import cmd_run, power
from lxdapi.instances import exec as execs
from lxdapi.instances import wait_for as waiting
from lxdapi.model import objects
from lxdapi.model.kinds import KINDS
from lxdapi.plan.steps import Plan


def parse(command=None, timeout=None, force=False):
    """Return (the order of the command or None, seconds, whether by force); raises for what cannot be."""
    given = None if command is None else execs.make_command(command, timeout=timeout)
    return given, validation.parse_seconds(timeout), validation.truth("force", force or False)


def plan(api, name, command=None, timeout=None, force=False, wait_for=None):
    """
    Return the step that restarts an instance that runs, or runs a command in it; none for any other instance.

    command
        None: it is restarted.
    timeout
        Seconds that it has to shut down, 30, or that the command has.
    force
        True: then it is stopped by force.
    wait_for
        What is waited for afterwards: see :mod:`lxdapi.instances.wait_for`.
    """
    given, timeout, force = parse(command, timeout, force)
    waits, current = waiting.plan(api, name, waiting.conditions(wait_for)), objects.read(api, KINDS["instance"], name)
    here = "absent" if current is None else power.status(power.wait_until_stable(api, name, current))
    if here != "Running":
        return Plan(summary=f"{here}: there is nothing to restart")
    if given:
        return [*cmd_run.plan(api, name, command, given, {}, [], False, True), *waits]
    return [power.restart_step(api, name, timeout, force), *waits]
