"""
Snapshots of instances and of custom storage volumes by one name: ``web1/before`` is one of the instance web1,
``default/data/before`` one of the volume data in the pool default.

:depends: requests, requests-unixsocket
"""

from lxdapi.instances import snapshot_rotation, snapshots
from lxdapi.minion import connection, state
from lxdapi.plan import converge


def _state(name, plan):
    """Return Salt's answer for a plan that is made of the snapshot's kind."""
    return state.run_plan(globals(), "snapshot", name, plan)


def present(
    name,
    description=None,
    expires_at=None,
    stateful=None,
    renamed_from=None,
    remote=None,
    project=None,
    target=None,
):
    """
    Ensure that a snapshot exists.

    .. code-block:: yaml

        web1/before-upgrade:
          lxdapi_snapshot.present:
            - expires_at: 2040-01-31T00:00:00Z

        default/data/before-upgrade:
          lxdapi_snapshot.present:
            - description: before the upgrade

    name
        ``INSTANCE/SNAPSHOT``, or ``POOL/VOLUME/SNAPSHOT`` of a custom volume.
    description
        Of a volume's: text; "" clears it.
    expires_at
        A time such as ``2030-01-31T00:00:00Z``, after which the daemon may remove it; "" for never. None: left
        alone, what ``snapshots.expiry`` says for a new one.
    stateful
        Of an instance's: true for one with the state of the memory, of an instance that runs. Fixed once the snapshot
        exists.
    renamed_from
        The name of one that is to become this one, if this one does not exist yet.
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    project
        The project. Default: the remote's, or ``default``.
    target
        The member of the cluster that a volume is on, where more than one has one of that name.
    """

    def plan():
        kind_name = snapshots.kind_name_of(name)
        settings = {"description": description, "expires_at": expires_at, "stateful": stateful}
        wanted = snapshots.settings_of(name, settings)
        return converge.plan_present(
            connection.connect(globals(), remote, project, target), kind_name, name, wanted, renamed_from=renamed_from
        )

    return _state(name, plan)


def absent(name, remote=None, project=None, target=None):
    """
    Ensure that a snapshot does not exist.

    .. code-block:: yaml

        web1/before-upgrade:
          lxdapi_snapshot.absent

        default/data/before-upgrade:
          lxdapi_snapshot.absent

    name
        ``INSTANCE/SNAPSHOT``, or ``POOL/VOLUME/SNAPSHOT`` of a custom volume.
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    project
        The project. Default: the remote's, or ``default``.
    target
        The member of the cluster that a volume is on, where more than one has one of that name.
    """
    return _state(
        name,
        lambda: converge.plan_absent(
            connection.connect(globals(), remote, project, target), snapshots.kind_name_of(name), name
        ),
    )


def restored(name, timeout=None, remote=None, project=None, target=None):
    """
    Ensure that an instance or a volume was restored from a snapshot, once.

    .. code-block:: yaml

        web1/before-upgrade:
          lxdapi_snapshot.restored

    name
        ``INSTANCE/SNAPSHOT``, or ``POOL/VOLUME/SNAPSHOT`` of a custom volume. What was restored is marked in its config
        (``user.lxdapi.restored``, with the time of the snapshot), so a second apply does nothing; a newer snapshot of
        the name is another one, unless it is a volume's on LXD 5.0.2, which keeps no time of it. An instance that runs
        is stopped by the daemon and started again; of a volume the daemon refuses it while an instance that runs has
        it.
    timeout
        Seconds for the restore; 3600.
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    project
        The project. Default: the remote's, or ``default``.
    target
        The member of the cluster that a volume is on, where more than one has one of that name.
    """
    return _state(
        name,
        lambda: snapshots.plan_restore(
            connection.connect(globals(), remote, project, target), snapshots.kind_name_of(name), name, timeout
        ),
    )


def rotated(
    name,
    keep_last=None,
    daily=None,
    weekly=None,
    monthly=None,
    every=None,
    prefix=None,
    remote=None,
    project=None,
    target=None,
):
    """
    Ensure that an instance or a custom volume has a snapshot of the current period, and of those before only the ones
    that a rule keeps.

    .. code-block:: yaml

        web1:
          lxdapi_snapshot.rotated:
            - daily: 7
            - weekly: 4
            - monthly: 6

        default/data:
          lxdapi_snapshot.rotated:
            - keep_last: 24
            - every: 1h
            - prefix: hourly-

    A new one is made where there is none since the shortest of the periods has begun, in UTC: the time that is given
    by ``every``, the day, the week (from Monday), the month. It is named after that beginning,
    ``lxdapi-20261125T000000Z``, so a second apply in the same period does nothing. How often the state is applied is
    Salt's business (``schedule``): where it is applied less often there are fewer. Old ones go when a new one has
    been made, or when a rule keeps fewer. Only snapshots whose name is the prefix and such a time are ever deleted,
    and none of a time to come, as a clock that was wrong can leave one: it counts for nothing until then.

    name
        ``INSTANCE``, or ``POOL/VOLUME`` of a custom volume.
    keep_last
        How many of the newest are kept, one for each period of ``every``.
    daily, weekly, monthly
        Of how many of the last days, weeks or months that have any the newest one is kept. A snapshot stays as long as
        one rule keeps it.
    every
        The period of ``keep_last``: ``30m``, ``6h``, ``1d``; a day.
    prefix
        Of the names of the snapshots that are this rotation's; ``lxdapi-``. Two rotations of one thing need two.
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    project
        The project. Default: the remote's, or ``default``.
    target
        The member of the cluster that a volume is on, where more than one has one of that name.
    """
    rules = {"keep_last": keep_last, "every": every, "daily": daily, "weekly": weekly, "monthly": monthly}
    return state.run(
        globals(),
        "the rotation of",
        name,
        lambda api: snapshot_rotation.plan_rotation(api, name, rules, prefix),
        remote=remote,
        project=project,
        target=target,
    )
