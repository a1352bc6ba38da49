"""
The costs of an apply that finds everything as declared, and of its reads.

The wall clock of a run is a ratio to the same number of empty states; the difference is a ratio to one bare listing.
"""

from life import counted
from lxdapi.api import API
from measure import Bare, line, median, ratio, ratios, timed
from peers import CommandLine, Salt3007, of, pylxd_client
from ways import Nothing, Raw, Single, salts


def rows(folder, daemon, rounds, count=200):
    """Print the rows on an apply that finds ``count`` existing instances as declared."""
    names = [f"n{number}" for number in range(count)]
    floor, raw = Nothing(folder, daemon), Raw(daemon)
    ways = [*salts(folder, daemon), Single(folder, daemon)]
    ways += [way for way in of(folder, daemon) if isinstance(way, Salt3007)]
    seen = {way.name: way.counted("noop", names) for way in ways}
    times = {way.name: [] for way in [floor, raw, *ways]}
    for _ in range(rounds):
        for way in [floor, raw, *ways]:
            times[way.name].append(way.do("noop", names))
    for way in ways:
        report(f"{daemon.name}.noop{count}.{way.name}", times[way.name], times["floor"], times["raw"])
        counted(f"{daemon.name}.noop{count}.{way.name}", seen[way.name])


def report(metric, costs, floor, raw):
    """Print the lines of one way."""
    walls, floors = [cost.wall * 1000 for cost in costs], [cost.wall * 1000 for cost in floor]
    over = [one - other for one, other in zip(walls, floors)]
    line(f"{metric}.wall", walls, "ms", ratios(walls, floors))
    line(f"{metric}.wall_over_floor", over, "ms", ratios(over, [cost.wall * 1000 for cost in raw]))
    cpu, floor_cpu = ([cost.cpu * 1000 for cost in each] for each in (costs, floor))
    line(f"{metric}.client_cpu", cpu, "ms", ratios(cpu, floor_cpu))
    line(f"{metric}.client_cpu_over_floor", [one - other for one, other in zip(cpu, floor_cpu)], "ms")
    peak, floor_peak = [cost.peak for cost in costs], [cost.peak for cost in floor]
    line(f"{metric}.peak", peak, "MiB", ratios(peak, floor_peak))
    line(f"{metric}.peak_over_floor", [one - other for one, other in zip(peak, floor_peak)], "MiB")
    line(f"{metric}.daemon_cpu", [cost.daemon * 1000 for cost in costs], "ms")


def reads(folder, daemon, rounds, count=200):
    """Print the rows on reads in this process, compared with a bare client that keeps its connection."""
    names, bare, api = [f"n{number}" for number in range(count)], Bare(daemon.socket), API.factory(daemon.socket)
    gets = {
        "raw": lambda: [bare.ask("GET", f"/1.0/instances/{name}") for name in names],
        "lxdapi": lambda: [api.get(f"instances/{name}").metadata for name in names],
    }
    lists = {
        "raw": lambda: bare.ask("GET", "/1.0/instances?recursion=1"),
        "lxdapi": lambda: api.get("instances", params={"recursion": 1}).metadata,
    }
    peer = pylxd_client(daemon, f"{daemon.name}.get.pylxd")
    if peer:
        gets["pylxd"] = lambda: [peer.instances.get(name) for name in names]
        lists["pylxd"] = lambda: peer.instances.all(recursion=1)
    lists.update({each.name: each.listing for each in of(folder, daemon) if isinstance(each, CommandLine)})
    _compared(f"{daemon.name}.get", gets, rounds, count)
    _compared(f"{daemon.name}.list{count}", lists, rounds * 3)
    bare.close()


def _compared(metric, ways, rounds, each=1):
    """Print the time of each way, as a ratio to the first."""
    times = {word: [] for word in ways}
    for _ in range(rounds + 1):
        for word, way in ways.items():
            times[word].append(timed(way))
    for word in times:
        # the first round opens connections
        values, limits = times[word][1:], times["raw"][1:]
        limit = None if word == "raw" else ratio(values, limits)
        line(f"{metric}.{word}", median(values) / each * 1000, "ms", limit)
