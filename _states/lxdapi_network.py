"""
Networks of LXD and Incus: bridges, and networks on interfaces of the host (macvlan, physical, sriov, OVN).

:depends: requests, requests-unixsocket
"""

from lxdapi.cluster import per_member
from lxdapi.minion import state

__version__ = "0.1.0"


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
        Name of the network. A bridge has an interface of the same name, so the name has 2 to 15 characters.
    type
        ``bridge``, ``macvlan``, ``physical``, ``sriov`` or ``ovn``. It cannot be changed later. Default: ``bridge`` for
        a new network.
    description
        Description; an empty string clears it. Default: unchanged.
    config
        Mapping of config keys to values. Keys that are not declared stay unchanged; ``null`` removes a key; an empty
        mapping removes all keys except ``volatile.*``. The value ``auto`` for an address accepts any address that is
        set, and makes the daemon choose one only if none is set. Default: unchanged.
    members
        For a cluster: mapping of member names to the config that is specific to each member (``parent``,
        ``bridge.external_interfaces``), in the form of ``config``. Members that are not declared, or declared with an
        empty mapping, stay unchanged. Default: none.
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

    On a clustered server, the state creates a new network or pool on every member first, then on the cluster as a
    whole. It completes an interrupted creation, also on a member that joined in the meantime.
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
    Ensure that a network does not exist. Its forwards are deleted too. The daemon does not delete a network that is in
    use.

    .. code-block:: yaml

        lxdbr1:
          lxdapi_network.absent

    name
        Name of the network. The state ignores an interface that the daemon does not manage.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    project
        Name of the project. Default: the project of the remote, or ``default``.
    """
    return state.absent(globals(), "network", name, remote=remote, project=project)
