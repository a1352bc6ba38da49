"""
Many instances of LXD and Incus in one state, at the speed of the daemon.

:depends: requests, requests-unixsocket
"""

from lxdapi.errors import InvalidError
from lxdapi.fleet import prerequisites, state
from lxdapi.fleet.declaration import FleetSpec
from lxdapi.minion import connection


def managed(
    name,
    instances,
    defaults=None,
    networks=None,
    storage_pools=None,
    storage_volumes=None,
    profiles=None,
    images=None,
    concurrency=None,
    purge=False,
    batch=None,
    max_failures=None,
    sensitive=None,
    remote=None,
    project=None,
):
    """
    Ensure that many instances are as declared: they are listed once, compared, and what differs is done side by side.

    .. code-block:: yaml

        shop:
          lxdapi_fleet.managed:
            - images:
                busybox:
                  source: salt://images/busybox.tar.gz
            - profiles:
                web:
                  config:
                    limits.memory: 256MiB
            - defaults:
                source: busybox
                profiles: [default]
                config:
                  user.owner: shop
                running: true
            - instances:
                web[01-02]:
                  profiles: [default, web]
                db:
                  config:
                    user.backup: daily
                old[1-3]:
                  absent: true
                  force: true
            - max_failures: 10%

    name
        Of the fleet, for people.
    instances
        A mapping of names to definitions. ``web[01-20]`` is twenty names, ``web[1-3,7]`` four; a name that two entries
        give is refused. A definition is a mapping of parameters of :py:func:`lxdapi_instance.present` (all but
        ``reload``, ``force``, ``sensitive``, ``remote`` and ``project``); of ``absent: true``, with ``force: true``
        for one that may run; or nothing. What another is copied from comes first.
    defaults
        A definition that each has: mappings are merged, everything else is replaced, ``null`` takes it away (a key of
        ``config``, ``devices`` and so on from the instance as well, as ever).
    networks, storage_pools, storage_volumes, profiles, images
        What the instances need: mappings of names to the parameters of ``lxdapi_network.present`` and so on. They come
        first, in this order; where one fails no instance is begun.
    concurrency
        How many things at once, 1 to 32. None: for what the daemon computes (creations, starts, changes) twice the
        processors of the minion, 2 to 16; 20 stops and deletions.
    purge
        What becomes of the instances of the project that are not declared: false, they are left alone; ``report``,
        the comment names them; ``stopped``, after all else went well those that are stopped are deleted with their
        snapshots, and the comment names the others: one that runs or is frozen, is being made, or has
        ``security.protection.delete``. What one is copied or renamed from stays. Refused without a declared instance.
    batch
        A number, or a percentage of the declared instances: so many of those that differ at a time, with their
        ``wait_for``, and the next ones when these are well (see ``max_failures``).
    max_failures
        A number or a percentage. When more have failed nothing is begun any more, and the comment names what was not.
        None: all the others are done; with ``batch`` 0.
    sensitive
        As for :py:func:`lxdapi_instance.present`, for all of the fleet.
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    project
        The project of the whole fleet. Default: the remote's, or ``default``.

    ``changes`` has for each instance what its own state would say. One that fails does not keep the others from being
    done.
    """
    ret = {"name": name, "changes": {}, "result": True, "comment": ""}
    given = dict(networks=networks, storage_pools=storage_pools, storage_volumes=storage_volumes)
    given.update(profiles=profiles, images=images)
    try:
        fleet = FleetSpec.parse(instances, defaults, concurrency, purge, batch, max_failures, sensitive)
        needed = prerequisites.parse(given, __states__)
    except InvalidError as exc:
        return state.failed_answer(ret, str(exc))
    answers = prerequisites.converge(needed, __states__, {"remote": remote, "project": project, "sensitive": sensitive})
    if any(each["result"] is False for _, each in answers):
        return prerequisites.merge_answers(state.failed_answer(ret, "no instance was begun"), answers)
    done = state.run(name, __opts__["test"], fleet, lambda: connection.connect(globals(), remote, project))
    return prerequisites.merge_answers(done, answers)
