"""
Members of a cluster of LXD or Incus servers as declared.

:depends: requests, requests-unixsocket; a clustered server
"""

from lxdapi.cluster import membership
from lxdapi.minion import state


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
    Ensure that a member of the cluster has the given settings.

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
        Of the member. A server becomes one by joining the cluster: one that is not there is a failure.
    description
        Text; "" clears it.
    failure_domain
        The name of what fails together: a rack, a room.
    groups
        A list of cluster groups, as a whole. Order does not count.
    roles
        A list of roles, as a whole but for those that the cluster gives by itself (``database`` and the like).
    config
        A mapping of keys to values. Other keys are left alone; ``null`` removes one; an empty mapping
        removes all.
    renamed_from
        The name of one that is to become this one, if this one does not exist yet.
    sensitive
        More keys of ``config`` to mask in changes, comments and errors, as names or patterns (``user.db_*``).
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
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
    Ensure that a server is no member of the cluster; the daemon refuses one that has instances.

    .. code-block:: yaml

        n2:
          lxdapi_cluster_member.absent

    name
        Of the member. The one that is talked to is refused: another one has to be asked for it.
    force
        True: also one that does not answer; what is on it is lost to the cluster.
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    """
    return state.run(
        globals(), "cluster_member", name, lambda api: membership.plan_remove(api, name, force), remote=remote
    )


def evacuated(name, mode=None, force=False, timeout=None, remote=None):
    """
    Ensure that a member of the cluster is out of work: its instances are moved to others, or stopped.

    .. code-block:: yaml

        n2:
          lxdapi_cluster_member.evacuated

    name
        Of the member. One that is offline is a failure.
    mode
        What is done with all instances, instead of what each says in ``cluster.evacuate``: ``stop``, ``migrate``,
        ``live-migrate`` and what else the daemon has. It needs the API extension ``clustering_evacuation_mode`` (LXD
        5.0.2 lacks it).
    force
        True: also where too few members would be left to agree on anything. It needs the API extension
        ``clustering_evacuation_force``; other daemons never refuse it.
    timeout
        Seconds; 600.
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    """
    return _reached(name, "evacuate", mode, force, timeout, remote)


def restored(name, mode=None, timeout=None, remote=None):
    """
    Ensure that a member of the cluster is at work: if it was evacuated, its instances come back and are started.

    .. code-block:: yaml

        n2:
          lxdapi_cluster_member.restored

    name
        Of the member. One that is offline is a failure.
    mode
        ``skip``: they stay where they are. It needs the API extension ``clustering_restore_skip_mode``.
    timeout
        Seconds; 600.
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    """
    return _reached(name, "restore", mode, False, timeout, remote)


def _reached(name, action, mode, force, timeout, remote):
    return state.run(
        globals(),
        "cluster_member",
        name,
        lambda api: membership.plan_member_action(api, name, action, mode, force, timeout),
        remote=remote,
    )
