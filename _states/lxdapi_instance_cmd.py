"""
Commands inside instances of LXD and Incus, and the reaction of an instance to a change in its ``watch`` requisite.

:depends: requests, requests-unixsocket, websocket-client
"""

from lxdapi.instances import cmd_run as commands
from lxdapi.instances import exec as execs
from lxdapi.instances import on_watch
from lxdapi.minion import connection, state

__version__ = "0.1.0"
__virtualname__ = "lxdapi_instance"

# The states of an instance that runs.
_RUN = ("present", "running")


def __virtual__():
    """Add these functions to those of ``lxdapi_instance``."""
    return __virtualname__


def cmd_run(
    name,
    instance,
    command=None,
    creates=None,
    onlyif=None,
    unless=None,
    stdin=None,
    env=None,
    cwd=None,
    user=None,
    group=None,
    timeout=None,
    success_retcodes=None,
    hide_output=False,
    runas=None,
    inside=None,
    remote=None,
    project=None,
):
    """
    Run a command in an instance, unless a condition inside the instance makes it unnecessary.

    .. code-block:: yaml

        date > /root/first:
          lxdapi_instance.cmd_run:
            - instance: web1
            - creates: /root/first

        settled:
          lxdapi_instance.cmd_run:
            - instance: web1
            - command: [cp, /etc/hosts, /root/hosts]
            - unless: cmp -s /etc/hosts /root/hosts

    name
        Command for ``/bin/sh -c``, unless ``command`` is given.
    instance
        Name of the instance. It must be running.
    command
        Command: a list is executed directly, text is passed to ``/bin/sh -c``. Default: ``name``.
    creates
        Path inside the instance, or a list of paths. If all of them exist, the command does not run. Default: no
        condition.
    onlyif
        Command inside the instance, or a list of commands. Unless all of them succeed, the command does not run.
        Default: no condition.
    unless
        Command inside the instance, or a list of commands. If all of them succeed, the command does not run. Default:
        no condition.
    stdin, env, cwd, user, group
        See :py:func:`lxdapi_instance.exec`. They apply to ``onlyif`` and ``unless`` too. ``runas`` is an alias of
        ``user``.
    timeout
        Seconds after which the command is killed and the state fails. Default: no limit.
    success_retcodes
        Exit codes that mean success besides 0. Default: none.
    hide_output
        Whether to omit the output of the command. Default: false.
    inside
        Mapping of ``creates``, ``onlyif`` and ``unless``, for ``state.single`` only: it evaluates these three
        parameters on the minion, and does not touch the ones in this mapping. In an SLS, write the parameters directly.
        Default: none.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    project
        Name of the project. Default: the project of the remote, or ``default``.

    Test mode executes nothing, not even ``onlyif`` and ``unless``; it does evaluate ``creates``.
    """
    conditions = {"creates": creates, "onlyif": onlyif, "unless": unless}
    argv = name if command is None else command

    def plan():
        parsed = execs.make_command(argv, stdin, env, cwd, runas if user is None else user, group, timeout)
        return commands.plan(
            connection.connect(globals(), remote, project),
            instance,
            argv if isinstance(argv, str) else " ".join(map(str, argv)),
            parsed,
            commands.join_conditions(conditions, inside),
            success_retcodes,
            hide_output,
            __opts__["test"],
        )

    ret = state.run_plan(globals(), "command", name, plan)
    # as Salt does for its own conditions: without it, Salt would call mod_watch instead
    return ret if ret["changes"] or ret["result"] is False else {**ret, "skip_watch": True}


def mod_init(low):
    """
    Keep Salt from evaluating the conditions of ``cmd_run`` on the minion; Salt calls this before a state.

    .. code-block:: yaml

        date > /root/first:
          lxdapi_instance.cmd_run:
            - instance: web1
            - creates: /root/first    # in web1

    low
        Low data of the state. Salt would evaluate ``creates``, ``onlyif`` and ``unless`` on the minion and skip the
        state (``State._run_check``; Salt 3006 to 3008). A ``mod_run_check`` would prevent that for every state of
        lxdapi_instance, so this function moves the three parameters of ``cmd_run`` to ``inside``.

    Returns False, so that Salt calls it for the next state too.
    """
    if low.get("fun") == "cmd_run":
        conditions = {condition: low.pop(condition) for condition in commands.CONDITIONS if condition in low}
        inside = low.get("inside") or {}
        # the state itself rejects anything but a mapping
        if conditions and isinstance(inside, dict):
            low["inside"] = {**conditions, **inside}
    return False


def mod_watch(
    name, sfun=None, reload=None, timeout=None, force=False, wait_for=None, remote=None, project=None, **kwargs
):
    """
    Restart a running instance; Salt calls this when something in the ``watch`` requisite of a state has changed.

    .. code-block:: yaml

        web1:
          lxdapi_instance.running:
            - watch:
              - lxdapi_profile: web

    name
        Name of the instance.
    sfun
        Function of the state. For ``present`` and ``running``, a running instance is restarted. An instance that is not
        running, and the instance of any other state, stays unchanged.
    reload
        Command to run inside the instance instead of the restart; see :py:func:`lxdapi_instance.exec`.
    timeout
        Seconds for the shutdown (default: 30), or for the command.
    force
        Whether to force the stop after ``timeout``; ``changes`` then contains ``forced``. Default: false.
    wait_for
        Conditions to wait for afterwards; see :py:func:`lxdapi_instance.present`.
    kwargs
        Other parameters of the state, ignored.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    project
        Name of the project. Default: the project of the remote, or ``default``.
    """
    if sfun not in _RUN:
        return {"name": name, "changes": {}, "result": True, "comment": f"{sfun} does not react to a watched change"}
    return state.run(
        globals(),
        "instance",
        name,
        lambda api: on_watch.plan(api, name, reload, timeout, force, wait_for),
        remote=remote,
        project=project,
    )
