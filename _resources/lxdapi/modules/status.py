"""Load, memory and processes of the instance. The arguments are those of Salt's own functions."""


def cpuload(*args, **kwargs):
    """Run ``status.cpuload`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("status.cpuload", args, kwargs)


def diskusage(*args, **kwargs):
    """Run ``status.diskusage`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("status.diskusage", args, kwargs)


def loadavg(*args, **kwargs):
    """Run ``status.loadavg`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("status.loadavg", args, kwargs)


def meminfo(*args, **kwargs):
    """Run ``status.meminfo`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("status.meminfo", args, kwargs)


def nproc(*args, **kwargs):
    """Run ``status.nproc`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("status.nproc", args, kwargs)


def pid(*args, **kwargs):
    """Run ``status.pid`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("status.pid", args, kwargs)


def procs(*args, **kwargs):
    """Run ``status.procs`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("status.procs", args, kwargs)


def uptime(*args, **kwargs):
    """Run ``status.uptime`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("status.uptime", args, kwargs)
