"""
The costs of images: the import and the fingerprint of a large file, and a state that finds the image imported.

A ratio is the median, over all rounds, of lxdapi's time divided by that of a bare client or hashlib in the same round.
"""

import hashlib
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

from lxdapi import hashing
from measure import MIB, REPO, line, median

# Each program runs in its own process and prints its seconds and the growth of its peak memory.
BEGIN = """
import re, sys, time
from lxdapi.api import API
from lxdapi.images import image as images
from lxdapi.http import upload
api = API.factory(sys.argv[1])
api.server
# ru_maxrss would include the peak of the parent process
peak = lambda: int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1024
before, began = peak(), time.monotonic()
"""
END = "\nprint(time.monotonic() - began, peak() - before)"
UPLOAD = BEGIN + "images.upload(api, sys.argv[2], digest=sys.argv[3])" + END
FINGERPRINT = BEGIN + "assert hashing.fingerprint(sys.argv[2]) == sys.argv[3]" + END


def report(daemon, path, rounds):
    """Print the rows on images for a daemon and a file that is a large image."""
    with open(path, "rb") as file:
        digest = hashlib.sha256()
        while block := file.read(MIB):
            digest.update(block)
    digest = digest.hexdigest()
    imports, hashed, grown = [], [], []
    for number in range(rounds):
        # alternate the order: for the second import, the disk is still busy with the first
        bare = bare_import(daemon, path, digest) if number % 2 else 0
        seconds, more = ours(UPLOAD, daemon, path, digest)
        daemon.ask("DELETE", f"/1.0/images/{digest}")
        bare = bare or bare_import(daemon, path, digest)
        imports.append((seconds, bare))
        grown.append(more)
        seconds, more = ours(FINGERPRINT, daemon, path, digest)
        grown.append(more)
        hashed.append((seconds, bare_digest(path)))
    again, asked = remembered(daemon, path, digest, rounds)
    metric = f"{daemon.name}.image{os.path.getsize(path) // MIB}"
    line(f"{metric}.import.wall", median(one for one, _ in imports) * 1000, "ms", median(a / b for a, b in imports))
    line(f"{metric}.fingerprint.wall", median(one for one, _ in hashed) * 1000, "ms", median(a / b for a, b in hashed))
    line(f"{metric}.grown", max(grown), "MiB")
    line(f"{metric}.remembered.wall", again * 1000, "ms", again / asked)


def ours(program, daemon, path, digest):
    """Return (seconds, MiB) of one of the programs."""
    command = [sys.executable, "-c", program, str(daemon.socket), str(path), digest]
    environment = {**os.environ, "PYTHONPATH": str(REPO / "_utils")}
    found = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True).stdout.split()
    return float(found[0]), float(found[1])


def bare_import(daemon, path, digest):
    """Return the seconds of an import by a bare socket and sendfile; the image is gone afterwards."""
    began = time.monotonic()
    with open(path, "rb") as file, socket.socket(socket.AF_UNIX) as sock:
        sock.connect(str(daemon.socket))
        head = f"Host: x\r\nContent-Type: application/octet-stream\r\nContent-Length: {os.path.getsize(path)}\r\n"
        sock.sendall(f"POST /1.0/images HTTP/1.1\r\n{head}Connection: close\r\n\r\n".encode())
        sock.sendfile(file)
        reply = b"".join(iter(lambda: sock.recv(65536), b""))
    operation = json.loads(reply.partition(b"\r\n\r\n")[2])["operation"]
    daemon.request("GET", f"{operation}/wait")
    seconds = time.monotonic() - began
    daemon.ask("DELETE", f"/1.0/images/{digest}")
    return seconds


def bare_digest(path):
    """Return the seconds that hashlib takes for the file, at its best."""
    began = time.monotonic()
    with open(path, "rb") as file:
        hashlib.file_digest(file, "sha256")
    return time.monotonic() - began


def remembered(daemon, path, digest, rounds):
    """Return the seconds of a plan that finds the image of a remembered file, and of the same GETs by themselves."""
    sys.path.insert(0, str(REPO / "_utils"))
    from lxdapi.api import API
    from lxdapi.images import image
    from lxdapi.plan import steps

    api, memory = API.factory(str(daemon.socket)), str(Path(path).with_name("fingerprints.json"))
    image.upload(api, str(path), digest=hashing.cached_fingerprint(str(path), memory=memory))
    steps.apply(image.plan_alias(api, "large", digest))
    plans, gets = [], []
    for _ in range(max(rounds, 20)):
        began = time.monotonic()
        found = hashing.cached_fingerprint(str(path), memory=memory)
        image.plan_present(api, found, {}, None, ["large"])
        plans.append(time.monotonic() - began)
        began = time.monotonic()
        api.get(f"images/{digest}"), api.get("images/aliases/large")
        gets.append(time.monotonic() - began)
    return median(plans), median(gets)
