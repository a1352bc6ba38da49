"""
What the daemon sends as a file, straight to the disk: never whole in memory, hashed while it comes.
"""

from __future__ import annotations

import hashlib
import http.client
import socket
from typing import IO, TYPE_CHECKING, Any

from lxdapi import atomic_file
from lxdapi.errors import APIConnectionException, APITimeoutException
from lxdapi.http import progress, upgrade

if TYPE_CHECKING:
    from lxdapi.api import API

_BLOCK = 256 * 1024


def download(
    api: API, url: str, file: IO[bytes], seconds: float | None = None, params: Any = None, words: str = "download"
) -> str:
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
        What it is, for the progress; see :func:`lxdapi.http.progress.count_bytes`.

    Raises one of :mod:`lxdapi.errors`: the daemon's refusal, a connection that broke or fell silent, a reply that is
    shorter than was said; :class:`LxdapiError` for a disk that is full.
    """
    seconds = api.timeout if seconds is None else seconds
    sock, response = upgrade.open_stream(api, url, params, seconds)
    with sock, progress.count_bytes(words, response.length, api) as show:
        return _copy(sock, response, file, seconds, show, f"{api.endpoint}{api.address(url)[0]}")


def _copy(sock, response, file, seconds, show, place):
    digest, block = hashlib.sha256(), memoryview(bytearray(_BLOCK))
    while count := _receive(sock, response, block, seconds, place):
        digest.update(block[:count])
        atomic_file.write(file, block[:count])
        show(count)
    if response.length:
        raise APIConnectionException(error=f"the last {response.length} bytes did not come", method="GET", url=place)
    return digest.hexdigest()


def _receive(sock, response, block, seconds, place):
    """Return how many bytes came into the block, 0 at the end."""
    try:
        sock.settimeout(seconds)  # a TLS socket has it for all that is read from now on
        return response.readinto(block)
    except socket.timeout as exc:
        raise APITimeoutException(error=f"nothing came for {seconds} s", method="GET", url=place) from exc
    except (OSError, http.client.HTTPException) as exc:
        raise APIConnectionException(error=f"the connection broke: {exc}", method="GET", url=place) from exc
