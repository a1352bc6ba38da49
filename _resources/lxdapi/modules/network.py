"""Network interfaces of the instance. The arguments are those of Salt's own functions."""


def dig(*args, **kwargs):
    """Run ``network.dig`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("network.dig", args, kwargs)


def get_hostname(*args, **kwargs):
    """Run ``network.get_hostname`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("network.get_hostname", args, kwargs)


def hw_addr(*args, **kwargs):
    """Run ``network.hw_addr`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("network.hw_addr", args, kwargs)


def interfaces(*args, **kwargs):
    """Run ``network.interfaces`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("network.interfaces", args, kwargs)


def ip_addrs(*args, **kwargs):
    """Run ``network.ip_addrs`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("network.ip_addrs", args, kwargs)


def ip_addrs6(*args, **kwargs):
    """Run ``network.ip_addrs6`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("network.ip_addrs6", args, kwargs)


def ipaddrs(*args, **kwargs):
    """Run ``network.ipaddrs`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("network.ipaddrs", args, kwargs)


def netstat(*args, **kwargs):
    """Run ``network.netstat`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("network.netstat", args, kwargs)


def ping(*args, **kwargs):
    """Run ``network.ping`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("network.ping", args, kwargs)


def routes(*args, **kwargs):
    """Run ``network.routes`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("network.routes", args, kwargs)
