"""
Copies of LXD and Incus instances, and migration to another daemon.

:depends: requests, requests-unixsocket
"""

from lxdapi.instances import copy as copies
from lxdapi.instances import migration
from lxdapi.minion import connection, remotes
from lxdapi.plan import steps as plans

__version__ = "0.1.0"
__virtualname__ = "lxdapi_instance"


def __virtual__():
    """Add these functions to those of ``lxdapi_instance``."""
    return __virtualname__


def copy(
    name,
    new=None,
    pool=None,
    snapshots=True,
    refresh=False,
    target=None,
    to_remote=None,
    to_project=None,
    mode=None,
    timeout=None,
    remote=None,
    project=None,
):
    """
    Copy an instance or a snapshot, with its config, devices, profiles, type, description and other settings. The copy
    is stopped. Returns the changes.

    name
        ``INSTANCE`` or ``INSTANCE/SNAPSHOT``.
    new
        Name of the copy. Default: the same name, in another project or on another daemon.
    pool
        Storage pool for the root disk. Default: as the devices and profiles declare.
    snapshots
        Whether to copy the snapshots. Default: true.
    refresh
        Whether to update an existing copy: its data, snapshots and settings, with only the differences transferred. The
        copy must be stopped, and loses its own changes. Otherwise an existing copy is an error. Default: false.
    target
        Name of the cluster member to create the instance on. Default: chosen by the daemon.
    to_remote, to_project
        Remote and project of the copy. Default: those of the instance.
    mode
        Between two daemons: ``pull`` (the target connects to the source), ``push`` (the source connects to the target)
        or ``relay`` (the data passes through the minion, and neither daemon must listen on the network). Default:
        chosen by which daemon listens on HTTPS; the result names the mode and the reason.
    timeout
        Seconds to wait for the operation. Default: 3600.

    The profiles, storage pools and networks of the instance must exist at the target; otherwise the function raises an
    error before it changes anything.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_instance.copy web1 web2
        salt-call lxdapi_instance.copy web1/before-upgrade web2 pool=fast
        salt-call lxdapi_instance.copy web1 to_remote=backup refresh=True
    """
    api = connection.connect(globals(), remote, project)
    elsewhere = to_remote is not None and to_remote != remote
    target_api = connection.connect(
        globals(), to_remote if elsewhere else remote, to_project if elsewhere or to_project else project
    )
    new = str(name).partition("/")[0] if new is None else new
    return plans.apply(copies.plan_copy(api, name, target_api, new, pool, snapshots, refresh, target, mode, timeout))


def migrate(
    name,
    to_remote,
    to_project=None,
    pool=None,
    target=None,
    mode=None,
    allow_stop=False,
    refresh=False,
    timeout=None,
    remote=None,
    project=None,
):
    """
    Migrate an instance to another daemon. The source is deleted last, after lxdapi has compared it with the copy and,
    if the instance was running, started the copy. Returns the changes.

    to_remote, to_project
        Remote and project that the instance goes to. Default: the local daemon, and the project of the remote.

    See :py:func:`lxdapi_instance.migrated` for the other parameters.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_instance.migrate web1 host2 allow_stop=True refresh=True
    """
    change = {"remote": {"old": remote or remotes.LOCAL, "new": to_remote or remotes.LOCAL}}
    options = {
        "mode": mode,
        "pool": pool,
        "target": target,
        "allow_stop": allow_stop,
        "refresh": refresh,
        "timeout": timeout,
    }
    plan = migration.plan_migration(
        connection.connect(globals(), remote, project),
        connection.connect(globals(), to_remote, to_project),
        name,
        change,
        options,
    )
    how = {"mode": plan.steps[0].note} if plan.steps and plan.steps[0].note else {}
    return {**plans.apply(plan), **how}
