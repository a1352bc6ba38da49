"""
Operations on snapshots of instances (``web1/before``) and custom storage volumes (``default/data/before``).

:depends: requests, requests-unixsocket
"""

from lxdapi.instances import snapshots
from lxdapi.minion import connection
from lxdapi.plan import converge, steps

__version__ = "0.1.0"
__func_alias__ = {"list_": "list"}


def list_(name, remote=None, project=None, target=None):
    """
    Return the snapshots by name, each with its creation and expiry time. The expiry time is None for never; a time that
    the daemon does not know is None too (LXD 5.0.2 stores no creation time for snapshots of volumes).

    name
        Name of an instance, or ``POOL/VOLUME`` for a custom volume.
    target
        Name of the cluster member that the volume is on. Default: found by the daemon, unless several members have a
        volume with this name.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_snapshot.list web1
        salt-call lxdapi_snapshot.list default/data
    """
    return snapshots.list_times(connection.connect(globals(), remote, project, target), name)


def create(name, description=None, expires_at=None, stateful=None, remote=None, project=None, target=None):
    """
    Create a snapshot. Raises an error if the name exists. Returns the changes.

    name
        ``INSTANCE/SNAPSHOT``, or ``POOL/VOLUME/SNAPSHOT`` for a custom volume.
    description
        Description of a volume snapshot. Default: none.
    expires_at
        Time after which the daemon may delete the snapshot, such as ``2030-01-31T00:00:00Z``; an empty string means
        never. Default: the setting ``snapshots.expiry``.
    stateful
        For an instance: whether to include the memory of a running instance. Default: false.
    target
        Name of the cluster member that the volume is on. Default: found by the daemon, unless several members have a
        volume with this name.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_snapshot.create web1/before expires_at=2040-01-31T00:00:00Z
        salt-call lxdapi_snapshot.create default/data/before description='before the upgrade'
    """
    kind_name = snapshots.kind_name_of(name)
    settings = {"description": description, "expires_at": expires_at, "stateful": stateful}
    declared = snapshots.settings_of(name, settings)
    return steps.apply(
        converge.plan_create_new(connection.connect(globals(), remote, project, target), kind_name, name, declared)
    )


def delete(name, remote=None, project=None, target=None):
    """
    Delete a snapshot. Returns the changes, which are empty if it does not exist.

    See :py:func:`lxdapi_snapshot.create` for the parameters.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_snapshot.delete web1/before
    """
    return steps.apply(
        converge.plan_absent(connection.connect(globals(), remote, project, target), snapshots.kind_name_of(name), name)
    )


def restore(name, timeout=None, remote=None, project=None, target=None):
    """
    Restore an instance or a volume from a snapshot, even if it was restored before. Returns the changes.

    timeout
        Seconds to wait for the operation. Default: 3600.

    The daemon stops a running instance for the restore and starts it again. See :py:func:`lxdapi_snapshot.create` for
    the other parameters.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_snapshot.restore web1/before
    """
    return snapshots.restore(connection.connect(globals(), remote, project, target), name, timeout)


def rename(name, new_name, remote=None, project=None, target=None):
    """
    Rename a snapshot. Returns the changes.

    new_name
        New name, with or without the name of the instance or volume: ``after`` or ``web1/after``.

    See :py:func:`lxdapi_snapshot.create` for the other parameters.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_snapshot.rename web1/before after
    """
    return steps.apply(
        converge.plan_rename(
            connection.connect(globals(), remote, project, target), snapshots.kind_name_of(name), name, new_name
        )
    )


def expire(name, expires_at, remote=None, project=None, target=None):
    """
    Set the expiry time of a snapshot. Returns the changes.

    expires_at
        Time after which the daemon may delete the snapshot, such as ``2030-01-31T00:00:00Z``; an empty string means
        never.

    See :py:func:`lxdapi_snapshot.create` for the other parameters.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_snapshot.expire web1/before 2040-01-31T00:00:00Z
    """
    declared = {"expires_at": expires_at}
    return steps.apply(
        converge.plan_update(
            connection.connect(globals(), remote, project, target), snapshots.kind_name_of(name), name, declared
        )
    )
