"""
Cluster groups of LXD and Incus: sets of cluster members, used to place instances.

:depends: requests, requests-unixsocket; a clustered server, the API extension clustering_groups
    (LXD 5.0, every Incus)
"""

from lxdapi.minion import state

__version__ = "0.1.0"


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
        Name of the cluster group.
    members
        Complete list of members: a member that is not in the list leaves the group. The order does not matter. Default:
        unchanged.
    description
        Description; an empty string clears it. Default: unchanged.
    config
        Mapping of config keys to values. Keys that are not declared stay unchanged; ``null`` removes a key. Requires
        the API extension clustering_groups_config (Incus 7). Default: unchanged.
    renamed_from
        Former name: if nothing exists under ``name``, the state renames the resource with the former name. Default: no
        rename.
    sensitive
        Further keys of ``config`` to mask in changes, comments and errors: a list of names or shell-style patterns
        (``user.db_*``). Default: only the keys that lxdapi always masks.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    """
    declared = {"members": members, "description": description, "config": config}
    return state.present(
        globals(), "cluster_group", name, declared, renamed_from=renamed_from, remote=remote, sensitive=sensitive
    )


def absent(name, remote=None):
    """
    Ensure that a cluster group does not exist. The daemon does not delete a group that has members.

    .. code-block:: yaml

        gpu:
          lxdapi_cluster_group.absent

    name
        Name of the cluster group.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    """
    return state.absent(globals(), "cluster_group", name, remote=remote)
