"""
Atomic files: a file appears under its name when it is complete.
"""

import fcntl
import os
import re
import secrets as random
import tempfile
from contextlib import contextmanager, suppress

from lxdapi import validation
from lxdapi.errors import InvalidError, LxdapiError

# How an unknown file is opened: without waiting for a pipe, without following a link.
_CAUTIOUSLY = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW


def stage(folder, text, mode):
    """Return the path of a new temporary file in the folder; only its owner can ever read it."""
    number, path = tempfile.mkstemp(dir=folder or ".", prefix=".lxdapi-")
    try:
        with open(number, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fchmod(number, mode)
            os.fsync(number)
    except BaseException:
        os.unlink(path)
        raise
    return path


def write(file, block):
    """Write bytes into an open file; raises :class:`LxdapiError` if the disk is full."""
    try:
        file.write(block)
    except OSError as exc:
        raise LxdapiError(f"cannot write {file.name}: {exc.strerror}") from exc


@contextmanager
def replace(path):
    """
    Yield a file, open in binary, that replaces the file at this path when the block ends: complete, with mode 0600, and
    on the disk. If the block fails, the old file stays.

    It first deletes the temporary files of processes that were killed; those that another process writes are locked
    and stay.

    Raises :class:`InvalidError` if no file can have this path, :class:`LxdapiError` if the disk is full.
    """
    stem = _stem(path)
    try:
        _sweep(stem)
        file = _open_locked(stem)
    except OSError as exc:
        raise InvalidError(f"cannot write {path}: {exc.strerror}") from exc
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            os.replace(file.name, path)  # while it is locked
    except OSError as exc:
        raise LxdapiError(f"cannot write {path}: {exc.strerror}") from exc
    finally:
        with suppress(FileNotFoundError):
            os.unlink(file.name)


def _open_private(path, flags):
    return os.open(path, flags, 0o600)


def _open_locked(stem):
    """Return a new file, open and locked."""
    while True:
        file = open(stem + random.token_hex(4), "xb", opener=_open_private)
        _lock(file, fcntl.LOCK_EX)
        if os.fstat(file.fileno()).st_nlink:
            return file
        file.close()  # another process swept it before the lock


def _lock(file, how):
    """Lock an open file; return False if it is locked, or the file system has no locks (NFS)."""
    try:
        fcntl.flock(file, how)
        return True
    except OSError:
        return False


def _sweep(stem):
    """Delete files of this stem that no process has locked."""
    folder, begin = os.path.split(stem)
    for name in os.listdir(folder):
        if name.startswith(begin) and re.fullmatch("[0-9a-f]{8}", name[len(begin) :]):
            with suppress(OSError), os.fdopen(os.open(f"{stem}{name[-8:]}", _CAUTIOUSLY)) as file:
                if _lock(file, fcntl.LOCK_EX | fcntl.LOCK_NB):
                    os.unlink(f"{stem}{name[-8:]}")


def write_to_disk(file, data):
    """Write bytes and wait until they are on the disk; raises :class:`LxdapiError` if it is full."""
    write(file, data)
    try:
        file.flush()
        os.fsync(file.fileno())
    except OSError as exc:
        raise LxdapiError(f"cannot write {file.name}: {exc.strerror}") from exc


def require_path(path):
    """Raise :class:`InvalidError` unless a file can have this path."""
    _stem(path)


def _stem(path):
    """Return how the names of new files beside this one begin; raises :class:`InvalidError` if none can."""
    folder, name = os.path.split(validation.absolute_path("path", path))
    try:
        begin = os.fsdecode(os.fsencode(name)[:200])  # so that the new name is not too long
    except UnicodeEncodeError as exc:
        raise InvalidError(f"path {path!r} cannot be the name of a file: it contains an unpaired surrogate") from exc
    if not name or os.path.isdir(path):
        raise InvalidError(f"expected the path of a file, got the directory {path}")
    return os.path.join(folder, f".{begin}.lxdapi-")
