"""
Snapshots of instances of LXD and Incus as declared.

:depends: requests, requests-unixsocket
"""

from lxdapi.instances import snapshots
from lxdapi.minion import state


def present(name, expires_at=None, stateful=None, renamed_from=None, remote=None, project=None):
    """
    Ensure that a snapshot of an instance exists.

    .. code-block:: yaml

        web1/before-upgrade:
          lxdapi_instance_snapshot.present:
            - expires_at: 2040-01-31T00:00:00Z

    name
        ``INSTANCE/SNAPSHOT``.
    expires_at
        A time such as ``2030-01-31T00:00:00Z``, after which the daemon may remove it; "" for never. None: left
        alone, what ``snapshots.expiry`` says for a new one.
    stateful
        True: with the state of the memory, of an instance that runs. Fixed once the snapshot exists.
    renamed_from
        The name of one that is to become this one, if this one does not exist yet.
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    project
        The project. Default: the remote's, or ``default``.
    """
    declared = {"expires_at": expires_at, "stateful": stateful}
    return state.present(
        globals(), "instance_snapshot", name, declared, renamed_from=renamed_from, remote=remote, project=project
    )


def absent(name, remote=None, project=None):
    """
    Ensure that a snapshot of an instance does not exist.

    .. code-block:: yaml

        web1/before-upgrade:
          lxdapi_instance_snapshot.absent

    name
        ``INSTANCE/SNAPSHOT``.
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    project
        The project. Default: the remote's, or ``default``.
    """
    return state.absent(globals(), "instance_snapshot", name, remote=remote, project=project)


def restored(name, timeout=None, remote=None, project=None):
    """
    Ensure that an instance was restored from a snapshot, once.

    .. code-block:: yaml

        web1/before-upgrade:
          lxdapi_instance_snapshot.restored

    name
        ``INSTANCE/SNAPSHOT``. What was restored is marked in its config (``user.lxdapi.restored``, with the time of
        the snapshot), so a second apply does nothing; a newer snapshot of the name is another one. An
        instance that runs is stopped by the daemon and started again.
    timeout
        Seconds for the restore; 3600.
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    project
        The project. Default: the remote's, or ``default``.
    """
    return state.run(
        globals(),
        "instance_snapshot",
        name,
        lambda api: snapshots.plan_restore(api, "instance_snapshot", name, timeout),
        remote=remote,
        project=project,
    )
