"""
Downloads: the daemon's file is hashed while it is written to the disk, and is never completely in memory.
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
    api: API, url: str, file: IO[bytes], seconds: float | None = None, params: Any = None, description: str = "download"
) -> str:
    """
    Write the reply to a GET into a file, and return its sha256.

    url
        A URL such as ``images/FINGERPRINT/export``.
    file
        A file that is open for writing in binary.
    seconds
        The limit for the first byte and for each pause after it; the whole download is not limited. Default: the API's
        ``timeout``.
    params
        The parameters of the query.
    description
        The text for the progress; see :func:`lxdapi.http.progress.count_bytes`.

    Raises one of :mod:`lxdapi.errors`: the daemon's refusal, a broken or silent connection, an incomplete
    reply; :class:`LxdapiError` for a full disk.
    """
    seconds = api.timeout if seconds is None else seconds
    sock, response = upgrade.open_stream(api, url, params, seconds)
    with sock, progress.count_bytes(description, response.length, api) as on_bytes:
        return _copy(sock, response, file, seconds, on_bytes, f"{api.endpoint}{api.address(url)[0]}")


def _copy(sock, response, file, seconds, on_bytes, address):
    digest, block = hashlib.sha256(), memoryview(bytearray(_BLOCK))
    while count := _receive(sock, response, block, seconds, address):
        digest.update(block[:count])
        atomic_file.write(file, block[:count])
        on_bytes(count)
    if response.length:
        raise APIConnectionException(
            error=f"incomplete download: the last {response.length} bytes are missing; repeat it",
            method="GET",
            url=address,
        )
    return digest.hexdigest()


def _receive(sock, response, block, seconds, address):
    """Read into the block and return the number of bytes, 0 at the end."""
    try:
        sock.settimeout(seconds)  # for a TLS socket, the limit of everything from now on
        return response.readinto(block)
    except socket.timeout as exc:
        raise APITimeoutException(
            error=f"received no data for {seconds} s: is the server overloaded, or the network down?",
            method="GET",
            url=address,
        ) from exc
    except (OSError, http.client.HTTPException) as exc:
        raise APIConnectionException(
            error=f"the connection broke during the download: {exc}; repeat it", method="GET", url=address
        ) from exc
