"""
The commands of Salt in a virtual environment, with their own configuration and without running daemons of Salt.
"""

import json
import os
import shlex
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.support import web_server_life as life

REPO = Path(__file__).resolve().parents[2]
SRV = REPO / "tests" / "integration" / "srv"
# The commands look for daemons where the tests tell them to, and only debug transactions on request.
FOREIGN = ("LXD_SOCKET", "LXD_DIR", "INCUS_SOCKET", "INCUS_DIR", "DEBUG", "PYTHONPATH")
# The virtual environments of the other versions of Salt.
VARIABLE = "LXDAPI_SALT_VENVS"
VENVS = dict(pair.split("=", 1) for pair in os.environ.get(VARIABLE, "").split(",") if pair)


@dataclass(frozen=True)
class Said:
    """The output and the exit code of a command."""

    status: int
    stdout: str
    stderr: str

    def parsed(self):
        """Return standard output, which must be JSON."""
        try:
            return json.loads(self.stdout)
        except ValueError:
            raise AssertionError(f"not JSON: {self}") from None

    def succeeded(self):
        """Return itself; the command must have succeeded."""
        assert self.status == 0, self
        return self

    def result(self):
        """Return the answer of the one target; the command must have succeeded."""
        (answer,) = self.succeeded().parsed().values()
        return answer


def this_environment():
    """Return the virtual environment of the tests."""
    return Path(sys.executable).parent.parent


def run(command, seconds, **environment):
    """Return the result of a command; kill it and its processes after the timeout."""
    kept = {key: value for key, value in os.environ.items() if key not in FOREIGN}
    with subprocess.Popen(
        [str(part) for part in command],
        env={**kept, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            stdout, stderr = process.communicate(timeout=seconds)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    return Said(process.returncode, stdout, stderr)


class Salt:
    """
    ``salt-call --local`` and ``salt-ssh`` of one virtual environment.

    venv
        Its folder.
    folder
        Folder for configuration, caches and logs.
    roots
        The folders behind ``salt://``.
    options
        Options of the minion and of the master, such as ``lxdapi``.
    python
        Interpreter for the commands; None: that of the environment.
    environment
        Environment variables of the commands.
    """

    def __init__(self, venv, folder, roots, python=None, environment=None, **options):
        self.venv, self.folder, self.environment = Path(venv), Path(folder), environment or {}
        self.python, self.options = python or self.venv / "bin" / "python", options
        self.folder.mkdir(parents=True, exist_ok=True)
        common = {
            "root_dir": str(self.folder),
            "file_roots": {"base": [str(root) for root in roots]},
            "enable_fqdns_grains": False,
            **options,
        }
        self.write("minion", {"id": "masterless", "file_client": "local", **common})
        self.write("master", common)

    def write(self, name, content):
        """Write a configuration file as JSON, which is valid YAML, and return its path."""
        path = self.folder / name
        path.write_text(json.dumps(content))
        return path

    def call(self, *words, seconds=120, **environment):
        """Return the result of ``salt-call --local``."""
        options = ["--local", "-c", self.folder, "--out", "json", "--retcode-passthrough"]
        command = [self.python, self.venv / "bin" / "salt-call", *options, *words]
        return run(command, seconds, **self.environment, **environment)

    def shown(self, *words, seconds=120):
        """Return the output of ``salt-call --local`` as users see it; the command must have succeeded."""
        command = [self.python, self.venv / "bin" / "salt-call", "--local", "-c", self.folder, *words]
        return run(command, seconds, **self.environment).succeeded()

    def ssh(self, *words, seconds=240, **environment):
        """Return the result of ``salt-ssh`` for the target in the roster."""
        options = ["-c", self.folder, "--roster-file", self.folder / "roster", "--out", "json"]
        command = [self.python, self.venv / "bin" / "salt-ssh", *options, "target", *words]
        return run(command, seconds, **self.environment, **environment)

    def typed(self, line, seconds=240):
        """Return the result of a command of Salt as users type it, maybe after environment variables."""
        words, environment = shlex.split(line), {}
        while "=" in words[0]:
            name, _, environment[name] = words.pop(0).partition("=")
        program, *arguments = words
        command = [self.python, self.venv / "bin" / program, "-c", self.folder, "--out", "json", *arguments]
        return run(command, seconds, **self.environment, **environment)

    def sync(self):
        """Return the files in the minion's cache, by type."""
        return self.call("saltutil.sync_all").result()

    def applied(self, sls, remote, **more):
        """Return the results of ``salt-call --local state.apply``."""
        return self.call(*life.arguments(sls, remote, **more)).result()

    def applied_in_place(self, sls, remote, **more):
        """Return the results of the same command with the modules of this repository, not synced."""
        return self.call("-m", REPO, *life.arguments(sls, remote, **more)).result()

    def applied_by_ssh(self, sls, remote, **more):
        """Return the results of ``salt-ssh state.apply``."""
        return self.ssh(*life.arguments(sls, remote, **more)).result()
