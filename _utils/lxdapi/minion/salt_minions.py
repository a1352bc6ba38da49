"""
The state of a minion in an instance: it calls the runner of the master, which must be on this machine.

The fronts pass their globals; nothing here uses Salt's dunders directly.
"""

from lxdapi.errors import InvalidError
from lxdapi.minion import state_run
from lxdapi.salt_minion.spec import MinionSpec

RUNNER = "lxdapi.bootstrap"


def bootstrap_by_runner(names, name, arguments, remote, project):
    """Return the answer of the runner for a state, or why it did not run."""
    ret = {"name": name, "changes": {}, "result": False}
    try:
        MinionSpec.parse(name, **arguments)
    except InvalidError as exc:
        return {**ret, "comment": f"minion {name}: {exc}"}
    where = {"remote": remote, "project": project}
    kwarg = {**arguments, **where, "name": name, "test": state_run.current_run(names).test}
    answer = names["__salt__"]["saltutil.runner"](RUNNER, kwarg=kwarg)
    if isinstance(answer, dict) and "comment" in answer:
        return {**answer, "name": name}
    reason = str(answer).strip().splitlines()[-1:] or [""]
    comment = f"the runner {RUNNER} failed on this machine, which must be that of the master: {reason[0]}"
    return {**ret, "comment": comment}
