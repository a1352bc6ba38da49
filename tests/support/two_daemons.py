"""
Two daemons between which instances move: the tested one, and a second one of some kind.
"""

import os

from tests.support.fault_proxy import FaultProxy
from tests.support.loader import Loaded

DATA = {"type": "disk", "source": "/tmp", "path": "/data"}
PROFILE = {"name": "web", "config": {"user.tier": "front"}}
STATE = "lxdapi_instance.migrated"
WAY = {"source_remote": "here", "remote": "there"}
BACK = {"source_remote": "there", "remote": "here"}
FIELDS = ("type", "description", "ephemeral", "profiles", "architecture", "devices")


def make(daemon, name="web1", start=False, snapshots=("s0", "s1"), **more):
    """Create an instance with content in each field, and with snapshots."""
    body = {
        "name": name,
        "source": {"type": "image", "alias": "busybox"},
        "description": "the shop",
        "profiles": ["default", "web"],
        "config": {"limits.memory": "64MiB", "user.owner": "shop"},
        "devices": {"data": DATA},
    }
    daemon.ask("POST", "/1.0/instances", {**body, **more})
    for snapshot in snapshots:
        daemon.ask("POST", f"/1.0/instances/{name}/snapshots", {"name": snapshot, "expires_at": "2040-01-01T00:00:00Z"})
    if start:
        daemon.ask("PUT", f"/1.0/instances/{name}/state", {"action": "start"})


def found(daemon, name="web1", query=""):
    """Return an instance of a daemon, read past the code under test, None if it does not exist."""
    status, reply = daemon.request("GET", f"/1.0/instances/{name}{query}")
    return reply["metadata"] if status == 200 else None


def essence(instance):
    """Return the parts of an instance that a copy must have too."""
    config = {key: value for key, value in instance["config"].items() if not key.startswith("volatile.")}
    base = instance["config"].get("volatile.base_image")
    return {**{field: instance[field] for field in FIELDS}, "config": config, "base image": base}


def snapshots(daemon, name="web1", query=""):
    """Return [(name, expiry)] of the snapshots of an instance."""
    listed = daemon.ask("GET", f"/1.0/instances/{name}/snapshots?recursion=1{query}") or []
    return sorted((each["name"].rpartition("/")[2], each["expires_at"][:10]) for each in listed)


def push(daemon, text, name="web1", path="/root/word", query=""):
    """Write this text to the file in the instance."""
    headers = {f"X-{'LXD' if daemon.server == 'lxd' else 'Incus'}-type": "file"}
    status, reply = daemon.request("POST", f"/1.0/instances/{name}/files?path={path}{query}", text.encode(), headers)
    assert status == 200, reply


def pulled(daemon, name="web1", path="/root/word", query=""):
    """Return the text of the file in the instance."""
    return daemon.request("GET", f"/1.0/instances/{name}/files?path={path}{query}")[1].decode()


class Twins:
    """The two daemons, their remotes ``here`` and ``there``, and Salt's states and modules behind proxies."""

    def __init__(self, daemon, second, tmp_path, watched, stack):
        self.here, self.there = daemon, second
        self.before = stack.enter_context(FaultProxy(daemon.socket, os.path.join(daemon.directory, "q.socket")))
        self.behind = stack.enter_context(FaultProxy(second.socket, os.path.join(second.directory, "q.socket")))
        remotes = {"here": {"endpoint": str(self.before.socket)}, "there": {"endpoint": str(self.behind.socket)}}
        self.salt = Loaded(tmp_path, remotes)
        self.apply = watched(self.salt, self)

    def prepare(self, image):
        """Create the profile on both daemons and the image on the tested one."""
        for each in (self.here, self.there):
            each.ask("POST", "/1.0/profiles", PROFILE)
        self.here.import_image(image, alias="busybox")

    @property
    def seen(self):
        """Return the requests to both proxies."""
        return [*self.before.seen, *self.behind.seen]

    def clear(self):
        """Forget the recorded requests."""
        self.before.clear()
        self.behind.clear()

    def writes(self):
        """Return the requests that were writes."""
        return [*self.before.writes(), *self.behind.writes()]

    def requests(self):
        """Return all requests."""
        return [*self.before.requests(), *self.behind.requests()]
