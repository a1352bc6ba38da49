"""
What the daemon sends as a file, straight to the disk: never whole in memory, hashed while it comes.
"""

import hashlib
import http.client
import os
import secrets as random
import socket
from contextlib import contextmanager

import lxdapi_progress as progress
import lxdapi_stream as stream
from lxdapi_errors import APIConnectionException, APITimeoutException, InvalidError, LxdapiError

_BLOCK = 256 * 1024


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
        What it is, for the progress; see :func:`lxdapi_progress.line`.

    Raises one of :mod:`lxdapi_errors`: the daemon's refusal, a connection that broke or fell silent, a reply that is
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

    Raises :class:`InvalidError` if there can be no file, :class:`LxdapiError` for a disk that is full.
    """
    temporary = _beside(path)
    try:
        file = open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
    except OSError as exc:
        raise InvalidError(f"{path} cannot be written: {exc.strerror}") from exc
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as exc:
        raise LxdapiError(f"{path} cannot be written: {exc.strerror}") from exc
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)


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
    _beside(path)


def _beside(path):
    """Return a name for a file beside this one; raises :class:`InvalidError` for what is no path of a file."""
    if not isinstance(path, str) or not os.path.isabs(path) or "\0" in path:
        raise InvalidError(f"{path!r}: the absolute path of a file is needed")
    folder, name = os.path.split(path)
    if not name or os.path.isdir(path):
        raise InvalidError(f"{path} is a directory")
    # a name of its own for each run, and none that is too long
    return os.path.join(folder, f".{name[:200]}.{random.token_hex(4)}")
