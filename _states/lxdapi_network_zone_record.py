"""
Records in network zones of LXD and Incus as declared.

:depends: requests, requests-unixsocket; the API extension network_dns_records (LXD 4.22, every Incus)
"""

from lxdapi.minion import state


def present(name, entries=None, description=None, config=None, purge=False, sensitive=None, remote=None, project=None):
    """
    Ensure that a record exists in a network zone with the given entries.

    .. code-block:: yaml

        lxd.example.com/www:
          lxdapi_network_zone_record.present:
            - description: the web servers
            - entries:
              - type: A
                value: 192.0.2.10
                ttl: 300
              - type: TXT
                value: made by Salt

    name
        ``ZONE/RECORD``.
    entries
        A list of entries. Of an entry ``type`` and ``value`` say which one it is; ``ttl`` (seconds; 0: the
        daemon's own) is changed where it differs. Others are left alone, unless ``purge`` is true; an empty
        list removes all.
    description
        Text; "" clears it.
    config
        A mapping of ``user.*`` keys to values. Other keys are left alone; ``null`` removes one.
    purge
        True: entries that are not declared are removed.
    sensitive
        More keys of ``config`` to mask in changes, comments and errors, as names or patterns (``user.db_*``).
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    project
        The project. Default: the remote's, or ``default``.
    """
    declared = {"entries": entries, "description": description, "config": config}
    return state.present(
        globals(),
        "network_zone_record",
        name,
        declared,
        purge=purge,
        remote=remote,
        project=project,
        sensitive=sensitive,
    )


def absent(name, remote=None, project=None):
    """
    Ensure that a record does not exist in a network zone.

    .. code-block:: yaml

        lxd.example.com/www:
          lxdapi_network_zone_record.absent

    name
        ``ZONE/RECORD``.
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    project
        The project. Default: the remote's, or ``default``.
    """
    return state.absent(globals(), "network_zone_record", name, remote=remote, project=project)
