"""
The membership of a server in a cluster of LXD or Incus servers.

:depends: requests, requests-unixsocket

The states of ``lxdapi_cluster_member`` manage the settings of members, and evacuate and restore them.
"""

from lxdapi.cluster import membership
from lxdapi.minion import state

__version__ = "0.1.0"


def enabled(name, address=None, timeout=None, remote=None):
    """
    Ensure that the server belongs to a cluster; create a new cluster if it belongs to none.

    .. code-block:: yaml

        n1:
          lxdapi_cluster.enabled:
            - address: 192.0.2.1:8443

    name
        Name of the server in the cluster. The state fails if the server is a member under another name.
    address
        ``HOST[:PORT]`` at which the other members reach the server. It cannot be changed later. Default: the address on
        which the server listens.
    timeout
        Seconds to wait for the operation. Default: 600.
    remote
        Name of a remote under ``lxdapi:remotes`` in the minion configuration, pillar or grains. Prefer the server's own
        unix socket: over HTTPS, the server shows the certificate of the cluster after the change. Default: the local
        daemon.
    """
    return state.run(
        globals(), "server", name, lambda api: membership.plan_enable(api, name, address, timeout), remote=remote
    )


def joined(name, token=None, address=None, member_config=None, timeout=None, remote=None):
    """
    Ensure that the server belongs to a cluster; join the cluster of the token if it belongs to none.

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
        Name of the server in the cluster. The state fails if the server is a member under another name.
    token
        Join token that a member of the cluster created for this name, with ``lxdapi_cluster.join_token n2``, ``lxc
        cluster add n2`` or ``incus cluster add n2``. A token works once. Keep it in pillar, because it is a secret.
        lxdapi sends it only to a server whose certificate has the fingerprint in the token. Default: none, which is
        enough if the server is already a member; the state then ignores the token.
    address
        ``HOST[:PORT]`` at which the other members reach the server. It cannot be changed later. Default: the address on
        which the server listens.
    member_config
        Mapping of the settings that are specific to this member, by kind (``storage_pool``, ``network``), name and key.
        The state uses it only to join. Default: none, which some pools accept.
    timeout
        Seconds to wait for the operation. Default: 600.
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
