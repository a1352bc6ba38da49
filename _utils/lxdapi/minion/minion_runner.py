"""
The runners for minions in instances: from the globals of the front to ``result``, ``changes`` and ``comment``.

The runners have the options of the master; nothing here uses Salt's dunders directly.
"""

from lxdapi.minion import connection
from lxdapi.plan.state_result import run_state
from lxdapi.salt_minion import bootstrap
from lxdapi.salt_minion.master import Master
from lxdapi.salt_minion.spec import MinionSpec


def bootstrap_instance(names, name, arguments, test, remote, project):
    """
    Return the answer of the runner for a minion.

    names
        The globals of the runner.
    name, arguments
        The instance, and the other arguments of :meth:`lxdapi.salt_minion.MinionSpec.parse`.
    """

    def plan():
        spec = MinionSpec.parse(name, **arguments)
        return bootstrap.plan_minion(connection.connect(names, remote, project), Master(names["__opts__"]), spec)

    return _run(names, name, plan, test)


def accept_key(names, instance, minion_id, test, remote, project):
    """Return the answer of the runner for the key of a minion."""

    def plan():
        master, api = Master(names["__opts__"]), connection.connect(names, remote, project)
        return bootstrap.plan_accepted_key(api, master, instance, instance if minion_id is None else minion_id)

    return _run(names, instance, plan, test)


def _run(names, name, plan, test):
    ret = run_state("minion", name, plan, test)
    if ret["result"] is False:
        names["__context__"]["retcode"] = 1
    return ret
