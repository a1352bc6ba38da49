"""Commands inside the instance. The arguments are those of Salt's own functions."""


def exec_code(*args, **kwargs):
    """Run ``cmd.exec_code`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("cmd.exec_code", args, kwargs)


def has_exec(*args, **kwargs):
    """Run ``cmd.has_exec`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("cmd.has_exec", args, kwargs)


def retcode(*args, **kwargs):
    """Run ``cmd.retcode`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("cmd.retcode", args, kwargs)


def run(*args, **kwargs):
    """Run ``cmd.run`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("cmd.run", args, kwargs)


def run_all(*args, **kwargs):
    """Run ``cmd.run_all`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("cmd.run_all", args, kwargs)


def run_bg(*args, **kwargs):
    """Run ``cmd.run_bg`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("cmd.run_bg", args, kwargs)


def run_stderr(*args, **kwargs):
    """Run ``cmd.run_stderr`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("cmd.run_stderr", args, kwargs)


def run_stdout(*args, **kwargs):
    """Run ``cmd.run_stdout`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("cmd.run_stdout", args, kwargs)


def script(*args, **kwargs):
    """Run ``cmd.script`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("cmd.script", args, kwargs)


def script_retcode(*args, **kwargs):
    """Run ``cmd.script_retcode`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("cmd.script_retcode", args, kwargs)


def shell(*args, **kwargs):
    """Run ``cmd.shell`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("cmd.shell", args, kwargs)


def which(*args, **kwargs):
    """Run ``cmd.which`` inside the instance."""
    return __resource_funcs__["lxdapi.call"]("cmd.which", args, kwargs)
