"""
Snapshots of custom storage volumes of LXD and Incus as declared.

:depends: requests, requests-unixsocket
"""

from lxdapi.instances import snapshots
from lxdapi.minion import state


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
        Text; "" clears it.
    expires_at
        A time such as ``2030-01-31T00:00:00Z``, after which the daemon may remove it; "" for never. None: left
        alone, what ``snapshots.expiry`` says for a new one.
    renamed_from
        The name of one that is to become this one, if this one does not exist yet.
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    project
        The project. Default: the remote's, or ``default``.
    target
        The member of the cluster that it is on, where more than one has one of that name or a new one
        shall be on that member.
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
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    project
        The project. Default: the remote's, or ``default``.
    target
        The member of the cluster that it is on, where more than one has one of that name.
    """
    return state.absent(globals(), "volume_snapshot", name, remote=remote, project=project, target=target)


def restored(name, timeout=None, remote=None, project=None, target=None):
    """
    Ensure that a custom storage volume was restored from a snapshot, once.

    .. code-block:: yaml

        default/data/before-upgrade:
          lxdapi_volume_snapshot.restored

    name
        ``POOL/VOLUME/SNAPSHOT``. What was restored is marked in its config (``user.lxdapi.restored``, with the time of
        the snapshot), so a second apply does nothing; a newer snapshot of the name is another one, but not on LXD
        5.0.2, which keeps no time of it. The daemon refuses it while an instance that runs has the volume.
    timeout
        Seconds for the restore; 3600.
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    project
        The project. Default: the remote's, or ``default``.
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
