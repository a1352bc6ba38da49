"""
Commands inside instances of LXD and Incus.

:depends: requests, requests-unixsocket, websocket-client
"""

from lxdapi import local_files
from lxdapi.instances import cmd_run
from lxdapi.instances import exec as execs
from lxdapi.instances import script as scripts
from lxdapi.instances import wait_for as waiting
from lxdapi.minion import connection
from lxdapi.plan import steps

__version__ = "0.1.0"
__virtualname__ = "lxdapi_instance"
__func_alias__ = {"exec_": "exec"}


def __virtual__():
    """Add these functions to those of ``lxdapi_instance``."""
    return __virtualname__


def exec_(
    name,
    command,
    stdin=None,
    env=None,
    cwd=None,
    user=None,
    group=None,
    timeout=None,
    binary=False,
    remote=None,
    project=None,
):
    """
    Run a command in a running instance. Returns ``retcode``, the unmodified ``stdout`` and ``stderr``, and ``killed``
    if the command was killed. The exit code of the command is also the exit code of the call, as with Salt's
    ``cmd.run``.

    command
        Command: a list is executed directly, text is passed to ``/bin/sh -c``.
    stdin
        Standard input, as text or bytes. Default: empty.
    env
        Mapping of environment variables, in addition to HOME, USER, PATH and LANG. No change, comment or error shows
        them. Default: none.
    cwd
        Working directory, an absolute path inside the instance. It must exist. Default: the home directory of root.
    user
        User name in ``/etc/passwd`` of the instance, or UID. The command has the primary group and the home directory
        of the user, without supplementary groups. Default: root.
    group
        Group name in ``/etc/group`` of the instance, or GID. Default: the primary group of the user.
    timeout
        Seconds after which the command is killed: the result then has ``retcode`` 137 and ``killed``. Processes that
        the command started keep running. Default: no limit; lxdapi monitors the daemon instead.
    binary
        Whether to return ``stdout`` and ``stderr`` as base64. Otherwise they are UTF-8 text, with invalid bytes
        replaced. Default: false.

    ``retcode`` is the exit code of the command, 126 if it cannot be executed, 127 if it does not exist, and 128 + n if
    signal n ended it. A command that writes more than 256 MiB is killed, and the call raises an error. If a command
    leaves a background process that keeps its output open, LXD 5.0.2 waits for that process too.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_instance.exec web1 'echo $HOME; cat /etc/hosts' timeout=10
        salt-call lxdapi_instance.exec web1 '["ls", "-l", "/etc"]' cwd=/tmp env='{"LANG": "C"}'
    """
    parsed = execs.make_command(command, stdin, env, cwd, user, group, timeout)
    return cmd_run.raw_summary(
        _keep_exit_code(execs.run(connection.connect(globals(), remote, project), name, parsed)), binary
    )


def run(name, command, stdin=None, env=None, cwd=None, user=None, group=None, timeout=None, remote=None, project=None):
    """
    Run a command in an instance and return its standard output and standard error, in the order in which they arrived.

    See :py:func:`lxdapi_instance.exec` for the parameters. If the command was killed, the error contains its output.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_instance.run web1 'ls -l /etc'
    """
    return cmd_run.decode(_run_to_end(name, command, stdin, env, cwd, user, group, timeout, remote, project).output)


def run_stdout(
    name, command, stdin=None, env=None, cwd=None, user=None, group=None, timeout=None, remote=None, project=None
):
    """
    Run a command in an instance and return its standard output.

    See :py:func:`lxdapi_instance.exec` for the parameters.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_instance.run_stdout web1 'cat /etc/hosts'
    """
    return cmd_run.decode(_run_to_end(name, command, stdin, env, cwd, user, group, timeout, remote, project).stdout)


def run_stderr(
    name, command, stdin=None, env=None, cwd=None, user=None, group=None, timeout=None, remote=None, project=None
):
    """
    Run a command in an instance and return its standard error.

    See :py:func:`lxdapi_instance.exec` for the parameters.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_instance.run_stderr web1 'ls /nowhere'
    """
    return cmd_run.decode(_run_to_end(name, command, stdin, env, cwd, user, group, timeout, remote, project).stderr)


