"""
A session with the Salt inside an instance: one command, whose standard input and output are the master of that Salt.
"""

import json
import logging
import pkgutil
import struct
from contextlib import ExitStack, suppress
from typing import NamedTuple

import salt.payload
import salt.utils.jid
import salt.version

from lxdapi.errors import APIException, LxdapiError
from lxdapi.http import websocket
from lxdapi.instances import exec as execs
from lxdapi.instances import power
from lxdapi.model import objects
from lxdapi.model.kinds import KINDS
from lxdapi.salt_inside import bundle

log = logging.getLogger(__name__)

# The folder of lxdapi inside.
BASE = "/var/cache/lxdapi"
PYTHONS = ("python3", "/usr/libexec/platform-python")
_NO_PYTHON = 44
_END_SECONDS = 5
_MOST_ERROR_BYTES = 2000
# Starts the first Python that exists, which reads the agent from standard input: what is sent there is in no process
# list and in no event of the daemon.
_SHELL = f'for python; do command -v "$python" >/dev/null 2>&1 && exec "$python" -s -c "$0"; done; exit {_NO_PYTHON}'
_LOADER = """import os
def read(count):
    data = b""
    while len(data) < count:
        piece = os.read(0, count - len(data))
        data += piece or exit(1)
    return data
exec(compile(read(int.from_bytes(read(4), "big")), "lxdapi", "exec"))
"""


class UnfitError(LxdapiError):
    """The Python inside cannot run Salt, or it is missing; a carried one may."""


class FunctionError(LxdapiError):
    """A function inside raised an exception."""


class Reply(NamedTuple):
    """The result of a function, and the exit code that Salt gives it."""

    value: object
    retcode: int


class Launch(NamedTuple):
    """
    How Salt is started inside.

    command
        The command of a Python, without its arguments.
    environment
        The environment that this Python needs.
    thin
        The :class:`lxdapi.salt_inside.thin.Thin` to send if the instance lacks it.
    folder
        The folder inside that has Salt already. Default: it is sent.
    used
        Names of folders below :data:`BASE` that are used too, and must not be deleted.
    """

    command: list
    environment: dict
    thin: object
    folder: str = ""
    used: tuple = ()


def launch_inside(thin):
    """Return the :class:`Launch` with the Python of the instance."""
    return Launch(["/bin/sh", "-c", _SHELL, _LOADER, *PYTHONS], {}, thin)


def launch_bundle(path, thin, folder="", used=()):
    """Return the :class:`Launch` with the Python of a bundle at this path inside; see there for the other fields."""
    command, environment = bundle.command(path)
    return Launch([*command, "-s", "-c", _LOADER], environment, thin, folder, used)


