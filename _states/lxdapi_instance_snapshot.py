"""
Snapshots of LXD and Incus instances.

:depends: requests, requests-unixsocket
"""

from lxdapi.instances import snapshots
from lxdapi.minion import state

__version__ = "0.1.0"


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
        Time after which the daemon may delete the snapshot, such as ``2030-01-31T00:00:00Z``; an empty string means
        never. Default: unchanged; the setting ``snapshots.expiry`` for a new snapshot.
    stateful
        Whether to include the memory of a running instance. It cannot be changed later. Default: false.
    renamed_from
        Former name: if nothing exists under ``name``, the state renames the resource with the former name. Default: no
        rename.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    project
        Name of the project. Default: the project of the remote, or ``default``.
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
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    project
        Name of the project. Default: the project of the remote, or ``default``.
    """
    return state.absent(globals(), "instance_snapshot", name, remote=remote, project=project)


def restored(name, timeout=None, remote=None, project=None):
    """
    Ensure that an instance was restored from a snapshot, once.

    .. code-block:: yaml

        web1/before-upgrade:
          lxdapi_instance_snapshot.restored

    name
        ``INSTANCE/SNAPSHOT``. lxdapi records the restored snapshot and its time in the config key
        ``user.lxdapi.restored``, so a second apply changes nothing; a newer snapshot with the same name is restored
        again. The daemon stops a running instance for the restore and starts it again.
    timeout
        Seconds to wait for the restore. Default: 3600.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    project
        Name of the project. Default: the project of the remote, or ``default``.
    """
    return state.run(
        globals(),
        "instance_snapshot",
        name,
        lambda api: snapshots.plan_restore(api, "instance_snapshot", name, timeout),
        remote=remote,
        project=project,
    )
