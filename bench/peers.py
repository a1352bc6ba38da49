"""
The alternatives that are installed: pylxd, Salt 3007's own lxd states, the command line clients.

The benchmark installs none of them and names those that it skips. ``LXDAPI_PEER_SALT`` is the path of ``salt-call`` of
a Salt 3007 whose Python has pylxd.
"""

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path
from urllib.parse import quote

from measure import Cost, costs_of, run, skipped
from ways import WANTED, Ordinary, listed


def pylxd_client(daemon, metric):
    """Return a pylxd client, None without pylxd."""
    if importlib.util.find_spec("pylxd") is None:
        return skipped(metric, "pylxd is not installed")
    import pylxd

    return pylxd.Client(endpoint=f"http+unix://{quote(daemon.socket, safe='')}")


def of(folder, daemon):
    """Return the installed peers that do the same jobs; print the missing ones."""
    found = [_command_line(folder, daemon)]
    program = os.environ.get("LXDAPI_PEER_SALT", "")
    if daemon.server != "lxd":
        skipped(f"{daemon.name}.salt3007", "its states are for LXD")
    elif not program or subprocess.run([Path(program).with_name("python"), "-c", "import pylxd"]).returncode:
        skipped(f"{daemon.name}.salt3007", "LXDAPI_PEER_SALT is not the salt-call of a Salt 3007 with pylxd")
    else:
        found.append(Salt3007(folder, daemon, program))
    return [each for each in found if each]


class Salt3007(Ordinary):
    """The states that Salt had until 3007."""

    name = "salt3007"

    def states(self, job, names):
        """Return the SLS of a job for these instances."""
        there = {"remote_addr": self.daemon.socket}
        if job == "stop":
            return {name: {"lxd_container.stopped": listed({"kill": True, **there})} for name in names}
        if job == "delete":
            return {name: {"lxd_container.absent": listed({"stop": True, **there})} for name in names}
        options = {**WANTED[job], "source": {"type": "image", "alias": "busybox"}, **there}
        return {name: {"lxd_container.present": listed(options)} for name in names}


def _command_line(folder, daemon):
    word = {"lxd": "lxc", "incus": "incus"}[daemon.server]
    if shutil.which(word) is None:
        return skipped(f"{daemon.name}.cli", f"{word} is not installed")
    return CommandLine(folder, daemon, word)


class CommandLine:
    """The daemon's own client in a loop."""

    name = "cli"
    jobs = ("create", "change", "restart", "stop", "start", "delete")

    def __init__(self, folder, daemon, word):
        self.daemon, self._word = daemon, word
        home = folder / "cli"
        home.mkdir(exist_ok=True)
        # without it, the first call prints a greeting
        (home / "config.yml").write_text("default-remote: local\n")
        self._environment = {**os.environ, "LXD_CONF": str(home), "INCUS_CONF": str(home)}
        self._environment[daemon.kind.variable] = str(daemon.directory)

    def listing(self):
        """Ask for all instances."""
        command = [self._word, "list", "--format", "json"]
        subprocess.run(command, env=self._environment, check=True, stdout=subprocess.DEVNULL)

    def do(self, job, names):
        """Return the :class:`measure.Cost` of a job."""
        words = {
            "create": lambda name: ("launch", "busybox", name, "-c", "user.a=1"),
            "change": lambda name: ("config", "set", name, "user.a=2"),
            "restart": lambda name: ("restart", "-f", name),
            "stop": lambda name: ("stop", "-f", name),
            "start": lambda name: ("start", name),
            "delete": lambda name: ("delete", "-f", name),
        }[job]
        costs = []
        whole = costs_of(self.daemon, lambda: costs.extend(self._run(*words(name)) for name in names))
        wall, cpu = sum(cost.wall for cost in costs), sum(cost.cpu for cost in costs)
        return Cost(wall, cpu, max(cost.peak for cost in costs), whole.daemon)

    def _run(self, *words):
        return run([self._word, *words], env=self._environment)
