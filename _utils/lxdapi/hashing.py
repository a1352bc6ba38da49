"""
The sha256 of image files, which the daemons use as fingerprint; cached while the files stay unchanged.
"""

import hashlib
import json
import os

from lxdapi import atomic_file, local_files, validation
from lxdapi.errors import InvalidError, LxdapiError
from lxdapi.http import upload

_BLOCK = 1024 * 1024
# The number of fingerprints to keep; the oldest are dropped.
_REMEMBERED = 500


def fingerprint(path, rootfs=None):
    """
    Return the fingerprint that the daemon will give the image: the sha256 of the file.

    path
        The unified image, or the metadata of a split one.
    rootfs
        The second file of a split image; the fingerprint is that of both, one after the other.

    The files are read in blocks. Raises :class:`InvalidError` for a file that cannot be read.
    """
    digest = hashlib.sha256()
    for part in (path, rootfs):
        if part:
            _digest_file(digest, part)
    return digest.hexdigest()


def _digest_file(digest, path):
    """Read the file into the digest, through one buffer: that is as fast as OpenSSL."""
    buffer = memoryview(bytearray(_BLOCK))
    with upload.open_file(path) as file:
        while count := file.readinto(buffer):
            digest.update(buffer[:count])


def cached_fingerprint(path, rootfs=None, memory=None):
    """
    Return :func:`fingerprint`, from the cache while path, size, mtime and inode of the files stay the same.

    memory
        The file of the cache. Default: no cache.
    """
    key = json.dumps([_identity(part) for part in (path, rootfs) if part])
    known = _read_memory(memory)
    if key not in known:
        known[key] = fingerprint(path, rootfs)
        _write_memory(memory, known)
    return known[key]


def _identity(path):
    try:
        status = os.stat(path)
    except OSError as exc:
        raise InvalidError(f"cannot read the image file {path}: {exc.strerror}") from exc
    return [os.path.abspath(path), status.st_size, status.st_mtime_ns, status.st_ino, status.st_dev]


def _read_memory(memory):
    if not memory:
        return {}
    try:
        with open(memory, encoding="utf-8") as file:
            known = json.load(file)
    except (OSError, ValueError):  # missing or damaged: compute again
        return {}
    return {k: v for k, v in known.items() if validation.is_fingerprint(v)} if isinstance(known, dict) else {}


def _write_memory(memory, known):
    """Write the known fingerprints atomically; without the file the next run reads the images again."""
    if not memory:
        return
    newest = dict(list(known.items())[-_REMEMBERED:])
    try:
        os.makedirs(os.path.dirname(memory), mode=0o700, exist_ok=True)
        with atomic_file.replace(memory) as file:
            file.write(json.dumps(newest).encode("ascii"))
    except (OSError, LxdapiError):
        return


def memory_file(cachedir):
    """Return the file in the minion's cache that remembers fingerprints."""
    return os.path.join(local_files.cache_folder(cachedir), "fingerprints.json")
