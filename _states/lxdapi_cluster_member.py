"""
Members of a cluster of LXD or Incus servers.

:depends: requests, requests-unixsocket; a clustered server
"""

from lxdapi.cluster import membership
from lxdapi.minion import state

__version__ = "0.1.0"


def present(
    name,
    description=None,
    failure_domain=None,
    groups=None,
    roles=None,
    config=None,
    renamed_from=None,
    sensitive=None,
    remote=None,
):
    """
    Ensure that a cluster member has the given settings.

    .. code-block:: yaml

        n2:
          lxdapi_cluster_member.present:
            - description: rack 2
            - failure_domain: rack2
            - groups:
              - default
              - gpu
            - config:
                scheduler.instance: manual

    name
        Name of the member. The state fails if the member does not exist: use ``lxdapi_cluster.joined`` to add a server.
    description
        Description; an empty string clears it. Default: unchanged.
    failure_domain
        Name of a failure domain, such as a rack or a room. Default: unchanged.
    groups
        Complete list of cluster groups; the order does not matter. Default: unchanged.
    roles
        Complete list of roles, without those that the cluster assigns itself (such as ``database``). Default:
        unchanged.
    config
        Mapping of config keys to values. Keys that are not declared stay unchanged; ``null`` removes a key; an empty
        mapping removes all keys. Default: unchanged.
    renamed_from
        Former name: if nothing exists under ``name``, the state renames the resource with the former name. Default: no
        rename.
    sensitive
        Further keys of ``config`` to mask in changes, comments and errors: a list of names or shell-style patterns
        (``user.db_*``). Default: only the keys that lxdapi always masks.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    """
    declared = {
        "description": description,
        "failure_domain": failure_domain,
        "groups": groups,
        "roles": roles,
        "config": config,
    }
    return state.present(
        globals(), "cluster_member", name, declared, renamed_from=renamed_from, remote=remote, sensitive=sensitive
    )


def absent(name, force=False, remote=None):
    """
    Ensure that a server is not a member of the cluster. The daemon does not remove a member that has instances.

    .. code-block:: yaml

        n2:
          lxdapi_cluster_member.absent

    name
        Name of the member. A member cannot remove itself: set ``remote`` to another member.
    force
        Whether to remove a member that does not respond. The cluster loses the data on it. Default: false.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    """
    return state.run(
        globals(), "cluster_member", name, lambda api: membership.plan_remove(api, name, force), remote=remote
    )


def evacuated(name, mode=None, force=False, timeout=None, remote=None):
    """
    Ensure that a cluster member is evacuated: its instances are moved to other members or stopped.

    .. code-block:: yaml

        n2:
          lxdapi_cluster_member.evacuated

    name
        Name of the member. The state fails if the member is offline.
    mode
        Action for all instances: ``stop``, ``migrate``, ``live-migrate`` or another mode of the daemon. Requires the
        API extension ``clustering_evacuation_mode`` (not in LXD 5.0.2). Default: the setting ``cluster.evacuate`` of
        each instance.
    force
        Whether to evacuate the member even if the remaining members lose their quorum. Requires the API extension
        ``clustering_evacuation_force``; daemons without it never reject the evacuation. Default: false.
    timeout
        Seconds to wait for the operation. Default: 600.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    """
    return _run_action(name, "evacuate", mode, force, timeout, remote)


def restored(name, mode=None, timeout=None, remote=None):
    """
    Ensure that a cluster member is in service: if it was evacuated, its instances move back and start.

    .. code-block:: yaml

        n2:
          lxdapi_cluster_member.restored

    name
        Name of the member. The state fails if the member is offline.
    mode
        ``skip`` leaves the instances where they are. Requires the API extension ``clustering_restore_skip_mode``.
        Default: the instances move back.
    timeout
        Seconds to wait for the operation. Default: 600.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    """
    return _run_action(name, "restore", mode, False, timeout, remote)


def _run_action(name, action, mode, force, timeout, remote):
    return state.run(
        globals(),
        "cluster_member",
        name,
        lambda api: membership.plan_member_action(api, name, action, mode, force, timeout),
        remote=remote,
    )
