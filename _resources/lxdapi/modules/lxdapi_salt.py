"""Every other function of Salt inside the instance."""


def call(function, *args, **kwargs):
    """Run a function of Salt inside the instance, such as ``saltutil.sync_all``, with its arguments."""
    return __resource_funcs__["lxdapi.call"](function, args, kwargs)
