"""
Network forwards of LXD and Incus: ports of an address, forwarded to addresses in a network.

:depends: requests, requests-unixsocket; the API extension network_forward (LXD 4.17, every Incus)
"""

from lxdapi.minion import state
from lxdapi.plan import purge

__version__ = "0.1.0"


def present(
    name,
    ports=None,
    description=None,
    config=None,
    purge=False,
    sensitive=None,
    remote=None,
    project=None,
    target=None,
):
    """
    Ensure that a network forward exists with the given ports.

    .. code-block:: yaml

        lxdbr0/192.0.2.10:
          lxdapi_network_forward.present:
            - description: the web servers
            - config:
                target_address: 10.77.0.5
            - ports:
              - protocol: tcp
                listen_port: 80,443
                target_address: 10.77.0.6

    name
        ``NETWORK/ADDRESS``: the network and the listen address.
    ports
        List of ports. ``protocol`` and ``listen_port`` identify a port; ``target_address``, ``target_port``,
        ``description`` and ``snat`` (API extension network_forward_snat) are updated. Other ports stay unchanged unless
        ``purge`` is true; an empty list removes all ports. Default: unchanged.
    description
        Description; an empty string clears it. Default: unchanged.
    config
        Mapping of config keys to values: ``target_address``, which receives the traffic to all other ports, and
        ``user.*``. Keys that are not declared stay unchanged; ``null`` removes a key; an empty mapping removes all
        keys. Default: unchanged.
    purge
        Whether to remove ports that are not declared. Default: false.
    sensitive
        Further keys of ``config`` to mask in changes, comments and errors: a list of names or shell-style patterns
        (``user.db_*``). Default: only the keys that lxdapi always masks.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    project
        Name of the project. Default: the project of the remote, or ``default``.
    target
        In a cluster, the name of the member that a forward of a bridge is on. For an existing forward, only needed if
        several members have one with this address. Default: the member that answers for a new one, found by the daemon
        for an existing one.
    """
    declared = {"ports": ports, "description": description, "config": config}
    return state.present(
        globals(),
        "network_forward",
        name,
        declared,
        purge=purge,
        remote=remote,
        project=project,
        target=target,
        sensitive=sensitive,
    )


def absent(name, remote=None, project=None, target=None):
    """
    Ensure that a network forward does not exist.

    .. code-block:: yaml

        lxdbr0/192.0.2.10:
          lxdapi_network_forward.absent

    name
        ``NETWORK/ADDRESS``.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    project
        Name of the project. Default: the project of the remote, or ``default``.
    target
        In a cluster, the name of the member that the forward of a bridge is on. Default: found by the daemon, unless
        several members have a forward with this address.
    """
    return state.absent(globals(), "network_forward", name, remote=remote, project=project, target=target)


def purged(name, keep, remote=None, project=None):
    """
    Ensure that a network has no forwards other than those listed.

    .. code-block:: yaml

        lxdbr0:
          lxdapi_network_forward.purged:
            - keep:
              - 192.0.2.10

    name
        Name of the network.
    keep
        List of the listen addresses whose forwards stay; an empty list removes all forwards. ``null`` is an error,
        because a template that finds nothing renders it.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    project
        Name of the project. Default: the project of the remote, or ``default``.
    """

    return state.run(
        globals(),
        "network_forward",
        name,
        lambda api: purge.plan_purge(api, "network_forward", name, keep),
        remote=remote,
        project=project,
    )
