"""
Network zones of LXD and Incus as declared: DNS zones that the daemon serves for networks.

:depends: requests, requests-unixsocket; the API extension network_dns (LXD 4.21, every Incus)
"""

from lxdapi.minion import state


def present(name, description=None, config=None, sensitive=None, remote=None, project=None):
    """
    Ensure that a network zone exists with the given settings.

    .. code-block:: yaml

        lxd.example.com:
          lxdapi_network_zone.present:
            - description: names of the instances
            - config:
                dns.nameservers: ns1.example.com

    name
        Of the zone: its domain.
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
    declared = {"description": description, "config": config}
    return state.present(globals(), "network_zone", name, declared, remote=remote, project=project, sensitive=sensitive)


def absent(name, remote=None, project=None):
    """
    Ensure that a network zone does not exist; the daemon refuses one that is in use.

    .. code-block:: yaml

        lxd.example.com:
          lxdapi_network_zone.absent

    name
        Of the zone.
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    project
        The project. Default: the remote's, or ``default``.
    """
    return state.absent(globals(), "network_zone", name, remote=remote, project=project)
