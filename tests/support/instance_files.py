"""
Files of an instance, read and written past the code under test: by a command inside, or by REST.
"""

import json
from urllib.parse import quote

from tests.support.rest import UnixConnection

SOURCE = {"type": "image", "alias": "busybox"}


class Inside:
    """A container c1 with a shell and busybox; ``run`` starts it."""

    def __init__(self, daemon):
        self._daemon = daemon
        daemon.ask("POST", "/1.0/instances", {"name": "c1", "source": SOURCE})
        self.running = False

    def start(self):
        """Start the container."""
        self.act("start")
        self.running = True
        return self

    def act(self, action):
        """Change the power state of the container: start, stop, freeze."""
        self._daemon.ask("PUT", "/1.0/instances/c1/state", {"action": action, "force": True, "timeout": 30})

    def sh(self, script):
        """Return the output of a shell script inside, which must succeed."""
        if not self.running:
            self.start()
        body = {"command": ["sh", "-c", f"exec 2>&1; {script}"], "record-output": True}
        found = self._daemon.ask("POST", "/1.0/instances/c1/exec", body)
        text = self._get(found["output"]["1"])[1].decode("utf-8", "surrogateescape")
        assert found["return"] == 0, text
        return text

    def read(self, path):
        """Return the bytes of a file, None if it does not exist."""
        status, content = self._get(f"/1.0/instances/c1/files?path={quote(path)}")
        assert status in (200, 404), content
        return content if status == 200 else None

    def names(self, path):
        """Return the names in a directory."""
        return sorted(json.loads(self.read(path))["metadata"] or [])

    def facts(self, path):
        """Return ``mode uid gid`` of a file, from ``stat`` inside."""
        return self.sh(f"stat -c '%a %u %g' '{path}'").strip()

    def _get(self, path):
        connection = UnixConnection(self._daemon.socket, 60)
        try:
            connection.request("GET", path)
            reply = connection.getresponse()
            return reply.status, reply.read()
        finally:
            connection.close()
