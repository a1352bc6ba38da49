"""The pillar of the instance. The arguments are those of Salt's own functions."""


def get(*args, **kwargs):
    """Run ``pillar.get`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("pillar.get", args, kwargs)


def item(*args, **kwargs):
    """Run ``pillar.item`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("pillar.item", args, kwargs)


def items(*args, **kwargs):
    """Run ``pillar.items`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("pillar.items", args, kwargs)


def keys(*args, **kwargs):
    """Run ``pillar.keys`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("pillar.keys", args, kwargs)


def ls(*args, **kwargs):
    """Run ``pillar.ls`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("pillar.ls", args, kwargs)
