"""
Files on this machine: fetched by functions of Salt that a front passes, and the cache folder of lxdapi.
"""

import os

from salt.exceptions import SaltException

from lxdapi.errors import InvalidError


def local_file(cache_file, source, saltenv="base"):
    """
    Return the path on this machine of a file: its own, or fetched into the minion's cache.

    cache_file
        Salt's ``cp.cache_file``; an unchanged file of an HTTP server is not fetched again.
    source
        A path, ``salt://`` or ``http(s)://``.

    Raises :class:`InvalidError` if it cannot be had.
    """
    if not isinstance(source, str):
        raise InvalidError(f"{source!r} is no path of a file")
    if "://" not in source:
        return source
    options = {"use_etag": True} if source.startswith("http") else {}
    try:
        path = cache_file(source, saltenv, **options)
    except SaltException as exc:
        raise InvalidError(f"{source} cannot be fetched: {exc}") from exc
    if not path:
        raise InvalidError(f"{source} cannot be fetched")
    return path


def call_salt(what, act):
    """Return the result of ``act``, which calls a function of Salt; raises :class:`InvalidError` if it fails."""
    try:
        return act()
    except (SaltException, OSError) as exc:
        raise InvalidError(f"{what}: {exc}") from exc


def cache_folder(cachedir):
    """Return the folder of lxdapi in the minion's cache; it need not be there yet."""
    return os.path.join(cachedir, "lxdapi")
