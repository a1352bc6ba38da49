"""The functions of a target."""


def list_functions(module=None):
    """
    Return the names of the functions that can run in this target.

    module
        Only those of this module. Default: all.
    """
    return sorted(name for name in __salt__ if module in (None, name.partition(".")[0]))
