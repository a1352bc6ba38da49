"""
Instances of LXD and Incus that move to another daemon.

:depends: requests, requests-unixsocket
"""

from lxdapi.instances import migration
from lxdapi.minion import connection, remotes, state

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
    Ensure that an instance is on this daemon, and not on the one any more that it was on.

    .. code-block:: yaml

        shop1:
          lxdapi_instance.migrated:
            - source_remote: host1
            - remote: host2
            - allow_stop: true
            - refresh: true

    name
        Of the instance; it keeps its name, its MAC addresses and what cloud-init knows it by.
    source_remote, source_project
        Where it is now; None as ``source_remote``: the local daemon.
    pool
        The storage pool of its root disk at the target; None: as its devices and the profiles there say.
    target
        The member of the cluster that it is made on.
    mode
        ``pull`` (the target connects to the source), ``push`` (the source to the target) or ``relay`` (the data passes
        through the minion, and neither has to listen). None: by who listens on https; the comment says which it was,
        and why.
    allow_stop
        True: one that runs is stopped for the move and started at the target. False: it is refused.
    refresh
        True: it is copied while it runs, and then stopped and what has changed meanwhile transferred: it stands still
        for a shorter time.
    timeout
        Seconds for each transfer; 3600.
    remote
        Where it is to be: a name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the
        local daemon.
    project
        Where it is to be. Default: the remote's, or ``default``.

    The source is deleted last: when the copy was compared with it (config, devices, profiles, type, description,
    snapshots) and, if the instance ran, was started; and only if nobody has started or changed it meanwhile, as far as
    its daemon tells (not of a file written into a stopped instance). Its exports on the daemon go with it. If something
    fails before, the copy is removed, and the instance runs again where it was. After a crash the next run continues,
    by marks in the config (``user.lxdapi.migrating``). Where there is one of this name on both daemons that is no
    proven copy of a move that was cut off, nothing is touched.

    Profiles, storage pools and networks that it needs have to be there: what is missing is a failure before anything is
    done. A move within one daemon is :py:func:`lxdapi_instance.move`.
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
