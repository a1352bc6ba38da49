"""
Cluster groups of LXD and Incus as declared: members of a cluster, for placing instances.

:depends: requests, requests-unixsocket; a clustered server, the API extension clustering_groups
    (LXD 5.0, every Incus)
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


def _api(remote):
    return front.connect(__salt__, __context__, remote)


def present(name, members=None, description=None, config=None, renamed_from=None, sensitive=None, remote=None):
    """
    Ensure that a cluster group exists with the given members.

    .. code-block:: yaml

        gpu:
          lxdapi_cluster_group.present:
            - description: members with a GPU
            - members:
              - n1
              - n2

    name
        Of the group.
    members
        A list of members, as a whole: what is not in it leaves the group. Order does not count.
    description
        Text; "" clears it.
    config
        A mapping of keys to values (API extension clustering_groups_config: Incus 7). Other keys are left alone;
        ``null`` removes one.
    renamed_from
        The name of one that is to become this one, if this one does not exist yet.
    sensitive
        A list of keys of ``config`` (``user.db_*``) whose values nobody shall see: README, Secrets.
    remote
        See the README, Remotes.
    """
    wanted = {"members": members, "description": description, "config": config}
    return plans.state(
        "cluster_group",
        name,
        runs.of(globals()),
        lambda: converge.present(_api(remote), "cluster_group", name, wanted, renamed_from=renamed_from),
        sensitive,
    )


def absent(name, remote=None):
    """
    Ensure that a cluster group does not exist; the daemon refuses one that has members.

    .. code-block:: yaml

        gpu:
          lxdapi_cluster_group.absent

    name
        Of the group.
    remote
        See the README, Remotes.
    """
    return plans.state(
        "cluster_group",
        name,
        runs.of(globals()),
        lambda: converge.absent(_api(remote), "cluster_group", name),
    )
