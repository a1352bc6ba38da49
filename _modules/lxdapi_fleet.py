"""
Operations on many LXD and Incus instances at once, selected by names, ranges, patterns or properties.

:depends: requests, requests-unixsocket

Each function returns ``{name: changes}``; for an instance that failed, the value is the error text, and the exit code
of the call is 1. A failed instance does not stop the others.
"""

from lxdapi.fleet import verbs
from lxdapi.fleet.pace import Pace
from lxdapi.instances import cmd_run
from lxdapi.instances import exec as execs
from lxdapi.minion import connection, salt_fleet
from lxdapi.salt_inside import calls

__version__ = "0.1.0"
__func_alias__ = {"exec_": "exec", "apply_": "apply"}


def start(names=None, filter=None, concurrency=None, timeout=None, test=False, remote=None, project=None):
    """
    Start many instances; frozen instances are unfrozen. Returns the changes or the error of each instance.

    names
        A name, a range (``web[01-20]``, ``web[1-3,7]``), a pattern (``web*``; ``*`` means all instances of the
        project), or a list of them. A name without a pattern must exist; a pattern may match nothing. Default: all
        instances that ``filter`` selects.
    filter
        Mapping of conditions that must all be true: ``status`` (``Running``, ``Stopped``, ``Frozen``), ``profile``,
        ``type`` (``container``, ``virtual-machine``), and ``config``, a mapping of keys to values, which can come from
        profiles too. Default: none.
    concurrency
        Maximum number of parallel actions, 1 to 32. Default: for starts, twice the number of processors of the minion;
        20 for all other actions.
    timeout
        Seconds to wait for each instance. Default: 120.
    test
        Whether to return the changes without making them. Default: false.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_fleet.start 'web[01-03]'
    """
    return _done(names, filter, concurrency, test, remote, project, lambda: verbs.plan_power("Running", timeout))


def stop(names=None, filter=None, concurrency=None, timeout=None, force=False, test=False, remote=None, project=None):
    """
    Stop many instances. Returns the changes or the error of each instance.

    timeout
        Seconds to wait for each instance to shut down. Default: 30.
    force
        Whether to force the stop after ``timeout``; with ``timeout=0`` the stop is forced at once. Default: false.

    An ephemeral instance is an error, because a stop would delete it. See :py:func:`lxdapi_fleet.start` for the other
    parameters.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_fleet.stop 'web*' timeout=5 force=True
    """
    return _done(names, filter, concurrency, test, remote, project, lambda: verbs.plan_power("Stopped", timeout, force))


def restart(
    names=None, filter=None, concurrency=None, timeout=None, force=False, test=False, remote=None, project=None
):
    """
    Restart many instances; stopped instances are started. Returns the changes or the error of each instance.

    See :py:func:`lxdapi_fleet.stop` for the parameters.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_fleet.restart '["web1", "web2"]' timeout=5 force=True
    """
    return _done(names, filter, concurrency, test, remote, project, lambda: verbs.plan_restart(timeout, force))


def freeze(names=None, filter=None, concurrency=None, timeout=None, test=False, remote=None, project=None):
    """
    Freeze many instances; stopped instances are started first. Returns the changes or the error of each instance.

    See :py:func:`lxdapi_fleet.start` for the parameters.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_fleet.freeze 'web*' filter='{"status": "Running"}'
    """
    return _done(names, filter, concurrency, test, remote, project, lambda: verbs.plan_power("Frozen", timeout))


def unfreeze(names=None, filter=None, concurrency=None, timeout=None, test=False, remote=None, project=None):
    """
    Unfreeze many instances; instances that are not frozen stay unchanged. Returns the changes or the error of each
    instance.

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
    Create a snapshot of many instances. Returns the changes or the error of each instance.

    snapshot
        Name of the snapshot, the same for each instance. An existing snapshot with this name is an error. Required.
    expires_at
        Time after which the daemon may delete the snapshot, such as ``2030-01-31T00:00:00Z``; an empty string means
        never. Default: the setting ``snapshots.expiry``.
    stateful
        Whether to include the memory of a running instance. Default: false.

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
    Run a command in many running instances. Returns ``retcode``, ``stdout`` and ``stderr``, or the error, of each
    instance. The exit code of the call is 1 if any exit code is not 0.

    command, env, cwd, user, group
        See :py:func:`lxdapi_instance.exec`.
    timeout
        Seconds after which the command is killed. Default: no limit.
    test
        Whether to return an empty mapping for each selected instance without running the command. Default: false.

    See :py:func:`lxdapi_fleet.start` for the other parameters.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_fleet.exec 'web*' 'uname -r' filter='{"status": "Running"}' timeout=10
    """
    choice, order = verbs.Selection(names, filter), execs.make_command(command, None, env, cwd, user, group, timeout)
    return _keep_exit_code(
        verbs.execute(connection.connect(globals(), remote, project), choice, order, cmd_run.summary, concurrency, test)
    )


def apply_(
    names=None,
    mods=None,
    filter=None,
    test=None,
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
    Apply states inside many running instances, as :py:func:`lxdapi_salt.apply` does for one. Returns, for each
    instance, the changes by state id, or an error that names the failed states.

    mods, pillar, saltenv, exclude, python, sealed
        See :py:func:`lxdapi_salt.apply`. Without ``mods``, the top file decides for each instance.
    test
        Whether to return the changes without making them. Default: the option ``test`` of this minion.
    concurrency
        Maximum number of instances in which Salt runs at the same time, 1 to 32. Default: twice the number of
        processors of the minion.
    batch
        Size of a batch: a number, or a percentage of the selected instances. The next batch starts when the last
        instance of this one is done. Default: no batches.
    max_failures
        Maximum number of failures, as a number or a percentage. After more failures, Salt starts in no other instance.
        Default: no limit; 0 with ``batch``.

    Salt starts once in each instance. Stopped instances are errors: ``filter='{"status": "Running"}'`` leaves them out.
    See :py:func:`lxdapi_fleet.start` for the other parameters.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_fleet.apply 'web*' web filter='{"status": "Running"}' batch=25% test=True
    """
    choice, pace = verbs.Selection(names, filter), Pace.parse(concurrency, batch, max_failures)
    test = __opts__.get("test") if test is None else test
    call = calls.apply_arguments(mods, test, pillar, saltenv, exclude)
    run = salt_fleet.apply(globals(), choice, call, pace, python, sealed, remote, project)
    answers = {name: verbs.outcome(name, answer) for name, answer in run.answers.items()}
    return _keep_exit_code({**answers, **dict.fromkeys(run.unstarted, "not started, because others failed")})


def _done(names, filter, concurrency, test, remote, project, plan):
    choice, steps = verbs.Selection(names, filter), plan()
    return _keep_exit_code(verbs.run(connection.connect(globals(), remote, project), choice, steps, concurrency, test))


def _keep_exit_code(answers):
    """Return the result; set the exit code of the call if an instance failed."""
    __context__["retcode"] = 1 if verbs.any_failed(answers) else 0
    return answers
