"""
Clusters of LXD and Incus servers: who belongs to one, and who is at work in it.

:depends: requests, requests-unixsocket

Each verb returns what it changed, an empty mapping where it was so already. A server that enables or joins a cluster
is best asked over its own unix socket: over HTTPS it shows another certificate afterwards, that of the cluster.
"""

from lxdapi.cluster import membership
from lxdapi.minion import connection
from lxdapi.plan import steps


def enable(name, address=None, timeout=None, remote=None):
    """
    Make this server the first member of a new cluster. Returns what changed.

    name
        What it is called in the cluster.
    address
        ``HOST[:PORT]`` at which other members will reach it; None: that at which it listens.
    timeout
        Seconds; 600.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_cluster.enable n1 192.0.2.1:8443
    """
    return steps.apply(membership.plan_enable(connection.connect(globals(), remote), name, address, timeout))


def join_token(name, remote=None):
    """
    Return a new token with which one server can join the cluster, within three hours or what
    ``cluster.join_token_expiry`` says. It is a secret.

    name
        What that server will be called in the cluster.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_cluster.join_token n2
    """
    return membership.create_token(connection.connect(globals(), remote), name)


def tokens(remote=None):
    """
    Return the names for which there are tokens that were not used, each with the time when it expires
    (``expires_at``). Tokens themselves cannot be had a second time.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_cluster.tokens
    """
    return membership.list_tokens(connection.connect(globals(), remote))


def revoke(name, remote=None):
    """
    Make the tokens for a name useless. Returns what changed.

    name
        What the server would have been called.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_cluster.revoke n2
    """
    return membership.revoke(connection.connect(globals(), remote), name)


def join(name, token, address=None, member_config=None, timeout=None, remote=None):
    """
    Make this server a member of the cluster that a token is from. Returns what changed.

    name
        What it is called in the cluster: the name that the token is for.
    token
        Of :py:func:`lxdapi_cluster.join_token`, or as ``lxc cluster add`` and ``incus cluster add`` print it. On a
        command line after ``token=``: it may end with a ``=``.
    address
        ``HOST[:PORT]`` at which other members reach this one; None: that at which it listens.
    member_config
        What it has of its own of the cluster's pools and networks, by kind, name and key:
        ``{"storage_pool": {"default": {"source": "/srv/pool"}}, "network": {"uplink": {"parent": "eth1"}}}``.
    timeout
        Seconds; 600.

    The server whose address is in the token has to show the certificate whose fingerprint is in it, before
    anything is sent.

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
    Take a member out of work: its instances are moved to others, or stopped. Returns what changed.

    name
        Of the member.
    mode
        What is done with all of them, instead of what each says in ``cluster.evacuate``: ``stop``, ``migrate``,
        ``live-migrate`` and what else the daemon has. It needs the API extension ``clustering_evacuation_mode`` (LXD
        5.0.2 lacks it).
    force
        True: also where too few members would be left to agree on anything. It needs the API extension
        ``clustering_evacuation_force``; other daemons never refuse it.
    timeout
        Seconds; 600.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_cluster.evacuate n2
    """
    return steps.apply(
        membership.plan_member_action(connection.connect(globals(), remote), name, "evacuate", mode, force, timeout)
    )


def restore(name, mode=None, timeout=None, remote=None):
    """
    Put an evacuated member to work again: its instances come back and are started. Returns what changed.

    name
        Of the member.
    mode
        ``skip``: they stay where they are. It needs the API extension ``clustering_restore_skip_mode``.
    timeout
        Seconds; 600.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_cluster.restore n2
    """
    return steps.apply(
        membership.plan_member_action(connection.connect(globals(), remote), name, "restore", mode, timeout=timeout)
    )


def remove(name, force=False, remote=None):
    """
    Remove a member from the cluster; nothing if there is none. Returns what changed.

    name
        Of the member; the one that is talked to is refused.
    force
        True: also one that does not answer, and what is on it is lost to the cluster. False: it has to answer, and
        to have neither instances nor volumes.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_cluster.remove n2
    """
    return steps.apply(membership.plan_remove(connection.connect(globals(), remote), name, force))
