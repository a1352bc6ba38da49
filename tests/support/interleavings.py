"""
A daemon that several clients use at random, reproducible by a seed. Each instance gets a file as soon as it can be
read, and no run may ever delete an instance that has its file.
"""

import random
import threading
import time

from tests.support.daemons import until
from tests.support.processes import Process
from tests.support.rest import Refused

NAMES = ("c0", "c1", "c2", "c3")
PROFILE = "web"
RUN_SECONDS = 120


class Interleavings:
    """
    Steps in which a state runs while other clients change things by raw requests, and a client may be killed.

    salt
        A :class:`tests.support.loader.Loaded` connected to the daemon.
    seed
        The same seed does the same things; their timing depends on the machine.

    ``files``: the creation time of each instance that has its file. The uuid does not identify an instance: the restore
    of a copied snapshot sets it to that of the origin (Incus 6.0.4). ``lost``: the instances that vanished or lost
    their file.
    ``log``: the steps that were done.
    """

    def __init__(self, daemon, salt, image, seed):
        self.daemon, self.image, self.seed = daemon, image, seed
        self.log, self.lost, self.files = [], [], {}
        self._states, self._random, self._number = salt.states, random.Random(seed), 0  # noqa: S311
        self._removed = set()
        daemon.request("POST", "/1.0/profiles", {"name": PROFILE})

    def step(self):
        """Do one step, with others in parallel, and check all instances afterwards."""
        self._number += 1
        self._removed = set()
        run = self._choose_state()
        others = _without_data_races([self._choose_other() for _ in range(self._random.randrange(4))])
        kill = self._random.choices(("", "client", "daemon"), (80, 12, 8))[0]
        pause = self._random.uniform(0.02, 0.4)
        self.log.append((self._number, run[:2], [other[:2] for other in others], kill))
        self._meet(run, others, kill, pause)
        self._look()

    def _meet(self, run, others, kill, pause):
        threads = [threading.Thread(target=self._try, args=other[2:]) for other in others]
        process = Process(run[2])
        for thread in threads:
            thread.start()
        if kill:
            time.sleep(pause)  # a random moment
            if kill == "client":
                process.kill()
            else:
                self.daemon.kill()
                self.daemon.start()
        if kill != "client":
            ret = process.result(RUN_SECONDS)
            assert "Traceback" not in str(ret), (self.seed, self.log[-1], ret)
        for thread in threads:
            thread.join()

    def _choose_state(self):
        """Return (function, name, function that applies it)."""
        name, rest = self._random.choice(NAMES), [other for other in NAMES]
        running = self._random.choice((None, True, False))
        declared = {"source": self.image, "profiles": ["default", PROFILE], "running": running}
        declared["config"] = {"user.n": str(self._random.randrange(3))}
        verb = self._random.choices(("present", "copy", "managed", "stopped", "absent"), (40, 15, 25, 10, 10))[0]
        if verb == "copy":
            rest.remove(name)
            declared["source"] = {"type": "copy", "source": self._random.choice(rest)}
        if verb == "managed":
            fleet = {"instances": dict.fromkeys(NAMES, {}), "defaults": declared}
            return verb, "web", lambda: self._states["lxdapi_fleet.managed"](name="web", **fleet)
        if verb == "stopped":
            return verb, name, lambda: self._states["lxdapi_instance.stopped"](name=name, timeout=0, force=True)
        if verb == "absent":
            self._removed.add(name)
            return verb, name, lambda: self._states["lxdapi_instance.absent"](name=name, force=True)
        return verb, name, lambda: self._states["lxdapi_instance.present"](name=name, **declared)

    def _choose_other(self):
        """Return (description, name, function, arguments): raw requests of another client."""
        name, what = self._random.choice(NAMES), self._random.choice(sorted(OTHERS))
        return what, name, OTHERS[what], name, str(self._random.randrange(1000))

    def _try(self, function, name, value):
        try:
            function(self.daemon, name, value)
        except (Refused, OSError, TypeError, ValueError):  # the daemon rejected the request, or is dead
            pass

    def _look(self):
        """Check all instances; a daemon that no longer answers is restarted first."""
        try:
            self._check()
        except TimeoutError:
            self.daemon.kill()
            self.daemon.start()
            self._check()

    def _check(self):
        """Record lost instances, and give a file to each readable instance without one."""
        assert until(self._is_at_rest, 60), "an operation does not end"
        found = {each["name"]: each for each in self.daemon.ask("GET", "/1.0/instances?recursion=1")}
        created = {name: each["created_at"] for name, each in found.items()}
        for name in sorted(self.files):
            # right after a stop the daemon may not read a file yet
            if created.get(name) == self.files[name] and until(lambda name=name: self._file_status(name) == 200, 10):
                continue
            expected = self.files.pop(name)
            if name not in self._removed:
                self.lost.append((name, expected, self._file_status(name), found.get(name)))
        for name in sorted(set(found) - set(self.files)):
            words = f"{name} since step {self._number}".encode()
            if self._has_content(name) and self.daemon.request("POST", _file(name), words)[0] == 200:
                self.files[name] = created[name]

    def _is_at_rest(self):
        """Return whether everything that a killed client started has ended."""
        groups = self.daemon.ask("GET", "/1.0/operations?recursion=1")
        return not any(
            each["class"] == "task" for status in ("pending", "running") for each in groups.get(status) or ()
        )

    def _file_status(self, name):
        return self.daemon.request("GET", _file(name))[0]

    def _has_content(self, name):
        status, reply = self.daemon.request("GET", f"/1.0/instances/{name}/files?path=/")
        return status == 200 and bool(reply["metadata"])


