"""
Migration of instances between LXD and Incus daemons.

:depends: requests, requests-unixsocket
"""

from lxdapi.instances import migration
from lxdapi.minion import connection, remotes, state

__version__ = "0.1.0"
__virtualname__ = "lxdapi_instance"


def __virtual__():
    """Add these functions to those of ``lxdapi_instance``."""
    return __virtualname__


def migrated(
    name,
    source_remote=None,
    source_project=None,
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
    Ensure that an instance is on this daemon, and no longer on the daemon that it comes from.

    .. code-block:: yaml

        shop1:
          lxdapi_instance.migrated:
            - source_remote: host1
            - remote: host2
            - allow_stop: true
            - refresh: true

    name
        Name of the instance. The name, the MAC addresses and the identity for cloud-init stay the same.
    source_remote, source_project
        Remote and project that the instance comes from. Default: the local daemon, and the project of the remote.
    pool
        Storage pool for the root disk. Default: as the devices of the instance and the profiles of this daemon declare.
    target
        Name of the cluster member to create the instance on. Default: chosen by the daemon.
    mode
        ``pull`` (this daemon connects to the source), ``push`` (the source connects to this daemon) or ``relay`` (the
        data passes through the minion, and neither daemon must listen on the network). Default: chosen by which daemon
        listens on HTTPS; the comment names the mode and the reason.
    allow_stop
        Whether to stop a running instance for the migration and start it on this daemon. Otherwise the state fails for
        a running instance. Default: false.
    refresh
        Whether to copy the instance while it runs, then stop it and transfer only what has changed since. This shortens
        the downtime. Default: false.
    timeout
        Seconds for each transfer. Default: 3600.
    remote
        Remote that the instance goes to: a name under ``lxdapi:remotes`` in the minion configuration, pillar or grains.
        Default: the local daemon.
    project
        Project that the instance goes to. Default: the project of the remote, or ``default``.

    lxdapi deletes the source last. Before that, it compares the copy with the source (config, devices, profiles, type,
    description, snapshots), starts the copy if the instance was running, and checks that nobody has started or changed
    the source meanwhile; the daemon does not report a file written into a stopped instance. The backups of the instance
    on the source daemon are deleted with it. If a step fails before the deletion, lxdapi removes the copy, and the
    instance runs again on the source. After a crash, the next run continues, guided by marks in the config
    (``user.lxdapi.migrating``). If both daemons have an instance with this name, and the marks do not prove that one is
    the copy of an interrupted migration, the state fails and changes nothing.

    The profiles, storage pools and networks of the instance must exist on this daemon; otherwise the state fails before
    it changes anything. To move an instance within one daemon, use :py:func:`lxdapi_instance.move`.
    """
    change = {"remote": {"old": source_remote or remotes.LOCAL, "new": remote or remotes.LOCAL}}
    options = {
        "mode": mode,
        "pool": pool,
        "target": target,
        "allow_stop": allow_stop,
        "refresh": refresh,
        "timeout": timeout,
    }
    return state.run_plan(
        globals(),
        "instance",
        name,
        lambda: migration.plan_migration(
            connection.connect(globals(), source_remote, source_project),
            connection.connect(globals(), remote, project),
            name,
            change,
            options,
        ),
    )
