"""
Operations on LXD and Incus instances: containers and virtual machines.

:depends: requests, requests-unixsocket

Each function returns the changes, which are empty if the instance was already in the requested state. ``Ready`` counts
as running.
"""

from lxdapi.errors import InvalidError
from lxdapi.instances import plan, pool_move, power
from lxdapi.minion import connection
from lxdapi.plan import steps

__version__ = "0.1.0"


def start(name, timeout=None, remote=None, project=None):
    """
    Start an instance; a frozen instance is unfrozen. Returns the changes.

    timeout
        Seconds to wait for the operation. Default: 120.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_instance.start web1
    """
    return steps.apply(power.plan_status(connection.connect(globals(), remote, project), name, "Running", timeout))


def stop(name, timeout=None, force=False, remote=None, project=None):
    """
    Stop an instance. Returns the changes, with ``forced`` if force was necessary.

    timeout
        Seconds to wait for the instance to shut down. Default: 30.
    force
        Whether to force the stop after ``timeout``; with ``timeout=0`` the stop is forced at once. Default: false.

    Raises an error for an ephemeral instance, because a stop would delete it: see ``lxdapi_instance.delete``.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_instance.stop web1 timeout=5 force=True
    """
    return steps.apply(
        power.plan_status(connection.connect(globals(), remote, project), name, "Stopped", timeout, force)
    )


def restart(name, timeout=None, force=False, remote=None, project=None):
    """
    Restart an instance, also a frozen one; a stopped instance is started. Returns the changes.

    See :py:func:`lxdapi_instance.stop` for the parameters.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_instance.restart web1 timeout=5 force=True
    """
    return steps.apply(power.plan_restart(connection.connect(globals(), remote, project), name, timeout, force))


def freeze(name, timeout=None, remote=None, project=None):
    """
    Freeze an instance; a stopped instance is started first. Returns the changes.

    timeout
        Seconds to wait for the operation. Default: 120.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_instance.freeze web1
    """
    return steps.apply(power.plan_status(connection.connect(globals(), remote, project), name, "Frozen", timeout))


def unfreeze(name, timeout=None, remote=None, project=None):
    """
    Unfreeze a frozen instance; any other instance stays unchanged. Returns the changes.

    timeout
        Seconds to wait for the operation. Default: 120.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_instance.unfreeze web1
    """
    api = connection.connect(globals(), remote, project)
    return steps.apply(power.plan_unfreeze(api, name, timeout))


def move(name, target=None, timeout=None, pool=None, to_project=None, remote=None, project=None):
    """
    Move an instance to another cluster member, storage pool or project of its daemon. A running instance is stopped for
    the move and started again. Returns the changes, which are empty if it is already there.

    target
        Name of the cluster member, or ``@group`` for the online member of a cluster group that has the fewest
        instances. It cannot be combined with ``pool`` or ``to_project``. Default: the same member.
    timeout
        Seconds to wait for the move. Default: 600; 3600 to another pool or project.
    pool
        Storage pool for the root disk and its snapshots. Requires the API extension ``instance_pool_move``. Default:
        the same pool.
    to_project
        Project, which must contain the profiles of the instance and the pools and networks of its devices. Requires the
        API extension ``instance_project_move``. Default: the same project.

    If the move fails, an instance that was running is started again at its old place. Use
    :py:func:`lxdapi_instance.migrate` to move an instance to another daemon.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_instance.move web1 n2
        salt-call lxdapi_instance.move web1 pool=fast to_project=shop
    """
    api = connection.connect(globals(), remote, project)
    if target is None:
        target_api = api if to_project is None else connection.connect(globals(), remote, to_project)
        return steps.apply(pool_move.plan_move(api, name, target_api, pool, timeout))
    if pool is not None or to_project is not None:
        raise InvalidError("target must not be combined with pool or to_project: move the instance twice")
    return steps.apply(plan.plan_move(api, name, target, timeout))


def delete(name, force=False, remote=None, project=None):
    """
    Delete an instance and its snapshots. Returns the changes, which are empty if it does not exist.

    force
        Whether to force a running instance to stop first. Otherwise a running instance is an error. Default: false.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_instance.delete web1 force=True
    """
    return steps.apply(plan.plan_absent(connection.connect(globals(), remote, project), name, force))
