"""
The part of SFTP version 3 (draft-ietf-secsh-filexfer-02) that reads and writes files: encodes requests and decodes
replies.

The daemons use it at ``instances/NAME/sftp``. :mod:`lxdapi.files.sftp_session` sends and receives.
"""

import enum
import struct
from typing import NamedTuple, Optional

from lxdapi.errors import APIException, InvalidError

READ, WRITE, CREATE, EXCLUSIVE = 0x01, 0x02, 0x08, 0x20
# A packet has at most 256 KiB; a reply to a read has 32 KiB (LXD 5.0.2, Incus 6.0.4) or 128 KiB (Incus 7.0.2).
WRITE_BLOCK = 240 * 1024
READ_BLOCK = 32 * 1024
RENAME = "posix-rename@openssh.com"
_SIZE, _OWNER, _MODE, _TIMES, _EXTENDED = 0x1, 0x2, 0x4, 0x8, 0x80000000


class Packet(enum.IntEnum):
    """The types of packets, SSH_FXP_* of the draft."""

    INIT = 1
    VERSION = 2
    OPEN = 3
    CLOSE = 4
    READ = 5
    WRITE = 6
    LSTAT = 7
    SETSTAT = 9
    OPENDIR = 11
    READDIR = 12
    REMOVE = 13
    MKDIR = 14
    RMDIR = 15
    STAT = 17
    READLINK = 19
    SYMLINK = 20
    STATUS = 101
    HANDLE = 102
    DATA = 103
    NAME = 104
    ATTRS = 105
    EXTENDED = 200


class Status(enum.IntEnum):
    """The codes of a status, SSH_FX_* of the draft."""

    OK = 0
    EOF = 1
    NO_SUCH_FILE = 2
    PERMISSION_DENIED = 3
    OP_UNSUPPORTED = 8


_REASONS = {
    Status.NO_SUCH_FILE: "no such file or directory",
    Status.PERMISSION_DENIED: "permission denied",
    Status.OP_UNSUPPORTED: "the daemon does not support it",
}


class SftpError(APIException):
    """
    The daemon refused something over SFTP.

    code
        The code of SSH_FX_*: 2 for a path that does not exist.
    call
        The refused call: ``rename``.
    """

    code = None
    call = ""

    @property
    def missing(self):
        """Return True if the path does not exist."""
        return self.code == Status.NO_SUCH_FILE


class UnreachableError(InvalidError):
    """The files of an instance cannot be reached in its current state."""


class Request(NamedTuple):
    """A request, with its name and path for errors."""

    type: Packet
    body: bytes
    call: str
    about: str = ""


class Attributes(NamedTuple):
    """The SFTP attributes of a path; ``mode`` includes the type bits."""

    size: Optional[int] = None
    uid: Optional[int] = None
    gid: Optional[int] = None
    mode: Optional[int] = None
    mtime: Optional[int] = None


# The requests of jobs, with the names of system calls.


def open_(path, flags):
    """Return the request for a handle. A mode would be ignored (LXD 5.0.2, Incus 6.0.4)."""
    return Request(Packet.OPEN, _text(path) + struct.pack(">II", flags, 0), "open", path)


def close(handle):
    """Return the request that closes a handle."""
    return Request(Packet.CLOSE, _string(handle), "close")


def read(handle, offset, count=READ_BLOCK):
    """Return the request for a block of a file; b"" at its end, and perhaps fewer bytes than asked for."""
    return Request(Packet.READ, _string(handle) + struct.pack(">QI", offset, count), "read")


def write(handle, offset, block, about=""):
    """Return the request to write a block of :data:`WRITE_BLOCK` bytes at most."""
    return Request(Packet.WRITE, _string(handle) + struct.pack(">Q", offset) + _string(block), "write", about)


def lstat(path):
    """Return the request for the :class:`Attributes` of a path without following a symbolic link."""
    return Request(Packet.LSTAT, _text(path), "lstat", path)


def stat(path):
    """Return the request for the :class:`Attributes` of a path, following symbolic links."""
    return Request(Packet.STAT, _text(path), "stat", path)


def set_owner(path, uid, gid):
    """Return the request that sets user and group of a path, following symbolic links."""
    return Request(Packet.SETSTAT, _text(path) + struct.pack(">III", _OWNER, uid, gid), "chown", path)


def set_mode(path, mode):
    """Return the request that sets the mode; send it after a chown, which clears the setuid bit."""
    return Request(Packet.SETSTAT, _text(path) + struct.pack(">II", _MODE, mode), "chmod", path)


