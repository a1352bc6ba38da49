"""
Storage pools of LXD and Incus.

:depends: requests, requests-unixsocket
"""

from lxdapi.cluster import per_member
from lxdapi.minion import state

__version__ = "0.1.0"


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
        Name of the pool.
    driver
        ``dir``, ``btrfs``, ``lvm``, ``zfs``, ``ceph`` or another driver; ``lxdapi.server`` lists those that the daemon
        supports. Required for a new pool. It cannot be changed later. Default: unchanged.
    description
        Description; an empty string clears it. Default: unchanged.
    config
        Mapping of config keys to values. Keys that are not declared stay unchanged; ``null`` removes a key; an empty
        mapping removes all keys except ``source``, ``size`` and ``volatile.*``. ``source`` cannot be changed later; the
        daemon rewrites it, so lxdapi compares the declared value with the original one, which the daemon keeps.
        Default: unchanged.
    members
        For a cluster: mapping of member names to the config that is specific to each member (``source``, ``size``), in
        the form of ``config``. Members that are not declared, or declared with an empty mapping, stay unchanged.
        Default: none.
    sensitive
        Further keys of ``config`` to mask in changes, comments and errors: a list of names or shell-style patterns
        (``user.db_*``). Default: only the keys that lxdapi always masks.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.

    On a clustered server, the state creates a new network or pool on every member first, then on the cluster as a
    whole. It completes an interrupted creation, also on a member that joined in the meantime.
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
    Ensure that a storage pool does not exist. The daemon does not delete a pool that is in use.

    .. code-block:: yaml

        fast:
          lxdapi_storage_pool.absent

    name
        Name of the pool.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    """
    return state.absent(globals(), "storage_pool", name, remote=remote)
