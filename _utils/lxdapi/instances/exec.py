"""
Runs commands inside an instance and returns their output and exit code.

An exit code is that of the command, or as in a shell: 126 not executable, 127 not found, 128 + n killed by signal n.
"""

import threading
import time
from contextlib import contextmanager
from typing import NamedTuple, Optional

from lxdapi import validation
from lxdapi.errors import (
    APIConnectionException,
    APIException,
    APIOperationException,
    APIOutcomeUnknownException,
    APIProtocolException,
    APITimeoutException,
    InvalidError,
    LxdapiError,
)
from lxdapi.http import operations, retry, websocket
from lxdapi.instances import exec_user
from lxdapi.model import objects
from lxdapi.model.kinds import KINDS

KILLED = 137
_KILL = {"command": "signal", "signal": 9}
# Incus takes a second to see that the command is dead while a child of it keeps its output open; LXD 5.0.2 waits for
# the child.
_GRACE_SECONDS = 3
# The time limit for the failure of an operation whose websockets broke; the daemon refuses those of a failed one.
_FAILURE_SECONDS = 3
# A daemon sends a sign of life every few seconds; after a longer silence lxdapi checks the operation.
QUIET_SECONDS = 30
_ENDLESS = 10**8
# The largest output: the minion holds all of it in memory, three times when it becomes text.
MOST_BYTES = 256 * 1024 * 1024
# More is sent from a thread: a command that writes before it reads would block lxdapi forever.
_MOST_SENT_AT_ONCE = 32768
# Exit codes for which the daemons report a failed operation, although the command ended.
_NOT_RUN = (126, 127)
STDOUT, STDERR = "1", "2"


class Outcome(NamedTuple):
    """
    The result of a command.

    retcode
        Its exit code.
    pieces
        [(``"1"`` or ``"2"``, bytes)] in the order of arrival.
    killed
        The seconds after which lxdapi killed it, or None.
    """

    retcode: int
    pieces: list
    killed: Optional[float] = None

    @property
    def stdout(self):
        """Return the bytes that it wrote to standard output."""
        return b"".join(data for stream, data in self.pieces if stream == STDOUT)

    @property
    def stderr(self):
        """Return the bytes that it wrote to standard error."""
        return b"".join(data for stream, data in self.pieces if stream == STDERR)

    @property
    def output(self):
        """Return the bytes that it wrote to either."""
        return b"".join(data for _, data in self.pieces)


class Command(NamedTuple):
    """A checked command: its arguments and how it runs; see :func:`make_command`."""

    argv: list
    stdin: bytes
    env: dict
    cwd: Optional[str]
    user: object
    group: object
    seconds: Optional[float]


def make_command(command, stdin=None, env=None, cwd=None, user=None, group=None, timeout=None):
    """
    Return the checked :class:`Command` for :func:`run`; sends nothing.

    command
        A list, executed without a shell, or text for ``/bin/sh -c``.
    stdin
        Text or bytes. Default: nothing.
    env
        {name: value}, or a list of such mappings, in addition to HOME, USER, PATH and LANG.
    cwd
        The absolute path of a folder inside. Default: the daemon's choice, the home of root.
    user, group
        A name or a number; see :func:`lxdapi.instances.exec_user.resolve_user`. Supplementary groups are not set.
    timeout
        Seconds after which the command, but not its children, is killed. Default: no limit while the daemon answers.

    Raises :class:`InvalidError` for invalid arguments.
    """
    if cwd is not None:
        validation.config_value("cwd", validation.absolute_path("cwd", cwd))
    user, group = validation.user_or_group("user", user), validation.user_or_group("group", group)
    return Command(
        _parse_command(command), _parse_stdin(stdin), _parse_env(env), cwd, user, group, _parse_timeout(timeout)
    )


