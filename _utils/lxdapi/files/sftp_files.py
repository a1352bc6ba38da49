"""
SFTP jobs for one path in an instance: its type, content, owner and mode.

The generators are jobs for :meth:`lxdapi.files.sftp_session.Session.run`; nothing here opens a connection.
"""

import hashlib
import posixpath
import re
import secrets as random
import stat
from typing import NamedTuple, Optional

from lxdapi.errors import InvalidError
from lxdapi.files import sftp_protocol
from lxdapi.files.sftp_protocol import SftpError

_TYPES = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "symlink"}
FILE_MODE, DIRECTORY_MODE = 0o644, 0o755
# The number of blocks of one file in flight: it bounds the memory, and keeps the daemon busy.
WRITES_AHEAD, READS_AHEAD = 4, 64
_MOST_LINKS = 40
# How often to write a file: another run that writes the same file removes our unfinished one.
_TRIES = 3
# The longest stem, so that the temporary name is not too long.
_LONGEST_STEM = 200
_LOST_BITS = "this daemon cannot set setuid, setgid or sticky bits over SFTP (LXD 5.0, Incus 6.0)"


class Owner(NamedTuple):
    """The owner of a file as numbers, and its permission bits. Default: unchanged."""

    uid: Optional[int] = None
    gid: Optional[int] = None
    mode: Optional[int] = None

    def with_defaults_from(self, other):
        """Return this owner with unset values taken from another one."""
        return Owner(*(value if value is not None else default for value, default in zip(self, other)))


# The owner and mode that a new file has by itself.
NEW = Owner(0, 0, FILE_MODE)


def format_mode(mode):
    """Return a mode as text: ``0640``."""
    return f"{stat.S_IMODE(mode):04o}"


def file_type(mode):
    """Return the type in a mode: file, directory, symlink or other."""
    return _TYPES.get(stat.S_IFMT(mode), "other")


def owner_of(attributes):
    """Return the :class:`Owner` in the attributes of a path."""
    return Owner(attributes.uid, attributes.gid, stat.S_IMODE(attributes.mode))


def temporary_name(path):
    """Return a temporary name for a path, in the same directory."""
    folder, name = posixpath.split(path)
    return posixpath.join(folder, f"{_stem(name)}{random.token_hex(8)}")


def _stem(name):
    encoded = name.encode("utf-8", "surrogateescape")
    if len(encoded) > _LONGEST_STEM:
        name = encoded[:_LONGEST_STEM].decode("utf-8", "surrogateescape") + hashlib.sha256(encoded).hexdigest()[:8]
    return f".{name}.lxdapi-"


def is_leftover(name, of):
    """Return True if a name is a temporary name of another name in the same directory."""
    return name.startswith(_stem(of)) and bool(re.fullmatch(r"[0-9a-f]{16}", name[len(_stem(of)) :]))


# Jobs. Their paths come from a Target, or from a listing of the daemon.


def lstat_or_none(path, follow=False):
    """Return the attributes of a path, None if it does not exist."""
    try:
        return (yield [sftp_protocol.stat(path) if follow else sftp_protocol.lstat(path)])[0]
    except SftpError as exc:
        if exc.missing:
            return None
        raise


def read_link(path):
    """Return the target of a symbolic link."""
    (names,) = yield [sftp_protocol.readlink(path)]
    return names[0][0]


def resolve(path):
    """Return (path, attributes) after following symbolic links; without attributes (None) if nothing exists there."""
    for _ in range(_MOST_LINKS):
        attributes = yield from lstat_or_none(path)
        if attributes is None or file_type(attributes.mode) != "symlink":
            return path, attributes
        path = posixpath.join(posixpath.dirname(path), (yield from read_link(path)))
    raise InvalidError(f"{sftp_protocol.format_path(path)}: more than {_MOST_LINKS} symbolic links; is it a circle?")


