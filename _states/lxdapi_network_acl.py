"""
Network ACLs of LXD and Incus as declared: rules for the traffic of networks and devices.

:depends: requests, requests-unixsocket; the API extension network_acl (LXD 4.12, every Incus)
"""

from lxdapi.minion import state


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
        Of the ACL.
    ingress
        A list of rules. Of a rule ``action``, ``protocol``, ``source``, ``source_port``, ``destination``,
        ``destination_port``, ``icmp_type`` and ``icmp_code`` say which one it is, in any order and spelling;
        ``state`` (``enabled`` for a new one) and ``description`` are changed where they differ. Other rules
        are left alone, unless ``purge`` is true; an empty list removes all.
    egress
        The same for what leaves.
    description
        Text; "" clears it.
    config
        A mapping of ``user.*`` keys to values. Other keys are left alone; ``null`` removes one.
    purge
        True: rules that are not declared are removed.
    renamed_from
        The name of one that is to become this one, if this one does not exist yet.
    sensitive
        More keys of ``config`` to mask in changes, comments and errors, as names or patterns (``user.db_*``).
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    project
        The project. Default: the remote's, or ``default``.
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
    Ensure that a network ACL does not exist; the daemon refuses one that is in use.

    .. code-block:: yaml

        web:
          lxdapi_network_acl.absent

    name
        Of the ACL.
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    project
        The project. Default: the remote's, or ``default``.
    """
    return state.absent(globals(), "network_acl", name, remote=remote, project=project)
