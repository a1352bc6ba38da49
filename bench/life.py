"""
The life cycle of some instances, row by row: create and start, change one key, restart, stop, start, delete while
running.

The ratio of a Salt run is its time divided by the sum of two times: that of a bare client for the same job (four
threads create and start, twenty restart, stop and delete, one changes), and that of the same number of empty states, or
of an empty function. For plain states a second ratio (``wall_reported``) is to states that report a change instead of
empty ones: Salt prints each change for more than a millisecond.
"""

from measure import line, ratios
from peers import of
from ways import Fleet, Nothing, Ordinary, Raw, Serial, Single, salts

JOBS = ("create", "change", "restart", "stop", "start", "delete")


def rows(folder, daemon, rounds, count=20, only=JOBS):
    """Print the rows of the jobs for a daemon that has an image with the alias busybox."""
    names = [f"n{number}" for number in range(count)]
    floor, raw, ours = Nothing(folder, daemon), Raw(daemon), salts(folder, daemon)
    ways = [raw, *ours, *of(folder, daemon)]
    alone = [Serial(daemon), Single(folder, daemon)]
    seen = {way.name: dict(_done(way, way.counted, only, raw, names)) for way in ours}
    times = {"floor": {"noop": [], "verb": [], "report": []}}
    times.update({way.name: {job: [] for job in JOBS if job in way.jobs} for way in [*ways, *alone]})
    for _ in range(rounds):
        for word, costs in times["floor"].items():
            costs.append(floor.do(word, names))
        for way in ways:
            for job, cost in _done(way, way.do, only, raw, names):
                times[way.name][job].append(cost)
        for way in alone if "create" in only else ():
            times[way.name]["create"].append(way.do("create", names))
            raw.do("delete", names)
    for job in only:
        limit = times["raw"][job]
        line(f"{daemon.name}.{job}{count}.raw.wall", [cost.wall * 1000 for cost in limit], "ms")
        line(f"{daemon.name}.{job}{count}.raw.daemon_cpu", [cost.daemon * 1000 for cost in limit], "ms")
        for way in ways[1:]:
            if job in way.jobs:
                metric = f"{daemon.name}.{job}{count}.{way.name}"
                floors = None if way.name == "cli" else _floor(times, way.name, job)
                report(metric, times[way.name][job], limit, floors)
                if way.name == Ordinary.name:
                    _wall(metric, times[way.name][job], limit, times["floor"]["report"], "_reported")
                counted(metric, seen.get(way.name, {}).get(job))
    if "create" in only:
        costs, limit = times["single"]["create"], times["raw_serial"]["create"]
        _wall(f"{daemon.name}.create{count}.single", costs, limit, times["floor"]["noop"])


def _done(way, do, only, raw, names):
    """Yield (job, what ``do`` returns) for the selected jobs; the bare client does the others that they need."""
    needed = {"create", "delete"} | ({"stop"} if "start" in only else set())
    for job in JOBS:
        if job in only and job in way.jobs:
            yield job, do(job, names)
        elif job in needed:
            raw.do(job, names)


def _floor(times, way, job):
    """Return the times of an empty state or function."""
    return times["floor"]["verb" if way == Fleet.name and job in Fleet.verbs else "noop"]


def _wall(metric, costs, limit, floor, word=""):
    walls, limits = [cost.wall for cost in costs], [cost.wall for cost in limit]
    if floor:  # only Salt has a floor
        limits = [one + other.wall for one, other in zip(limits, floor)]
    line(f"{metric}.wall{word}", [wall * 1000 for wall in walls], "ms", ratios(walls, limits))


def report(metric, costs, limit, floor):
    """Print the lines of one way to do one job; only Salt has a floor."""
    _wall(metric, costs, limit, floor)
    cpu, peak = [cost.cpu * 1000 for cost in costs], [cost.peak for cost in costs]
    line(f"{metric}.client_cpu", cpu, "ms", floor and ratios(cpu, [cost.cpu * 1000 for cost in floor]))
    if floor:  # the peak of a small program would include that of this process
        line(f"{metric}.peak", peak, "MiB", ratios(peak, [cost.peak for cost in floor]))
    daemon = [cost.daemon * 1000 for cost in costs]
    # processor time has a resolution of 10 ms
    line(f"{metric}.daemon_cpu", daemon, "ms", ratios(daemon, [max(cost.daemon * 1000, 10) for cost in limit]))


def counted(metric, figures):
    """Print the counts of a proxy, if any."""
    for word, figure in zip(("requests", "writes", "connections"), figures or ()):
        line(f"{metric}.{word}", figure, word)
