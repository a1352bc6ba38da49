"""
The arguments of functions that run inside, checked before any request.
"""

from lxdapi import validation
from lxdapi.errors import InvalidError


def parse_arguments(args, kwargs):
    """Return (a list of positional arguments, a mapping of named ones); a single argument needs no list."""
    args = [] if args is None else list(args) if isinstance(args, (list, tuple)) else [args]
    kwargs = dict(validation.mapping("kwargs", kwargs or {}, "a mapping of names to values"))
    if not all(isinstance(key, str) for key in kwargs):
        raise InvalidError.of_value("kwargs", "a mapping of names to values", list(kwargs))
    return args, kwargs


def apply_arguments(mods, test, pillar, saltenv, exclude):
    """Return (function, args, kwargs) that applies SLS files, or the highstate without ``mods``."""
    names = parse_names("mods", mods)
    kwargs = {"test": validation.flag("test", test), **_environment(pillar, saltenv)}
    if exclude is not None:
        kwargs["exclude"] = parse_names("exclude", exclude)
    return ("state.sls", [names], kwargs) if names else ("state.highstate", [], kwargs)


def show_arguments(mods, pillar, saltenv):
    """Return (args, kwargs) of a function that shows states."""
    names = parse_names("mods", mods)
    return ([names] if names else []), _environment(pillar, saltenv)


def _environment(pillar, saltenv):
    given = {"pillar": validation.mapping("pillar", pillar or {}, "a mapping of keys to values"), "saltenv": saltenv}
    return {key: value for key, value in given.items() if value}


def parse_names(what, names):
    """Return a list of names; text may have several, with commas. None: an empty list."""
    if names is None:
        return []
    listed = [each.strip() for each in names.split(",")] if isinstance(names, str) else names
    if not isinstance(listed, (list, tuple)) or not listed or not all(_is_name(each) for each in listed):
        raise InvalidError.of_value(what, "a name, names with commas, or a list of names", names)
    return list(listed)


def _is_name(value):
    # exclude also takes {"id": ...} and {"sls": ...}
    return bool(value) and (isinstance(value, str) or isinstance(value, dict))
