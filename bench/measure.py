"""
The tools of all rows: salt-call in its own process, a bare client, the processor time of the daemon.

Each metric is one line: ``daemon.job.way.what value unit ratio (spread)``, with ``-`` for no ratio. The ratio is the
median, over all rounds, of two measurements of the same round; the value is a median too. The spread is the smallest
and the largest value, and the smallest and the largest ratio. On a busy machine, compare ratios rather than
milliseconds.
"""

import http.client
import json
import os
import statistics
import subprocess
import sys
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

REPO = Path(__file__).resolve().parents[1]
for _folder in (".", "_utils"):
    sys.path.insert(0, str(REPO / _folder))

from tests.support.rest import UnixConnection  # noqa: E402

# a minion compiles the modules once, not in every run
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
TICKS = os.sysconf("SC_CLK_TCK")
MIB = 1024 * 1024


class Cost(NamedTuple):
    """Wall clock, client and daemon processor time of one run in seconds, and its peak memory in MiB."""

    wall: float
    cpu: float = 0.0
    peak: float = 0.0
    daemon: float = 0.0


def line(metric, values, unit, ratios=None):
    """Print a metric: a value and a ratio, or the medians and the spread of lists of them."""
    ratio_text = "-" if ratios is None else f"{_middle(ratios):.2f}"
    spread = ", ".join(filter(None, [_spread(values, _number), _spread(ratios, "{:.2f}".format)]))
    print(metric, _number(_middle(values)), unit, ratio_text, *([f"({spread})"] if spread else []), flush=True)


def _middle(values):
    return median(values) if isinstance(values, list) else values


def _spread(values, text):
    return f"{text(min(values))}..{text(max(values))}" if isinstance(values, list) and len(values) > 1 else ""


def _number(value):
    return value if isinstance(value, int) else f"{value:.2f}" if abs(value) < 10 else f"{value:.0f}"


def skipped(metric, why):
    """Print that something is not measured here."""
    print(f"# {metric} skipped: {why}", flush=True)


def median(values):
    """Return the median."""
    return statistics.median(values)


def ratios(ours, others):
    """Return the ratios of measurements of the same round."""
    return [one / other for one, other in zip(ours, others)]


def ratio(ours, others):
    """Return the median of the ratios of measurements of the same round."""
    return median(ratios(ours, others))


def timed(act):
    """Return the seconds that a call takes."""
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def daemon_seconds(daemon):
    """Return the processor time of a daemon so far, including its helper processes that have ended."""
    return sum(_seconds_of(pid, daemon.kind.command) for pid in daemon.processes())


def _seconds_of(pid, command):
    try:
        stat, given = (Path(f"/proc/{pid}/{name}").read_text() for name in ("stat", "cmdline"))
    except OSError:  # it has ended
        return 0.0
    # the time of a container monitor is lost when it ends
    if tuple(given.split("\0")[:-1])[-len(command) :] != command:
        return 0.0
    return sum(int(field) for field in stat.rpartition(") ")[2].split()[11:15]) / TICKS


def costs_of(daemon, act):
    """Return the :class:`Cost` of a call in this process: wall clock and the daemon's processor time."""
    before, began = daemon_seconds(daemon), time.perf_counter()
    act()
    return Cost(time.perf_counter() - began, daemon=daemon_seconds(daemon) - before)


