"""
A master of a version of Salt with proxy minions, each in a process of its own, all on loopback.
"""

import json
import os
import re
import signal
import socket
import subprocess
from contextlib import ExitStack
from pathlib import Path

from tests.support.daemons import until
from tests.support.salt_commands import FOREIGN, run

START_SECONDS, STOP_SECONDS = 120, 30
READY = "Minion is ready to receive requests"


class SaltDaemons:
    """
    The daemons; the block ends them.

    venv
        The virtual environment of Salt.
    folder
        A folder with a short path: sockets are below it.
    roots
        The folders behind ``salt://``.
    """

    def __init__(self, venv, folder, roots):
        self._venv, self.folder, self._stack = Path(venv), Path(folder), ExitStack()
        self._ports = {"publish_port": free_port(), "ret_port": free_port()}
        self.pillar = self.folder / "pillar"
        self.pillar.mkdir()
        self._master = {
            "interface": "127.0.0.1",
            "open_mode": True,
            "auto_accept": True,
            "enable_fqdns_grains": False,
            "file_roots": {"base": [str(root) for root in roots]},
            "pillar_roots": {"base": [str(self.pillar)]},
            "root_dir": str(self.folder / "m"),
            **self._ports,
        }

    def __enter__(self):
        self._start("salt-master", self._configure("master", self._master))
        return self

    def __exit__(self, *exception):
        self._stack.close()

    def write_pillar(self, **of_minions):
        """Write the pillar of each minion."""
        self.write(self.pillar / "top.sls", {"base": {each: [each] for each in of_minions}})
        for each, content in of_minions.items():
            self.write(self.pillar / f"{each}.sls", content)

    def write(self, path, content):
        """Write a file as JSON, which is valid YAML."""
        path.write_text(json.dumps(content))

    def start_proxy(self, minion_id, **options):
        """Start a proxy minion and wait until it receives jobs."""
        own = {
            "master": "127.0.0.1",
            "master_port": self._ports["ret_port"],
            "publish_port": self._ports["publish_port"],
        }
        own.update(root_dir=str(self.folder / "p"), enable_fqdns_grains=False, mine_enabled=False, **options)
        self._start("salt-proxy", self._configure("proxy", own), f"--proxyid={minion_id}")
        log = self._log("salt-proxy")
        assert until(lambda: READY in log.read_text(), START_SECONDS), log.read_text()[-3000:]

    def salt(self, target, *words, kind=(), timeout=60):
        """Return ({minion id: result}, the exit code) of the command ``salt``."""
        options = ["-c", self.folder / "master.d", "--out", "json", "-t", str(timeout), *kind]
        said = run([self._python, self._venv / "bin" / "salt", *options, target, *words], START_SECONDS)
        return parse_answers(said.stdout), said.status

    def share(self, folder, minion_id):
        """Let a proxy minion find what another Salt, with this folder, has built for instances."""
        cache = self.folder / "p" / "var" / "cache" / "salt" / "proxy" / minion_id / "lxdapi"
        cache.mkdir(parents=True)
        built = folder / "var" / "cache" / "salt" / "minion" / "lxdapi" / "inside"
        built.mkdir(parents=True, exist_ok=True)
        (cache / "inside").symlink_to(built)

    @property
    def _python(self):
        return self._venv / "bin" / "python"

    def _configure(self, name, options):
        folder = self.folder / f"{name}.d"
        folder.mkdir()
        self.write(folder / name, options)
        return folder

    def _start(self, program, folder, *words):
        kept = {key: value for key, value in os.environ.items() if key not in FOREIGN}
        command = [self._python, self._venv / "bin" / program, "-c", folder, "-l", "info", *words]
        with open(self._log(program), "ab") as log:
            process = subprocess.Popen(
                [str(each) for each in command],
                env=kept,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._stack.callback(end, process)

    def _log(self, program):
        return self.folder / f"{program}.out"


def parse_answers(text):
    """Return the answers of the command ``salt``, which prints JSON objects, and lines of text about batches."""
    answers, start = {}, re.compile(r"^\{", re.MULTILINE)
    found = start.search(text)
    while found:
        answer, end = json.JSONDecoder().raw_decode(text, found.start())
        answers.update(answer)
        found = start.search(text, end)
    return answers


def end(process):
    """End a daemon and its processes."""
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def free_port():
    """Return a port of loopback that nobody uses."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]
