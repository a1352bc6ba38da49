"""
The life of some instances, row by row: created and started, one key changed, stopped, started, deleted while running.

A ratio of a run of Salt is that to the limit and Salt's floor together: a bare client's time for the same job (four
threads create and start, twenty stop and delete, one changes) and that of as many states that do nothing.
"""

from measure import line, median, ratio, skipped
from peers import of
from ways import FLEET, Fleet, Nothing, Ordinary, Raw, Serial, Single

JOBS = ("create", "change", "stop", "start", "delete")


def rows(folder, daemon, rounds, count=20, only=JOBS):
    """Print the rows of the jobs for a daemon that has an image of the alias busybox."""
    names = [f"n{number}" for number in range(count)]
    floor, raw = Nothing(folder, daemon), Raw(daemon)
    salts = [Ordinary(folder, daemon)]
    if FLEET.exists():
        salts.append(Fleet(folder, daemon))
    else:
        skipped(f"{daemon.name}.fleet", "there is no lxdapi_fleet.managed")
    others = of(folder, daemon)
    seen = {way.name: {job: way.counted(job, names) for job in JOBS} for way in salts}
    times = {way.name: {job: [] for job in JOBS} for way in [floor, raw, Serial(daemon), *salts, *others]}
    single = Single(folder, daemon)
    times["single"] = {"create": []}
    for _ in range(rounds):
        nothing = floor.do("noop", names)
        for job in JOBS:
            times["floor"][job].append(nothing)
        for way in [raw, *salts, *others]:
            for job in JOBS:
                times[way.name][job].append(way.do(job, names))
        for way in (Serial(daemon), single):
            times[way.name]["create"].append(way.do("create", names))
            raw.do("delete", names)
    for job in only:
        report(f"{daemon.name}.{job}{count}", job, times, seen)
    if "create" in only:
        limits = _with_floor(times, "raw_serial", "create")
        walls = [cost.wall for cost in times["single"]["create"]]
        line(f"{daemon.name}.create{count}.single.wall", median(walls) * 1000, "ms", ratio(walls, limits))


def _with_floor(times, way, job):
    return [one.wall + other.wall for one, other in zip(times[way][job], times["floor"][job])]


def report(metric, job, times, seen):
    """Print the lines of one job."""
    raw, floor = times["raw"][job], times["floor"][job]
    line(f"{metric}.raw.wall", median(cost.wall for cost in raw) * 1000, "ms")
    line(f"{metric}.raw.daemon_cpu", median(cost.daemon for cost in raw) * 1000, "ms")
    for way, jobs in times.items():
        costs = jobs.get(job)
        if way in ("raw", "raw_serial", "floor", "single") or not costs or costs[0] is None:
            continue
        walls = [cost.wall for cost in costs]
        # a program that is no Salt has no such floor
        limits = [cost.wall for cost in raw] if way == "cli" else _with_floor(times, "raw", job)
        line(f"{metric}.{way}.wall", median(walls) * 1000, "ms", ratio(walls, limits))
        floors = None if way == "cli" else [cost.cpu for cost in floor]
        cpu, peak = [cost.cpu for cost in costs], [cost.peak for cost in costs]
        line(f"{metric}.{way}.client_cpu", median(cpu) * 1000, "ms", floors and ratio(cpu, floors))
        if floors:  # of a small program it would be what this process had when it was started
            line(f"{metric}.{way}.peak", median(peak), "MiB", ratio(peak, [cost.peak for cost in floor]))
        daemons = [cost.daemon for cost in costs]
        limits = [max(cost.daemon, 0.01) for cost in raw]
        line(f"{metric}.{way}.daemon_cpu", median(daemons) * 1000, "ms", ratio(daemons, limits))
        counted(f"{metric}.{way}", seen.get(way, {}).get(job))


def counted(metric, figures):
    """Print what a proxy counted, if it did."""
    for word, figure in zip(("requests", "writes", "connections"), figures or ()):
        line(f"{metric}.{word}", figure, word)
