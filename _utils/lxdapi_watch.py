"""
What an instance does where something that it watches has changed.
"""

import lxdapi_command as commands
import lxdapi_converge as converge
import lxdapi_exec as execs
import lxdapi_items as items
import lxdapi_names as names
import lxdapi_status as statuses
import lxdapi_waiting as waiting
from lxdapi_kinds import KINDS
from lxdapi_plan import Nothing, Step


def declared(command=None, timeout=None, force=False):
    """Return (the order of the command or None, seconds, whether by force); raises for what cannot be."""
    given = None if command is None else execs.order(command, timeout=timeout)
    return given, names.seconds(timeout), items.truth("force", force or False)


def steps(api, name, command=None, timeout=None, force=False, wait_for=None):
    """
    Return the step that restarts an instance that runs, or runs a command in it; none for any other instance.

    command
        None: it is restarted.
    timeout
        Seconds that it has to shut down, 30, or that the command has.
    force
        True: then it is stopped by force.
    wait_for
        What is waited for afterwards: see :mod:`lxdapi_waiting`.
    """
    given, timeout, force = declared(command, timeout, force)
    waits, current = waiting.steps(api, name, wait_for), converge.read(api, KINDS["instance"], name)
    here = "absent" if current is None else statuses.status(statuses.settled(api, name, current))
    if here != "Running":
        return Nothing(f"{here}: there is nothing to restart")
    if given:
        return commands.steps(api, name, command, given, {}, [], False, True) + waits
    expected = {"restarted": name, "forced": True} if force and timeout == 0 else {"restarted": name}

    def act():
        forced = statuses.act_on(api, name, "restart", timeout, force)
        return {"restarted": name, "forced": True} if forced else {"restarted": name}

    return [Step("restarted", expected, act)] + waits
