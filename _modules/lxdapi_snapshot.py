"""
Verbs of snapshots of instances (``web1/before``) and of custom storage volumes (``default/data/before``).

:depends: requests, requests-unixsocket
"""

from lxdapi.instances import snapshots
from lxdapi.minion import connection
from lxdapi.plan import converge, steps

__func_alias__ = {"list_": "list"}


def list_(name, remote=None, project=None, target=None):
    """
    Return the snapshots by their names: when each was made, and when it expires; None for never, or where the daemon
    does not know (LXD 5.0.2 keeps no time of a volume's).

    name
        An instance, or ``POOL/VOLUME`` of a custom volume.
    target
        The member of the cluster that a volume is on, where more than one has one of that name.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_snapshot.list web1
        salt-call lxdapi_snapshot.list default/data
    """
    return snapshots.list_times(connection.connect(globals(), remote, project, target), name)


def create(name, description=None, expires_at=None, stateful=None, remote=None, project=None, target=None):
    """
    Make a snapshot; one of that name is refused. Returns what changed.

    name
        ``INSTANCE/SNAPSHOT``, or ``POOL/VOLUME/SNAPSHOT`` of a custom volume.
    description
        Of a volume's: text.
    expires_at
        A time such as ``2030-01-31T00:00:00Z``, after which the daemon may remove it; "" for never. None: what
        ``snapshots.expiry`` says.
    stateful
        Of an instance's: True for one with the state of the memory, of an instance that runs.
    target
        The member of the cluster that a volume is on, where more than one has one of that name.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_snapshot.create web1/before expires_at=2040-01-31T00:00:00Z
        salt-call lxdapi_snapshot.create default/data/before description='before the upgrade'
    """
    kind_name = snapshots.kind_name_of(name)
    settings = {"description": description, "expires_at": expires_at, "stateful": stateful}
    wanted = snapshots.settings_of(name, settings)
    return steps.apply(
        converge.plan_create_new(connection.connect(globals(), remote, project, target), kind_name, name, wanted)
    )


def delete(name, remote=None, project=None, target=None):
    """
    Delete a snapshot. Returns what changed; nothing if there is none.

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
    Restore the instance or the volume from a snapshot, also if it was before. Returns what changed.

    timeout
        Seconds; 3600.

    An instance that runs is stopped by the daemon and started again. See :py:func:`lxdapi_snapshot.create` for the
    other parameters.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_snapshot.restore web1/before
    """
    return snapshots.restore(connection.connect(globals(), remote, project, target), name, timeout)


def rename(name, new_name, remote=None, project=None, target=None):
    """
    Give a snapshot another name. Returns what changed.

    new_name
        With or without what it is of: ``after`` or ``web1/after``.

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
    Set the time after which the daemon may remove a snapshot. Returns what changed.

    expires_at
        Such as ``2030-01-31T00:00:00Z``; "" for never.

    See :py:func:`lxdapi_snapshot.create` for the other parameters.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_snapshot.expire web1/before 2040-01-31T00:00:00Z
    """
    wanted = {"expires_at": expires_at}
    return steps.apply(
        converge.plan_update(
            connection.connect(globals(), remote, project, target), snapshots.kind_name_of(name), name, wanted
        )
    )
