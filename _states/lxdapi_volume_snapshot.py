"""
Snapshots of custom storage volumes of LXD and Incus.

:depends: requests, requests-unixsocket
"""

from lxdapi.instances import snapshots
from lxdapi.minion import state

__version__ = "0.1.0"


def present(name, description=None, expires_at=None, renamed_from=None, remote=None, project=None, target=None):
    """
    Ensure that a snapshot of a custom storage volume exists.

    .. code-block:: yaml

        default/data/before-upgrade:
          lxdapi_volume_snapshot.present:
            - description: before the upgrade
            - expires_at: 2040-01-31T00:00:00Z

    name
        ``POOL/VOLUME/SNAPSHOT``.
    description
        Description; an empty string clears it. Default: unchanged.
    expires_at
        Time after which the daemon may delete the snapshot, such as ``2030-01-31T00:00:00Z``; an empty string means
        never. Default: unchanged; the setting ``snapshots.expiry`` for a new snapshot.
    renamed_from
        Former name: if nothing exists under ``name``, the state renames the resource with the former name. Default: no
        rename.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    project
        Name of the project. Default: the project of the remote, or ``default``.
    target
        Name of the cluster member to create a new resource on, or that an existing resource is on. For an existing
        resource, only needed if several members have a resource with this name. Default: chosen by the daemon.
    """
    declared = {"description": description, "expires_at": expires_at}
    return state.present(
        globals(),
        "volume_snapshot",
        name,
        declared,
        renamed_from=renamed_from,
        remote=remote,
        project=project,
        target=target,
    )


def absent(name, remote=None, project=None, target=None):
    """
    Ensure that a snapshot of a custom storage volume does not exist.

    .. code-block:: yaml

        default/data/before-upgrade:
          lxdapi_volume_snapshot.absent

    name
        ``POOL/VOLUME/SNAPSHOT``.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    project
        Name of the project. Default: the project of the remote, or ``default``.
    target
        Name of the cluster member that the resource is on. Default: found by the daemon, unless several members have a
        resource with this name.
    """
    return state.absent(globals(), "volume_snapshot", name, remote=remote, project=project, target=target)


def restored(name, timeout=None, remote=None, project=None, target=None):
    """
    Ensure that a custom storage volume was restored from a snapshot, once.

    .. code-block:: yaml

        default/data/before-upgrade:
          lxdapi_volume_snapshot.restored

    name
        ``POOL/VOLUME/SNAPSHOT``. lxdapi records the restored snapshot and its time in the config key
        ``user.lxdapi.restored``, so a second apply changes nothing; a newer snapshot with the same name is restored
        again (but not on LXD 5.0.2, which stores no time for it). The daemon does not restore a volume that a running
        instance uses.
    timeout
        Seconds to wait for the restore. Default: 3600.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    project
        Name of the project. Default: the project of the remote, or ``default``.
    target
        See :py:func:`lxdapi_volume_snapshot.present`.
    """
    return state.run(
        globals(),
        "volume_snapshot",
        name,
        lambda api: snapshots.plan_restore(api, "volume_snapshot", name, timeout),
        remote=remote,
        project=project,
        target=target,
    )
