"""
Cluster groups of LXD and Incus as declared: members of a cluster, for placing instances.

:depends: requests, requests-unixsocket; a clustered server, the API extension clustering_groups
    (LXD 5.0, every Incus)
"""

from lxdapi.minion import state


def present(name, members=None, description=None, config=None, renamed_from=None, sensitive=None, remote=None):
    """
    Ensure that a cluster group exists with the given members.

    .. code-block:: yaml

        gpu:
          lxdapi_cluster_group.present:
            - description: members with a GPU
            - members:
              - n1
              - n2

    name
        Of the group.
    members
        A list of members, as a whole: what is not in it leaves the group. Order does not count.
    description
        Text; "" clears it.
    config
        A mapping of keys to values (API extension clustering_groups_config: Incus 7). Other keys are left alone;
        ``null`` removes one.
    renamed_from
        The name of one that is to become this one, if this one does not exist yet.
    sensitive
        More keys of ``config`` to mask in changes, comments and errors, as names or patterns (``user.db_*``).
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    """
    declared = {"members": members, "description": description, "config": config}
    return state.present(
        globals(), "cluster_group", name, declared, renamed_from=renamed_from, remote=remote, sensitive=sensitive
    )


def absent(name, remote=None):
    """
    Ensure that a cluster group does not exist; the daemon refuses one that has members.

    .. code-block:: yaml

        gpu:
          lxdapi_cluster_group.absent

    name
        Of the group.
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    """
    return state.absent(globals(), "cluster_group", name, remote=remote)
