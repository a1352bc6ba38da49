"""
Files on this machine, fetched with the functions of Salt that a front passes, and the cache folder of lxdapi.
"""

import os

from salt.exceptions import SaltException

from lxdapi.errors import InvalidError


def local_file(cache_file, source, saltenv="base"):
    """
    Return the path of a file on this machine: the path itself, or that of its copy in the minion's cache.

    cache_file
        Salt's ``cp.cache_file``. It does not fetch an unchanged file of an HTTP server again.
    source
        A path, ``salt://`` or ``http(s)://``.

    Raises :class:`InvalidError` if Salt cannot fetch the file.
    """
    if not isinstance(source, str):
        raise InvalidError.of_value("the file", "a path, salt:// or http(s)://", source)
    if "://" not in source:
        return source
    options = {"use_etag": True} if source.startswith("http") else {}
    try:
        path = cache_file(source, saltenv, **options)
    except SaltException as exc:
        raise InvalidError(f"Salt cannot fetch {source}: {exc}") from exc
    if not path:
        raise InvalidError(f"Salt cannot fetch {source}: does it exist?")
    return path


def call_salt(what, act):
    """Return the result of ``act``, which calls a function of Salt; raises :class:`InvalidError` if it fails."""
    try:
        return act()
    except (SaltException, OSError) as exc:
        raise InvalidError(f"{what}: {exc}") from exc


def cache_folder(cachedir):
    """Return the folder of lxdapi in the minion's cache; it may not exist yet."""
    return os.path.join(cachedir, "lxdapi")
