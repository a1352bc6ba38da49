"""Tests of a target."""


def ping():
    """Return True if the instance runs. This asks the daemon, and starts no Salt inside."""
    return __resource_funcs__["lxdapi.ping"]()


def echo(*args, **kwargs):
    """Run ``test.echo`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("test.echo", args, kwargs)


def version(*args, **kwargs):
    """Run ``test.version`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("test.version", args, kwargs)