class Salt:
    """
    ``salt-call --local`` with a configuration of its own.

    folder
        Folder for SLS files and configurations.
    settings
        Settings of ``lxdapi`` in the minion configuration, in addition to the remotes.
    """

    def __init__(self, folder, remotes, program=None, **settings):
        self.tree = folder / "srv"
        self.tree.mkdir(exist_ok=True)
        self._program = program or f"{sys.prefix}/bin/salt-call"
        self.folder = folder / f"conf{len(list(folder.glob('conf*')))}"
        self.folder.mkdir()
        options = {
            "id": "bench",
            "file_client": "local",
            "root_dir": str(self.folder / "root"),
            "file_roots": {"base": [str(self.tree)]},
            "enable_fqdns_grains": False,
            "lxdapi": {"remotes": remotes, **settings},
        }
        if program is None:
            options["module_dirs"] = [str(REPO)]
        (self.folder / "minion").write_text(json.dumps(options))

    def sls(self, name, states, renderer="json"):
        """Write an SLS with these states: data, or text for another renderer."""
        text = states if isinstance(states, str) else json.dumps(states)
        (self.tree / f"{name}.sls").write_text(f"#!{renderer}\n{text}")

    def command(self, function, *arguments):
        """Return the command that calls a function of Salt."""
        options = ["-c", str(self.folder), "--local", "--retcode-passthrough", "--log-level=error"]
        return [self._program, *options, function, *arguments]

    def apply(self, name, daemon=None):
        """Return the :class:`Cost` of an apply of an SLS; it must succeed."""
        return self.call("state.apply", name, daemon=daemon)

    def call(self, function, *arguments, daemon=None):
        """Return the :class:`Cost` of a call of a function; it must succeed."""
        return run(self.command(function, *arguments), daemon)


# Runs a program, and prints what it took: a program counts the memory of the process that started it as its own peak.
_LAUNCHER = """
import json, os, sys, time
began, nowhere = time.perf_counter(), os.open(os.devnull, os.O_RDWR)
streams = [(os.POSIX_SPAWN_DUP2, nowhere, stream) for stream in (0, 1)]
_, status, usage = os.wait4(os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=streams), 0)
seconds = time.perf_counter() - began, usage.ru_utime + usage.ru_stime
print(json.dumps([os.waitstatus_to_exitcode(status), *seconds, usage.ru_maxrss / 1024]))
"""


def run(command, daemon=None, env=None):
    """Return the :class:`Cost` of a program, which must succeed."""
    before = daemon_seconds(daemon) if daemon else 0.0
    launcher = [sys.executable, "-I", "-S", "-c", _LAUNCHER, *command]
    done = subprocess.run(launcher, capture_output=True, stdin=subprocess.DEVNULL, env=env, text=True, check=True)
    code, wall, cpu, peak = json.loads(done.stdout)
    if code:
        raise SystemExit(f"{' '.join(command)} failed: {code}\n{done.stderr}")
    return Cost(wall, cpu, peak, daemon_seconds(daemon) - before if daemon else 0.0)


class Bare(UnixConnection):
    """
    A bare client: one connection of http.client, opened with the first request and kept open.

    An open connection without a request would block the next client (LXD 5.0.2, Incus 6.0.4).
    """

    def __init__(self, path):
        super().__init__(path, 120)

    def ask(self, method, path, body=None):
        """Return the decoded reply, or the finished operation."""
        self.request(method, path, None if body is None else json.dumps(body).encode())
        response = self.getresponse()
        reply = json.loads(response.read())
        if reply["type"] == "error" or response.status >= http.client.BAD_REQUEST:
            raise SystemExit(f"{method} {path}: {response.status} {reply['error']}")
        if reply["type"] == "async":
            reply = self.ask("GET", reply["operation"].partition("?")[0] + "/wait")
            if reply["metadata"]["status_code"] != http.client.OK:
                raise SystemExit(f"{method} {path}: {reply['metadata']['err']}")
        return reply


def at_once(path, count, act, names):
    """Call ``act(client, name)`` for each name in ``count`` threads, each with its own :class:`Bare`."""
    left, clients = deque(names), [Bare(path) for _ in range(count)]

    def work(client):
        while left:
            try:
                name = left.popleft()
            except IndexError:  # another thread was faster
                return
            act(client, name)

    with ThreadPoolExecutor(count) as pool:
        list(pool.map(work, clients))
    for client in clients:
        client.close()
