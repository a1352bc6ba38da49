"""Groups of the instance. The arguments are those of Salt's own functions."""


def add(*args, **kwargs):
    """Run ``group.add`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("group.add", args, kwargs)


def adduser(*args, **kwargs):
    """Run ``group.adduser`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("group.adduser", args, kwargs)


def chgid(*args, **kwargs):
    """Run ``group.chgid`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("group.chgid", args, kwargs)


def delete(*args, **kwargs):
    """Run ``group.delete`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("group.delete", args, kwargs)


def deluser(*args, **kwargs):
    """Run ``group.deluser`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("group.deluser", args, kwargs)


def getent(*args, **kwargs):
    """Run ``group.getent`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("group.getent", args, kwargs)


def info(*args, **kwargs):
    """Run ``group.info`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("group.info", args, kwargs)


def members(*args, **kwargs):
    """Run ``group.members`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("group.members", args, kwargs)
