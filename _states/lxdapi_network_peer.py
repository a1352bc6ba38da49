"""
Network peers of LXD and Incus as declared: links between two OVN networks.

:depends: requests, requests-unixsocket; OVN networks and the API extension network_peer (LXD 4.18,
    every Incus)
"""

from lxdapi.minion import state


def present(
    name,
    target_network=None,
    target_project=None,
    target_integration=None,
    type=None,
    description=None,
    config=None,
    sensitive=None,
    remote=None,
    project=None,
):
    """
    Ensure that a network peer exists with the given settings.

    .. code-block:: yaml

        ovn0/to-ovn1:
          lxdapi_network_peer.present:
            - target_network: ovn1
            - target_project: default
            - description: the other half is ovn1/to-ovn0

    name
        ``NETWORK/PEER``.
    target_network
        The network at the other end, which needs a peer of its own. Fixed once the peer exists.
    target_project
        The project of that network. Fixed once the peer exists.
    target_integration
        A network integration instead of a network (API extension network_integrations). Fixed once the peer
        exists.
    type
        ``local`` or ``remote`` (API extension network_integrations). Fixed once the peer exists.
    description
        Text; "" clears it.
    config
        A mapping of keys to values. Other keys are left alone; ``null`` removes one; an empty mapping
        removes all.
    sensitive
        More keys of ``config`` to mask in changes, comments and errors, as names or patterns (``user.db_*``).
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    project
        The project. Default: the remote's, or ``default``.
    """
    declared = {
        "target_network": target_network,
        "target_project": target_project,
        "target_integration": target_integration,
        "type": type,
        "description": description,
        "config": config,
    }
    return state.present(globals(), "network_peer", name, declared, remote=remote, project=project, sensitive=sensitive)


def absent(name, remote=None, project=None):
    """
    Ensure that a network peer does not exist.

    .. code-block:: yaml

        ovn0/to-ovn1:
          lxdapi_network_peer.absent

    name
        ``NETWORK/PEER``.
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    project
        The project. Default: the remote's, or ``default``.
    """
    return state.absent(globals(), "network_peer", name, remote=remote, project=project)
