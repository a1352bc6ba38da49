"""
The costs of Salt inside instances: its start, further calls, states, many instances, and what remains after a hundred
calls.
"""

import json
import os
import resource
import tempfile
import threading
from contextlib import contextmanager

from lxdapi.api import API
from lxdapi.instances import exec as execs
from lxdapi.salt_inside import start
from lxdapi.salt_inside.master import Master
from measure import Salt, line, median, ratios, run, timed

from tests.support.loader import Loaded
from tests.support.python_image import python_image
from tests.support.salt_commands import Salt as Commands
from tests.support.salt_commands import this_environment
from tests.support.sshd import Sshd

NAME, MANY, CALLS = "p1", 8, 100
STATE = "/var/tmp/lxdapi-bench/{}:\n  file.managed:\n    - source: salt://file\n    - makedirs: true\n"  # noqa: S108
STATES = 5


def report(folder, daemon, rounds):
    """Print the rows of one daemon that has the image ``busybox``."""
    inside = _Inside(folder, daemon)
    inside.starts(rounds)
    inside.calls()
    inside.states(rounds)
    inside.many(rounds)
    inside.leftovers()
    daemon.wipe()


class _Inside:
    """The instances, and what the minion keeps for them."""

    def __init__(self, folder, daemon):
        self._folder, self._daemon, self._metric = folder / "inside", daemon, f"{daemon.name}.inside"
        self._folder.mkdir(exist_ok=True)
        self._loaded = Loaded(self._folder, {"local": str(daemon.socket)})
        self._tree, self._api = self._loaded.tree, API.factory(str(daemon.socket))
        self._store = start.Store(str(self._folder / "cache" / "lxdapi" / "inside"))
        (self._tree / "file").write_text("hello\n")
        (self._tree / "five.sls").write_text("\n".join(STATE.format(number) for number in range(STATES)))
        (self._tree / "one.sls").write_text(STATE.format("one"))
        daemon.import_image(python_image(folder / "python.tar.gz", self._store.folder), alias="python")
        self._start(NAME, "python")

    def _start(self, name, image):
        self._daemon.ask("POST", "/1.0/instances", {"name": name, "source": {"type": "image", "alias": image}})
        self._daemon.ask("PUT", f"/1.0/instances/{name}/state", {"action": "start"})

    @contextmanager
    def _session(self, name=NAME, python="inside"):
        opts = self._loaded.opts()
        session, stack = start.open_session(self._api, name, Master(opts, name), self._store, python)
        with stack:
            yield session

    def _run(self, command, name=NAME):
        outcome = execs.run(self._api, name, execs.make_command(command))
        if outcome.retcode:
            raise SystemExit(f"{command} failed: {outcome.stderr.decode()}")
        return outcome.stdout.decode()

    def starts(self, rounds):
        """Print the time until Salt is ready, as a ratio to the import of Salt's minion, and that of a cold start."""
        thin = self._run("ls -d /var/cache/lxdapi/thin-*").strip()
        imports = f"import sys; sys.path.insert(0, {thin!r}); import salt.config, salt.minion"
        timed(self._start_once)
        floors, ours = [], []
        for _ in range(rounds * 2):
            floors.append(timed(lambda: self._run(["python3", "-s", "-c", imports])) * 1000)
            ours.append(timed(self._start_once) * 1000)
        line(f"{self._metric}.import_salt_minion", floors, "ms")
        line(f"{self._metric}.start.warm", ours, "ms", ratios(ours, floors))
        self._run("rm -rf /var/cache/lxdapi")
        cold, again = timed(self._start_once) * 1000, timed(self._start_once) * 1000
        line(f"{self._metric}.start.cold", cold, "ms", cold / median(ours))
        line(f"{self._metric}.start.after_cold", again, "ms", again / median(ours))

    def _start_once(self):
        with self._session():
            pass

    def calls(self):
        """Print the time of a further call."""
        with self._session() as session:
            session.call("test.ping")
            times = [timed(lambda: session.call("test.ping")) * 1000 for _ in range(CALLS)]
        line(f"{self._metric}.second_call", median(times), "ms")

    def states(self, rounds):
        """Print the processor time of a warm apply of five states, as a ratio to salt-ssh."""
        ours, theirs = self._ours(), _Ssh(self._folder, self._tree)
        times = {"ours": [], "ssh": []}
        ours(), theirs()
        for _ in range(rounds):
            times["ours"].append(ours() * 1000)
            times["ssh"].append(theirs() * 1000)
        line(f"{self._metric}.apply5.salt_ssh.cpu", times["ssh"], "ms")
        line(f"{self._metric}.apply5.cpu", times["ours"], "ms", ratios(times["ours"], times["ssh"]))

    def _ours(self):
        """Return a function that applies the states by salt-call, and returns the processor time on both sides."""
        salt = Salt(self._folder, {"local": str(self._daemon.socket)})

        def apply():
            before = self._used()
            here = run(salt.command("lxdapi_salt.apply", NAME, "five")).cpu
            return here + self._used() - before

        return apply

    def _used(self):
        """Return the processor time of the instance so far."""
        return self._daemon.ask("GET", f"/1.0/instances/{NAME}/state")["cpu"]["usage"] / 1e9

    def many(self, rounds):
        """Print the time of a state in many instances, as a ratio to one of them."""
        names = [f"b{number}" for number in range(1, MANY + 1)]
        for name in names:
            self._start(name, "busybox")
        apply, one, many = self._loaded.modules["lxdapi_fleet.apply"], [], []
        apply(names, "one", python="carried")
        for _ in range(rounds):
            one.append(timed(lambda: _succeed(apply("b1", "one", python="carried"))) * 1000)
            many.append(timed(lambda: _succeed(apply(names, "one", python="carried"))) * 1000)
        line(f"{self._metric}.one_instance", one, "ms")
        line(f"{self._metric}.{MANY}_instances", many, "ms", ratios(many, one))
        self._processes(names, rounds)

    def _processes(self, names, rounds):
        """Print the same times with a process of salt-call for each run."""
        salt, one, many = Salt(self._folder, {"local": str(self._daemon.socket)}), [], []

        def apply(names):
            return salt.call("lxdapi_fleet.apply", json.dumps(names), "one", "python=carried").wall * 1000

        apply(names)
        for _ in range(rounds):
            one.append(apply(names[:1]))
            many.append(apply(names))
        line(f"{self._metric}.salt_call.one_instance", one, "ms")
        line(f"{self._metric}.salt_call.{MANY}_instances", many, "ms", ratios(many, one))

    def leftovers(self):
        """Print what a hundred calls leave: processes inside, file descriptors and threads here, devices."""
        before = self._remains()
        for number in range(CALLS):
            with self._session(*(("b1", "carried") if number % 5 == 0 else (NAME, "inside"))) as session:
                session.call("test.ping")
        for what, count in self._remains().items():
            line(f"{self._metric}.{CALLS}_calls.left.{what}", count - before[what], "count")

    def _remains(self):
        processes = [self._run(["ps"], name).count("\n") for name in (NAME, "b1")]
        devices = [self._daemon.ask("GET", f"/1.0/instances/{name}")["devices"] for name in (NAME, "b1")]
        return {
            "processes": sum(processes),
            "descriptors": len(os.listdir("/proc/self/fd")),
            "threads": threading.active_count(),
            "devices": sum(map(len, devices)),
        }


class _Ssh:
    """salt-ssh to an sshd of this machine, with the same states; a call returns the processor time of both sides."""

    def __init__(self, folder, tree):
        self._folder = folder / "ssh"
        self._salt = Commands(this_environment(), self._folder, [tree])

    def __call__(self):
        before = _children()
        with tempfile.TemporaryDirectory() as private, Sshd(private) as sshd:
            target = sshd.target(self._folder / "thin", {})
            self._salt.write("roster", {"target": target})
            self._salt.ssh("state.apply", "five").result()
        return _children() - before


def _children():
    """Return the processor time of the programs that this one has started, and of what those have started."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _succeed(answers):
    if any(isinstance(each, str) for each in answers.values()):
        raise SystemExit(f"failed: {answers}")
