"""
Snapshots of custom storage volumes of LXD and Incus as declared.

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


def _api(remote, project, target):
    return front.connect(__salt__, __context__, remote, project, target)


def present(name, description=None, expires_at=None, renamed_from=None, remote=None, project=None, target=None):
    """
    Ensure that a snapshot of a custom storage volume exists.

    .. code-block:: yaml

        default/data/before-upgrade:
          lxdapi_volume_snapshot.present:
            - description: before the upgrade
            - expires_at: 2040-01-31T00:00:00Z

    name
        ``POOL/VOLUME/SNAPSHOT``.
    description
        Text; "" clears it.
    expires_at
        A time such as ``2030-01-31T00:00:00Z``, after which the daemon may remove it; "" for never. None: left
        alone, what ``snapshots.expiry`` says for a new one.
    renamed_from
        The name of one that is to become this one, if this one does not exist yet.
    remote, project
        See the README, Remotes.
    target
        The member of the cluster that it is on, where more than one has one of that name or a new one
        shall be on that member.
    """
    wanted = {"description": description, "expires_at": expires_at}
    return plans.state(
        "volume_snapshot",
        name,
        runs.of(globals()),
        lambda: converge.present(
            _api(remote, project, target), "volume_snapshot", name, wanted, renamed_from=renamed_from
        ),
    )


def absent(name, remote=None, project=None, target=None):
    """
    Ensure that a snapshot of a custom storage volume does not exist.

    .. code-block:: yaml

        default/data/before-upgrade:
          lxdapi_volume_snapshot.absent

    name
        ``POOL/VOLUME/SNAPSHOT``.
    remote, project
        See the README, Remotes.
    target
        The member of the cluster that it is on, where more than one has one of that name.
    """
    return plans.state(
        "volume_snapshot",
        name,
        runs.of(globals()),
        lambda: converge.absent(_api(remote, project, target), "volume_snapshot", name),
    )


def restored(name, timeout=None, remote=None, project=None, target=None):
    """
    Ensure that a custom storage volume was restored from a snapshot, once.

    .. code-block:: yaml

        default/data/before-upgrade:
          lxdapi_volume_snapshot.restored

    name
        ``POOL/VOLUME/SNAPSHOT``. What was restored is marked in its config (``user.lxdapi.restored``, with the time of
        the snapshot), so a second apply does nothing; a newer snapshot of the name is another one, but not on LXD
        5.0.2, which keeps no time of it. The daemon refuses it while an instance that runs has the volume.
    timeout
        Seconds for the restore; 3600.
    remote, project
        See the README, Remotes.
    target
        See :py:func:`lxdapi_volume_snapshot.present`.
    """
    return plans.state(
        "volume_snapshot",
        name,
        runs.of(globals()),
        lambda: snapshots.restored(_api(remote, project, target), "volume_snapshot", name, timeout),
    )
