"""
Storage pools of LXD and Incus as declared.

:depends: requests, requests-unixsocket
"""

from lxdapi.cluster import per_member
from lxdapi.minion import state


def present(name, driver=None, description=None, config=None, members=None, sensitive=None, remote=None):
    """
    Ensure that a storage pool exists with the given settings.

    .. code-block:: yaml

        fast:
          lxdapi_storage_pool.present:
            - driver: dir
            - description: local disks
            - config:
                user.owner: ops

    name
        Of the pool.
    driver
        ``dir``, ``btrfs``, ``lvm``, ``zfs``, ``ceph``, ...; what is there, ``lxdapi.server`` says. Needed for a
        new one, and fixed once the pool exists.
    description
        Text; "" clears it.
    config
        A mapping of keys to values. Other keys are left alone; ``null`` removes one; an empty mapping removes
        all but ``source`` and ``volatile.*``. ``source`` is fixed once the pool exists; the daemon rewrites it and
        keeps what was declared, with which it is compared.
    members
        For a cluster: a mapping of members to the config that each has of its own (``source``,
        ``size``); keys as for ``config``. Members that are not named, and empty ones, have
        none declared. See below.
    sensitive
        More keys of ``config`` to mask in changes, comments and errors, as names or patterns (``user.db_*``).
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.

    On a clustered server a new one is made on every member and then as a whole; one that was left half made is
    completed, also on a member that was added meanwhile.
    """
    declared = {"driver": driver, "description": description, "config": config}
    return state.run(
        globals(),
        "storage_pool",
        name,
        lambda api: per_member.plan_present(api, "storage_pool", name, declared, members),
        remote=remote,
        sensitive=sensitive,
    )


def absent(name, remote=None):
    """
    Ensure that a storage pool does not exist; the daemon refuses one that is in use.

    .. code-block:: yaml

        fast:
          lxdapi_storage_pool.absent

    name
        Of the pool.
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    """
    return state.absent(globals(), "storage_pool", name, remote=remote)
