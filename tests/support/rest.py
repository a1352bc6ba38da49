"""
Direct access of the tests to a daemon: plain http.client over its unix socket.

Independent of the code under test, and minimal: no retries, no interpretation beyond JSON.
"""

import http.client
import json
import socket
from urllib.parse import urlsplit


class Refused(Exception):
    """The daemon answered with an error, or an operation failed; the message contains its words."""

    def __init__(self, message, status=None):
        super().__init__(message)
        self.status = status


class UnixConnection(http.client.HTTPConnection):
    """An HTTP connection over a unix socket."""

    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.path = str(path)

    def connect(self):
        """Open the connection."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Rest:
    """Raw requests to one daemon."""

    def __init__(self, socket_path, timeout=60):
        self.socket = str(socket_path)
        self.timeout = timeout

    def request(self, method, path, body=None, headers=None, timeout=None):
        """
        Return ``(HTTP status, reply)``; the reply is decoded if it is JSON, and bytes otherwise.

        body
            Bytes or an open file are sent unchanged, anything else as JSON.
        """
        connection = UnixConnection(self.socket, timeout or self.timeout)
        try:
            connection.request(method, path, *_encoded(body, headers))
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        is_json = response.getheader("Content-Type", "").startswith("application/json")
        return response.status, json.loads(content) if is_json and content else content

    def ask(self, method, path, body=None, headers=None):
        """Return the metadata of the reply or of its finished operation; raises Refused on failure."""
        status, reply = self.request(method, path, body, headers)
        if status >= 400:
            words = reply.get("error") if isinstance(reply, dict) else reply
            raise Refused(f"{method} {path}: HTTP {status}: {words}", status)
        if reply["type"] == "async":
            return self.wait(reply)["metadata"]
        return reply["metadata"]

    def wait(self, reply, timeout=120):
        """Return the finished operation of the reply; raises Refused if it failed or takes longer."""
        operation = urlsplit(reply["operation"])
        query = f"{operation.query}&timeout={timeout}".lstrip("&")
        _, ended = self.request("GET", f"{operation.path}/wait?{query}", timeout=timeout + 10)
        words = ended["error"]
        if ended["type"] == "error":
            # Incus only reports that something went wrong; the operation itself has the reason.
            _, ended = self.request("GET", reply["operation"])
        operation = ended["metadata"] or {}
        if operation.get("status_code") != 200:
            about = operation.get("description"), operation.get("status"), operation.get("err") or words
            raise Refused("operation {}: {}: {}".format(*about))
        return operation


def _encoded(body, headers):
    headers = dict(headers or {})
    if body is None:
        return None, headers
    if isinstance(body, bytes) or hasattr(body, "read"):
        return body, {"Content-Type": "application/octet-stream", **headers}
    return json.dumps(body).encode(), {"Content-Type": "application/json", **headers}
