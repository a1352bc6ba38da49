"""
Many instances of LXD and Incus in one state, at the speed of the daemon.

:depends: requests, requests-unixsocket
"""

from lxdapi.errors import InvalidError, LxdapiError
from lxdapi.fleet import prerequisites, state, summary, verbs
from lxdapi.fleet.declaration import FleetSpec
from lxdapi.fleet.pace import Pace
from lxdapi.minion import connection, salt_fleet
from lxdapi.salt_inside import calls

__version__ = "0.1.0"


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
    Ensure that many instances are as declared: list them once, compare them, and apply the differences in parallel.

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
        Name of the fleet, for messages only.
    instances
        Mapping of names to definitions. ``web[01-20]`` means twenty names, ``web[1-3,7]`` four; no two entries may give
        the same name. A definition is one of these: a mapping of parameters of :py:func:`lxdapi_instance.present` (all
        but ``reload``, ``force``, ``sensitive``, ``remote`` and ``project``); ``absent: true``, with ``force: true``
        for an instance that may be running; or nothing. An instance that others are copied from is created first.
    defaults
        Definition that applies to every instance. Mappings are merged; other values are replaced. ``null`` removes a
        default, and removes a key of ``config``, ``devices`` and other mappings from the instance too. Default: none.
    networks, storage_pools, storage_volumes, profiles, images
        Resources that the instances need: mappings of names to the parameters of ``lxdapi_network.present`` and the
        like. They are applied first, in this order; if one fails, no instance is changed. Default: none.
    concurrency
        Maximum number of parallel actions, 1 to 32. Default: 20 for stops and deletions; for creations, starts and
        changes, which the daemon computes, twice the number of processors of the minion (2 to 16).
    purge
        Action for the instances of the project that are not declared: ``false`` leaves them unchanged; ``report`` names
        them in the comment; ``stopped`` deletes stopped instances with their snapshots after everything else succeeded,
        and names the others in the comment: those that are running, frozen, under construction, or protected by
        ``security.protection.delete``. Instances that a declared instance is copied or renamed from stay. At least one
        instance must be declared. Default: false.
    batch
        Size of a batch: a number, or a percentage of the declared instances. The state changes this many instances at a
        time, with their ``wait_for``, and starts the next batch when they are healthy (see ``max_failures``). Default:
        no batches.
    max_failures
        Maximum number of failures, as a number or a percentage. After more failures, the state starts nothing else and
        names the instances that it did not reach. Default: no limit; 0 with ``batch``.
    sensitive
        Further keys to mask, for all instances; see :py:func:`lxdapi_instance.present`. Default: only the keys that
        lxdapi always masks.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    project
        Project of the whole fleet. Default: the project of the remote, or ``default``.

    ``changes`` contains, for each instance, the changes that its own state would report. A failed instance does not
    stop the others.
    """
    ret = {"name": name, "changes": {}, "result": True, "comment": ""}
    declared = dict(networks=networks, storage_pools=storage_pools, storage_volumes=storage_volumes)
    declared.update(profiles=profiles, images=images)
    try:
        fleet = FleetSpec.parse(instances, defaults, concurrency, purge, batch, max_failures, sensitive)
        needed = prerequisites.parse(declared, __states__)
    except InvalidError as exc:
        return state.failed_answer(ret, str(exc))
    answers = prerequisites.converge(needed, __states__, {"remote": remote, "project": project, "sensitive": sensitive})
    if any(each["result"] is False for _, each in answers):
        return prerequisites.merge_answers(state.failed_answer(ret, "no instance was changed"), answers)
    done = state.run(name, __opts__["test"], fleet, lambda: connection.connect(globals(), remote, project))
    return prerequisites.merge_answers(done, answers)


def applied(
    name,
    instances=None,
    mods=None,
    filter=None,
    pillar=None,
    saltenv=None,
    exclude=None,
    python="auto",
    sealed=None,
    concurrency=None,
    batch=None,
    max_failures=None,
    remote=None,
    project=None,
):
    """
    Ensure that the inside of many instances is as SLS files describe it: Salt applies them inside each, in parallel.

    .. code-block:: yaml

        all web servers:
          lxdapi_fleet.applied:
            - instances: web[01-02]
            - mods: web
            - batch: 50%

    name
        Name of the state, for messages only.
    instances
        A name, a range (``web[01-20]``, ``web[1-3,7]``), a pattern (``web*``; ``*`` means all instances of the
        project), or a list of them. A name without a pattern must exist; a pattern may match nothing. Default: all
        instances that ``filter`` selects.
    mods
        SLS names: a list, or text with commas. Default: the top file decides for each instance, as in
        :py:func:`highstate <lxdapi_salt.highstate>`.
    filter
        Mapping of conditions that must all be true: ``status`` (``Running``, ``Stopped``, ``Frozen``), ``profile``,
        ``type`` (``container``, ``virtual-machine``), and ``config``, a mapping of keys to values, which can come from
        profiles too. Default: none.
    pillar, saltenv, exclude, python, sealed
        See :py:func:`lxdapi_salt.applied`.
    concurrency
        Maximum number of instances in which Salt runs at the same time, 1 to 32. Default: twice the number of
        processors of the minion.
    batch
        Size of a batch: a number, or a percentage of the selected instances. The next batch starts when the last
        instance of this one is done (see ``max_failures``). Default: no batches.
    max_failures
        Maximum number of failures, as a number or a percentage. After more failures, Salt starts in no other instance,
        and the comment names those that it did not reach. Default: no limit; 0 with ``batch``.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    project
        Project of the instances. Default: the project of the remote, or ``default``.

    ``changes`` contains, for each instance, the changes of the states inside by state id. A failed instance does not
    stop the others. Salt starts once in each instance.

    Test mode runs Salt inside with ``test=True``, in all selected instances. Changes of an instance that is stopped or
    does not exist yet are unknown.
    """
    ret = {"name": name, "changes": {}, "result": True, "comment": ""}
    try:
        choice, pace = verbs.Selection(instances, filter, "instances"), Pace.parse(concurrency, batch, max_failures)
        call = calls.apply_arguments(mods, __opts__["test"], pillar, saltenv, exclude)
        run = salt_fleet.apply(globals(), choice, call, pace, python, sealed, remote, project, name)
    except LxdapiError as exc:
        return state.failed_answer(ret, exc.explain())
    return summary.answer(ret, run.answers, run.unstarted)
