"""
Records in network zones of LXD and Incus.

:depends: requests, requests-unixsocket; the API extension network_dns_records (LXD 4.22, every Incus)
"""

from lxdapi.minion import state

__version__ = "0.1.0"


def present(name, entries=None, description=None, config=None, purge=False, sensitive=None, remote=None, project=None):
    """
    Ensure that a record with the given entries exists in a network zone.

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
        List of entries. ``type`` and ``value`` identify an entry; ``ttl`` (seconds; 0 means the default of the daemon)
        is updated. Other entries stay unchanged unless ``purge`` is true; an empty list removes all entries. Default:
        unchanged.
    description
        Description; an empty string clears it. Default: unchanged.
    config
        Mapping of ``user.*`` keys to values. Keys that are not declared stay unchanged; ``null`` removes a key.
        Default: unchanged.
    purge
        Whether to remove entries that are not declared. Default: false.
    sensitive
        Further keys of ``config`` to mask in changes, comments and errors: a list of names or shell-style patterns
        (``user.db_*``). Default: only the keys that lxdapi always masks.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    project
        Name of the project. Default: the project of the remote, or ``default``.
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
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    project
        Name of the project. Default: the project of the remote, or ``default``.
    """
    return state.absent(globals(), "network_zone_record", name, remote=remote, project=project)
