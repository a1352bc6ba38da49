"""Files of the instance. The arguments are those of Salt's own functions."""


def append(*args, **kwargs):
    """Run ``file.append`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("file.append", args, kwargs)


def chown(*args, **kwargs):
    """Run ``file.chown`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("file.chown", args, kwargs)


def contains(*args, **kwargs):
    """Run ``file.contains`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("file.contains", args, kwargs)


def copy(*args, **kwargs):
    """Run ``file.copy`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("file.copy", args, kwargs)


def directory_exists(*args, **kwargs):
    """Run ``file.directory_exists`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("file.directory_exists", args, kwargs)


def file_exists(*args, **kwargs):
    """Run ``file.file_exists`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("file.file_exists", args, kwargs)


def find(*args, **kwargs):
    """Run ``file.find`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("file.find", args, kwargs)


def get_group(*args, **kwargs):
    """Run ``file.get_group`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("file.get_group", args, kwargs)


def get_hash(*args, **kwargs):
    """Run ``file.get_hash`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("file.get_hash", args, kwargs)


def get_mode(*args, **kwargs):
    """Run ``file.get_mode`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("file.get_mode", args, kwargs)


def get_user(*args, **kwargs):
    """Run ``file.get_user`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("file.get_user", args, kwargs)


def grep(*args, **kwargs):
    """Run ``file.grep`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("file.grep", args, kwargs)


def is_link(*args, **kwargs):
    """Run ``file.is_link`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("file.is_link", args, kwargs)


def lchown(*args, **kwargs):
    """Run ``file.lchown`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("file.lchown", args, kwargs)


def line(*args, **kwargs):
    """Run ``file.line`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("file.line", args, kwargs)


def makedirs(*args, **kwargs):
    """Run ``file.makedirs`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("file.makedirs", args, kwargs)


def mkdir(*args, **kwargs):
    """Run ``file.mkdir`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("file.mkdir", args, kwargs)


def move(*args, **kwargs):
    """Run ``file.move`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("file.move", args, kwargs)


def patch(*args, **kwargs):
    """Run ``file.patch`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("file.patch", args, kwargs)


def prepend(*args, **kwargs):
    """Run ``file.prepend`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("file.prepend", args, kwargs)


def read(*args, **kwargs):
    """Run ``file.read`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("file.read", args, kwargs)


def readdir(*args, **kwargs):
    """Run ``file.readdir`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("file.readdir", args, kwargs)


def readlink(*args, **kwargs):
    """Run ``file.readlink`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("file.readlink", args, kwargs)


def remove(*args, **kwargs):
    """Run ``file.remove`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("file.remove", args, kwargs)


def rename(*args, **kwargs):
    """Run ``file.rename`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("file.rename", args, kwargs)


def replace(*args, **kwargs):
    """Run ``file.replace`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("file.replace", args, kwargs)


def rmdir(*args, **kwargs):
    """Run ``file.rmdir`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("file.rmdir", args, kwargs)


def search(*args, **kwargs):
    """Run ``file.search`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("file.search", args, kwargs)


def sed(*args, **kwargs):
    """Run ``file.sed`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("file.sed", args, kwargs)


def set_mode(*args, **kwargs):
    """Run ``file.set_mode`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("file.set_mode", args, kwargs)


def stats(*args, **kwargs):
    """Run ``file.stats`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("file.stats", args, kwargs)


def symlink(*args, **kwargs):
    """Run ``file.symlink`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("file.symlink", args, kwargs)


def touch(*args, **kwargs):
    """Run ``file.touch`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("file.touch", args, kwargs)


def truncate(*args, **kwargs):
    """Run ``file.truncate`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("file.truncate", args, kwargs)


def write(*args, **kwargs):
    """Run ``file.write`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("file.write", args, kwargs)