def list_directory(path):
    """Return {name: attributes} of a directory; links are not followed."""
    (handle,) = yield [sftp_protocol.opendir(path)]
    entries = {}
    while batch := (yield [sftp_protocol.readdir(handle)])[0]:
        entries.update((name, each) for name, each in batch if name not in (".", ".."))
    yield [sftp_protocol.close(handle)]
    if bad := [name for name in entries if not name or "/" in name or "\0" in name]:
        raise InvalidError(
            f"{sftp_protocol.format_path(path)} contains {bad[0]!r}, which is not a valid name of a file"
        )
    return entries


def read_blocks(path, sink, size=0, ahead=READS_AHEAD):
    """
    Pass the blocks of a file to ``sink`` in order.

    sink
        Called with each; returns True to stop.
    size
        The size if known, to limit the number of requests.
    """
    (handle,) = yield [sftp_protocol.open_(path, sftp_protocol.READ)]
    offset, ended = 0, False
    try:
        while not ended:
            count = max(1, min(ahead, (size - offset) // sftp_protocol.READ_BLOCK + 2))
            blocks = yield [
                sftp_protocol.read(handle, offset + each * sftp_protocol.READ_BLOCK) for each in range(count)
            ]
            offset, ended = _drain(blocks, sink, offset)
    except SftpError as exc:
        yield from _send_ignoring_errors([sftp_protocol.close(handle)])
        raise exc
    yield [sftp_protocol.close(handle)]
    return offset


def _drain(blocks, sink, offset):
    """Pass the blocks up to the first short one to the sink; returns (next offset, whether the file ended)."""
    for block, following in zip(blocks, [*blocks[1:], None]):
        if not block:
            return offset, True
        offset += len(block)
        if sink(block):
            return offset, True
        if len(block) < sftp_protocol.READ_BLOCK:
            return offset, following == b""
    return offset, False


def write(path, source, owner):
    """
    Write a file with this owner and mode under a temporary name, then rename it.

    source
        A :class:`lxdapi.files.content.Content`.
    owner
        An :class:`Owner` without None.
    """
    for tries_left in reversed(range(_TRIES)):
        try:
            return (yield from _write(path, source, owner))
        except SftpError as exc:
            if not _may_retry(exc, tries_left):
                raise


def write_pipelined(session, path, source, owner, show=lambda count: None):
    """
    Do what :func:`write` does for a single file, with several blocks in flight.

    show
        Called with the number of bytes of each written block.
    """
    for tries_left in reversed(range(_TRIES)):
        try:
            return _write_pipelined(session, path, source, owner, show)
        except SftpError as exc:
            if not _may_retry(exc, tries_left):
                raise


def _may_retry(exc, tries_left):
    """Return True if the temporary file disappeared and tries are left."""
    return exc.missing and exc.call != "open" and tries_left > 0


def _write_pipelined(session, path, source, owner, show):
    temporary, handle = temporary_name(path), None
    try:
        handle = session.run(_open_temporary(temporary, owner))
        with source.open() as file:
            blocks = _Blocks(file)
            writers = (_write_blocks(handle, blocks, path, show) for _ in range(WRITES_AHEAD))
            for _ in session.run_concurrently(writers, WRITES_AHEAD):
                pass
        session.run(_finish(handle, temporary, path, blocks.size, owner))
    except (SftpError, InvalidError):
        session.run(_discard(handle, temporary))
        raise


def _write(path, source, owner):
    temporary, handle = temporary_name(path), None
    try:
        handle = yield from _open_temporary(temporary, owner)
        with source.open() as file:
            blocks = _Blocks(file)
            yield from _write_blocks(handle, blocks, path)
        yield from _finish(handle, temporary, path, blocks.size, owner)
    except (SftpError, InvalidError) as exc:
        yield from _discard(handle, temporary)
        raise exc


class _Blocks:
    """The blocks of a file with their offsets, shared by several writers."""

    def __init__(self, file):
        self._file, self.size = file, 0

    def __iter__(self):
        while block := self._file.read(sftp_protocol.WRITE_BLOCK):
            offset, self.size = self.size, self.size + len(block)
            yield offset, block


def _write_blocks(handle, blocks, path, show=lambda count: None):
    for offset, block in blocks:
        yield [sftp_protocol.write(handle, offset, block, path)]
        show(len(block))


def _open_temporary(temporary, owner):
    begin = [sftp_protocol.open_(temporary, sftp_protocol.WRITE | sftp_protocol.CREATE | sftp_protocol.EXCLUSIVE)]
    # nobody else may read it before it has its owner
    private = [] if owner == NEW else [sftp_protocol.set_mode(temporary, 0o600)]
    return (yield begin + private)[0]


def _finish(handle, temporary, path, size, owner):
    requests = [] if owner == NEW else ownership_requests(temporary, owner)
    attributes = (yield [sftp_protocol.close(handle), *requests, sftp_protocol.lstat(temporary)])[-1]
    if owner_of(attributes) != owner:
        attributes = (yield [*ownership_requests(temporary, owner), sftp_protocol.lstat(temporary)])[-1]
    _require_written(path, attributes, size, owner)
    yield [sftp_protocol.rename(temporary, path)]


def _discard(handle, temporary):
    yield from _send_ignoring_errors([] if handle is None else [sftp_protocol.close(handle)])
    yield from _send_ignoring_errors([sftp_protocol.remove(temporary)])


def ownership_requests(path, owner):
    """Return the requests that set owner and mode, in the order that preserves the mode."""
    return [sftp_protocol.set_owner(path, owner.uid, owner.gid), sftp_protocol.set_mode(path, owner.mode)]


def _require_written(path, attributes, size, owner):
    """Raise if the written file has another size, owner or mode."""
    if attributes.size != size:
        raise InvalidError(f"{path}: the daemon received {attributes.size} of {size} bytes; the file was not replaced")
    require_mode_kept(path, attributes, owner)


def require_mode_kept(path, attributes, owner):
    """Raise if the daemon did not set the owner or dropped bits of the mode."""
    if owner_of(attributes)[:2] != owner[:2]:
        message = f"expected the owner {owner.uid}:{owner.gid}, got {attributes.uid}:{attributes.gid}"
        raise InvalidError(f"{sftp_protocol.format_path(path)}: {message}")
    if stat.S_IMODE(attributes.mode) != owner.mode:
        message = f"expected the mode {format_mode(owner.mode)}, got {format_mode(attributes.mode)}"
        raise InvalidError(f"{sftp_protocol.format_path(path)}: {message}: {_LOST_BITS}")


def set_ownership(path, owner):
    """Set the owner and mode of an existing path."""
    attributes = (yield [*ownership_requests(path, owner), sftp_protocol.stat(path)])[-1]
    require_mode_kept(path, attributes, owner)


def remove_leftovers(path):
    """Delete the temporary files that interrupted runs left of a file."""
    folder, name = posixpath.split(path)
    for each in (yield from list_directory(folder)):
        if is_leftover(each, name):
            yield from _send_ignoring_errors([sftp_protocol.remove(posixpath.join(folder, each))])


def make_directory(path, owner):
    """Create a directory with this owner and mode in an existing parent."""
    yield [sftp_protocol.mkdir(path)]
    yield from set_ownership(path, owner)


def missing_folders(path):
    """Return the missing directories of a path, topmost first."""
    missing = []
    while path != "/" and (yield from lstat_or_none(path, follow=True)) is None:
        missing.insert(0, path)
        path = posixpath.dirname(path)
    return missing


def make_symlink(path, to):
    """Create a symbolic link in place of another link or a file."""
    temporary = temporary_name(path)
    yield [sftp_protocol.symlink(temporary, to)]
    try:
        yield [sftp_protocol.rename(temporary, path)]
    except SftpError as exc:
        yield from _send_ignoring_errors([sftp_protocol.remove(temporary)])
        raise exc


def _send_ignoring_errors(requests):
    """Send requests and ignore refusals."""
    try:
        if requests:
            yield requests
    except SftpError:
        return
