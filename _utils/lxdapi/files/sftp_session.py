"""
Sessions with the SFTP endpoint of an instance, with many requests in flight.

A job is a generator that yields lists of requests of :mod:`lxdapi.files.sftp_protocol`, receives their replies, and
returns its result:

.. code-block:: python

    def content(path):
        (handle,) = yield [sftp_protocol.open_(path, sftp_protocol.READ)]
        block, _ = yield [sftp_protocol.read(handle, 0), sftp_protocol.close(handle)]
        return block

    with sftp_session.session(api, "web1") as session:
        session.run(content("/etc/hostname"))
        list(session.run_concurrently(content(path) for path in paths))

The requests of a list are sent together and done in their order; concurrent jobs do not wait for each other. That makes
a thousand files fast, because each step of a job costs a round trip to the daemon.
"""

import socket
import struct
import time
from collections import deque
from contextlib import contextmanager

from lxdapi import validation
from lxdapi.errors import (
    APIConnectionException,
    APIException,
    APINotFoundException,
    APIProtocolException,
    APITimeoutException,
    InvalidError,
)
from lxdapi.files import sftp_protocol
from lxdapi.http import retry, upgrade
from lxdapi.model.kinds import KINDS

# The number of concurrent jobs: with 32 a thousand files take a little longer on Incus 6.0.4, with 8 everywhere.
AT_ONCE = 64
_RECEIVE = _SEND = 256 * 1024
_LARGEST_REPLY = 4 * 1024 * 1024
_VERSION = 3


def with_session(api, instance, work):
    """
    Run ``work`` with a :class:`Session` and return its result; a broken connection is retried.

    work
        A function with the same result when it is repeated.

    Raises one of :mod:`lxdapi.errors` if the instance does not exist, if its files cannot be reached, or from ``work``.
    """

    def once():
        with session(api, instance) as opened:
            return work(opened)

    return retry.write_verified(api, once, lambda: None)


@contextmanager
def session(api, instance):
    """
    Open a :class:`Session` with an instance for the block.

    While it is open, the daemon cannot delete, start or stop the instance (LXD 5.0.2, Incus 6.0.4, Incus 7.0.2).
    """
    path = validation.path(KINDS["instance"].path, name=validation.check("instance", "instance", instance))
    metadata = api.get(path).metadata
    if metadata.get("type") == "virtual-machine" and metadata.get("status") != "Running":
        raise sftp_protocol.UnreachableError(
            f"{instance} is a virtual machine that does not run: start it, because only its agent reaches its files"
        )
    url = f"{path}/sftp"
    sock = _open_sftp(api, url)
    try:
        yield Session(sock, f"{api.endpoint}{api.address(url)[0]}", api.timeout)
    finally:
        sock.close()


def _open_sftp(api, url):
    try:
        return upgrade.upgrade(api, url, "sftp")
    except APINotFoundException as exc:  # the instance exists
        message = f"the daemon does not support SFTP for instances, which requires LXD 5.0 or Incus: {exc.error}"
        raise APIException(error=message, method="GET", url=exc.url) from exc