def run(api, name, command):
    """
    Run a command in a running instance and return its :class:`Outcome`.

    command
        A :class:`Command`.

    Raises :class:`InvalidError` before the command runs if its user or folder does not exist, or another exception of
    :mod:`lxdapi.errors`.
    """
    path = objects.path_of(KINDS["instance"], name)
    fields, login_env = exec_user.resolve_user(api, path, command.user, command.group)
    cwd = exec_user.parse_cwd(api, path, command.cwd)
    body = {"command": command.argv, "environment": {**login_env, **command.env}, "interactive": False, **fields}
    body.update({"cwd": cwd} if cwd else {})
    return _run_over_websockets(api, f"{path}/exec", body, command.stdin, command.seconds)


def pass_through(api, name, argv, pieces, write):
    """
    Run a command in a running instance and return its exit code; its input and output pass through in pieces.

    argv
        A list of text.
    pieces
        An iterable of bytes for its standard input.
    write
        A function that gets each piece of output as ``("1" or "2", bytes)``.
    """
    url = f"{objects.path_of(KINDS['instance'], name)}/exec"
    body = {"command": argv, "environment": {}, "interactive": False}
    with open_command(api, url, body) as (channels, path, query):
        threading.Thread(target=channels["0"].send_all, args=(pieces,), daemon=True).start()
        return _Output(api, path, query, channels, write).read_until_exit(None)


def _parse_command(command):
    """Return a command as a list of text."""
    if isinstance(command, str):
        command = ["/bin/sh", "-c", command] if command.strip() else []
    if not isinstance(command, (list, tuple)):
        raise InvalidError.of_value("command", "text or a list", command)
    if any(argument is None for argument in command):
        raise InvalidError("command: an argument is null; expected text")
    argv = [validation.config_value("command", argument) or "" for argument in command]
    if not argv or not argv[0]:
        raise InvalidError("command is empty: declare the program to run")
    return argv


def _parse_env(env):
    """Return an environment as a mapping of text."""
    merged = validation.mapping("env", env or {}, "a mapping of names to values")
    for key in merged:
        if not isinstance(key, str) or not key or "=" in key or not validation.config_value("env", key):
            raise InvalidError(f"env: invalid name of a variable: {key!r}; expected text without '='")
    return {key: validation.config_value(f"env {key}", value) or "" for key, value in merged.items()}


def _parse_stdin(stdin):
    if stdin is None or isinstance(stdin, bytes):
        return stdin or b""
    if not isinstance(stdin, str):
        raise InvalidError.of_value("stdin", "text or bytes", stdin, secret=True)
    try:
        return stdin.encode("utf-8")
    except UnicodeEncodeError as exc:
        raise InvalidError(f"stdin: invalid text: {exc.reason} (unpaired surrogate)") from None


def _parse_timeout(timeout):
    if timeout is not None and not validation.parse_seconds(timeout):
        raise InvalidError.of_value("timeout", "a number of seconds above 0", timeout)
    return timeout


def _run_over_websockets(api, url, body, stdin, seconds):
    with open_command(api, url, body) as (channels, path, query):
        output = _Output(api, path, query, channels)
        _feed(channels["0"], stdin)
        code = output.read_until_exit(seconds)
        if code is not None:
            return Outcome(code, output.pieces)
        channels["control"].send_json(_KILL)
        code = output.read_until_exit(_GRACE_SECONDS)
        # it may have ended by itself at the same moment
        return Outcome(KILLED, output.pieces, seconds) if code in (None, KILLED) else Outcome(code, output.pieces)


@contextmanager
def open_command(api, url, body):
    """
    Start a command and yield (its channels, the path of its operation, the query of its operation).

    url, body
        The path and the body of the exec request, without the fields about websockets.

    The channels are ``control`` and those of the file descriptors: ``0``, ``1``, ``2``. The daemon kills a command that
    still runs when they are closed.
    """
    body = {**body, "record-output": False, "wait-for-websocket": True}
    # no command begins without its websockets, so a request whose reply was lost can be repeated
    started = retry.write_verified(api, lambda: api.post(url, json=body), lambda: None)
    path, query = started.operation
    with started.named_in_errors():
        try:
            with websocket.open_channels(api, path, query, _secrets(started)) as channels:
                yield channels, path, query
        except APIException as exc:
            _raise_if_failed(api.without_retries(), path, query, exc)
            raise


