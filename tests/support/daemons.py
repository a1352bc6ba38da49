"""
Real LXD and Incus daemons for the tests and the demo, each in its own folder below /tmp.

.. code-block:: text

    python3 daemons.py start --daemon incus --dir DIR    starts, prepares, leaves running, prints the socket
    python3 daemons.py stop --daemon incus --dir DIR     stops the daemon and its containers
    python3 daemons.py probe --daemon incus              starts one in a new folder, and removes it

The path of a folder is short, because the path of a unix socket in it has at most 107 bytes. A pytest that was killed
by SIGKILL leaves its daemons running: their folders are /tmp/lx*, and ``stop`` ends them.

Incus 7 and the LXD of Debian 13 run in their own read-only root file system. It shares /tmp, /dev and the network with
the machine, so their folders, their sockets and the disks of the tests have the same paths inside and outside. Their
mounts are private and end with their last process.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from tests.support import wipe
from tests.support.rest import Rest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
ENTER_ROOT = str(SCRIPTS / "enter-root")
CACHE = (os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")) + "/lxdapi"
# The same as in scripts/common.sh: each version of the script builds a root file system of its own.
DEBIAN13_ROOT = f"{CACHE}/debian13-root-{sha256((SCRIPTS / 'make-debian13-root').read_bytes()).hexdigest()[:8]}"
# Nothing listens on this port, so a daemon that looks for image servers fails at once.
NO_PROXY_THERE = "http://127.0.0.1:9"
# Ctrl-C, a cancelled CI job, a closed terminal.
INTERRUPTIONS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
DEFAULT_ROOT = {"path": "/", "pool": "default", "type": "disk"}


class DaemonError(Exception):
    """A daemon did not start or stop; the message contains the end of its log."""


@dataclass(frozen=True)
class Kind:
    """
    The differences between the daemons.

    server
        "lxd" or "incus": the dialect of the API.
    variable
        The environment variable with the path of its folder.
    command, shutdown
        The daemon, and its own command for a clean shutdown.
    root
        The root file system of the daemon; empty for that of the machine.
    """

    server: str
    variable: str
    command: tuple
    shutdown: tuple
    root: str = ""

    @property
    def machine(self):
        """Return where the daemon sees the root file system of the machine: see scripts/enter-root."""
        return "/mnt" if self.root else ""


LXD = Kind("lxd", "LXD_DIR", ("/usr/bin/lxd",), ("/usr/bin/lxd", "shutdown"))
INCUS = Kind(
    "incus",
    "INCUS_DIR",
    ("/usr/libexec/incus/incusd", "--group", "root"),
    ("/usr/bin/incus", "admin", "shutdown"),
)
KINDS = {
    "lxd": LXD,
    "incus": INCUS,
    "incus7": replace(INCUS, root=DEBIAN13_ROOT),
    "lxd13": replace(LXD, root=DEBIAN13_ROOT),
}
# These run all tests; the others only the tests marked "smoke", unless --daemon or --long selects them.
USUAL = ("lxd", "incus", "incus7")


class Daemon:
    """One daemon; the folder, its log and its pid file outlive the process that started it."""

    def __init__(self, kind, directory):
        self.kind = KINDS[kind]
        self.name = kind
        self.server = self.kind.server
        self.directory = Path(directory)
        self.socket = str(self.directory / "unix.socket")
        self.log = self.directory / "daemon.log"
        self.rest = Rest(self.socket)
        self._pid_file = self.directory / "daemon.pid"
        self._process = None
        self._documents = {}

    @staticmethod
    def available(kind):
        """Return whether this kind of daemon is installed."""
        return Path(KINDS[kind].root + KINDS[kind].command[0]).exists()

    @classmethod
    def in_new_directory(cls, kind):
        """Return a daemon, not started, in a new folder with a short path that containers can traverse."""
        directory = tempfile.mkdtemp(prefix="lx", dir="/tmp")
        os.chmod(directory, 0o711)
        return cls(kind, directory)

    @property
    def pid(self):
        """Return the process id of the running daemon, otherwise None."""
        if self._process is not None:
            return self._process.pid if self._process.poll() is None else None
        try:
            pid = int(self._pid_file.read_text())
        except (FileNotFoundError, ValueError):
            return None
        return pid if self._is_ours(pid) else None

    def processes(self):
        """Return the process ids of the daemon and its helpers: those with its folder in their environment."""
        return [int(name) for name in os.listdir("/proc") if name.isdigit() and self._is_ours(int(name))]

    def start(self, timeout=60):
        """Start the daemon and wait until it is ready; raises DaemonError."""
        if self.pid:
            return self
        old = self.processes()
        self.launch()
        if not until(lambda: self._end_stopped(old) or self._ready() or not self.pid, timeout):
            self.kill()
            raise DaemonError(f"{self.name} was not ready after {timeout} s\n{self.tail()}")
        if not self.pid:
            raise DaemonError(f"{self.name} ended while it started\n{self.tail()}")
        return self

    def launch(self):
        """Start a process of the daemon without waiting for it."""
        if not self.pid:
            self._end_stopped(self.processes())
            self.directory.mkdir(mode=0o711, parents=True, exist_ok=True)
            self._launch()
        return self

    def stop(self, timeout=90):
        """Shut down the daemon and its containers; after a DaemonError too, nothing is running."""
        if not self.pid and self.processes():
            # After a kill -9 the containers keep running; only a daemon can end them properly.
            self.start()
        said = self._shutdown(timeout) if self.pid else ""
        # LXD 5.0.2 can close the connection of the request before it has ended.
        in_order = until(lambda: not self.pid, 60)
        self.kill()
        self._end_helpers()
        if not in_order:
            raise DaemonError(f"{self.name} did not shut down within {timeout} s: {said}\n{self.tail()}")

    def kill(self):
        """Kill the daemon by SIGKILL; its containers keep running."""
        pid = self.pid
        if pid:
            os.kill(pid, signal.SIGKILL)
            if not until(lambda: not self.pid, 10):
                raise DaemonError(f"{self.name}: process {pid} survived SIGKILL")

    def restart(self):
        """Shut down the daemon and start it again."""
        self.stop()
        return self.start()

    def remove(self):
        """Remove the folder of a stopped daemon, with the mounts in it."""
        # Deepest first. A daemon that ended by SIGKILL leaves mounts behind.
        for mounted in sorted(self.mounts(), reverse=True):
            subprocess.run(["umount", "-l", mounted], check=True)
        shutil.rmtree(self.directory)

    def mounts(self):
        """Return the mount points in the folder."""
        places = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
        return [place for place in places if place.startswith(f"{self.directory}/")]

    def tail(self, lines=30):
        """Return the last lines of the log."""
        return "\n".join(_read(self.log).decode(errors="replace").splitlines()[-lines:])

    def request(self, method, path, body=None, headers=None):
        """Return ``(HTTP status, parsed reply)`` of a raw request."""
        return self.rest.request(method, path, body, headers)

    def wait(self, reply, timeout=60):
        """Return the finished operation of a reply; raises rest.Refused if it failed."""
        return self.rest.wait(reply, timeout)

    def ask(self, method, path, body=None, headers=None):
        """Return the metadata of a request or of its finished operation; raises rest.Refused if it failed."""
        return self.rest.ask(method, path, body, headers)

    def preseed(self):
        """Create a pool "default" and a default profile with a root disk on it; turn off image updates."""
        self.ask("PUT", "/1.0", {"config": {"images.auto_update_interval": "0"}})
        if "/1.0/storage-pools/default" not in (self.ask("GET", "/1.0/storage-pools") or []):  # null on Incus
            self.ask("POST", "/1.0/storage-pools", {"name": "default", "driver": "dir"})
        self.ask("PATCH", "/1.0/profiles/default", {"devices": {"root": DEFAULT_ROOT}})
        self._documents = wipe.remember(self.rest)
        return self

    def import_image(self, path, alias=None):
        """Import this file as an image, with an optional alias, and return its fingerprint."""
        with open(path, "rb") as image:
            fingerprint = self.ask("POST", "/1.0/images", image)["fingerprint"]
        if alias:
            self.ask("POST", "/1.0/images/aliases", {"name": alias, "target": fingerprint})
        return fingerprint

    def wipe(self):
        """Reset the daemon to its state after the preseed; raises rest.Refused with what cannot be removed."""
        wipe.wipe(self.rest, self._documents)

    def _is_ours(self, pid):
        # The number in a pid file proves nothing: another process may have it by now.
        mark = f"{self.kind.variable}={self.directory}"
        return mark.encode() in _read(f"/proc/{pid}/environ").split(b"\0")

    def _environment(self):
        env = {key: value for key, value in os.environ.items() if not key.startswith(("LXD_", "INCUS_"))}
        env[self.kind.variable] = str(self.directory)
        # programs that the daemon starts keep their settings in this home
        env["HOME"] = str(self.directory)
        return {**env, "HTTP_PROXY": NO_PROXY_THERE, "HTTPS_PROXY": NO_PROXY_THERE}

    def _entered(self, command):
        """Return the command that runs in the root of the daemon."""
        if not self.kind.root:
            return command
        for pid in self.processes():
            # The next daemon must see the mounts that a killed daemon made for containers that keep running.
            if _is_same(f"/proc/{pid}/root", self.kind.root):
                return ["nsenter", f"--mount=/proc/{pid}/ns/mnt", *command]
        return [ENTER_ROOT, self.kind.root, *command]

    def _launch(self):
        # Its own session: Ctrl-C in the terminal is for pytest, which then stops the daemon in order.
        with open(self.log, "ab") as log:
            self._process = subprocess.Popen(
                self._entered(self.kind.command),
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._pid_file.write_text(str(self._process.pid))

    def _ready(self):
        try:
            rest = Rest(self.socket, timeout=5)
            return all(rest.request("GET", path)[0] == 200 for path in ("/1.0", "/internal/ready"))
        except OSError:
            return False

    def _shutdown(self, timeout):
        # Whoever interrupts a start comes here while there is no socket yet to say it to.
        until(lambda: self._ready() or not self.pid, 30)
        command = self._entered([*self.kind.shutdown, "--timeout", str(timeout)])
        try:
            # In a session of its own as the daemon itself: Ctrl-C in the terminal is not for it.
            options = {"env": self._environment(), "capture_output": True, "start_new_session": True}
            done = subprocess.run(command, timeout=timeout + 10, **options)
        except subprocess.TimeoutExpired:
            return "(the shutdown command hung)"
        return (done.stdout + done.stderr).decode(errors="replace")

    def _end_stopped(self, pids):
        # A container that stopped before its daemon was killed, or after, keeps the socket: the next daemon waits.
        for pid in pids:
            if self._is_ours(pid) and _read(f"/proc/{pid}/stat").rpartition(b") ")[2][:1] == b"T":
                _kill(pid)

    def _end_helpers(self):
        if not until(lambda: not self.processes(), 5):
            for pid in self.processes():
                _kill(pid)


def _read(path):
    try:
        return Path(path).read_bytes()
    except OSError:  # the process has ended, or belongs to another user
        return b""


def _is_same(one, other):
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False


def _kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


@contextmanager
def uninterrupted():
    """Delay an interruption until the end of the block."""
    late = []
    handlers = {number: signal.signal(number, lambda *given: late.append(given[0])) for number in INTERRUPTIONS}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for number in late:
            signal.raise_signal(number)


def until(condition, seconds):
    """Wait until the condition holds and return True, or return False after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def main():
    """Start and prepare, or stop, the daemon, as the command line says."""
    parser = argparse.ArgumentParser(description="Starts or stops a daemon in a folder of its own.")
    parser.add_argument("action", choices=["start", "stop", "probe"])
    parser.add_argument("--daemon", choices=sorted(KINDS), required=True)
    parser.add_argument("--dir", help="its folder, below /tmp; not for a probe")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    if arguments.action == "probe":
        return probe(arguments.daemon)
    if not arguments.dir:
        parser.error("--dir is missing")
    daemon = Daemon(arguments.daemon, os.path.abspath(arguments.dir))
    if arguments.action == "stop":
        with uninterrupted():
            return daemon.stop()
    print(daemon.start().preseed().socket)


def probe(kind):
    """Start and stop this kind of daemon; raises DaemonError."""
    daemon = Daemon.in_new_directory(kind)
    try:
        daemon.start().preseed()
    finally:
        with uninterrupted():
            daemon.stop()
            daemon.remove()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except DaemonError as error:
        sys.exit(str(error))
