"""
Verbs for many instances of LXD and Incus at once: by names, ranges, patterns or what they are.

:depends: requests, requests-unixsocket

Each returns ``{name: what changed}``, of one that failed why, as text; the exit code of the call is 1 then. One that
fails does not keep the others from being done.
"""

from lxdapi.fleet import verbs
from lxdapi.instances import cmd_run
from lxdapi.instances import exec as execs
from lxdapi.minion import connection

__func_alias__ = {"exec_": "exec"}


def start(names=None, filter=None, concurrency=None, timeout=None, test=False, remote=None, project=None):
    """
    Bring many instances to ``Running``; frozen ones are thawed. Returns what changed of each, or why it failed.

    names
        A name, a range (``web[01-20]``, ``web[1-3,7]``), a pattern (``web*``; ``*`` is all of the project), or a list
        of them. A name that is spelled out has to be there; a pattern may match nothing.
    filter
        A mapping, of which all has to be so: ``status`` (``Running``, ``Stopped``, ``Frozen``), ``profile``, ``type``
        (``container``, ``virtual-machine``) and ``config``, a mapping of keys to values, those of the profiles too.
        Without ``names``: of all instances.
    concurrency
        How many things at once, 1 to 32. None: starts twice the processors of the minion, all else 20.
    timeout
        Seconds for each; 120.
    test
        True: nothing is done; returned is what would be.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_fleet.start 'web[01-03]'
    """
    return _done(names, filter, concurrency, test, remote, project, lambda: verbs.plan_power("Running", timeout))


def stop(names=None, filter=None, concurrency=None, timeout=None, force=False, test=False, remote=None, project=None):
    """
    Bring many instances to ``Stopped``. Returns what changed of each, or why it failed.

    timeout
        Seconds that each has to shut down; 30.
    force
        True: then it is stopped by force; with ``timeout=0`` at once.

    An ephemeral one is refused: a stop would delete it. See :py:func:`lxdapi_fleet.start` for the other parameters.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_fleet.stop 'web*' timeout=5 force=True
    """
    return _done(names, filter, concurrency, test, remote, project, lambda: verbs.plan_power("Stopped", timeout, force))


def restart(
    names=None, filter=None, concurrency=None, timeout=None, force=False, test=False, remote=None, project=None
):
    """
    Stop many instances and start them again; stopped ones are started. Returns what changed of each, or why it failed.

    See :py:func:`lxdapi_fleet.stop` for the parameters.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_fleet.restart '["web1", "web2"]' timeout=5 force=True
    """
    return _done(names, filter, concurrency, test, remote, project, lambda: verbs.plan_restart(timeout, force))


def freeze(names=None, filter=None, concurrency=None, timeout=None, test=False, remote=None, project=None):
    """
    Bring many instances to ``Frozen``; stopped ones are started first. Returns what changed of each, or why it failed.

    See :py:func:`lxdapi_fleet.start` for the parameters.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_fleet.freeze 'web*' filter='{"status": "Running"}'
    """
    return _done(names, filter, concurrency, test, remote, project, lambda: verbs.plan_power("Frozen", timeout))


def unfreeze(names=None, filter=None, concurrency=None, timeout=None, test=False, remote=None, project=None):
    """
    Thaw many instances; what is not frozen is left as it is. Returns what changed of each, or why it failed.

    See :py:func:`lxdapi_fleet.start` for the parameters.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_fleet.unfreeze 'web*'
    """
    return _done(names, filter, concurrency, test, remote, project, lambda: verbs.plan_unfreeze(timeout))


def snapshot(
    names=None,
    snapshot=None,
    filter=None,
    expires_at=None,
    stateful=None,
    concurrency=None,
    test=False,
    remote=None,
    project=None,
):
    """
    Make a snapshot of many instances. Returns what changed of each, or why it failed.

    snapshot
        Its name, the same of each; one that is there already is a failure.
    expires_at
        A time such as ``2030-01-31T00:00:00Z``, after which the daemon may remove it; "" for never. None: what
        ``snapshots.expiry`` says.
    stateful
        True for one with the state of the memory, of an instance that runs.

    See :py:func:`lxdapi_fleet.start` for the other parameters.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_fleet.snapshot 'web*' before
    """
    return _done(
        names, filter, concurrency, test, remote, project, lambda: verbs.plan_snapshot(snapshot, expires_at, stateful)
    )


def exec_(
    names=None,
    command=None,
    filter=None,
    env=None,
    cwd=None,
    user=None,
    group=None,
    concurrency=None,
    timeout=None,
    test=False,
    remote=None,
    project=None,
):
    """
    Run a command in many running instances. Returns ``retcode``, ``stdout`` and ``stderr`` of each, or why it failed;
    the exit code of the call is 1 if any is not 0.

    command, env, cwd, user, group
        See :py:func:`lxdapi_instance.exec`.
    timeout
        Seconds, after which it is killed. None: no limit.
    test
        True: nothing is run; each that is meant has an empty mapping.

    See :py:func:`lxdapi_fleet.start` for the other parameters.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_fleet.exec 'web*' 'uname -r' filter='{"status": "Running"}' timeout=10
    """
    choice, order = verbs.Selection(names, filter), execs.make_command(command, None, env, cwd, user, group, timeout)
    return _noted(
        verbs.execute(connection.connect(globals(), remote, project), choice, order, cmd_run.summary, concurrency, test)
    )


def _done(names, filter, concurrency, test, remote, project, plan):
    choice, steps = verbs.Selection(names, filter), plan()
    return _noted(verbs.run(connection.connect(globals(), remote, project), choice, steps, concurrency, test))


def _noted(answers):
    """Return what is answered; that one failed is the exit code of the call."""
    __context__["retcode"] = 1 if verbs.any_failed(answers) else 0
    return answers
