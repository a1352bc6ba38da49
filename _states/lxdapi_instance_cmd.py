"""
Commands inside instances of LXD and Incus, and what an instance does when something that it watches has changed.

:depends: requests, requests-unixsocket, websocket-client
"""

from lxdapi.instances import cmd_run as commands
from lxdapi.instances import exec as execs
from lxdapi.instances import on_watch
from lxdapi.minion import connection, state

__virtualname__ = "lxdapi_instance"

# States that mean an instance that runs.
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
    Run a command in an instance, unless what is looked at inside says that it need not.

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
        The command, given to ``/bin/sh -c``, unless ``command`` is there.
    instance
        In which it runs; it has to run itself.
    command
        A list is executed as it stands, without a shell; text is given to ``/bin/sh -c``.
    creates
        A path inside the instance, or a list of which all have to be there: then it is not run.
    onlyif
        A command inside the instance, or a list of which all have to succeed: else it is not run.
    unless
        A command inside the instance, or a list: where all succeed it is not run.
    stdin, env, cwd, user, group
        See :py:func:`lxdapi_instance.exec`; ``onlyif`` and ``unless`` run in the same way. ``runas`` is another word
        for ``user``.
    timeout
        Seconds, after which it is killed, which is a failure.
    success_retcodes
        Exit codes that are none of a failure, besides 0.
    hide_output
        True: what it writes is not shown.
    inside
        Not to be written: what of the three conditions Salt is kept from looking at on the minion.
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    project
        The project. Default: the remote's, or ``default``.

    The test mode executes nothing, ``onlyif`` and ``unless`` neither; ``creates`` it knows. ``state.single`` asks the
    three conditions on the minion first; there, write them below ``inside``.
    """
    conditions = {"creates": creates, "onlyif": onlyif, "unless": unless}
    given = name if command is None else command

    def plan():
        order = execs.make_command(given, stdin, env, cwd, runas if user is None else user, group, timeout)
        return commands.plan(
            connection.connect(globals(), remote, project),
            instance,
            given if isinstance(given, str) else " ".join(map(str, given)),
            order,
            commands.join_conditions(conditions, inside),
            success_retcodes,
            hide_output,
            __opts__["test"],
        )

    ret = state.run_plan(globals(), "command", name, plan)
    # as Salt's own conditions do: what watches is not run in its stead
    return ret if ret["changes"] or ret["result"] is False else {**ret, "skip_watch": True}


def mod_init(low):
    """
    Called by Salt before a state: the conditions of ``cmd_run`` are about the instance.

    .. code-block:: yaml

        date > /root/first:
          lxdapi_instance.cmd_run:
            - instance: web1
            - creates: /root/first    # in web1

    low
        The state. Salt would look for ``creates``, ``onlyif`` and ``unless`` on the minion, and not call the state
        at all (``State._run_check``; Salt 3006 to 3008). A ``mod_run_check`` would keep it from that for every state
        of lxdapi_instance; so of this one they are handed on under another name.

    Returns False: it is to be called for the next state too.
    """
    if low.get("fun") == "cmd_run":
        found = {word: low.pop(word) for word in commands.CONDITIONS if word in low}
        inside = low.get("inside") or {}
        # what is none is refused by the state
        if found and isinstance(inside, dict):
            low["inside"] = {**found, **inside}
    return False


def mod_watch(
    name, sfun=None, reload=None, timeout=None, force=False, wait_for=None, remote=None, project=None, **kwargs
):
    """
    Called by Salt when something that the state watches has changed: an instance that runs is restarted.

    .. code-block:: yaml

        web1:
          lxdapi_instance.running:
            - watch:
              - lxdapi_profile: web

    name
        Of the instance.
    sfun
        The function of the state: of ``present`` and ``running`` an instance that runs is restarted; one that does not
        run is left alone, and so is any instance of the other states.
    reload
        A command that is run inside instead of the restart; see :py:func:`lxdapi_instance.exec`.
    timeout
        Seconds that it has to shut down, 30, or that the command has.
    force
        True: then it is stopped by force, and ``changes`` says so.
    wait_for
        What is waited for afterwards; see :py:func:`lxdapi_instance.present`.
    kwargs
        What else the state has.
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    project
        The project. Default: the remote's, or ``default``.
    """
    if sfun not in _RUN:
        return {"name": name, "changes": {}, "result": True, "comment": f"{sfun} has nothing to do after a change"}
    return state.run(
        globals(),
        "instance",
        name,
        lambda api: on_watch.plan(api, name, reload, timeout, force, wait_for),
        remote=remote,
        project=project,
    )
