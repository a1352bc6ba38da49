"""
The server's own membership in a cluster of LXD or Incus servers.

:depends: requests, requests-unixsocket

What other members are like, and whether they are at work, is what the states of cluster members are about.
"""

from lxdapi.cluster import membership
from lxdapi.minion import state


def enabled(name, address=None, timeout=None, remote=None):
    """
    Ensure that the server is in a cluster, which it begins if it is in none.

    .. code-block:: yaml

        n1:
          lxdapi_cluster.enabled:
            - address: 192.0.2.1:8443

    name
        What it is called in the cluster. A member of a cluster under another name is a failure.
    address
        ``HOST[:PORT]`` at which other members reach it, which cannot be changed afterwards; None: that at which it
        listens.
    timeout
        Seconds; 600.
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
        Prefer the server's own unix socket: over HTTPS it shows the certificate of the cluster afterwards.
    """
    return state.run(
        globals(), "server", name, lambda api: membership.plan_enable(api, name, address, timeout), remote=remote
    )


def joined(name, token=None, address=None, member_config=None, timeout=None, remote=None):
    """
    Ensure that the server is in a cluster, which it joins if it is in none.

    .. code-block:: yaml

        n2:
          lxdapi_cluster.joined:
            - token: __slot__:salt:config.get(cluster_token)
            - address: 192.0.2.2:8443
            - member_config:
                storage_pool:
                  default:
                    source: /srv/pool

    name
        What it is called in the cluster. A member of a cluster under another name is a failure.
    token
        From a member, for this very name: ``lxdapi_cluster.join_token n2``, ``lxc cluster add n2`` or ``incus
        cluster add n2``. It is used once, and not looked at where the server is a member already. It is a secret:
        keep it in pillar. The server at the address in it has to show the certificate whose fingerprint is in it.
    address
        ``HOST[:PORT]`` at which other members reach it, which cannot be changed afterwards; None: that at which it
        listens.
    member_config
        What it has of its own of the cluster's ``storage_pool`` and ``network``, by name and key; not looked at
        afterwards. Some pools need none.
    timeout
        Seconds; 600.
    remote
        See :py:func:`lxdapi_cluster.enabled`.
    """
    return state.run(
        globals(),
        "server",
        name,
        lambda api: membership.plan_join(api, name, token, address, member_config, timeout),
        remote=remote,
    )
