"""
Network zones of LXD and Incus as declared: DNS zones that the daemon serves for networks.

:depends: requests, requests-unixsocket; the API extension network_dns (LXD 4.21, every Incus)
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


def present(name, description=None, config=None, sensitive=None, remote=None, project=None):
    """
    Ensure that a network zone exists with the given settings.

    .. code-block:: yaml

        lxd.example.com:
          lxdapi_network_zone.present:
            - description: names of the instances
            - config:
                dns.nameservers: ns1.example.com

    name
        Of the zone: its domain.
    description
        Text; "" clears it.
    config
        A mapping of keys to values. Other keys are left alone; ``null`` removes one; an empty mapping
        removes all.
    sensitive
        A list of keys of ``config`` (``user.db_*``) whose values nobody shall see: README, Secrets.
    remote, project
        See the README, Remotes.
    """
    wanted = {"description": description, "config": config}
    return plans.state(
        "network_zone",
        name,
        runs.of(globals()),
        lambda: converge.present(_api(remote, project), "network_zone", name, wanted),
        sensitive,
    )


def absent(name, remote=None, project=None):
    """
    Ensure that a network zone does not exist; the daemon refuses one that is in use.

    .. code-block:: yaml

        lxd.example.com:
          lxdapi_network_zone.absent

    name
        Of the zone.
    remote, project
        See the README, Remotes.
    """
    return plans.state(
        "network_zone",
        name,
        runs.of(globals()),
        lambda: converge.absent(_api(remote, project), "network_zone", name),
    )
