"""Users of the instance. The arguments are those of Salt's own functions."""


def add(*args, **kwargs):
    """Run ``user.add`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("user.add", args, kwargs)


def chfullname(*args, **kwargs):
    """Run ``user.chfullname`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("user.chfullname", args, kwargs)


def chgid(*args, **kwargs):
    """Run ``user.chgid`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("user.chgid", args, kwargs)


def chgroups(*args, **kwargs):
    """Run ``user.chgroups`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("user.chgroups", args, kwargs)


def chhome(*args, **kwargs):
    """Run ``user.chhome`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("user.chhome", args, kwargs)


def chshell(*args, **kwargs):
    """Run ``user.chshell`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("user.chshell", args, kwargs)


def chuid(*args, **kwargs):
    """Run ``user.chuid`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("user.chuid", args, kwargs)


def delete(*args, **kwargs):
    """Run ``user.delete`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("user.delete", args, kwargs)


def getent(*args, **kwargs):
    """Run ``user.getent`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("user.getent", args, kwargs)


def info(*args, **kwargs):
    """Run ``user.info`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("user.info", args, kwargs)


def list_groups(*args, **kwargs):
    """Run ``user.list_groups`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("user.list_groups", args, kwargs)


def list_users(*args, **kwargs):
    """Run ``user.list_users`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("user.list_users", args, kwargs)


def primary_group(*args, **kwargs):
    """Run ``user.primary_group`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("user.primary_group", args, kwargs)


def rename(*args, **kwargs):
    """Run ``user.rename`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("user.rename", args, kwargs)
