"""
Simulated Incus hosts, each on its own unix socket: see ``simulated_host``.

.. code-block:: text

    with Simulated("/tmp/x/unix.socket", speed=math.inf) as host:      # in this process
        ...
    python3 -m tests.support.simulated FOLDER --hosts 100 --instances 100  # FOLDER/0.socket and so on, until stdin ends

``GET /simulated`` returns the counts of requests to all hosts of the process since the last ``DELETE /simulated``.
"""

import argparse
import asyncio
import json
import math
import sys
import threading
from collections import Counter
from contextlib import suppress
from http.client import responses
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.support.simulated_host import Refusal, Reply, Request, failure, success
from tests.support.simulated_instances import SimulatedHost

LONGEST_HEAD = 64 * 1024


class Counts:
    """The counts of the requests to several hosts."""

    def __init__(self):
        self.clear()

    def clear(self):
        """Reset the counts."""
        self.methods, self.connections, self.at_once, self.most = Counter(), 0, 0, 0

    def begin(self, method):
        """Count a request while it is answered."""
        self.methods[method] += 1
        self.at_once += 1
        self.most = max(self.most, self.at_once)

    def figures(self):
        """Return the figures: requests, writes, connections, parallel requests."""
        writes = sum(count for method, count in self.methods.items() if method not in ("GET", "HEAD"))
        figures = {"requests": sum(self.methods.values()), "writes": writes, "connections": self.connections}
        return {**figures, "at_once": self.most}


async def listen(host, path, counts):
    """Return the server that answers for a host at a socket."""

    async def serve(reader, writer):
        counts.connections += 1
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while (request := await _read(reader)) is not None:
                writer.write(_encoded(await _answer(host, request, counts)))
                await writer.drain()
        writer.close()

    return await asyncio.start_unix_server(serve, str(path), limit=LONGEST_HEAD, backlog=256)


async def _read(reader):
    """Return the next (target, :class:`Request`) of a connection, None at its end."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode("latin-1").rstrip().split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    parts = urlsplit(target)
    segments = tuple(unquote(each) for each in parts.path.split("/")[2:])
    return parts.path, Request(method, segments, dict(parse_qsl(parts.query)), headers, body)


async def _answer(host, asked, counts):
    path, request = asked
    if path == "/simulated":
        figures = counts.figures()
        if request.method == "DELETE":
            counts.clear()
        return Reply(success(figures))
    counts.begin(request.method)
    try:
        if path == "/internal/ready":
            return Reply(success({}))
        if path.split("/")[1] != "1.0" or path.endswith("/"):
            raise Refusal(404, "not found")
        return await host.answer(request)
    except Refusal as exc:
        return Reply(failure(exc.status, str(exc)), exc.status)
    finally:
        counts.at_once -= 1


def _encoded(reply):
    body = json.dumps(reply.data).encode()
    etag = f"ETag: {reply.etag}\r\n" if reply.etag else ""
    head = f"HTTP/1.1 {reply.status} {responses[reply.status]}\r\nContent-Type: application/json\r\n{etag}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


class Simulated:
    """Run one host on a socket within the block, in a thread of this process; ``counts`` has its requests."""

    def __init__(self, path, instances=0, **options):
        self.socket, self.counts = str(path), Counts()
        self._instances, self._options = instances, options
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self):
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._begin(), self._loop).result(10)
        return self

    async def _begin(self):
        self._server = await listen(made(self._instances, **self._options), self.socket, self.counts)

    def __exit__(self, *_):
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
        Path(self.socket).unlink(missing_ok=True)

    async def _end(self):
        self._server.close()
        left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)


def made(instances=0, **options):
    """Return a host with an image "busybox" and ``instances`` running instances of it."""
    host = SimulatedHost(**options)
    host.add_image("busybox")
    host.fill(instances)
    return host


async def serve_all(folder, hosts, instances, speed):
    """Run the hosts at their sockets until the standard input ends."""
    counts = Counts()
    servers = [await listen(made(instances, speed=speed), folder / f"{n}.socket", counts) for n in range(hosts)]
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    for server in servers:
        server.close()


def main():
    """Serve as the command line says."""
    parser = argparse.ArgumentParser(description="Simulated Incus hosts, until the standard input ends.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--hosts", type=int, default=1)
    parser.add_argument("--instances", type=int, default=0, help="in each host, that run already")
    parser.add_argument("--speed", type=float, default=1.0, help="so many times faster than measured; inf: at once")
    arguments = parser.parse_args()
    asyncio.run(serve_all(arguments.folder, arguments.hosts, arguments.instances, arguments.speed or math.inf))


if __name__ == "__main__":
    main()