def opendir(path):
    """Return the request for the handle of a directory."""
    return Request(Packet.OPENDIR, _text(path), "opendir", path)


def readdir(handle):
    """Return the request for more entries of a directory: [(name, Attributes)], [] at the end."""
    return Request(Packet.READDIR, _string(handle), "readdir")


def remove(path):
    """Return the request that deletes anything but a directory."""
    return Request(Packet.REMOVE, _text(path), "remove", path)


def mkdir(path):
    """Return the request that creates a directory. A mode would be ignored (LXD 5.0.2, Incus 6.0.4, Incus 7.0.2)."""
    return Request(Packet.MKDIR, _text(path) + struct.pack(">I", 0), "mkdir", path)


def rmdir(path):
    """Return the request that deletes an empty directory."""
    return Request(Packet.RMDIR, _text(path), "rmdir", path)


def rename(old, new):
    """Return the request that renames a path and replaces the new name."""
    return Request(Packet.EXTENDED, _text(RENAME) + _text(old) + _text(new), "rename", new)


def readlink(path):
    """Return the request for the target of a symbolic link: [(target, Attributes)]."""
    return Request(Packet.READLINK, _text(path), "readlink", path)


def symlink(path, target):
    """Return the request that creates a link; the target comes first, as in OpenSSH and against the standard."""
    return Request(Packet.SYMLINK, _text(target) + _text(path), "symlink", path)


def parse(packet, request, url):
    """
    Return the content of a reply; a refusal is returned as an :class:`SftpError`, not raised.

    url
        The URL, for errors.
    """
    return _refusal(packet, request, url) if packet[0] == Packet.STATUS else _CONTENT[packet[0]](packet)


def _refusal(packet, request, url):
    code = struct.unpack_from(">I", packet, 5)[0]
    if code == Status.OK:
        return None
    if code == Status.EOF and request.call in ("read", "readdir"):
        return b"" if request.call == "read" else []
    message = _decode(_string_at(packet, 9)[0]) if len(packet) > 9 else ""
    about = f"{format_path(request.about)}: " if request.about else ""
    reason = _REASONS.get(code) or format_path(message.strip()) or f"SFTP error {code}"
    error = SftpError(error=about + reason, method=f"SFTP {request.call}", url=url)
    error.code, error.call = code, request.call
    return error


def format_path(path):
    """Return a path for display: invalid UTF-8 as ``\\xff``."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _string(data):
    return struct.pack(">I", len(data)) + data


def _text(path):
    """Return an encoded path; raises :class:`InvalidError` if it cannot be encoded."""
    try:
        return _string(path.encode("utf-8", "surrogateescape"))
    except UnicodeEncodeError as exc:
        raise InvalidError(f"path {path!r} contains an unpaired surrogate") from exc


def _decode(data):
    return data.decode("utf-8", "surrogateescape")


def _string_at(packet, offset):
    (length,) = struct.unpack_from(">I", packet, offset)
    end = offset + 4 + length
    if end > len(packet):
        raise IndexError(end)
    return packet[offset + 4 : end], end


def _attributes_at(packet, offset):
    (flags,) = struct.unpack_from(">I", packet, offset)
    offset += 4
    values = {}
    layouts = ((_SIZE, ">Q", ("size",)), (_OWNER, ">II", ("uid", "gid")), (_MODE, ">I", ("mode",)))
    for flag, layout, names in (*layouts, (_TIMES, ">II", ("atime", "mtime"))):
        if flags & flag:
            values.update(zip(names, struct.unpack_from(layout, packet, offset)))
            offset += struct.calcsize(layout)
    if flags & _EXTENDED:
        (count,) = struct.unpack_from(">I", packet, offset)
        offset += 4
        for _ in range(2 * count):
            _, offset = _string_at(packet, offset)
    values.pop("atime", None)
    return Attributes(**values), offset


def _names_of(packet):
    (count,) = struct.unpack_from(">I", packet, 5)
    offset, names = 9, []
    for _ in range(count):
        name, offset = _string_at(packet, offset)
        _, offset = _string_at(packet, offset)
        attributes, offset = _attributes_at(packet, offset)
        names.append((_decode(name), attributes))
    return names


_CONTENT = {
    Packet.HANDLE: lambda packet: _string_at(packet, 5)[0],
    Packet.DATA: lambda packet: _string_at(packet, 5)[0],
    Packet.NAME: _names_of,
    Packet.ATTRS: lambda packet: _attributes_at(packet, 5)[0],
}
