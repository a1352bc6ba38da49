"""
Network forwards of LXD and Incus as declared: ports of an address, forwarded into a network.

:depends: requests, requests-unixsocket; the API extension network_forward (LXD 4.17, every Incus)
"""

from lxdapi.minion import state
from lxdapi.plan import purge


def present(name, ports=None, description=None, config=None, purge=False, sensitive=None, remote=None, project=None):
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
        ``NETWORK/ADDRESS``: the network, and the address that is listened on.
    ports
        A list of ports. Of a port ``protocol`` and ``listen_port`` say which one it is; ``target_address``,
        ``target_port``, ``description`` and ``snat`` (API extension network_forward_snat) are changed where they
        differ. Other ports are left alone, unless ``purge`` is true; an empty list removes all.
    description
        Text; "" clears it.
    config
        A mapping of keys to values: ``target_address`` for what no port names, ``user.*``. Other keys are left
        alone; ``null`` removes one; an empty mapping removes all.
    purge
        True: ports that are not declared are removed.
    sensitive
        More keys of ``config`` to mask in changes, comments and errors, as names or patterns (``user.db_*``).
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    project
        The project. Default: the remote's, or ``default``.
    """
    declared = {"ports": ports, "description": description, "config": config}
    return state.present(
        globals(), "network_forward", name, declared, purge=purge, remote=remote, project=project, sensitive=sensitive
    )


def absent(name, remote=None, project=None):
    """
    Ensure that a network forward does not exist.

    .. code-block:: yaml

        lxdbr0/192.0.2.10:
          lxdapi_network_forward.absent

    name
        ``NETWORK/ADDRESS``.
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    project
        The project. Default: the remote's, or ``default``.
    """
    return state.absent(globals(), "network_forward", name, remote=remote, project=project)


def purged(name, keep, remote=None, project=None):
    """
    Ensure that a network has no other forwards than those that are named.

    .. code-block:: yaml

        lxdbr0:
          lxdapi_network_forward.purged:
            - keep:
              - 192.0.2.10

    name
        Of the network.
    keep
        A list of the addresses whose forwards stay; an empty one: all are removed. null is refused: it is what a
        template leaves that found nothing.
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    project
        The project. Default: the remote's, or ``default``.
    """

    return state.run(
        globals(),
        "network_forward",
        name,
        lambda api: purge.plan_purge(api, "network_forward", name, keep),
        remote=remote,
        project=project,
    )
