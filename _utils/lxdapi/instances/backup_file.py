"""
The file of a backup, as it stands on this machine: its checksum, its index, and whether it is what it is to be.
"""

import lzma
import os
import tarfile
import zlib

import yaml

from lxdapi import validation as names
from lxdapi.errors import InvalidError
from lxdapi.http import upload as uploads
from lxdapi.images import image as images

# The first member of each backup (LXD 5.0.2, Incus 6.0.4, Incus 7.0.2).
_INDEX = "backup/index.yaml"
_LARGEST_INDEX = 16 * 1024 * 1024
# What Python's tarfile reads by itself; the daemons take zstd and squashfs as well.
_READABLE = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00")
_DAMAGES = (tarfile.TarError, EOFError, OSError, zlib.error, lzma.LZMAError, ValueError, RecursionError, yaml.YAMLError)


def seconds_of(given):
    """Return an age in seconds, None for None."""
    if names.duration(given) is not None:
        return names.duration(given)
    if given is None or (isinstance(given, (int, float)) and not isinstance(given, bool) and given >= 0):
        return given
    raise InvalidError(f"max_age: seconds, or a time such as 12h, 7d or 2w are needed, not {given!r}")


def unfit(path, max_age, memory, now):
    """Return in words why the file is to be made anew, "" if it is as it is to be."""
    if not os.path.isfile(path):
        return f"there was no file {path}"
    said = checksum_of(path)
    if said is None:
        return f"{path} had no checksum beside it"
    if not os.path.getsize(path) or images.known_fingerprint(path, memory=memory) != said:
        return f"{path} was not what the checksum beside it says"
    age = now - os.stat(path).st_mtime
    if max_age is None or abs(age) <= max_age:
        return ""
    # of a clock that was wrong: it would be young enough for years
    return f"{path} was {f'older than {max_age} s' if age > 0 else 'of a time to come'}"


def checksum_of(path):
    """Return the sha256 that ``<path>.sha256`` says, None where there is none; "" for a file that says none."""
    try:
        with open(f"{path}.sha256", encoding="utf-8", errors="replace") as file:
            said = file.read(64)
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise InvalidError(f"{path}.sha256 cannot be read: {exc.strerror}") from exc
    return said.lower() if names.is_fingerprint(said.lower()) else ""


def refuse(path, types, label):
    """
    Raise :class:`InvalidError` for a file that is no backup of a thing of these types, is damaged at its beginning, or
    is not what the checksum beside it says.

    LXD 5.0.2 and Incus 6.0.4 never answer to a compressed file that ends within its index.
    """
    uploads.opened(path, "backup file").close()
    found = _type(path)
    if found is not None and found not in types:
        raise InvalidError(f"backup file {path} is of another kind than {label}: its index says {found!r}")
    said = checksum_of(path)
    if said is not None and said != images.fingerprint(path):
        raise InvalidError(f"backup file {path} is not what {path}.sha256 says: it is damaged, or that is of another")


def _type(path):
    """Return the type of what a backup is of; None where it cannot be read here."""
    with open(path, "rb") as file:
        head = file.read(512)
    if not head.startswith(_READABLE) and head[257:262] != b"ustar":
        return None
    try:
        with tarfile.open(path, "r|*") as tar:
            first = tar.next()
            if first is None or first.name != _INDEX:
                raise InvalidError(f"backup file {path} is no backup: it does not begin with {_INDEX}")
            if not first.isreg():
                raise InvalidError(f"backup file {path} is no backup: its {_INDEX} is no file")
            index = yaml.safe_load(tar.extractfile(first).read(_LARGEST_INDEX))
    except InvalidError:
        raise
    except _DAMAGES as exc:
        raise InvalidError(f"backup file {path} is damaged: {exc}") from exc
    found = index.get("type") if isinstance(index, dict) else None
    # in words of a stranger anything can stand there, and in a few bytes of YAML gigabytes
    return found if isinstance(found, str) else "none"
