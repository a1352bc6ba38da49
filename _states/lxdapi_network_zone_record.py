"""
Records in network zones of LXD and Incus as declared.

:depends: requests, requests-unixsocket; the API extension network_dns_records (LXD 4.22, every Incus)
"""

try:
    from lxdapi.minion import connection as front
    from lxdapi.minion import state_run as runs
    from lxdapi.plan import converge
    from lxdapi.plan import steps as plans
except ImportError as exc:
    front, _MISSING = None, exc

__version__ = "0.1.0"


def __virtual__():
    """Load if the library of lxdapi and what it needs can be imported."""
    if front is None:
        return False, f"lxdapi: {_MISSING}; it needs requests and requests-unixsocket (README, Dependencies)"
    return front.loadable(__version__)


def _api(remote, project):
    return front.connect(__salt__, __context__, remote, project)


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
        A list of keys of ``config`` (``user.db_*``) whose values nobody shall see: README, Secrets.
    remote, project
        See the README, Remotes.
    """
    wanted = {"entries": entries, "description": description, "config": config}
    return plans.state(
        "network_zone_record",
        name,
        runs.of(globals()),
        lambda: converge.present(_api(remote, project), "network_zone_record", name, wanted, purge),
        sensitive,
    )


def absent(name, remote=None, project=None):
    """
    Ensure that a record does not exist in a network zone.

    .. code-block:: yaml

        lxd.example.com/www:
          lxdapi_network_zone_record.absent

    name
        ``ZONE/RECORD``.
    remote, project
        See the README, Remotes.
    """
    return plans.state(
        "network_zone_record",
        name,
        runs.of(globals()),
        lambda: converge.absent(_api(remote, project), "network_zone_record", name),
    )
