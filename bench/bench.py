"""
Measure the costs of Salt with lxdapi: requests, and time and memory as ratios.

Each metric is one line: ``metric value unit ratio``, where ``metric`` is ``daemon.job.way.what``. The documentation on
scale explains the ratios.
"""

import argparse
import os
import tarfile
import tempfile
from io import BytesIO
from pathlib import Path

import measure  # adds the folders of the other modules to the path

# isort: split

import files
import image_costs
import inside
import life
import loading
import noop
from exec import exec_output
from measure import MIB, line
from ways import Raw

from tests.support.daemons import KINDS, Daemon
from tests.support.fault_proxy import FaultProxy
from tests.support.images import busybox_image

GROUPS = ("import", "reads", "noop", *life.JOBS, "image", "exec", "files", "inside")


def upload(folder, daemon, rounds, size=1024 * MIB):
    """Print the time and the memory for the upload of a large image, and for a second apply without a change."""
    proxied = str(Path(daemon.directory) / "p.socket")
    salt, metric = measure.Salt(folder, {"local": proxied}), f"{daemon.name}.image{size // MIB}"
    image = salt.tree / "large.tar"
    large_image(image, size)
    salt.sls("ours", {"large": {"lxdapi_image.present": [{"name": "large"}, {"source": str(image)}]}})
    salt.sls("floor", {"large": {"test.nop": []}})
    with FaultProxy(daemon.socket, proxied):
        first, floor, again = salt.apply("ours"), salt.apply("floor"), salt.apply("ours")
    line(f"{metric}.present.wall_over_floor", (first.wall - floor.wall) * 1000, "ms")
    line(f"{metric}.present.peak", first.peak, "MiB", first.peak / floor.peak)
    line(f"{metric}.again.wall_over_floor", (again.wall - floor.wall) * 1000, "ms")
    line(f"{metric}.again.peak", again.peak, "MiB", again.peak / floor.peak)
    daemon.wipe()
    image_costs.report(daemon, image, rounds)
    daemon.wipe()


def large_image(path, size):
    """Write the tarball of an image that cannot be compressed to the path."""
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


def still(folder, daemon, rounds, count, only):
    """Print the rows that read instances without changing them: few and many."""
    count = count or 200
    names, raw = [f"n{number}" for number in range(count)], Raw(daemon)
    few = min(20, count)
    raw.make(names[:few])
    if "noop" in only:
        noop.rows(folder, daemon, rounds, few)
    raw.make(names[few:])
    if "noop" in only and few < count:
        noop.rows(folder, daemon, rounds, count)
    if "reads" in only:
        noop.reads(folder, daemon, rounds, count)


def run(daemon, folder, rounds, count, only):
    """Print the figures of one daemon."""
    image, jobs = busybox_image(folder / "busybox.tar.gz"), [job for job in life.JOBS if job in only]
    rest = {
        "image": lambda: upload(folder, daemon, rounds),
        "exec": lambda: exec_output(daemon, rounds),
        "files": lambda: files.report(daemon, rounds),
        "inside": lambda: inside.report(folder, daemon, rounds),
    }
    parts = [rest[word] for word in rest if word in only]
    if {"reads", "noop"} & set(only):
        parts.insert(0, lambda: still(folder, daemon, rounds, count, only))
    if jobs:
        parts.insert(0, lambda: life.rows(folder, daemon, rounds, count or 20, jobs))
    for part in parts:
        daemon.import_image(image, alias="busybox")
        part()
        daemon.wipe()


def main():
    """Print the figures of the selected daemons."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--daemon", action="append", choices=sorted(KINDS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--count", type=int, help="number of instances (default: 20 for jobs that change them, 200 for others)"
    )
    parser.add_argument("--only", default=",".join(GROUPS), help=f"some of: {', '.join(GROUPS)}")
    arguments = parser.parse_args()
    only = arguments.only.split(",")
    unknown = set(only) - set(GROUPS)
    if unknown:
        parser.error(f"unknown rows: {', '.join(sorted(unknown))}; choose from {', '.join(GROUPS)}")
    if "import" in only:
        loading.rows(arguments.rounds)
    if only == ["import"]:
        return
    for kind in arguments.daemon or filter(Daemon.available, sorted(KINDS)):
        with tempfile.TemporaryDirectory() as folder:
            daemon = Daemon.in_new_directory(kind)
            try:
                daemon.start().preseed()
                run(daemon, Path(folder), arguments.rounds, arguments.count, only)
            finally:
                daemon.stop()
                daemon.remove()


if __name__ == "__main__":
    main()
