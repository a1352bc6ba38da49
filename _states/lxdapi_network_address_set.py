"""
Network address sets of Incus: names for addresses, used in the rules of network ACLs.

:depends: requests, requests-unixsocket; the API extension network_address_set (Incus 6.12 or newer)
"""

from lxdapi.minion import state

__version__ = "0.1.0"


def present(
    name, addresses=None, description=None, config=None, renamed_from=None, sensitive=None, remote=None, project=None
):
    """
    Ensure that a network address set exists with the given settings.

    .. code-block:: yaml

        webservers:
          lxdapi_network_address_set.present:
            - description: what the web ACL lets in
            - addresses:
              - 192.0.2.1
              - 198.51.100.0/24
              - 2001:db8::1
            - config:
                user.owner: web team

    name
        Name of the address set.
    addresses
        Complete list of addresses, networks and ranges: an entry that is not in the list is removed. Order and spelling
        do not matter. Default: unchanged.
    description
        Description; an empty string clears it. Default: unchanged.
    config
        Mapping of ``user.*`` keys to values, which the daemon stores for other programs, such as an address management.
        Keys that are not declared stay unchanged; ``null`` removes a key. Default: unchanged.
    renamed_from
        Former name: if nothing exists under ``name``, the state renames the resource with the former name. Default: no
        rename.
    sensitive
        Further keys of ``config`` to mask in changes, comments and errors: a list of names or shell-style patterns
        (``user.db_*``). Default: only the keys that lxdapi always masks.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    project
        Name of the project. Default: the project of the remote, or ``default``.
    """
    declared = {"addresses": addresses, "description": description, "config": config}
    return state.present(
        globals(),
        "network_address_set",
        name,
        declared,
        renamed_from=renamed_from,
        remote=remote,
        project=project,
        sensitive=sensitive,
    )


def absent(name, remote=None, project=None):
    """
    Ensure that a network address set does not exist. The daemon does not delete a set that an ACL uses.

    .. code-block:: yaml

        webservers:
          lxdapi_network_address_set.absent

    name
        Name of the address set. The state succeeds on a daemon that does not support address sets.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    project
        Name of the project. Default: the project of the remote, or ``default``.
    """
    return state.absent(globals(), "network_address_set", name, remote=remote, project=project)
