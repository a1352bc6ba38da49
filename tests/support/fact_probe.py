"""
A daemon and what the facts of docs/daemons.rst ask of it, by raw requests.
"""

import http.client
import socket
from functools import cached_property

from tests.support.rest import UnixConnection

IMAGE = {"type": "image", "alias": "busybox"}
POOL = "storage-pools/default"
VOLUMES = f"{POOL}/volumes/custom"


class Asked:
    """One of the daemons; ``file`` is an image that it can be given."""

    def __init__(self, daemon, file):
        self.daemon, self.file = daemon, file

    @cached_property
    def image(self):
        """The fingerprint of the image, which the daemon has under the alias "busybox" from now on."""
        return self.daemon.import_image(self.file, alias="busybox")

    def status(self, method, path, body=None, headers=None):
        """Return the HTTP status of a request, "closed" where the connection ends without a reply."""
        try:
            return self.daemon.request(method, f"/1.0/{path}".rstrip("/"), body, headers)[0]
        except http.client.RemoteDisconnected:
            return "closed"

    def read(self, path):
        """Return an object."""
        return self.do("GET", path)

    def do(self, method, path, body=None):
        """Return the metadata of a request that must succeed, its operation waited for."""
        return self.daemon.ask(method, f"/1.0/{path}".rstrip("/"), body)

    def instance(self, name="c1", **fields):
        """Make an instance of the image."""
        assert self.image
        self.do("POST", "instances", {"name": name, "source": IMAGE, **fields})

    def empty(self, name="c1", **fields):
        """Make an instance of nothing, which is quicker."""
        self.do("POST", "instances", {"name": name, "source": {"type": "none"}, **fields})

    def bridge(self, name="lxdapi6", **fields):
        """Make a bridge; without addresses it is ten times as quick."""
        config = {"ipv4.address": "none", "ipv6.address": "none"}
        self.do("POST", "networks", {"name": name, "type": "bridge", "config": config, **fields})

    def volume(self, **fields):
        """Make the volume v."""
        self.do("POST", VOLUMES, {"name": "v", **fields})

    def patched(self, path):
        """Return an object after a PATCH that names a key of its config only."""
        self.do("PATCH", path, {"config": {"user.b": "2"}})
        return self.read(path)

    def etag(self, path):
        """Return the ETag of an object, None if it is sent without one."""
        connection = UnixConnection(self.daemon.socket, 60)
        try:
            connection.request("GET", f"/1.0/{path}")
            return connection.getresponse().getheader("ETag")
        finally:
            connection.close()

    def stale(self, path, body):
        """Return the status of a PUT for an object that would have to be another one."""
        return self.status("PUT", path, body, {"If-Match": "another"})

    def waited(self, method, path, body, timeout):
        """Return the reply of /wait for the operation that a request starts."""
        operation = self.daemon.request(method, f"/1.0/{path}", body)[1]["operation"]
        return self.daemon.request("GET", f"{operation}/wait?timeout={timeout}")[1]


def free_address():
    """Return an address of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"