def _file(name):
    return f"/1.0/instances/{name}/files?path=/mine"


def _without_data_races(others):
    """
    Return the requests without a deletion of the snapshot that another one restores: the daemons allow both at once,
    and the instance loses its files (all three).
    """
    restored = {name for what, name, *_ in others if what == "restore"}
    return [other for other in others if not (other[0] == "delete the snapshot" and other[1] in restored)]


def _edit_profile(daemon, name, value):
    for number in range(8):
        daemon.ask("PATCH", f"/1.0/profiles/{PROFILE}", {"config": {"user.n": f"{value}.{number}"}})


def _edit_config(daemon, name, value):
    daemon.ask("PATCH", f"/1.0/instances/{name}", {"config": {"user.x": value}, "description": "x"})


def _lose_keys(daemon, name, value):
    # as an edit of a profile does to an instance that is being created: seldom, and only by chance
    keys = ("volatile.apply_template", "volatile.last_state.power")
    daemon.ask("PATCH", f"/1.0/instances/{name}", {"config": dict.fromkeys(keys, ""), "description": "x"})


def _edit_devices(daemon, name, value):
    device = {"type": "disk", "source": "/tmp", "path": f"/mnt{value}"}
    daemon.ask("PATCH", f"/1.0/instances/{name}", {"devices": {"tmp": device}, "description": "x"})


def _edit_project(daemon, name, value):
    daemon.ask("PATCH", "/1.0/projects/default", {"config": {"user.x": value}})


def _start(daemon, name, value):
    daemon.ask("PUT", f"/1.0/instances/{name}/state", {"action": "start"})


def _stop(daemon, name, value):
    daemon.ask("PUT", f"/1.0/instances/{name}/state", {"action": "stop", "force": True, "timeout": 5})


def _snapshot(daemon, name, value):
    # a snapshot of an instance with its file, so that a restore brings the file back
    if daemon.request("GET", _file(name))[0] == 200:
        daemon.ask("POST", f"/1.0/instances/{name}/snapshots", {"name": "s0"})


def _restore(daemon, name, value):
    daemon.ask("PUT", f"/1.0/instances/{name}", {"restore": "s0"})


def _delete_snapshot(daemon, name, value):
    daemon.ask("DELETE", f"/1.0/instances/{name}/snapshots/s0")


def _publish(daemon, name, value):
    image = {"source": {"type": "instance", "name": name}, "compression_algorithm": "none"}
    made = daemon.ask("POST", "/1.0/images", image)
    daemon.ask("DELETE", f"/1.0/images/{made['fingerprint']}")


OTHERS = {
    "edit a profile": _edit_profile,
    "edit config": _edit_config,
    "lose the keys": _lose_keys,
    "edit devices": _edit_devices,
    "edit the project": _edit_project,
    "start": _start,
    "stop": _stop,
    "snapshot": _snapshot,
    "restore": _restore,
    "delete the snapshot": _delete_snapshot,
    "publish": _publish,
}
