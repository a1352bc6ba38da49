"""File systems of the instance. The arguments are those of Salt's own functions."""


def inodeusage(*args, **kwargs):
    """Run ``disk.inodeusage`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("disk.inodeusage", args, kwargs)


def percent(*args, **kwargs):
    """Run ``disk.percent`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("disk.percent", args, kwargs)


def usage(*args, **kwargs):
    """Run ``disk.usage`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("disk.usage", args, kwargs)
