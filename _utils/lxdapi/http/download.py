"""
What the daemon sends as a file, straight to the disk: never whole in memory, hashed while it comes.
"""

import fcntl
import hashlib
import http.client
import os
import re
import secrets as random
import socket
from contextlib import contextmanager, suppress

from lxdapi import validation as names
from lxdapi.errors import APIConnectionException, APITimeoutException, InvalidError, LxdapiError
from lxdapi.http import progress
from lxdapi.http import upgrade as stream

_BLOCK = 256 * 1024
# How a file is opened of which nothing is known: no pipe is waited for, no link followed.
_CAUTIOUSLY = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW


def download(api, url, file, seconds=None, params=None, words="download"):
    """
    Write what a GET answers with into a file, and return the sha256 of it.

    url
        Such as ``images/FINGERPRINT/export``.
    file
        Open for writing in binary.
    seconds
        For the first byte and for each wait after it, not for the whole, which lasts as long as it comes; None: the
        API's ``timeout``.
    params
        Of the query.
    words
        What it is, for the progress; see :func:`lxdapi.http.progress.line`.

    Raises one of :mod:`lxdapi.errors`: the daemon's refusal, a connection that broke or fell silent, a reply that is
    shorter than was said; :class:`LxdapiError` for a disk that is full.
    """
    seconds = api.timeout if seconds is None else seconds
    sock, response = stream.opened(api, url, params, seconds)
    with sock, progress.line(words, response.length, api) as show:
        return _copied(sock, response, file, seconds, show, f"{api.endpoint}{api.address(url)[0]}")


def _copied(sock, response, file, seconds, show, place):
    digest, block = hashlib.sha256(), memoryview(bytearray(_BLOCK))
    while count := _received(sock, response, block, seconds, place):
        digest.update(block[:count])
        _write(file, block[:count])
        show(count)
    if response.length:
        raise APIConnectionException(error=f"the last {response.length} bytes did not come", method="GET", url=place)
    return digest.hexdigest()


def _received(sock, response, block, seconds, place):
    """Return how many bytes came into the block, 0 at the end."""
    try:
        sock.settimeout(seconds)  # a TLS socket has it for all that is read from now on
        return response.readinto(block)
    except socket.timeout as exc:
        raise APITimeoutException(error=f"nothing came for {seconds} s", method="GET", url=place) from exc
    except (OSError, http.client.HTTPException) as exc:
        raise APIConnectionException(error=f"the connection broke: {exc}", method="GET", url=place) from exc


def _write(file, block):
    try:
        file.write(block)
    except OSError as exc:
        raise LxdapiError(f"{file.name} cannot be written: {exc.strerror}") from exc


@contextmanager
def replacing(path):
    """
    Within the block write a file, open in binary, that becomes the one of this path at the block's end: whole, mode
    0600, and on the disk; one that was there is replaced. If the block fails, all is as before.

    What a process that was killed left of such a file goes first; what another one writes is locked and stays.

    Raises :class:`InvalidError` if there can be no file, :class:`LxdapiError` for a disk that is full.
    """
    stem = _stem(path)
    try:
        _swept(stem)
        file = _locked(stem)
    except OSError as exc:
        raise InvalidError(f"{path} cannot be written: {exc.strerror}") from exc
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            os.replace(file.name, path)  # while it is locked
    except OSError as exc:
        raise LxdapiError(f"{path} cannot be written: {exc.strerror}") from exc
    finally:
        with suppress(FileNotFoundError):
            os.unlink(file.name)


def _private(path, flags):
    return os.open(path, flags, 0o600)


def _locked(stem):
    """Return a new file, open and locked."""
    while True:
        file = open(stem + random.token_hex(4), "xb", opener=_private)
        _lock(file, fcntl.LOCK_EX)
        if os.fstat(file.fileno()).st_nlink:
            return file
        file.close()  # it was swept before it was locked


def _lock(file, how):
    """Lock an open file; returns False where it is locked, or cannot be (NFS)."""
    try:
        fcntl.flock(file, how)
        return True
    except OSError:
        return False


def _swept(stem):
    """Delete files of this stem that nobody has locked."""
    folder, begin = os.path.split(stem)
    for name in os.listdir(folder):
        if name.startswith(begin) and re.fullmatch("[0-9a-f]{8}", name[len(begin) :]):
            with suppress(OSError), os.fdopen(os.open(f"{stem}{name[-8:]}", _CAUTIOUSLY)) as file:
                if _lock(file, fcntl.LOCK_EX | fcntl.LOCK_NB):
                    os.unlink(f"{stem}{name[-8:]}")


def put(file, data):
    """Write these bytes to the disk; raises :class:`LxdapiError` where it is full."""
    _write(file, data)
    try:
        file.flush()
        os.fsync(file.fileno())
    except OSError as exc:
        raise LxdapiError(f"{file.name} cannot be written: {exc.strerror}") from exc


def refuse(path):
    """Raise :class:`InvalidError` for what is no path of a file."""
    _stem(path)


def _stem(path):
    """Return how the names of new files beside this one begin; raises :class:`InvalidError` for no path of a file."""
    folder, name = os.path.split(names.absolute_path("path", path))
    try:
        begin = os.fsdecode(os.fsencode(name)[:200])  # so that none is too long
    except UnicodeEncodeError as exc:
        raise InvalidError(f"{path!r}: no file can have this name") from exc
    if not name or os.path.isdir(path):
        raise InvalidError(f"{path} is a directory")
    return os.path.join(folder, f".{begin}.lxdapi-")
