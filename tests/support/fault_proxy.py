"""
A proxy on a unix socket in front of a daemon: it counts requests, and breaks selected ones.

.. code-block:: text

    with FaultProxy(daemon.socket, "/tmp/x/p.socket") as proxy:
        proxy.arm("drop_reply", method="POST", path=r"/1\\.0/instances$")
        ...                                  # the first such POST is done, but its reply is lost
        assert proxy.writes() == [("POST", "/1.0/instances", 120, "drop_reply")]

Faults before the daemon sees the request, so that it does nothing:

    blackhole   the request is read and never answered
    close       the connection is closed after the request was read
    reset       the connection is closed with a part of the request unread: the client sees a reset
    html502     a reverse proxy's page, HTTP 502
    status      the daemon's JSON error; options: status (503), error (text)
    not_json    HTTP 200 and the word "hello"
    redirect    HTTP 302; option: location

Fault while the daemon reads the request:

    stall       the second half of the body does not arrive until one side closes

No fault, but a faster client:

    overtake    the request is passed on after another action; option: act (a function)

Faults after the daemon has done what the request asks for:

    drop_reply  the connection is closed without a reply
    cut_head    closed in the middle of the reply's head
    cut_body    closed in the middle of the reply's body
    cut_json    half of the body, with a matching Content-Length
    slow        the reply arrives slowly; option: rate (bytes per second, 1)
    delay       the reply arrives late; option: seconds (1)
    swap        another reply; options: reply (JSON data, or a function of the real one), status

Fault of a connection that has switched its protocol:

    cut_stream  closed after the client has sent a number of bytes; option: after (bytes)
"""

import json
import re
import socket
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, Optional

from tests.support import tcp_relay as relay

READS = ("GET", "HEAD")
WRITES = ("POST", "PUT", "PATCH", "DELETE")
NOBODY = "http://127.0.0.1:9/"  # nothing listens on this socket
PAGE = b"<html><body><h1>502 Bad Gateway</h1></body></html>"


class Seen(NamedTuple):
    """A request; equal to the plain tuple."""

    method: str
    path: str  # with the query
    length: int  # bytes of the body
    fault: Optional[str]


class Fault:
    """A fault that waits for its requests."""

    def __init__(self, name, method, path, skip, times, options):
        self.name = name
        self.method = method
        self.path = re.compile(path)
        self.skip = skip
        self.times = times
        self.options = options

    def strikes(self, head):
        """Return whether to break this request; count the requests that passed and those that were broken."""
        methods = (self.method,) if isinstance(self.method, str) else self.method
        if self.times < 1 or (methods and head.method not in methods) or not self.path.search(head.path):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        self.times -= 1
        return True


class Reply(NamedTuple):
    """A complete reply of the daemon: its head, its body as sent, and the content of the body."""

    head: relay.Head
    raw: bytes
    content: bytes


