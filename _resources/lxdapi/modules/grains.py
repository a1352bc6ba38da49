"""Grains, as Salt finds them inside the instance. The arguments are those of Salt's own functions."""


def equals(*args, **kwargs):
    """Run ``grains.equals`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("grains.equals", args, kwargs)


def fetch(*args, **kwargs):
    """Run ``grains.fetch`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("grains.fetch", args, kwargs)


def get(*args, **kwargs):
    """Run ``grains.get`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("grains.get", args, kwargs)


def has_value(*args, **kwargs):
    """Run ``grains.has_value`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("grains.has_value", args, kwargs)


def item(*args, **kwargs):
    """Run ``grains.item`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("grains.item", args, kwargs)


def items(*args, **kwargs):
    """Run ``grains.items`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("grains.items", args, kwargs)


def ls(*args, **kwargs):
    """Run ``grains.ls`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("grains.ls", args, kwargs)
