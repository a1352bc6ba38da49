"""
Network address sets of Incus as declared: names for addresses, for use in the rules of network ACLs.

:depends: requests, requests-unixsocket; a daemon with the API extension network_address_set (Incus 6.0.5 or
    newer), which is asked of it before anything else
"""

from lxdapi.minion import state


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
        Of the set.
    addresses
        A list of addresses, networks and ranges, as a whole: what is not in it is removed. Order and
        spelling do not count.
    description
        Text; "" clears it.
    config
        A mapping of ``user.*`` keys to values: what the daemon keeps for others, such as the ids of an
        address management. Other keys are left alone; ``null`` removes one.
    renamed_from
        The name of one that is to become this one, if this one does not exist yet.
    sensitive
        More keys of ``config`` to mask in changes, comments and errors, as names or patterns (``user.db_*``).
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    project
        The project. Default: the remote's, or ``default``.
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
    Ensure that a network address set does not exist; the daemon refuses one that an ACL uses.

    .. code-block:: yaml

        webservers:
          lxdapi_network_address_set.absent

    name
        Of the set. On a daemon without this kind there is nothing to do.
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    project
        The project. Default: the remote's, or ``default``.
    """
    return state.absent(globals(), "network_address_set", name, remote=remote, project=project)
