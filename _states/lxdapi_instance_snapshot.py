"""
Snapshots of instances of LXD and Incus as declared.

:depends: requests, requests-unixsocket
"""

try:
    from lxdapi.instances import snapshots
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


def present(name, expires_at=None, stateful=None, renamed_from=None, remote=None, project=None):
    """
    Ensure that a snapshot of an instance exists.

    .. code-block:: yaml

        web1/before-upgrade:
          lxdapi_instance_snapshot.present:
            - expires_at: 2040-01-31T00:00:00Z

    name
        ``INSTANCE/SNAPSHOT``.
    expires_at
        A time such as ``2030-01-31T00:00:00Z``, after which the daemon may remove it; "" for never. None: left
        alone, what ``snapshots.expiry`` says for a new one.
    stateful
        True: with the state of the memory, of an instance that runs. Fixed once the snapshot exists.
    renamed_from
        The name of one that is to become this one, if this one does not exist yet.
    remote, project
        See the README, Remotes.
    """
    wanted = {"expires_at": expires_at, "stateful": stateful}
    return plans.state(
        "instance_snapshot",
        name,
        runs.of(globals()),
        lambda: converge.present(_api(remote, project), "instance_snapshot", name, wanted, renamed_from=renamed_from),
    )


def absent(name, remote=None, project=None):
    """
    Ensure that a snapshot of an instance does not exist.

    .. code-block:: yaml

        web1/before-upgrade:
          lxdapi_instance_snapshot.absent

    name
        ``INSTANCE/SNAPSHOT``.
    remote, project
        See the README, Remotes.
    """
    return plans.state(
        "instance_snapshot",
        name,
        runs.of(globals()),
        lambda: converge.absent(_api(remote, project), "instance_snapshot", name),
    )


def restored(name, timeout=None, remote=None, project=None):
    """
    Ensure that an instance was restored from a snapshot, once.

    .. code-block:: yaml

        web1/before-upgrade:
          lxdapi_instance_snapshot.restored

    name
        ``INSTANCE/SNAPSHOT``. What was restored is marked in its config (``user.lxdapi.restored``, with the time of
        the snapshot), so a second apply does nothing; a newer snapshot of the name is another one. An
        instance that runs is stopped by the daemon and started again.
    timeout
        Seconds for the restore; 3600.
    remote, project
        See the README, Remotes.
    """
    return plans.state(
        "instance_snapshot",
        name,
        runs.of(globals()),
        lambda: snapshots.restored(_api(remote, project), "instance_snapshot", name, timeout),
    )
