"""
Clusters of LXD and Incus servers: membership, and evacuation of members.

:depends: requests, requests-unixsocket

Each function that changes something returns the changes, which are empty if the state was already as requested. To
enable or join a cluster, use the unix socket of the server: over HTTPS, the server shows the certificate of the cluster
after the change.
"""

from lxdapi.cluster import membership
from lxdapi.minion import connection
from lxdapi.plan import steps

__version__ = "0.1.0"


def enable(name, address=None, timeout=None, remote=None):
    """
    Make this server the first member of a new cluster. Returns the changes.

    name
        Name of the server in the cluster.
    address
        ``HOST[:PORT]`` at which the other members will reach the server. Default: the address on which the server
        listens.
    timeout
        Seconds to wait for the operation. Default: 600.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_cluster.enable n1 192.0.2.1:8443
    """
    return steps.apply(membership.plan_enable(connection.connect(globals(), remote), name, address, timeout))


def join_token(name, remote=None):
    """
    Create and return a token that lets one server join the cluster. It expires after three hours, or after
    ``cluster.join_token_expiry``. The token is a secret.

    name
        Name of that server in the cluster.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_cluster.join_token n2
    """
    return membership.create_token(connection.connect(globals(), remote), name)


def tokens(remote=None):
    """
    Return the names that have unused join tokens, with their expiry times (``expires_at``). The daemon never shows a
    token again.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_cluster.tokens
    """
    return membership.list_tokens(connection.connect(globals(), remote))


def revoke(name, remote=None):
    """
    Revoke the join tokens for a name. Returns the changes.

    name
        Name that the tokens were created for.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_cluster.revoke n2
    """
    return membership.revoke(connection.connect(globals(), remote), name)


def join(name, token, address=None, member_config=None, timeout=None, remote=None):
    """
    Make this server a member of the cluster that created the token. Returns the changes.

    name
        Name of the server in the cluster; the token must have been created for it.
    token
        Token from :py:func:`lxdapi_cluster.join_token`, ``lxc cluster add`` or ``incus cluster add``. On a command
        line, write ``token=`` before it, because it may end with a ``=``.
    address
        ``HOST[:PORT]`` at which the other members reach this server. Default: the address on which the server listens.
    member_config
        Mapping of the settings that are specific to this member, by kind, name and key: ``{"storage_pool": {"default":
        {"source": "/srv/pool"}}, "network": {"uplink": {"parent": "eth1"}}}``. Default: none.
    timeout
        Seconds to wait for the operation. Default: 600.

    Before lxdapi sends anything, it verifies that the server at the address in the token has the certificate whose
    fingerprint is in the token.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_cluster.join n2 token="$TOKEN" address=192.0.2.2:8443
    """
    return steps.apply(
        membership.plan_join(connection.connect(globals(), remote), name, token, address, member_config, timeout)
    )


def members(remote=None):
    """
    Return the members of the cluster, each with its ``status``, ``message`` and ``roles``.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_cluster.members
    """
    return membership.list_members(connection.connect(globals(), remote))


def evacuate(name, mode=None, force=False, timeout=None, remote=None):
    """
    Evacuate a member: move its instances to other members or stop them. Returns the changes.

    name
        Name of the member.
    mode
        Action for all instances: ``stop``, ``migrate``, ``live-migrate`` or another mode of the daemon. Requires the
        API extension ``clustering_evacuation_mode`` (not in LXD 5.0.2). Default: the setting ``cluster.evacuate`` of
        each instance.
    force
        Whether to evacuate the member even if the remaining members lose their quorum. Requires the API extension
        ``clustering_evacuation_force``; daemons without it never reject the evacuation. Default: false.
    timeout
        Seconds to wait for the operation. Default: 600.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_cluster.evacuate n2
    """
    return steps.apply(
        membership.plan_member_action(connection.connect(globals(), remote), name, "evacuate", mode, force, timeout)
    )


def restore(name, mode=None, timeout=None, remote=None):
    """
    Return an evacuated member to service: its instances move back and start. Returns the changes.

    name
        Name of the member.
    mode
        ``skip`` leaves the instances where they are. Requires the API extension ``clustering_restore_skip_mode``.
        Default: the instances move back.
    timeout
        Seconds to wait for the operation. Default: 600.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_cluster.restore n2
    """
    return steps.apply(
        membership.plan_member_action(connection.connect(globals(), remote), name, "restore", mode, timeout=timeout)
    )


def remove(name, force=False, remote=None):
    """
    Remove a member from the cluster. Returns the changes, which are empty if it does not exist.

    name
        Name of the member. A member cannot remove itself: set ``remote`` to another member.
    force
        Whether to remove a member that does not respond; the cluster loses the data on it. Otherwise the member must
        respond and have neither instances nor volumes. Default: false.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_cluster.remove n2
    """
    return steps.apply(membership.plan_remove(connection.connect(globals(), remote), name, force))
