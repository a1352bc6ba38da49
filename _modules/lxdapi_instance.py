"""
Verbs of LXD and Incus instances: containers and virtual machines.

:depends: requests, requests-unixsocket

Each returns what it changed, an empty mapping where the instance was so already. ``Ready`` counts
as running.
"""

from lxdapi.errors import InvalidError
from lxdapi.instances import plan, pool_move, power
from lxdapi.minion import connection
from lxdapi.plan import steps


def start(name, timeout=None, remote=None, project=None):
    """
    Bring the instance to ``Running``; a frozen one is thawed. Returns what changed.

    timeout
        Seconds; 120.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_instance.start web1
    """
    return steps.apply(power.plan_status(connection.connect(globals(), remote, project), name, "Running", timeout))


def stop(name, timeout=None, force=False, remote=None, project=None):
    """
    Bring the instance to ``Stopped``. Returns what changed, ``forced`` where force was needed.

    timeout
        Seconds that the instance has to shut down; 30.
    force
        True: then it is stopped by force; with ``timeout=0`` at once.

    Refused for an ephemeral instance, which a stop would delete: see ``lxdapi_instance.delete``.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_instance.stop web1 timeout=5 force=True
    """
    return steps.apply(
        power.plan_status(connection.connect(globals(), remote, project), name, "Stopped", timeout, force)
    )


def restart(name, timeout=None, force=False, remote=None, project=None):
    """
    Stop the instance and start it again, a frozen one too; a stopped one is started. Returns what changed.

    See :py:func:`lxdapi_instance.stop` for the parameters.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_instance.restart web1 timeout=5 force=True
    """
    return steps.apply(power.plan_restart(connection.connect(globals(), remote, project), name, timeout, force))


def freeze(name, timeout=None, remote=None, project=None):
    """
    Bring the instance to ``Frozen``; a stopped one is started first. Returns what changed.

    timeout
        Seconds; 120.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_instance.freeze web1
    """
    return steps.apply(power.plan_status(connection.connect(globals(), remote, project), name, "Frozen", timeout))


def unfreeze(name, timeout=None, remote=None, project=None):
    """
    Thaw a frozen instance; any other is left as it is. Returns what changed.

    timeout
        Seconds; 120.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_instance.unfreeze web1
    """
    api = connection.connect(globals(), remote, project)
    return steps.apply(power.plan_unfreeze(api, name, timeout))


def move(name, target=None, timeout=None, pool=None, to_project=None, remote=None, project=None):
    """
    Move the instance to another member of the cluster, or to another storage pool or project of its daemon; one that
    runs is stopped for that and started again. Returns what changed, nothing if it is there.

    target
        The member, or ``@group`` for one of these: of those that are online the one with the fewest instances.
        Without ``pool`` and ``to_project``.
    timeout
        Seconds for the move itself; 600, of a pool or project 3600.
    pool
        The storage pool of its root disk, snapshots included. API extension ``instance_pool_move``.
    to_project
        The project; its profiles, and the pools and networks of its devices, have to be there. API extension
        ``instance_project_move``.

    If the move fails, one that ran is started again where it was. To another daemon it is moved by
    :py:func:`lxdapi_instance.migrate`.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_instance.move web1 n2
        salt-call lxdapi_instance.move web1 pool=fast to_project=shop
    """
    api = connection.connect(globals(), remote, project)
    if target is None:
        there = api if to_project is None else connection.connect(globals(), remote, to_project)
        return steps.apply(pool_move.plan_move(api, name, there, pool, timeout))
    if pool is not None or to_project is not None:
        raise InvalidError("target: without pool and to_project; that is a move of its own")
    return steps.apply(plan.plan_move(api, name, target, timeout))


def delete(name, force=False, remote=None, project=None):
    """
    Delete the instance with its snapshots. Returns what changed; nothing if there is none.

    force
        True: a running one is stopped by force first. False: it is refused.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_instance.delete web1 force=True
    """
    return steps.apply(plan.plan_absent(connection.connect(globals(), remote, project), name, force))
