"""
Copies of LXD and Incus instances, and their move to another daemon.

:depends: requests, requests-unixsocket
"""

from lxdapi.instances import copy as copies
from lxdapi.instances import migration
from lxdapi.minion import connection, remotes
from lxdapi.plan import steps as plans

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
    Copy the instance, or a snapshot of one, with all that it has: config, devices, profiles, type, description and
    the rest. The copy is stopped. Returns what changed.

    name
        ``INSTANCE`` or ``INSTANCE/SNAPSHOT``.
    new
        The name of the copy; None: the same, in another project or on another daemon.
    pool
        The storage pool of its root disk; None: as the devices and profiles say.
    snapshots
        False: the snapshots are not copied.
    refresh
        True: a copy that exists is brought up to date, data, snapshots and settings, of which only what differs is
        transferred; it has to be stopped, and what it has of its own is lost. False: one that exists is refused.
    target
        The member of the cluster that it is made on.
    to_remote, to_project
        Where the copy is to be; None: where the instance is.
    mode
        Between two daemons: ``pull`` (the target connects to the source), ``push`` (the source to the target) or
        ``relay`` (the data passes through the minion, and neither has to listen). None: by who listens on https; the
        result says which it was, and why.
    timeout
        Seconds; 3600.

    Profiles, storage pools and networks that it needs and that are not there are a failure before anything is done.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_instance.copy web1 web2
        salt-call lxdapi_instance.copy web1/before-upgrade web2 pool=fast
        salt-call lxdapi_instance.copy web1 to_remote=backup refresh=True
    """
    api = connection.connect(globals(), remote, project)
    elsewhere = to_remote is not None and to_remote != remote
    there = connection.connect(
        globals(), to_remote if elsewhere else remote, to_project if elsewhere or to_project else project
    )
    new = str(name).partition("/")[0] if new is None else new
    return plans.apply(copies.plan_copy(api, name, there, new, pool, snapshots, refresh, target, mode, timeout))


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
    Move the instance to another daemon; at the source it is deleted last, when the copy was compared with it and, if it
    ran, was started. Returns what changed.

    to_remote, to_project
        Where it is to be. None as ``to_remote``: the local daemon.

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
    steps = migration.plan_migration(
        connection.connect(globals(), remote, project),
        connection.connect(globals(), to_remote, to_project),
        name,
        change,
        options,
    )
    how = {"mode": steps[0].note} if steps and steps[0].note else {}
    return {**plans.apply(steps), **how}
