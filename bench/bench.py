"""
What a run of Salt with lxdapi costs: requests, and time and memory as ratios.

A ratio is the median over the rounds of two measurements of the same round: ours, and the raw API or
the same salt-call with states that do nothing. Milliseconds of a busy machine mean little.
"""

import argparse
import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO / "tests" / "support"))

import files  # noqa: E402
import image_costs  # noqa: E402
from daemons import KINDS, Daemon  # noqa: E402
from exec import exec_output  # noqa: E402
from faultproxy import FaultProxy  # noqa: E402
from images import busybox_image  # noqa: E402

MIB = 1024 * 1024


class Cost(NamedTuple):
    """Of one process: seconds of wall clock, seconds of its CPU, its largest memory in MiB."""

    wall: float
    cpu: float
    peak: float


class Bench:
    """One daemon, one folder with Salt's configuration, states in ``srv``."""

    def __init__(self, daemon, folder, rounds):
        self.daemon, self.folder, self.rounds = daemon, folder, rounds
        self.tree = folder / "srv"
        self.tree.mkdir()
        self.socket = str(Path(daemon.directory) / "p.socket")
        options = {
            "id": "bench",
            "file_client": "local",
            "root_dir": str(folder / "root"),
            "file_roots": {"base": [str(self.tree)]},
            "module_dirs": [str(REPO)],
            "lxdapi": {"remotes": {"local": self.socket}},
        }
        (folder / "minion").write_text(json.dumps(options))

    def apply(self, name, *arguments):
        """Return the :class:`Cost` of a salt-call that applies an SLS; it must succeed."""
        command = [f"{sys.prefix}/bin/salt-call", "-c", str(self.folder), "--local", "--retcode-passthrough"]
        began = time.monotonic()
        process = subprocess.Popen([*command, "state.apply", name, *arguments], stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"state.apply {name} failed: {process.returncode}")
        return Cost(time.monotonic() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)

    def sls(self, name, states):
        """An SLS of that name has these states."""
        (self.tree / f"{name}.sls").write_text(json.dumps(states))


def ratio(pairs):
    """Return the median of the ratios of pairs."""
    return statistics.median(ours / other for ours, other in pairs)


def noop(bench, count):
    """Print what an apply costs that finds ``count`` instances as declared."""
    names = [f"n{number}" for number in range(count)]
    declared = [{"source": "busybox"}, {"config": {"user.a": "1", "limits.cpu": 1}}]
    bench.sls("ours", {name: {"lxdapi_instance.present": declared} for name in names})
    bench.sls("floor", {name: {"test.nop": []} for name in names})
    with FaultProxy(bench.daemon.socket, bench.socket):
        bench.apply("ours")
    over, cpu, seen = [], [], None
    for _ in range(bench.rounds):
        with FaultProxy(bench.daemon.socket, bench.socket) as proxy:
            ours, floor, raw = bench.apply("ours"), bench.apply("floor"), raw_reads(proxy, names)
            seen = (len(proxy.requests()) - count, len(proxy.writes()), proxy.connections - 1)
        over.append((ours.wall, floor.wall))
        cpu.append((ours.wall - floor.wall, raw))
    print(
        f"{bench.daemon.name}: no-op of {count}: {seen[0]} requests, {seen[1]} writes, {seen[2]} connections; "
        f"wall {ratio(over):.2f} of the same number of test.nop, "
        f"the difference {statistics.median(extra for extra, _ in cpu) * 1000:.0f} ms, {ratio(cpu):.1f} of raw GETs"
    )
    bench.daemon.wipe()


def raw_reads(proxy, names):
    """Return the seconds that a GET of each instance takes on one connection, through the same proxy."""
    connection = http.client.HTTPConnection("localhost")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(str(proxy.socket))
    began = time.monotonic()
    for name in names:
        connection.request("GET", f"/1.0/instances/{name}")
        connection.getresponse().read()
    connection.close()
    return time.monotonic() - began


def upload(bench, size):
    """Print what the upload of a large image costs in time and memory, and a no-op of it after that."""
    image = bench.tree / "large.tar"
    large_image(image, size)
    state = {"lxdapi_image.present": [{"name": "large"}, {"source": str(image)}]}
    bench.sls("ours", {"large": state})
    bench.sls("floor", {"large": {"test.nop": []}})
    with FaultProxy(bench.daemon.socket, bench.socket):
        first, floor, again = bench.apply("ours"), bench.apply("floor"), bench.apply("ours")
    print(
        f"{bench.daemon.name}: image.present of {size // MIB} MiB: {first.wall - floor.wall:.1f} s over bare Salt, "
        f"peak memory {first.peak:.0f} MiB, bare Salt {floor.peak:.0f} MiB; "
        f"again: {(again.wall - floor.wall) * 1000:.0f} ms over bare Salt, {again.peak:.0f} MiB"
    )
    bench.daemon.wipe()
    image_costs.report(bench.daemon, image, bench.rounds)
    bench.daemon.wipe()


def large_image(path, size):
    """A tarball of an image that cannot be compressed is at the path."""
    metadata = b"architecture: x86_64\ncreation_date: 1700000000\nproperties: {}\n"
    with tarfile.open(path, "w") as tar:
        for name, content in (("metadata.yaml", BytesIO(metadata)), ("rootfs/sbin/init", BytesIO(b"x"))):
            member = tarfile.TarInfo(name)
            member.size = len(content.getvalue())
            tar.addfile(member, content)
        member = tarfile.TarInfo("rootfs/blob")
        member.size = size
        with tempfile.TemporaryFile() as blob:
            for _ in range(size // MIB):
                blob.write(os.urandom(MIB))
            blob.seek(0)
            tar.addfile(member, blob)


def main():
    """Print the figures of the daemons asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--daemon", action="append", choices=sorted(KINDS))
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    for kind in arguments.daemon or filter(Daemon.available, sorted(KINDS)):
        with tempfile.TemporaryDirectory() as folder:
            daemon = Daemon.in_new_directory(kind)
            try:
                daemon.start().preseed()
                run(daemon, Path(folder), arguments.rounds)
            finally:
                daemon.stop()
                daemon.remove()


def run(daemon, folder, rounds):
    """Print the figures of one daemon."""
    bench = Bench(daemon, folder, rounds)
    image = busybox_image(folder / "busybox.tar.gz")
    for count in (1, 20):
        daemon.import_image(image, alias="busybox")
        noop(bench, count)
    upload(bench, 1024 * MIB)
    daemon.import_image(image, alias="busybox")
    exec_output(daemon, rounds)
    daemon.import_image(image, alias="busybox")
    files.report(daemon, rounds)
    daemon.wipe()


if __name__ == "__main__":
    main()
