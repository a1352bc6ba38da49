"""
The ways to do the same job that the rows compare: Salt with lxdapi in several forms, and a bare client.
"""

from pathlib import Path

from measure import REPO, Bare, Salt, at_once, costs_of, skipped

from tests.support.fault_proxy import FaultProxy

DECLARED, CHANGED = ({"source": "busybox", "config": {"user.a": value}} for value in "12")
# The declaration of each instance; each job changes one thing.
WANTED = {
    "create": {**DECLARED, "running": True},
    "noop": DECLARED,
    "change": CHANGED,
    "start": {**CHANGED, "running": True},
}
FLEET = REPO / "_states" / "lxdapi_fleet.py"
# Measured: more threads make Incus slower, and a stop only waits.
CREATING, STOPPING = 4, 20


def listed(options):
    """Return a mapping in the form of the arguments of a state."""
    return [{key: value} for key, value in options.items()]


class Ordinary:
    """One plain state for each instance."""

    name, settings = "ordinary", {}
    jobs = ("create", "noop", "change", "stop", "start", "delete")
    # jobs that a function does instead of a state, with its arguments
    verbs = {}

    def __init__(self, folder, daemon, program=None):
        self.daemon = daemon
        self._proxied = str(Path(daemon.directory) / "p.socket")
        self._salt, self._counted = (
            Salt(folder, {"local": socket}, program, **self.settings) for socket in (daemon.socket, self._proxied)
        )

    def states(self, job, names):
        """Return the SLS of a job for these instances."""
        if job == "stop":
            return {name: {"lxdapi_instance.stopped": [{"force": True}, {"timeout": 0}]} for name in names}
        if job == "delete":
            return {name: {"lxdapi_instance.absent": [{"force": True}]} for name in names}
        return {name: {"lxdapi_instance.present": listed(WANTED[job])} for name in names}

    def do(self, job, names):
        """Return the :class:`measure.Cost` of a job."""
        return self._applied(self._salt, job, names)

    def counted(self, job, names):
        """Do a job, and return (requests, writes, connections)."""
        with FaultProxy(self.daemon.socket, self._proxied) as proxy:
            self._applied(self._counted, job, names)
            return len(proxy.requests()), len(proxy.writes()), proxy.connections

    def _applied(self, salt, job, names):
        if job in self.verbs:
            return salt.call(*self.verbs[job], daemon=self.daemon)
        salt.sls(f"{self.name}-{job}", self.states(job, names))
        return salt.apply(f"{self.name}-{job}", self.daemon)


class Single(Ordinary):
    """The same without prefetching and without shared listings."""

    name, settings = "single", {"ahead": 0, "snapshot_ttl": 0}


class Nothing(Ordinary):
    """The floor: the same number of empty states, of states that only report a change, or an empty function."""

    name, verbs = "floor", {"verb": ("test.ping",)}

    def states(self, job, names):
        return {name: {"test.succeed_with_changes" if job == "report" else "test.nop": []} for name in names}


class Fleet(Ordinary):
    """One state, or one function, for all instances."""

    name = "fleet"
    jobs = (*Ordinary.jobs, "restart")
    verbs = {word: (f"lxdapi_fleet.{word}", "n*", "timeout=0", "force=True") for word in ("stop", "restart")}

    def states(self, job, names):
        defaults = WANTED.get(job, {"absent": True, "force": True})
        options = {"instances": {name: {} for name in names}, "defaults": defaults}
        return {"hosts": {"lxdapi_fleet.managed": listed(options)}}


def salts(folder, daemon):
    """Return the available ways with lxdapi."""
    found = [Ordinary(folder, daemon)]
    if FLEET.exists():
        return [*found, Fleet(folder, daemon)]
    skipped(f"{daemon.name}.fleet", "lxdapi_fleet.managed does not exist")
    return found


class Raw:
    """The limit: a bare client that knows the necessary requests in advance."""

    name = "raw"
    jobs = Fleet.jobs

    def __init__(self, daemon, threads=CREATING):
        self.daemon, self._threads = daemon, threads
        extensions = daemon.ask("GET", "/1.0")["api_extensions"]
        self._starts = "instance_create_start" in extensions and daemon.server == "incus"

    def do(self, job, names):
        """Return the :class:`measure.Cost` of a job."""
        act, threads = {
            "create": (self._create, self._threads),
            "noop": (None, 1),
            "change": (self._change, 1),
            "restart": (self._restart, STOPPING),
            "stop": (self._stop, STOPPING),
            "start": (self._start, self._threads),
            "delete": (self._delete, STOPPING),
        }[job]
        if act is None:
            return costs_of(self.daemon, lambda: listing(self.daemon.socket))
        return costs_of(self.daemon, lambda: at_once(self.daemon.socket, threads, act, names))

    def _create(self, client, name):
        body = {"name": name, "source": {"type": "image", "alias": "busybox"}, "config": DECLARED["config"]}
        client.ask("POST", "/1.0/instances", {**body, "start": True} if self._starts else body)
        if not self._starts:
            self._start(client, name)

    def make(self, names):
        """Create these instances, stopped."""
        body = {"source": {"type": "image", "alias": "busybox"}, "config": DECLARED["config"]}
        make = lambda client, name: client.ask("POST", "/1.0/instances", {**body, "name": name})  # noqa: E731
        at_once(self.daemon.socket, self._threads, make, names)

    def _start(self, client, name):
        client.ask("PUT", f"/1.0/instances/{name}/state", {"action": "start"})

    def _stop(self, client, name):
        client.ask("PUT", f"/1.0/instances/{name}/state", {"action": "stop", "force": True})

    def _restart(self, client, name):
        client.ask("PUT", f"/1.0/instances/{name}/state", {"action": "restart", "force": True})

    def _change(self, client, name):
        client.ask("PATCH", f"/1.0/instances/{name}", {"config": {"user.a": "2"}})

    def _delete(self, client, name):
        self._stop(client, name)
        client.ask("DELETE", f"/1.0/instances/{name}")


class Serial(Raw):
    """The same, one instance after the other."""

    name = "raw_serial"

    def __init__(self, daemon):
        super().__init__(daemon, 1)


def listing(socket):
    """Read all instances without their states."""
    client = Bare(socket)
    found = client.ask("GET", "/1.0/instances?recursion=1")["metadata"]
    client.close()
    return found
