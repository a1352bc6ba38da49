"""
Files of an instance that the daemon serves over REST, and other paths below an instance.

lxdapi requests only the end of a file, whatever its size, with ``Range``, which LXD 5.0.2, Incus 6.0.4 and Incus 7.0.2
support.
"""

from lxdapi.errors import APINotFoundException
from lxdapi.http import retry
from lxdapi.model import objects
from lxdapi.model.kinds import KINDS

KIND = KINDS["instance"]
# The default for the largest number of bytes of a file.
LIMIT = 1024 * 1024


def subpath(name, below):
    """Return a REST path below an instance."""
    return f"{objects.path_of(KIND, name)}/{below}"


def delete_if_exists(api, url, query=None):
    """Send a DELETE; returns False if the object did not exist."""
    lost = []
    try:
        # if the reply is lost, the repetition does not find the object
        retry.write_verified(api, lambda: api.delete(url, params=query) and True, lambda: lost.append(True))
    except APINotFoundException:
        return bool(lost)
    return True


def read_end(api, url, limit, query=None):
    """Return at most the last ``limit`` bytes of a file that the daemon serves."""
    return api.get(url, params=query, headers={"Range": f"bytes=-{limit}"}).response.content[-limit:]


def decode(body):
    """Return bytes as text; invalid UTF-8 is replaced."""
    return body.decode("utf-8", "replace")
