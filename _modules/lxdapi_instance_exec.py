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
    Run a command in a running instance. Returns ``retcode``, ``stdout`` and ``stderr`` as they were written, and
    ``killed`` where it was. The exit code is that of the call as well, as with Salt's ``cmd.run``.

    command
        A list is executed as it stands, without a shell. Text is given to ``/bin/sh -c``.
    stdin
        Text or bytes that it reads; None: nothing.
    env
        {name: value}, besides HOME, USER, PATH and LANG. No change, comment or error shows them.
    cwd
        The folder that it runs in, an absolute path inside; None: root's home. One that is not there is refused.
    user
        A name of the instance's ``/etc/passwd``, or a number; None: root. It has that user's group and home; further
        groups are not set.
    group
        A name of its ``/etc/group``, or a number; None: the user's.
    timeout
        Seconds, after which it is killed: ``retcode`` is 137 then, and ``killed`` says so. What it has started itself
        goes on. None: no limit; the daemon is watched.
    binary
        True: ``stdout`` and ``stderr`` are base64 of the bytes. False: UTF-8, in which what is none is replaced.

    The exit code is the command's; 126 if it cannot be executed, 127 if it is not there, 128 + n if signal n ended
    it. One that writes more than 256 MiB is killed, and an error. Where a command leaves another one behind that
    keeps its output open, LXD 5.0.2 waits for that one too.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_instance.exec web1 'echo $HOME; cat /etc/hosts' timeout=10
        salt-call lxdapi_instance.exec web1 '["ls", "-l", "/etc"]' cwd=/tmp env='{"LANG": "C"}'
    """
    given = execs.make_command(command, stdin, env, cwd, user, group, timeout)
    return cmd_run.raw_summary(_noted(execs.run(connection.connect(globals(), remote, project), name, given)), binary)


def run(name, command, stdin=None, env=None, cwd=None, user=None, group=None, timeout=None, remote=None, project=None):
    """
    Run a command in an instance and return what it wrote, standard error too, in the order in which it came.

    See :py:func:`lxdapi_instance.exec` for the parameters. One that was killed is an error that says what it had
    written.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_instance.run web1 'ls -l /etc'
    """
    return cmd_run.decode(_ended(name, command, stdin, env, cwd, user, group, timeout, remote, project).output)


def run_stdout(
    name, command, stdin=None, env=None, cwd=None, user=None, group=None, timeout=None, remote=None, project=None
):
    """
    Run a command in an instance and return what it wrote to standard output.

    See :py:func:`lxdapi_instance.exec` for the parameters.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_instance.run_stdout web1 'cat /etc/hosts'
    """
    return cmd_run.decode(_ended(name, command, stdin, env, cwd, user, group, timeout, remote, project).stdout)


def run_stderr(
    name, command, stdin=None, env=None, cwd=None, user=None, group=None, timeout=None, remote=None, project=None
):
    """
    Run a command in an instance and return what it wrote to standard error.

    See :py:func:`lxdapi_instance.exec` for the parameters.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_instance.run_stderr web1 'ls /nowhere'
    """
    return cmd_run.decode(_ended(name, command, stdin, env, cwd, user, group, timeout, remote, project).stderr)


def run_all(
    name, command, stdin=None, env=None, cwd=None, user=None, group=None, timeout=None, remote=None, project=None
):
    """
    Run a command in an instance and return ``retcode``, ``stdout`` and ``stderr``, without line ends at their end.

    See :py:func:`lxdapi_instance.exec` for the parameters.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_instance.run_all web1 'ls /nowhere'
    """
    given = execs.make_command(command, stdin, env, cwd, user, group, timeout)
    return cmd_run.summary(_noted(execs.run(connection.connect(globals(), remote, project), name, given)))


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
    given = execs.make_command(command, stdin, env, cwd, user, group, timeout)
    return execs.run(connection.connect(globals(), remote, project), name, given).retcode


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
        A path on the minion, ``salt://`` or ``https://``. Its first line says what executes it.
    args
        A list, or text that is split as a shell would.
    saltenv
        Of a ``salt://`` source.

    It lies in the instance's ``/tmp`` meanwhile, readable for its user alone, and is removed in any case.
    See :py:func:`lxdapi_instance.exec` for the other parameters.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_instance.script web1 salt://setup.sh args='--now "two words"'
    """
    given = execs.make_command("true", stdin, env, cwd, user, group, timeout)
    scripts.parse_arguments(args)
    file = local_files.local_file(__salt__["cp.cache_file"], source, saltenv)
    return cmd_run.summary(_noted(scripts.run(connection.connect(globals(), remote, project), name, file, args, given)))


def wait_for(name, wait_for, timeout=None, remote=None, project=None):
    """
    Wait until an instance is as far as it is needed. Returns True.

    wait_for
        A mapping, or a list of them, of

        - ``ipv4`` or ``ipv6``: the name of a nic inside, which has an address of global scope;
        - ``agent``: true; of a virtual machine its agent answers, of a container processes run;
        - ``ready``: true; the instance has told the daemon that it is ready, or is a container whose processes run;
        - ``cloud-init``: true; it has finished; that it failed, or is not installed, is an error at once;
        - ``cmd``: a command, as for ``lxdapi_instance.exec``, that ends with 0;
        - ``port``: a TCP port that somebody listens on, at any address of the instance;

        and of ``timeout``, the seconds for what stands in the same mapping.
    timeout
        Seconds for each that has none of its own; 60. When they are over the error lists what was seen.

    ``cloud-init``, ``cmd`` and ``port`` run a command inside (``cat /proc/net/tcp`` for the last).

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_instance.wait_for web1 '{"ready": true, "cmd": "test -e /etc/hosts"}' timeout=30
    """
    waits = waiting.parse_conditions(wait_for)
    steps.apply(waiting.plan(connection.connect(globals(), remote, project), name, waits, timeout))
    return True


def _ended(name, command, stdin, env, cwd, user, group, timeout, remote, project):
    given = execs.make_command(command, stdin, env, cwd, user, group, timeout)
    return cmd_run.require_finished(_noted(execs.run(connection.connect(globals(), remote, project), name, given)))


def _noted(outcome):
    """Return the outcome of a command whose exit code is that of the call as well, as with Salt's ``cmd.run``."""
    __context__["retcode"] = outcome.retcode
    return outcome
