"""
One run of Salt over many simulated hosts: the growth of requests, memory and time with the number of instances.

All hosts have the same number of instances. Each row is one ``salt-call`` that applies one SLS to all of them: create
and start, again (nothing to do), change one key; it is compared with the same number of empty states. The hosts run in
their own process. Besides plain states, one lxdapi_fleet.managed for each host and an orchestration are measured.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import measure  # adds the folders of the other modules to the path

# isort: split

from measure import Bare, Cost, Salt, line, run, skipped
from ways import FLEET

JOBS = {
    "create": {"config": {"user.a": "1"}},
    "noop": {"config": {"user.a": "1"}},
    "change": {"config": {"user.a": "2"}},
}


@contextmanager
def hosts(folder, count, speed):
    """Run empty hosts at ``FOLDER/0.socket`` and so on within the block."""
    command = [
        sys.executable,
        "-m",
        "tests.support.simulated",
        str(folder),
        "--hosts",
        str(count),
        "--speed",
        str(speed),
    ]
    process = subprocess.Popen(command, cwd=measure.REPO, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        if process.stdout.readline() != b"ready\n":
            raise SystemExit("the simulated hosts did not start")
        yield process
    finally:
        process.stdin.close()
        process.wait(30)


def asked(folder, anew=False):
    """Return the counts of the hosts' requests: see tests/support/simulated.py."""
    client = Bare(folder / "0.socket")
    found = client.ask("DELETE" if anew else "GET", "/simulated")["metadata"]
    client.close()
    return found


def ordinary(numbers, each, job):
    """Return an SLS with one state for each instance."""
    declared = {"source": "busybox", "running": True, **JOBS[job]}
    return {
        f"r{host}-i{number}": {
            "lxdapi_instance.present": [
                {"name": f"i{number}"},
                {"remote": f"r{host}"},
                *({key: value} for key, value in declared.items()),
            ]
        }
        for host in numbers
        for number in range(each)
    }


def fleet(numbers, each, job):
    """Return an SLS with one state for each host."""
    defaults = {"source": "busybox", "running": True, **JOBS[job]}
    instances = {f"i{number}": {} for number in range(each)}
    return {
        f"r{host}": {
            "lxdapi_fleet.managed": [{"remote": f"r{host}"}, {"instances": instances}, {"defaults": defaults}],
        }
        for host in numbers
    }


def nothing(states):
    """Return an SLS with the same number of empty states."""
    return {name: {"test.nop": []} for name in states}


class Orchestra(Salt):
    """The same by ``salt-run state.orchestrate``, which needs no running master."""

    def __init__(self, folder, remotes):
        super().__init__(folder, remotes)
        options = json.loads((self.folder / "minion").read_text())
        more = {name: str(self.folder / "root" / name) for name in ("cachedir", "pki_dir", "sock_dir")}
        (self.folder / "master").write_text(json.dumps({**options, **more, "log_file": str(self.folder / "log")}))
        Path(more["cachedir"], "proc").mkdir(parents=True)

    def apply(self, name, daemon=None):
        """Return the :class:`measure.Cost` of an orchestration; it must succeed."""
        options = ["-c", str(self.folder), "--log-level=error"]
        return run([f"{sys.prefix}/bin/salt-run", *options, "state.orchestrate", name])


def rows(way, states, arguments, count):
    """Print the rows of one way for ``count`` hosts."""
    total, runs = count * arguments.each, arguments.runs
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="sc") as made:
        folder = Path(made)
        remotes = {f"r{number}": str(folder / f"{number}.socket") for number in range(count)}
        # each with its own configuration and cache, as minions have
        salts = [(Orchestra if way == "orchestrate" else Salt)(folder, remotes) for _ in range(runs)]
        salts[0].sls("floor", nothing(states(range(count), arguments.each, "noop")))
        with hosts(folder, count, arguments.speed):
            for job in arguments.only.split(","):
                for number, salt in enumerate(salts):
                    salt.sls(f"{job}{number}", states(range(number, count, runs), arguments.each, job))
                asked(folder, anew=True)
                cost, figures = at_once(salts, job), asked(folder)
                name = f"scale{total}.{way}.{job}" + (f".{runs}_runs" if runs > 1 else "")
                report(name, cost, salts[0].apply("floor"), figures, total)


def at_once(salts, job):
    """Return the :class:`measure.Cost` of parallel runs: the sum of processor times, the largest peak memory."""
    began = time.perf_counter()
    with ThreadPoolExecutor(len(salts)) as pool:
        costs = list(pool.map(lambda number: salts[number].apply(f"{job}{number}"), range(len(salts))))
    wall = time.perf_counter() - began
    return Cost(wall, sum(cost.cpu for cost in costs), max(cost.peak for cost in costs))


def report(metric, cost, floor, figures, total):
    """Print the lines of one job."""
    line(f"{metric}.wall", cost.wall * 1000, "ms", cost.wall / floor.wall)
    line(f"{metric}.client_cpu", cost.cpu * 1000, "ms", cost.cpu / floor.cpu)
    line(f"{metric}.client_cpu_an_instance", (cost.cpu - floor.cpu) / total * 1e6, "us")
    line(f"{metric}.peak", cost.peak, "MiB", cost.peak / floor.peak)
    line(f"{metric}.floor_peak", floor.peak, "MiB")
    line(f"{metric}.peak_over_floor_an_instance", (cost.peak - floor.peak) * 1024 / total, "KiB")
    # do not count the connection of the benchmark
    figures["connections"] -= 1
    for word, figure in figures.items():
        line(f"{metric}.{word}", figure, word, figure / total)


def main():
    """Print the figures of the selected sizes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--hosts", default="1,10,100", help="numbers of hosts, separated by commas")
    parser.add_argument("--each", type=int, default=100, help="instances in each host")
    parser.add_argument(
        "--speed", type=float, default=20.0, help="speed of the hosts compared with real ones; 0: no delay"
    )
    parser.add_argument("--only", default=",".join(JOBS), help=f"some of: {', '.join(JOBS)}")
    parser.add_argument("--runs", type=int, default=1, help="number of parallel runs, each with a part of the hosts")
    parser.add_argument("--way", action="append", choices=["ordinary", "fleet", "orchestrate"])
    arguments = parser.parse_args()
    ways = {"ordinary": ordinary, "fleet": fleet, "orchestrate": ordinary}
    if not FLEET.exists():
        skipped("scale.fleet", "lxdapi_fleet.managed does not exist")
        del ways["fleet"]
    for count in map(int, arguments.hosts.split(",")):
        for way in filter(ways.get, arguments.way or ways):
            rows(way, ways[way], arguments, count)


if __name__ == "__main__":
    main()
