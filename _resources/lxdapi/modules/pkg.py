"""Packages of the instance. The arguments are those of Salt's own functions."""


def available_version(*args, **kwargs):
    """Run ``pkg.available_version`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("pkg.available_version", args, kwargs)


def hold(*args, **kwargs):
    """Run ``pkg.hold`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("pkg.hold", args, kwargs)


def install(*args, **kwargs):
    """Run ``pkg.install`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("pkg.install", args, kwargs)


def latest_version(*args, **kwargs):
    """Run ``pkg.latest_version`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("pkg.latest_version", args, kwargs)


def list_pkgs(*args, **kwargs):
    """Run ``pkg.list_pkgs`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("pkg.list_pkgs", args, kwargs)


def list_upgrades(*args, **kwargs):
    """Run ``pkg.list_upgrades`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("pkg.list_upgrades", args, kwargs)


def purge(*args, **kwargs):
    """Run ``pkg.purge`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("pkg.purge", args, kwargs)


def refresh_db(*args, **kwargs):
    """Run ``pkg.refresh_db`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("pkg.refresh_db", args, kwargs)


def remove(*args, **kwargs):
    """Run ``pkg.remove`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("pkg.remove", args, kwargs)


def unhold(*args, **kwargs):
    """Run ``pkg.unhold`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("pkg.unhold", args, kwargs)


def upgrade(*args, **kwargs):
    """Run ``pkg.upgrade`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("pkg.upgrade", args, kwargs)


def upgrade_available(*args, **kwargs):
    """Run ``pkg.upgrade_available`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("pkg.upgrade_available", args, kwargs)


def version(*args, **kwargs):
    """Run ``pkg.version`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("pkg.version", args, kwargs)
