"""
Network integrations of Incus: connections to OVN interconnection databases, for network peers of the type ``remote``.

:depends: requests, requests-unixsocket; the API extension network_integrations (Incus 6.0 or newer)
"""

from lxdapi.minion import state

__version__ = "0.1.0"


def present(name, type=None, description=None, config=None, renamed_from=None, sensitive=None, remote=None):
    """
    Ensure that a network integration exists with the given settings.

    .. code-block:: yaml

        region:
          lxdapi_network_integration.present:
            - description: the other clusters of this region
            - config:
                ovn.northbound_connection: tcp:192.0.2.12:6645
                ovn.southbound_connection: tcp:192.0.2.12:6646

    name
        Name of the network integration.
    type
        Type; the daemons know only ``ovn``. It cannot be changed later. Default: ``ovn`` for a new integration.
    description
        Description; an empty string clears it. Default: unchanged.
    config
        Mapping of config keys to values. Keys that are not declared stay unchanged; ``null`` removes a key; an empty
        mapping removes all keys except the two connections, which each integration has. Default: unchanged.
    renamed_from
        Former name: if nothing exists under ``name``, the state renames the resource with the former name. Default: no
        rename.
    sensitive
        Further keys of ``config`` to mask in changes, comments and errors: a list of names or shell-style patterns
        (``user.db_*``). Default: only the keys that lxdapi always masks.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    """
    declared = {"type": type, "description": description, "config": config}
    return state.present(
        globals(), "network_integration", name, declared, renamed_from=renamed_from, remote=remote, sensitive=sensitive
    )


def absent(name, remote=None):
    """
    Ensure that a network integration does not exist. The daemon does not delete an integration that a peer uses.

    .. code-block:: yaml

        region:
          lxdapi_network_integration.absent

    name
        Name of the network integration. The state succeeds on a daemon that does not support integrations.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    """
    return state.absent(globals(), "network_integration", name, remote=remote)
