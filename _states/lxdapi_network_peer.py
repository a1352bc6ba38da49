"""
Network peers of LXD and Incus: connections between two OVN networks.

:depends: requests, requests-unixsocket; OVN networks and the API extension network_peer (LXD 4.18,
    every Incus)
"""

from lxdapi.minion import state

__version__ = "0.1.0"


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
        Name of the peer network, which needs a peer of its own. It cannot be changed later. Default: none.
    target_project
        Project of the peer network. It cannot be changed later. Default: none.
    target_integration
        Name of a network integration, instead of a network (API extension network_integrations). It cannot be changed
        later. Default: none.
    type
        ``local`` or ``remote`` (API extension network_integrations). It cannot be changed later. Default: chosen by the
        daemon.
    description
        Description; an empty string clears it. Default: unchanged.
    config
        Mapping of config keys to values. Keys that are not declared stay unchanged; ``null`` removes a key; an empty
        mapping removes all keys. Default: unchanged.
    sensitive
        Further keys of ``config`` to mask in changes, comments and errors: a list of names or shell-style patterns
        (``user.db_*``). Default: only the keys that lxdapi always masks.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    project
        Name of the project. Default: the project of the remote, or ``default``.
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
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    project
        Name of the project. Default: the project of the remote, or ``default``.
    """
    return state.absent(globals(), "network_peer", name, remote=remote, project=project)
