"""
The costs of files inside an instance: a thousand small files, and a large one.

A ratio is the median, over all rounds, of lxdapi's time divided by that of a bare client's POST in the same round.
"""

import http.client
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measure import MIB, REPO, line, median

MANY = 1000
SMALL = b"x" * 1024
# Each program runs in its own process and prints its seconds and the growth of its peak memory.
BEGIN = """
import resource, sys, time
from lxdapi.api import API
from lxdapi.files import plan
from lxdapi.files import plan_tree as recursion
from lxdapi.files import content as sources
from lxdapi.files.spec import FileSpec, TreeSpec
from lxdapi.files.target import Target
from lxdapi.plan import steps
api = API.factory(sys.argv[1])
target = Target.parse(lambda: api, "c1", sys.argv[2])
plan.plan_directory(target, FileSpec.parse())
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
before, began = peak(), time.monotonic()
"""
END = "\nprint(time.monotonic() - began, peak() - before)"
TREE = (
    BEGIN
    + """
spec = TreeSpec.parse(FileSpec.parse())
steps.apply(recursion.plan_recurse(target, sources.read_tree({}, sys.argv[3]), spec))"""
)
ONE = BEGIN + "steps.apply(plan.plan_file(target, sources.from_file(sys.argv[3]), FileSpec.parse(show=False)))"


def report(daemon, rounds, size=256 * MIB):
    """Print the rows on files for a daemon that has an image with the alias busybox."""
    daemon.ask("POST", "/1.0/instances", {"name": "c1", "source": {"type": "image", "alias": "busybox"}})
    daemon.ask("PUT", "/1.0/instances/c1/state", {"action": "start"})
    folder = Path(tempfile.mkdtemp())
    try:
        many, again, large, grown = measured(daemon, folder, rounds, size)
    finally:
        shutil.rmtree(folder)
    metric = f"{daemon.name}.files"
    # as a ratio to the same number of raw POST requests, or to a POST request with sendfile
    line(f"{metric}{MANY}.created", *many)
    line(f"{metric}{MANY}.unchanged", *again)
    line(f"{metric}.one_of_{size // MIB}_MiB", *large)
    line(f"{metric}.one_of_{size // MIB}_MiB.grown", grown, "MiB")


def measured(daemon, folder, rounds, size):
    """Return the four figures of :func:`report`."""
    tree, file = folder / "tree", folder / "large"
    tree.mkdir()
    for number in range(MANY):
        (tree / str(number)).write_bytes(SMALL)
    with file.open("wb") as made:
        for _ in range(size // MIB):
            made.write(os.urandom(MIB))
    many, again, large, grown = [], [], [], []
    for number in range(rounds):
        bare = bare_posts(daemon)
        many.append((ours(TREE, daemon, f"/root/t{number}", tree)[0], bare))
        again.append((ours(TREE, daemon, f"/root/t{number}", tree)[0], bare))
        bare = bare_upload(daemon, file)
        seconds, more = ours(ONE, daemon, f"/root/large{number}", file)
        large.append((seconds, bare))
        grown.append(more)
        for name in ("bare", f"large{number}"):
            daemon.ask("DELETE", f"/1.0/instances/c1/files?path=/root/{name}")
    return *(_figures(each) for each in (many, again, large)), max(grown)


def _figures(pairs):
    """Return (milliseconds, "ms", ratio) of pairs of seconds."""
    return median(one for one, _ in pairs) * 1000, "ms", median(one / other for one, other in pairs)


def ours(code, daemon, path, source):
    """Return (seconds, MiB of memory) of a process with lxdapi."""
    environment = {**os.environ, "PYTHONPATH": str(REPO / "_utils")}
    command = [sys.executable, "-c", code + END, daemon.socket, path, str(source)]
    out = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
    seconds, grown = out.split()
    return float(seconds), float(grown)


def connected(daemon):
    """Return a connected socket."""
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(300)
    sock.connect(daemon.socket)
    return sock


def bare_posts(daemon):
    """Return the seconds of a POST request for each of the small files, on one connection."""
    connection = http.client.HTTPConnection("localhost")
    connection.sock = connected(daemon)
    began = time.monotonic()
    for number in range(MANY):
        connection.request("POST", f"/1.0/instances/c1/files?path=/root/r{number}", SMALL)
        reply = connection.getresponse()
        if reply.read() and reply.status != http.client.OK:
            raise SystemExit(f"a POST of a file failed: {reply.status}")
    connection.close()
    return time.monotonic() - began


def bare_upload(daemon, path):
    """Return the seconds of a POST request with sendfile."""
    head = "POST /1.0/instances/c1/files?path=/root/bare HTTP/1.1\r\nHost: localhost\r\n"
    began = time.monotonic()
    with connected(daemon) as sock, path.open("rb") as file:
        sock.sendall(f"{head}Content-Length: {path.stat().st_size}\r\n\r\n".encode())
        sock.sendfile(file)
        reply = sock.recv(4096)
    if b" 200 " not in reply.partition(b"\r\n")[0]:
        raise SystemExit(f"a POST of a large file failed: {reply[:200]}")
    return time.monotonic() - began
