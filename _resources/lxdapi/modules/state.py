"""States inside the instance. The arguments are those of Salt's own functions."""

__func_alias__ = {"apply_": "apply"}


def apply_(*args, **kwargs):
    """Run ``state.apply`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("state.apply", args, kwargs)


def high(*args, **kwargs):
    """Run ``state.high`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("state.high", args, kwargs)


def highstate(*args, **kwargs):
    """Run ``state.highstate`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("state.highstate", args, kwargs)


def low(*args, **kwargs):
    """Run ``state.low`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("state.low", args, kwargs)


def show_highstate(*args, **kwargs):
    """Run ``state.show_highstate`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("state.show_highstate", args, kwargs)


def show_low_sls(*args, **kwargs):
    """Run ``state.show_low_sls`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("state.show_low_sls", args, kwargs)


def show_lowstate(*args, **kwargs):
    """Run ``state.show_lowstate`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("state.show_lowstate", args, kwargs)


def show_sls(*args, **kwargs):
    """Run ``state.show_sls`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("state.show_sls", args, kwargs)


def show_states(*args, **kwargs):
    """Run ``state.show_states`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("state.show_states", args, kwargs)


def show_top(*args, **kwargs):
    """Run ``state.show_top`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("state.show_top", args, kwargs)


def single(*args, **kwargs):
    """Run ``state.single`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("state.single", args, kwargs)


def sls(*args, **kwargs):
    """Run ``state.sls`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("state.sls", args, kwargs)


def sls_id(*args, **kwargs):
    """Run ``state.sls_id`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("state.sls_id", args, kwargs)


def template(*args, **kwargs):
    """Run ``state.template`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("state.template", args, kwargs)


def template_str(*args, **kwargs):
    """Run ``state.template_str`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("state.template_str", args, kwargs)
