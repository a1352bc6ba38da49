"""
Network zones of LXD and Incus: DNS zones that the daemon serves for networks.

:depends: requests, requests-unixsocket; the API extension network_dns (LXD 4.21, every Incus)
"""

from lxdapi.minion import state

__version__ = "0.1.0"


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
        Name of the zone: its domain.
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
    declared = {"description": description, "config": config}
    return state.present(globals(), "network_zone", name, declared, remote=remote, project=project, sensitive=sensitive)


def absent(name, remote=None, project=None):
    """
    Ensure that a network zone does not exist. The daemon does not delete a zone that is in use.

    .. code-block:: yaml

        lxd.example.com:
          lxdapi_network_zone.absent

    name
        Name of the zone.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    project
        Name of the project. Default: the project of the remote, or ``default``.
    """
    return state.absent(globals(), "network_zone", name, remote=remote, project=project)
