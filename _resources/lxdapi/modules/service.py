"""Services of the instance. The arguments are those of Salt's own functions."""


def available(*args, **kwargs):
    """Run ``service.available`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("service.available", args, kwargs)


def disable(*args, **kwargs):
    """Run ``service.disable`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("service.disable", args, kwargs)


def disabled(*args, **kwargs):
    """Run ``service.disabled`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("service.disabled", args, kwargs)


def enable(*args, **kwargs):
    """Run ``service.enable`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("service.enable", args, kwargs)


def enabled(*args, **kwargs):
    """Run ``service.enabled`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("service.enabled", args, kwargs)


def get_all(*args, **kwargs):
    """Run ``service.get_all`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("service.get_all", args, kwargs)


def get_enabled(*args, **kwargs):
    """Run ``service.get_enabled`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("service.get_enabled", args, kwargs)


def get_running(*args, **kwargs):
    """Run ``service.get_running`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("service.get_running", args, kwargs)


def missing(*args, **kwargs):
    """Run ``service.missing`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("service.missing", args, kwargs)


def reload(*args, **kwargs):
    """Run ``service.reload`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("service.reload", args, kwargs)


def restart(*args, **kwargs):
    """Run ``service.restart`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("service.restart", args, kwargs)


def start(*args, **kwargs):
    """Run ``service.start`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("service.start", args, kwargs)


def status(*args, **kwargs):
    """Run ``service.status`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("service.status", args, kwargs)


def stop(*args, **kwargs):
    """Run ``service.stop`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("service.stop", args, kwargs)