class Session:
    """
    A running Salt inside an instance.

    api, name
        The daemon, and the instance, which must be running.
    master
        The :class:`lxdapi.salt_inside.master.Master` that answers the requests of the Salt inside.
    launch
        A :class:`Launch`.

    Raises :class:`UnfitError` if the instance has no Python that can run Salt, another :class:`LxdapiError` if Salt
    does not start. The caller closes the session.
    """

    def __init__(self, api, name, master, launch):
        self._api, self._name, self._master, self._launch = api, name, master, launch
        self._stack, self._input, self._error = ExitStack(), bytearray(), b""
        self.is_open, self.holds_device, self._has_started = True, False, False
        try:
            self._start()
        except BaseException:
            self._stack.close()
            self.is_open = False
            raise

    def _start(self):
        url = f"{objects.path_of(KINDS['instance'], self._name)}/exec"
        body = {"command": self._launch.command, "environment": self._launch.environment, "interactive": False}
        try:
            opened = execs.open_command(self._api, url, body)
            channels, self._path, self._query = self._stack.enter_context(opened)
        except APIException as exc:
            self._require_running(exc)
            raise
        self._stdin, self._stdout = channels["0"], channels[execs.STDOUT]
        self._outputs = [self._stdout, channels[execs.STDERR]]
        self._send_block(pkgutil.get_data("lxdapi.salt_inside", "agent.py"))
        self._send_block(json.dumps(self._settings()).encode())
        self._wait_until_ready()

    def _require_running(self, cause):
        """Raise a clear error if the command failed because the instance does not run."""
        try:
            result = self._api.get(objects.path_of(KINDS["instance"], self._name))
        except APIException:
            return  # the first failure says why
        try:
            require_running(self._name, result)
        except LxdapiError as exc:
            raise exc from cause

    def _settings(self):
        thin = self._launch.thin
        return {
            "id": self._master.minion_id,
            "base": BASE,
            "digest": thin.digest,
            "size": thin.size,
            "version": salt.version.__version__,
            "options": self._master.options(),
            "folder": self._launch.folder,
            "used": list(self._launch.used),
        }

    def _wait_until_ready(self):
        message = json.loads(self._receive())
        if message == {"need": "thin"}:
            with open(self._launch.thin.path, "rb") as file:
                for block in iter(lambda: file.read(1 << 20), b""):
                    self._send(block)
            message = json.loads(self._receive())
        if "unfit" in message:
            raise UnfitError(f"instance {self._name}: {message['unfit']}")
        self._has_started = True
        message = self._converse()
        if "failed" in message:
            raise LxdapiError(f"Salt does not start inside instance {self._name}: {message['failed']}")

    def call(self, function, args=(), kwargs=None):
        """Return the :class:`Reply` of a function of Salt; raises :class:`FunctionError` if it raised an exception."""
        request = {"function": function, "args": list(args), "kwargs": kwargs or {}}
        self._master.begin(**request)
        try:
            self._send_block(salt.payload.dumps({**request, "jid": salt.utils.jid.gen_jid({})}))
            reply = self._converse()
        except BaseException:
            self._abort()
            raise
        if "error" in reply:
            raise FunctionError(f"instance {self._name}: {reply['error']}")
        return Reply(reply["return"], reply["retcode"])

    def is_alive(self):
        """Return True if the Salt inside waits for requests: anything that arrives now is its end."""
        if self.is_open and websocket.wait_for_data(self._outputs, 0):
            self.close()
        return self.is_open

    def _converse(self):
        """Answer the requests of the Salt inside until it sends something else, and return that."""
        while True:
            message = salt.payload.loads(bytes(self._receive()))
            if "channel" not in message:
                return message
            self._send_block(salt.payload.dumps({"reply": self._master.answer(message["channel"])}))

    def _receive(self):
        """Return the next frame."""
        (length,) = struct.unpack(">I", self._take(4))
        if length > execs.MOST_BYTES:
            raise LxdapiError(
                f"instance {self._name}: expected a result of at most {execs.MOST_BYTES} bytes, got {length}"
            )
        return self._take(length)

    def _take(self, count):
        while len(self._input) < count:
            if not self._read(execs.QUIET_SECONDS):
                execs.require_alive(self._api, self._path, self._query)
            if self._stdout not in self._outputs:
                raise self._end_error()
        data = bytes(self._input[:count])
        del self._input[:count]
        return data

    def _read(self, seconds):
        """Wait for output, and read it; returns False if none arrives in time."""
        ready = websocket.wait_for_data(self._outputs, seconds)
        for channel in ready:
            data = channel.receive()
            if data is None:
                self._outputs.remove(channel)
            elif channel is self._stdout:
                self._input += data
            else:
                self._error = (self._error + data)[-_MOST_ERROR_BYTES:]
        return bool(ready)

    def _read_to_end(self):
        while self._stdout in self._outputs and self._read(_END_SECONDS):
            pass

    def _end_error(self):
        """Return the exception for a Salt that has ended without an answer."""
        # the error output may end after the output
        while not self._has_started and self._outputs and self._read(_END_SECONDS):
            pass
        try:
            code, _ = execs.exit_code(self._api, self._path, self._query, _END_SECONDS)
        except APIException:  # the operation ended with the instance
            code = "an error"
        if code in (_NO_PYTHON, 127):
            return UnfitError(f"instance {self._name}: no Python found")
        ended = f"Salt inside instance {self._name} ended with {code}"
        if self._has_started:
            return LxdapiError(f"{ended} before it answered: was it killed, or the instance stopped?")
        lines = self._error.decode("utf-8", "replace").strip().splitlines()
        return UnfitError(f"{ended}{f': {lines[-1]}' if lines else ''}")

    def _send_block(self, data):
        self._send(struct.pack(">I", len(data)) + data)

    def _send(self, data):
        try:
            self._stdin.send(data)
        except Exception:  # OSError, or an error of websocket-client
            self._read_to_end()
            raise self._end_error() from None

    def close(self):
        """End the Salt inside and wait until it is gone."""
        if not self.is_open:
            return
        with suppress(Exception):
            self._send_block(salt.payload.dumps({"end": True}))
            self._read_to_end()
        self._abort()

    def _abort(self):
        """Close the channels, which kills a Salt that has not ended: one in a call listens to nothing."""
        self.is_open = False
        with self._stack, suppress(Exception):
            self._master.close()


def require_running(name, result):
    """Raise a clear error if an instance does not run, by the result of its GET."""
    status = power.status(result)
    if status != "Running":
        raise LxdapiError(f"instance {name} is {status}: Salt runs inside running instances, start it first")
