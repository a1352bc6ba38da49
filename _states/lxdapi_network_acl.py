"""
Network ACLs of LXD and Incus: rules for the traffic of networks and devices.

:depends: requests, requests-unixsocket; the API extension network_acl (LXD 4.12, every Incus)
"""

from lxdapi.minion import state

__version__ = "0.1.0"


def present(
    name,
    ingress=None,
    egress=None,
    description=None,
    config=None,
    purge=False,
    renamed_from=None,
    sensitive=None,
    remote=None,
    project=None,
):
    """
    Ensure that a network ACL exists with the given rules.

    .. code-block:: yaml

        web:
          lxdapi_network_acl.present:
            - description: what reaches web servers
            - ingress:
              - action: allow
                protocol: tcp
                destination_port: 80,443
              - action: allow
                source: 192.0.2.0/24
                state: logged
            - egress:
              - action: reject
                protocol: tcp
                destination_port: 25

    name
        Name of the ACL.
    ingress
        List of rules for incoming traffic. ``action``, ``protocol``, ``source``, ``source_port``, ``destination``,
        ``destination_port``, ``icmp_type`` and ``icmp_code`` identify a rule, in any order and spelling; ``state``
        (``enabled`` for a new rule) and ``description`` are updated. Other rules stay unchanged unless ``purge`` is
        true; an empty list removes all rules. Default: unchanged.
    egress
        List of rules for outgoing traffic, in the form of ``ingress``. Default: unchanged.
    description
        Description; an empty string clears it. Default: unchanged.
    config
        Mapping of ``user.*`` keys to values. Keys that are not declared stay unchanged; ``null`` removes a key.
        Default: unchanged.
    purge
        Whether to remove rules that are not declared. Default: false.
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
    declared = {"ingress": ingress, "egress": egress, "description": description, "config": config}
    return state.present(
        globals(),
        "network_acl",
        name,
        declared,
        purge=purge,
        renamed_from=renamed_from,
        remote=remote,
        project=project,
        sensitive=sensitive,
    )


def absent(name, remote=None, project=None):
    """
    Ensure that a network ACL does not exist. The daemon does not delete an ACL that is in use.

    .. code-block:: yaml

        web:
          lxdapi_network_acl.absent

    name
        Name of the ACL.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    project
        Name of the project. Default: the project of the remote, or ``default``.
    """
    return state.absent(globals(), "network_acl", name, remote=remote, project=project)