def _raise_if_failed(api, path, query, error):
    """
    Raise the error of the operation if it failed: that says more than the error of a websocket. Without its agent, a
    virtual machine closes the websockets at once.
    """
    try:
        operations.wait(api, path, query, _FAILURE_SECONDS if isinstance(error, APIConnectionException) else 0)
    except APIOperationException as exc:
        raise exc from error
    except APIException:  # it still runs, or nobody knows it
        pass


def _secrets(result):
    """
    Return {name: secret} of the websockets, standard input last: no command starts without it.

    The daemon runs the command while the control websocket is open.
    """
    data = result.metadata if isinstance(result.metadata, dict) else {}
    fds = (data.get("metadata") or {}).get("fds") or {}
    names = ("control", STDOUT, STDERR, "0")
    if not set(names) <= set(fds):
        raise APIProtocolException(result, "expected the websockets of a command in the reply")
    return {fd: fds[fd] for fd in names}


def _feed(channel, stdin):
    if not stdin:
        channel.send_end()
    elif len(stdin) <= _MOST_SENT_AT_ONCE:
        channel.send_all([stdin])
    else:
        threading.Thread(target=channel.send_all, args=([stdin],), daemon=True).start()


class _Output:
    """Reads the output of a running command."""

    def __init__(self, api, path, query, channels, write=None):
        self._api, self._path, self._query = api, path, query
        self._open = {channels[fd]: fd for fd in (STDOUT, STDERR)}
        self._control, self._left = channels["control"], MOST_BYTES
        self.pieces = []
        self._keep = write or self.pieces.append

    def read_until_exit(self, seconds):
        """Return the exit code, None if the command still runs after that many seconds."""
        end = time.monotonic() + (_ENDLESS if seconds is None else seconds)
        while self._open:
            remaining = end - time.monotonic()
            if remaining <= 0:
                return None
            ready = websocket.wait_for_data(self._open, min(remaining, QUIET_SECONDS))
            for channel in ready:
                self._take(channel)
            if not ready and remaining > QUIET_SECONDS:
                require_alive(self._api, self._path, self._query)
        code, pieces = exit_code(self._api, self._path, self._query, max(0.0, end - time.monotonic()))
        for piece in pieces:
            self._keep(piece)
        return code

    def _take(self, channel):
        data = channel.receive()
        if data is None:
            del self._open[channel]
        elif data:
            self._left -= len(data)
            if self._left < 0:
                self._control.send_json(_KILL)
                raise LxdapiError(
                    f"the command wrote more than {MOST_BYTES} bytes and was killed: redirect its output to a file"
                )
            self._keep((self._open[channel], data))


def require_alive(api, path, query):
    """Raise if the daemon no longer knows the operation."""
    result = api.transact("GET", path, params=query)
    if result.response.status_code == 404:
        raise APIOutcomeUnknownException(result, "the command was lost, because its daemon was restarted")
    result.validate()


def exit_code(api, path, query, seconds):
    """Return (exit code, error output of the daemon); code None: the command still runs."""
    try:
        operation = operations.wait(api, path, query, seconds).metadata
    except APIOperationException as exc:
        return _code_of_failure(api, path, query, exc)
    except APITimeoutException as exc:
        if exc.result is None:
            raise
        return None, []
    code = (operation.get("metadata") or {}).get("return")
    if not isinstance(code, int):
        raise InvalidError(
            "the daemon did not report the exit code of the command: look inside for its effect before you repeat it"
        )
    return code, []


def _code_of_failure(api, path, query, error):
    """Return the exit code and error of a command that could not be executed; raises for any other failure."""
    # the reply of Incus to /wait has only the error
    operation = api.transact("GET", path, params=query).metadata
    inner = operation.get("metadata") if isinstance(operation, dict) else None
    code = inner.get("return") if isinstance(inner, dict) else None
    if code not in _NOT_RUN:
        raise error
    return code, [(STDERR, f"{error.error}\n".encode())]
