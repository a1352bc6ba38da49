"""Files from the file server into the instance. The arguments are those of Salt's own functions."""


def cache_file(*args, **kwargs):
    """Run ``cp.cache_file`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("cp.cache_file", args, kwargs)


def get_dir(*args, **kwargs):
    """Run ``cp.get_dir`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("cp.get_dir", args, kwargs)


def get_file(*args, **kwargs):
    """Run ``cp.get_file`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("cp.get_file", args, kwargs)


def get_file_str(*args, **kwargs):
    """Run ``cp.get_file_str`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("cp.get_file_str", args, kwargs)


def get_template(*args, **kwargs):
    """Run ``cp.get_template`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("cp.get_template", args, kwargs)


def get_url(*args, **kwargs):
    """Run ``cp.get_url`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("cp.get_url", args, kwargs)


def hash_file(*args, **kwargs):
    """Run ``cp.hash_file`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("cp.hash_file", args, kwargs)


def list_master(*args, **kwargs):
    """Run ``cp.list_master`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("cp.list_master", args, kwargs)


def list_states(*args, **kwargs):
    """Run ``cp.list_states`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("cp.list_states", args, kwargs)
