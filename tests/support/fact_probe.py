"""
A daemon and the raw requests that check its documented facts.
"""

import http.client
import socket
from functools import cached_property

from tests.support.rest import UnixConnection

IMAGE = {"type": "image", "alias": "busybox"}
POOL = "storage-pools/default"
VOLUMES = f"{POOL}/volumes/custom"


class Asked:
    """One of the daemons; ``file`` is an image for it."""

    def __init__(self, daemon, file):
        self.daemon, self.file = daemon, file

    @cached_property
    def image(self):
        """Return the fingerprint of the image, imported with the alias "busybox"."""
        return self.daemon.import_image(self.file, alias="busybox")

    def status(self, method, path, body=None, headers=None):
        """Return the HTTP status of a request, "closed" if the connection ends without a reply."""
        try:
            return self.daemon.request(method, f"/1.0/{path}".rstrip("/"), body, headers)[0]
        except http.client.RemoteDisconnected:
            return "closed"

    def read(self, path):
        """Return an object."""
        return self.do("GET", path)

    def do(self, method, path, body=None):
        """Return the metadata of a request that must succeed, or of its finished operation."""
        return self.daemon.ask(method, f"/1.0/{path}".rstrip("/"), body)

    def instance(self, name="c1", **fields):
        """Create an instance from the image."""
        assert self.image
        self.do("POST", "instances", {"name": name, "source": IMAGE, **fields})

    def empty(self, name="c1", **fields):
        """Create an empty instance, which is faster."""
        self.do("POST", "instances", {"name": name, "source": {"type": "none"}, **fields})

    def bridge(self, name="lxdapi6", **fields):
        """Create a bridge; without addresses it is ten times as fast."""
        config = {"ipv4.address": "none", "ipv6.address": "none"}
        self.do("POST", "networks", {"name": name, "type": "bridge", "config": config, **fields})

    def volume(self, **fields):
        """Create the volume v."""
        self.do("POST", VOLUMES, {"name": "v", **fields})

    def patched(self, path):
        """Return an object after a PATCH of a single key of its config."""
        self.do("PATCH", path, {"config": {"user.b": "2"}})
        return self.read(path)

    def etag(self, path):
        """Return the ETag of an object, None without one."""
        connection = UnixConnection(self.daemon.socket, 60)
        try:
            connection.request("GET", f"/1.0/{path}")
            return connection.getresponse().getheader("ETag")
        finally:
            connection.close()

    def stale(self, path, body):
        """Return the status of a PUT with an If-Match that does not match."""
        return self.status("PUT", path, body, {"If-Match": "another"})

    def waited(self, method, path, body, timeout):
        """Return the reply of /wait for the operation that a request starts."""
        operation = self.daemon.request(method, f"/1.0/{path}", body)[1]["operation"]
        return self.daemon.request("GET", f"{operation}/wait?timeout={timeout}")[1]


def free_address():
    """Return a loopback address on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"
