"""
The archive of Salt's code that instances get: Salt of this machine and the libraries that it needs.

Salt's own ``gen_thin`` changes the working directory, takes ten seconds, and keeps an archive although what belongs
into it has changed. So lxdapi only asks it which packages belong into the archive.
"""

import glob
import gzip
import hashlib
import importlib.util
import os
import shutil
import sys
import tarfile
from contextlib import suppress
from typing import NamedTuple

import salt
import salt.version

from lxdapi import atomic_file, hashing
from lxdapi.salt_inside import bundle

_LEFT_OUT = ("__pycache__", "tests")


class Thin(NamedTuple):
    """An archive: its path, its digest, and its size."""

    path: str
    digest: str
    size: int


def find_or_build(folder, extra_modules=""):
    """
    Return the :class:`Thin` of this Salt; builds it in a second or two unless the folder has it.

    folder
        A folder of this machine for archives.
    extra_modules
        Names of further Python packages, separated by commas, as in Salt's option ``thin_extra_mods``.
    """
    path = os.path.join(folder, f"thin-{_key(extra_modules)}.tgz")
    if not os.path.exists(path):
        os.makedirs(folder, 0o700, exist_ok=True)
        _build(path, extra_modules)
    digest = hashing.cached_fingerprint(path, memory=os.path.join(folder, "digests.json"))
    return Thin(path, digest, os.path.getsize(path))


def _key(extra_modules):
    """Return a key for everything that decides about the content."""
    root = os.path.dirname(salt.__file__)
    parts = (salt.version.__version__, sys.version_info[:2], root, os.stat(root).st_mtime_ns, extra_modules)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def _build(path, extra_modules):
    with atomic_file.replace(path) as file:
        with gzip.GzipFile("", "wb", 6, file, mtime=0) as packed, tarfile.open(fileobj=packed, mode="w|") as tar:
            for source, name in list_files(extra_modules):
                tar.add(source, name, recursive=False, filter=_without_owner)
    for other in set(glob.glob(os.path.join(os.path.dirname(path), "thin-*.tgz"))) - {path}:
        with suppress(OSError):
            os.unlink(other)


def list_files(extra_modules=""):
    """Return [(path on this machine, path in the archive)] of Salt and its libraries, sorted."""
    import salt.utils.thin  # it imports all of them

    files = {}
    for top in salt.utils.thin.get_tops(extra_mods=extra_modules):
        # Salt 3008 adds the namespace of a package
        source, namespace = (top[0], top[1]) if isinstance(top, tuple) else (top, None)
        prefix = os.path.join(namespace or "", os.path.basename(source))
        if os.path.isfile(source):
            files[prefix] = source
            continue
        for folder, folders, names in os.walk(source):
            folders[:] = sorted(set(folders) - set(_LEFT_OUT))
            inside = os.path.normpath(os.path.join(prefix, os.path.relpath(folder, source)))
            files.update({os.path.join(inside, name): os.path.join(folder, name) for name in names})
    return [(source, name) for name, source in sorted(files.items()) if not name.endswith((".pyc", ".pyo"))]


def find_or_build_folder(folder, thin, extra_modules=""):
    """
    Return the name of the unpacked archive in a folder of this machine; builds it unless it exists.

    thin
        The :class:`Thin` with the same content.
    """
    name = f"thin-{thin.digest}"
    bundle.build_folder(os.path.join(folder, name), lambda path: _copy(path, extra_modules))
    return name


def _copy(path, extra_modules):
    """Copy Salt and its libraries to a folder, with what this machine has compiled of them."""
    for source, name in list_files(extra_modules):
        _copy_file(source, os.path.join(path, name))
        compiled = importlib.util.cache_from_source(source) if source.endswith(".py") else ""
        if compiled and os.path.exists(compiled):
            _copy_file(compiled, importlib.util.cache_from_source(os.path.join(path, name)))


def _copy_file(source, target):
    os.makedirs(os.path.dirname(target), exist_ok=True)
    shutil.copy2(source, target)


def _without_owner(member):
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o755 if member.mode & 0o100 else 0o644
    return member
