"""
Snapshots of instances and custom storage volumes, identified by name: ``web1/before`` is a snapshot of the instance
web1, ``default/data/before`` one of the volume data in the pool default.

:depends: requests, requests-unixsocket
"""

from lxdapi.instances import snapshot_rotation, snapshots
from lxdapi.minion import connection, state
from lxdapi.plan import converge

__version__ = "0.1.0"


def _state(name, plan):
    """Return Salt's answer for a plan of the snapshot's kind."""
    return state.run_plan(globals(), "snapshot", name, plan)


def present(
    name,
    description=None,
    expires_at=None,
    stateful=None,
    renamed_from=None,
    remote=None,
    project=None,
    target=None,
):
    """
    Ensure that a snapshot exists.

    .. code-block:: yaml

        web1/before-upgrade:
          lxdapi_snapshot.present:
            - expires_at: 2040-01-31T00:00:00Z

        default/data/before-upgrade:
          lxdapi_snapshot.present:
            - description: before the upgrade

    name
        ``INSTANCE/SNAPSHOT``, or ``POOL/VOLUME/SNAPSHOT`` for a custom volume.
    description
        Description of a volume snapshot; an empty string clears it. Default: unchanged.
    expires_at
        Time after which the daemon may delete the snapshot, such as ``2030-01-31T00:00:00Z``; an empty string means
        never. Default: unchanged; the setting ``snapshots.expiry`` for a new snapshot.
    stateful
        For an instance: whether to include the memory of a running instance. It cannot be changed later. Default:
        false.
    renamed_from
        Former name: if nothing exists under ``name``, the state renames the resource with the former name. Default: no
        rename.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    project
        Name of the project. Default: the project of the remote, or ``default``.
    target
        Name of the cluster member that the volume is on. Default: found by the daemon, unless several members have a
        volume with this name.
    """

    def plan():
        kind_name = snapshots.kind_name_of(name)
        settings = {"description": description, "expires_at": expires_at, "stateful": stateful}
        declared = snapshots.settings_of(name, settings)
        return converge.plan_present(
            connection.connect(globals(), remote, project, target), kind_name, name, declared, renamed_from=renamed_from
        )

    return _state(name, plan)


def absent(name, remote=None, project=None, target=None):
    """
    Ensure that a snapshot does not exist.

    .. code-block:: yaml

        web1/before-upgrade:
          lxdapi_snapshot.absent

        default/data/before-upgrade:
          lxdapi_snapshot.absent

    name
        ``INSTANCE/SNAPSHOT``, or ``POOL/VOLUME/SNAPSHOT`` for a custom volume.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    project
        Name of the project. Default: the project of the remote, or ``default``.
    target
        Name of the cluster member that the volume is on. Default: found by the daemon, unless several members have a
        volume with this name.
    """
    return _state(
        name,
        lambda: converge.plan_absent(
            connection.connect(globals(), remote, project, target), snapshots.kind_name_of(name), name
        ),
    )


def restored(name, timeout=None, remote=None, project=None, target=None):
    """
    Ensure that an instance or a custom volume was restored from a snapshot, once.

    .. code-block:: yaml

        web1/before-upgrade:
          lxdapi_snapshot.restored

    name
        ``INSTANCE/SNAPSHOT``, or ``POOL/VOLUME/SNAPSHOT`` for a custom volume. lxdapi records the restored snapshot and
        its time in the config key ``user.lxdapi.restored``, so a second apply changes nothing; a newer snapshot with
        the same name is restored again (but not that of a volume on LXD 5.0.2, which stores no time for it). The daemon
        stops a running instance for the restore and starts it again; it does not restore a volume that a running
        instance uses.
    timeout
        Seconds to wait for the restore. Default: 3600.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    project
        Name of the project. Default: the project of the remote, or ``default``.
    target
        Name of the cluster member that the volume is on. Default: found by the daemon, unless several members have a
        volume with this name.
    """
    return _state(
        name,
        lambda: snapshots.plan_restore(
            connection.connect(globals(), remote, project, target), snapshots.kind_name_of(name), name, timeout
        ),
    )


def rotated(
    name,
    keep_last=None,
    daily=None,
    weekly=None,
    monthly=None,
    every=None,
    prefix=None,
    remote=None,
    project=None,
    target=None,
):
    """
    Ensure that an instance or a custom volume has a snapshot of the current period, and only those older snapshots that
    a rule keeps.

    .. code-block:: yaml

        web1:
          lxdapi_snapshot.rotated:
            - daily: 7
            - weekly: 4
            - monthly: 6

        default/data:
          lxdapi_snapshot.rotated:
            - keep_last: 24
            - every: 1h
            - prefix: hourly-

    The state creates a snapshot if none exists since the start of the shortest period, in UTC: the period of ``every``,
    the day, the week (from Monday) or the month. The snapshot is named after that start, ``lxdapi-20261125T000000Z``,
    so a second apply in the same period changes nothing. Use Salt's ``schedule`` to apply the state often enough. Old
    snapshots are deleted after a new one was created, or when a rule keeps fewer. The state deletes only snapshots
    whose name consists of the prefix and such a time. A snapshot whose time is in the future, which a wrong clock can
    leave behind, is never deleted and does not count until then.

    name
        ``INSTANCE``, or ``POOL/VOLUME`` for a custom volume.
    keep_last
        Number of the newest snapshots to keep, one for each period of ``every``. Default: none.
    daily, weekly, monthly
        Number of days, weeks or months for which the newest snapshot is kept; a day, week or month without a snapshot
        does not count. A snapshot stays as long as any rule keeps it. Default: none.
    every
        Period of ``keep_last``: ``30m``, ``6h``, ``1d``. Default: one day.
    prefix
        Start of the names of this rotation's snapshots. Two rotations of the same resource need different prefixes.
        Default: ``lxdapi-``.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    project
        Name of the project. Default: the project of the remote, or ``default``.
    target
        Name of the cluster member that the volume is on. Default: found by the daemon, unless several members have a
        volume with this name.
    """
    rules = {"keep_last": keep_last, "every": every, "daily": daily, "weekly": weekly, "monthly": monthly}
    return state.run(
        globals(),
        "the rotation of",
        name,
        lambda api: snapshot_rotation.plan_rotation(api, name, rules, prefix),
        remote=remote,
        project=project,
        target=target,
    )