class FaultProxy:
    """The proxy: a context manager that listens on ``socket`` from entry to exit."""

    def __init__(self, upstream_socket, own_socket):
        self.upstream = str(upstream_socket)
        self.socket = str(own_socket)
        self.ended = threading.Event()
        self._lock = threading.Lock()
        self._open = set()
        self._threads = []
        self._at_once = 0
        self.clear()

    def __enter__(self):
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(self.socket)
        self._listener.listen(128)
        self._spawn(self._accept)
        return self

    def __exit__(self, *_):
        self.ended.set()
        with self._lock:
            for opened in (self._listener, *self._open):
                relay.shut(opened)
        for thread in list(self._threads):
            thread.join(10)
        self._listener.close()
        Path(self.socket).unlink(missing_ok=True)

    def arm(self, fault, method=None, path="", skip=0, times=1, **options):
        """
        Break matching requests in this way from now on.

        method
            "POST" and so on, or several methods; None for any.
        path
            A regular expression, searched in the path with its query.
        skip, times
            The number of matching requests that pass first, and the number that are broken then.
        options
            Options of the fault: see the head of this file.
        """
        if fault not in (*BEFORE, *DURING, *AFTER, *SWITCHED, OVERTAKE):
            raise ValueError(f"no such fault: {fault}")
        with self._lock:
            self._faults.append(Fault(fault, method, path, skip, times, options))

    def clear(self):
        """Forget all faults, requests and counts; ``most_at_once`` is the largest number of parallel requests."""
        with self._lock:
            self._faults = []
            self.seen = []
            self.connections = 0
            self.most_at_once = 0

    def requests(self, method=None):
        """Return the requests, optionally only those with this method."""
        with self._lock:
            return [seen for seen in self.seen if method in (None, seen.method)]

    def writes(self):
        """Return the requests other than GET and HEAD."""
        return [seen for seen in self.requests() if seen.method not in READS]

    def executed(self, method=None):
        """Return the requests that the daemon received completely, optionally only those with this method."""
        return [seen for seen in self.requests(method) if seen.fault not in (*BEFORE, *DURING)]

    def _spawn(self, work, *arguments):
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:  # closed by __exit__
                return
            with self._lock:
                self.connections += 1
            self._spawn(self._serve, client)

    @contextmanager
    def _tracked(self, opened):
        # __exit__ wakes every thread that waits for a tracked socket; only the thread that uses a socket closes it.
        with self._lock:
            self._open.add(opened)
            if self.ended.is_set():
                relay.shut(opened)
        try:
            yield opened
        finally:
            with self._lock:
                self._open.discard(opened)
            opened.close()

    def _serve(self, client):
        with self._tracked(client):
            try:
                while self._exchange(client):
                    pass
            except OSError:  # one side has closed; leaving the block closes the other
                pass

    def _exchange(self, client):
        # Relay or break one request; return True if the client's connection can be used again. The last byte of the
        # head stays unread, because a socket that is closed with unread data resets the connection of the other side.
        head = relay.read_head(client, leave=1)
        if head is None:
            return False
        with self._counted():
            return self._exchanged(head, client)

    @contextmanager
    def _counted(self):
        with self._lock:
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            yield
        finally:
            with self._lock:
                self._at_once -= 1

    def _exchanged(self, head, client):
        fault = self._fault_for(head)
        if fault and fault.name == OVERTAKE:
            fault.options["act"]()
            fault = None
        if fault and fault.name == "reset":
            self._note(head, 0, fault)
            return False
        relay.exactly(client, 1)
        if fault and fault.name in BEFORE:
            self._note(head, sum(len(content) for _, content in relay.request_body(head, client)), fault)
            BEFORE[fault.name](client, **fault.options)
            return False
        with self._tracked(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as daemon:
            self._pass_on(head, client, daemon, fault)
            return self._answer(head, client, daemon, fault)

    def _fault_for(self, head):
        with self._lock:
            return next((fault for fault in self._faults if fault.strikes(head)), None)

    def _note(self, head, length, fault):
        with self._lock:
            self.seen.append(Seen(head.method, head.path, length, fault.name if fault else None))

    def _pass_on(self, head, client, daemon, fault):
        # Record the request after its body was passed or cut off, and always before the client gets a reply.
        length = 0
        try:
            daemon.connect(self.upstream)
            daemon.sendall(head.raw)
            for raw, content in relay.request_body(head, client):
                if fault and fault.name in DURING and length >= int(head.headers["content-length"]) // 2:
                    relay.await_end(client, daemon)
                daemon.sendall(raw)
                length += len(content)
        except BrokenPipeError:  # the daemon has answered early and reads no further
            pass
        finally:
            self._note(head, length, fault)

    def _answer(self, request, client, daemon, fault):
        relay.await_reply(client, daemon)
        head = relay.read_head(daemon)
        while head and head.status in (100, 102, 103):
            client.sendall(head.raw)
            head = relay.read_head(daemon)
        if head is None:
            return False
        body = relay.reply_body(head, daemon, request.method)
        if fault and fault.name not in SWITCHED:
            pairs = list(body)
            AFTER[fault.name](self, client, _whole(head, pairs), **fault.options)
            return False
        client.sendall(head.raw)
        if head.status == 101:
            relay.splice(client, daemon, **(fault.options if fault else {}))
            return False
        for raw, _ in body:
            client.sendall(raw)
        return not head.closes(request.method)


def _whole(head, pairs):
    return Reply(head, b"".join(raw for raw, _ in pairs), b"".join(content for _, content in pairs))


def _say(client, status, content, content_type, more=""):
    head = f"HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {len(content)}\r\n"
    client.sendall(f"{head}{more}connection: close\r\n\r\n".encode() + content)


def _blackhole(client):
    client.recv(1)  # returns when the client gives up or the proxy ends


def _close(client):
    pass


def _html502(client):
    _say(client, "502 Bad Gateway", PAGE, "text/html")


def _status(client, status=503, error="made by the fault proxy"):
    content = {"type": "error", "status": "", "status_code": 0, "operation": "", "metadata": None}
    content.update(error_code=status, error=error)
    _say(client, f"{status} Made", json.dumps(content).encode(), "application/json")


def _not_json(client):
    _say(client, "200 OK", b"hello", "text/plain")


def _redirect(client, location=NOBODY):
    _say(client, "302 Found", b"", "text/plain", f"location: {location}\r\n")


def _drop_reply(proxy, client, reply):
    pass


def _cut_head(proxy, client, reply):
    client.sendall(reply.head.raw[: len(reply.head.raw) // 2])


def _cut_body(proxy, client, reply):
    client.sendall(reply.head.raw + reply.raw[: len(reply.raw) // 2])


def _cut_json(proxy, client, reply):
    half = reply.content[: len(reply.content) // 2]
    client.sendall(reply.head.reframed(len(half)) + half)


def _slow(proxy, client, reply, rate=1):
    for byte in reply.head.raw + reply.raw:
        if proxy.ended.wait(1 / rate):
            return
        client.sendall(bytes([byte]))


def _delay(proxy, client, reply, seconds=1):
    proxy.ended.wait(seconds)
    client.sendall(reply.head.raw + reply.raw)


def _swap(proxy, client, true, reply, status=None):
    new = reply(json.loads(true.content)) if callable(reply) else reply
    content = json.dumps(new).encode()
    client.sendall(true.head.reframed(len(content), status) + content)


BEFORE = {
    "blackhole": _blackhole,
    "close": _close,
    "reset": _close,
    "html502": _html502,
    "status": _status,
    "not_json": _not_json,
    "redirect": _redirect,
}
DURING = ("stall",)
SWITCHED = ("cut_stream",)
OVERTAKE = "overtake"
AFTER = {
    "drop_reply": _drop_reply,
    "cut_head": _cut_head,
    "cut_body": _cut_body,
    "cut_json": _cut_json,
    "slow": _slow,
    "delay": _delay,
    "swap": _swap,
}
