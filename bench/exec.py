"""
The time of a command inside an instance with its output, as a ratio to a command without output.
"""

import statistics
import time

from lxdapi.api import API
from lxdapi.instances import exec as execs
from measure import line

TIMES = 20
PLAIN = {"command": ["true"], "wait-for-websocket": False, "interactive": False, "record-output": False}


def exec_output(daemon, rounds):
    """Print the ratios of one daemon that has the image ``busybox``."""
    daemon.ask("POST", "/1.0/instances", {"name": "x", "source": {"type": "image", "alias": "busybox"}})
    daemon.ask("PUT", "/1.0/instances/x/state", {"action": "start"})
    api, given = API.factory(str(daemon.socket)), execs.make_command(["true"])
    ways = {
        "limit": lambda: api.post("instances/x/exec", json=PLAIN).wait(),
        "websockets": lambda: execs.run(api, "x", given),
    }
    # block by block: a command is slower directly after one of another way
    times = [{name: _median(way) for name, way in ways.items()} for _ in range(rounds)]
    ratio = statistics.median(each["websockets"] / each["limit"] for each in times)
    limit = statistics.median(each["limit"] for each in times)
    line(f"{daemon.name}.exec.raw_without_output", limit * 1000, "ms")
    seconds = statistics.median(each["websockets"] for each in times)
    line(f"{daemon.name}.exec.websockets", seconds * 1000, "ms", ratio)
    daemon.wipe()


def _median(way):
    """Return the median of the seconds of some calls, without the first."""
    return statistics.median([_seconds(way) for _ in range(TIMES + 1)][1:])


def _seconds(way):
    began = time.perf_counter()
    way()
    return time.perf_counter() - began