class Session:
    """
    A session over a connected socket, which the caller closes.

    place
        The URL, for errors.
    seconds
        The time limit for each reply.
    """

    def __init__(self, sock, url, seconds):
        self._sock, self._url, self._seconds = sock, url, seconds
        self._received, self._unsent, self._replies, self._number = bytearray(), bytearray(), {}, 0
        self._begin()

    def run(self, job):
        """Run a job and return its result."""
        return next(self.run_concurrently([job]))

    def ask(self, request):
        """Return the reply to a single request."""
        return self._collect([(self._send(request), request)])[0]

    def run_concurrently(self, jobs, at_once=AT_ONCE):
        """
        Run jobs concurrently and yield their results in the order in which they end.

        jobs
            An iterable; the next job starts when another one has ended.

        After a failed job no other is started; the running ones continue to their end, and then its error is raised.
        """
        jobs, running, failure = iter(jobs), deque(), None
        try:
            while True:
                while failure is None and len(running) < at_once and (job := next(jobs, None)) is not None:
                    running.append((job, None))
                if not running:
                    break
                job, sent = running.popleft()
                try:
                    running.append((job, self._advance(job, sent)))
                except StopIteration as end:
                    yield end.value
                except (sftp_protocol.SftpError, InvalidError) as exc:
                    failure = failure or exc
        finally:
            for job, _ in running:
                job.close()
        if failure is not None:
            raise failure

    def _advance(self, job, sent):
        """Pass a job its replies and send its next requests; raises StopIteration with its result, or its error."""
        if sent is None:
            requests = next(job)
        else:
            try:
                replies = self._collect(sent)
            except sftp_protocol.SftpError as exc:
                requests = job.throw(exc)
            else:
                requests = job.send(replies)
        return [(self._send(request), request) for request in requests]

    def _collect(self, sent):
        """Return the replies to requests; the first refusal is raised after all have arrived."""
        answers = [self._parse_reply(self._reply(number), request) for number, request in sent]
        for answer in answers:
            if isinstance(answer, sftp_protocol.SftpError):
                raise answer
        return answers

    def _send(self, request):
        self._number = (self._number + 1) & 0xFFFFFFFF
        self._unsent += struct.pack(">IBI", len(request.body) + 5, request.type, self._number)
        self._unsent += request.body
        if len(self._unsent) >= _SEND:
            self._flush()
        return self._number

    def _reply(self, number):
        """Return the reply with this number; earlier replies to others are kept."""
        while number not in self._replies:
            packet = self._packet()
            if len(packet) < 5:
                raise self._protocol_error("expected a reply with a number")
            self._replies[int.from_bytes(packet[1:5], "big")] = packet
        return self._replies.pop(number)

    def _parse_reply(self, packet, request):
        """Return the content of a reply, or the error of a refusal without raising it."""
        try:
            return sftp_protocol.parse(packet, request, self._url)
        except (KeyError, struct.error, IndexError) as exc:
            raise self._protocol_error(f"expected a reply to {request.call}, got another one") from exc

    def _begin(self):
        self._unsent += struct.pack(">IBI", 5, sftp_protocol.Packet.INIT, _VERSION)
        packet = self._packet()
        if packet[:1] != bytes([sftp_protocol.Packet.VERSION]) or packet[1:5] != struct.pack(">I", _VERSION):
            raise self._protocol_error("expected version 3 of SFTP")
        if sftp_protocol.RENAME.encode() not in packet:
            raise self._protocol_error(
                f"SFTP without {sftp_protocol.RENAME}: lxdapi requires it to replace files atomically"
            )

    def _flush(self):
        """Send all buffered requests at once."""
        try:
            self._sock.settimeout(self._seconds)
            self._sock.sendall(self._unsent)
        except OSError as exc:
            raise self._connection_error(exc) from exc
        self._unsent.clear()

    def _packet(self):
        length = int.from_bytes(self._take(4), "big")
        if not 0 < length <= _LARGEST_REPLY:
            raise self._protocol_error(f"expected a packet of at most {_LARGEST_REPLY} bytes, got {length}")
        return self._take(length)

    def _take(self, count):
        """Return that many bytes, received within the time of one reply."""
        if len(self._received) < count and self._unsent:
            self._flush()
        end = time.monotonic() + self._seconds
        while len(self._received) < count:
            try:
                self._sock.settimeout(max(0.001, end - time.monotonic()))
                block = self._sock.recv(_RECEIVE)
            except OSError as exc:
                raise self._connection_error(exc) from exc
            if not block:
                raise self._connection_error("the daemon closed it")
            self._received += block
        data = bytes(memoryview(self._received)[:count])
        del self._received[:count]
        return data

    def _connection_error(self, exc):
        options = {"method": "SFTP", "url": self._url}
        if isinstance(exc, socket.timeout):
            return APITimeoutException(error=f"no reply within {self._seconds} s", **options)
        return APIConnectionException(error=f"the connection broke: {exc}", **options)

    def _protocol_error(self, message):
        return APIProtocolException(error=message, method="SFTP", url=self._url)