def run_all(
    name, command, stdin=None, env=None, cwd=None, user=None, group=None, timeout=None, remote=None, project=None
):
    """
    Run a command in an instance and return ``retcode``, ``stdout`` and ``stderr``, without trailing line ends.

    See :py:func:`lxdapi_instance.exec` for the parameters.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_instance.run_all web1 'ls /nowhere'
    """
    parsed = execs.make_command(command, stdin, env, cwd, user, group, timeout)
    return cmd_run.summary(_keep_exit_code(execs.run(connection.connect(globals(), remote, project), name, parsed)))


def retcode(
    name, command, stdin=None, env=None, cwd=None, user=None, group=None, timeout=None, remote=None, project=None
):
    """
    Run a command in an instance and return its exit code.

    See :py:func:`lxdapi_instance.exec` for the parameters.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_instance.retcode web1 'test -e /etc/shadow'
    """
    parsed = execs.make_command(command, stdin, env, cwd, user, group, timeout)
    return execs.run(connection.connect(globals(), remote, project), name, parsed).retcode


def script(
    name,
    source,
    args=None,
    stdin=None,
    env=None,
    cwd=None,
    user=None,
    group=None,
    timeout=None,
    saltenv="base",
    remote=None,
    project=None,
):
    """
    Run a script in an instance and return ``retcode``, ``stdout`` and ``stderr``.

    source
        A path on the minion, ``salt://`` or ``https://``. The first line of the script must name its interpreter
        (``#!``).
    args
        Arguments: a list, or text that is split as in a shell. Default: none.
    saltenv
        Salt environment of a ``salt://`` source. Default: ``base``.

    The script is copied to ``/tmp`` of the instance, readable only by its user, and always removed afterwards. See
    :py:func:`lxdapi_instance.exec` for the other parameters.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_instance.script web1 salt://setup.sh args='--now "two words"'
    """
    parsed = execs.make_command("true", stdin, env, cwd, user, group, timeout)
    scripts.parse_arguments(args)
    file = local_files.local_file(__salt__["cp.cache_file"], source, saltenv)
    return cmd_run.summary(
        _keep_exit_code(scripts.run(connection.connect(globals(), remote, project), name, file, args, parsed))
    )


def wait_for(name, wait_for, timeout=None, remote=None, project=None):
    """
    Wait until an instance meets conditions. Returns True.

    wait_for
        Mapping of conditions, or a list of mappings:

        - ``ipv4`` or ``ipv6``: name of the network interface inside that must have an address of global scope
        - ``agent``: true; the agent of a virtual machine answers, or processes run in a container
        - ``ready``: true; the instance has reported that it is ready, or it is a container with running processes
        - ``cloud-init``: true; cloud-init has finished. If it failed or is not installed, the call fails at once
        - ``cmd``: command, as for ``lxdapi_instance.exec``, that must exit with 0
        - ``port``: TCP port on which a process must listen, at any address of the instance

        Each mapping can have its own ``timeout`` in seconds.
    timeout
        Seconds for each mapping without a ``timeout``. After that time, the error contains the last observation.
        Default: 60.

    ``cloud-init``, ``cmd`` and ``port`` run a command inside the instance (for ``port``: ``cat /proc/net/tcp``).

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_instance.wait_for web1 '{"ready": true, "cmd": "test -e /etc/hosts"}' timeout=30
    """
    waits = waiting.parse_conditions(wait_for)
    steps.apply(waiting.plan(connection.connect(globals(), remote, project), name, waits, timeout))
    return True


def _run_to_end(name, command, stdin, env, cwd, user, group, timeout, remote, project):
    parsed = execs.make_command(command, stdin, env, cwd, user, group, timeout)
    return cmd_run.require_finished(
        _keep_exit_code(execs.run(connection.connect(globals(), remote, project), name, parsed))
    )


def _keep_exit_code(outcome):
    """Return the result of a command; its exit code becomes that of the call, as with Salt's ``cmd.run``."""
    __context__["retcode"] = outcome.retcode
    return outcome
