"""
Networks of LXD and Incus as declared: bridges, and networks on what the machine has (macvlan, physical, sriov, OVN).

:depends: requests, requests-unixsocket
"""

from lxdapi.cluster import per_member
from lxdapi.minion import state


def present(
    name,
    type=None,
    description=None,
    config=None,
    members=None,
    renamed_from=None,
    sensitive=None,
    remote=None,
    project=None,
):
    """
    Ensure that a network exists with the given settings.

    .. code-block:: yaml

        lxdbr1:
          lxdapi_network.present:
            - description: the shop
            - config:
                ipv4.address: 10.77.1.1/24
                ipv4.nat: true
                ipv6.address: none

    name
        Of the network; for a bridge also of the interface: 2 to 15 characters.
    type
        ``bridge``, ``macvlan``, ``physical``, ``sriov`` or ``ovn``; None: ``bridge`` for a new one. Fixed once the
        network exists.
    description
        Text; "" clears it.
    config
        A mapping of keys to values. Other keys are left alone; ``null`` removes one; an empty mapping removes
        all but ``volatile.*``. ``auto`` for an address is what the daemon chose or any other that is set, and has
        no new one chosen.
    members
        For a cluster: a mapping of members to the config that each has of its own (``parent``,
        ``bridge.external_interfaces``); keys as for ``config``. Members that are not named, and empty ones, have
        none declared. See below.
    renamed_from
        The name of one that is to become this one, if this one does not exist yet.
    sensitive
        More keys of ``config`` to mask in changes, comments and errors, as names or patterns (``user.db_*``).
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    project
        The project. Default: the remote's, or ``default``.

    On a clustered server a new one is made on every member and then as a whole; one that was left half made is
    completed, also on a member that was added meanwhile.
    """
    declared = {"type": type, "description": description, "config": config}
    return state.run(
        globals(),
        "network",
        name,
        lambda api: per_member.plan_present(api, "network", name, declared, members, renamed_from),
        remote=remote,
        project=project,
        sensitive=sensitive,
    )


def absent(name, remote=None, project=None):
    """
    Ensure that a network does not exist, with its forwards; the daemon refuses one that is in use.

    .. code-block:: yaml

        lxdbr1:
          lxdapi_network.absent

    name
        Of the network. An interface that the daemon does not manage counts as none.
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    project
        The project. Default: the remote's, or ``default``.
    """
    return state.absent(globals(), "network", name, remote=remote, project=project)
