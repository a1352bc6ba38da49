"""
SFTP jobs for whole trees in an instance, with many requests in flight.
"""

import hashlib
import os
import posixpath
import secrets as random
import shutil
import stat

from lxdapi import validation
from lxdapi.errors import InvalidError, LxdapiError
from lxdapi.files import content as sources
from lxdapi.files import sftp_files, sftp_protocol, sftp_session
from lxdapi.files.sftp_protocol import SftpError

# Many files of a tree are in flight, so each gets a part of the memory; long files are fewer at a time.
_READS_AHEAD = 8
_SHORT, _LONG_AT_ONCE = 64 * 1024, 8
_DEEPEST = 200


def list_tree(session, root):
    """Return {relative path: attributes} of everything below a directory; links are not followed."""
    tree, level, depth = {}, [""], 0
    while level:
        if (depth := depth + 1) > _DEEPEST:
            raise InvalidError(f"{sftp_protocol.format_path(root)} has more than {_DEEPEST} levels of directories")
        jobs = [
            _with_name(sftp_files.list_directory(posixpath.join(root, folder).rstrip("/") or "/"), folder)
            for folder in level
        ]
        level = []
        for folder, entries in session.run_concurrently(jobs):
            for name, attributes in entries.items():
                relative = f"{folder}/{name}".lstrip("/")
                tree[relative] = attributes
                if sftp_files.file_type(attributes.mode) == "directory":
                    level.append(relative)
    return tree


def _with_name(job, name):
    """Return a job that returns (name, result)."""
    return name, (yield from job)


def remove_all(session, root, names):
    """
    Delete everything below a directory; links are deleted, not followed.

    names
        {relative path: attributes} from the listing.
    """
    folders = [name for name, each in names.items() if sftp_files.file_type(each.mode) == "directory"]
    others = [name for name in names if name not in set(folders)]
    _run_all(session, (_delete_if_exists(sftp_protocol.remove(posixpath.join(root, name))) for name in others))
    for _, level in reversed(_by_depth(folders)):
        _run_all(session, (_delete_if_exists(sftp_protocol.rmdir(posixpath.join(root, name))) for name in level))


def is_leftover(name, of):
    """Return True if a relative path is a temporary name of one of the others."""
    folder, _, last = name.rpartition("/")
    stem = last[1:].rpartition(".lxdapi-")[0]
    return last.startswith(".") and f"{folder}/{stem}".lstrip("/") in of and sftp_files.is_leftover(last, stem)


def remove_leftovers(session, root, names):
    """Delete the temporary files of interrupted runs."""
    _run_all(session, (_delete_if_exists(sftp_protocol.remove(posixpath.join(root, name))) for name in names))


def remove(session, path, attributes, recursive=True):
    """Delete a path, a directory with everything below it."""
    if sftp_files.file_type(attributes.mode) != "directory":
        session.run(_delete_if_exists(sftp_protocol.remove(path)))
        return
    if recursive:
        remove_all(session, path, list_tree(session, path))
    session.run(_delete_if_exists(sftp_protocol.rmdir(path)))


def _delete_if_exists(request):
    try:
        yield [request]
    except SftpError as exc:
        if not exc.missing:
            raise


def _run_all(session, jobs):
    for _ in session.run_concurrently(jobs):
        pass


def digests(session, root, sizes):
    """Return {relative path: sha256} of files with known sizes."""

    def job(name):
        return digest(posixpath.join(root, name), sizes[name], _READS_AHEAD)

    return {name: hasher.hexdigest() for name, hasher in _by_size(session, sizes, job)}


def _by_size(session, sizes, job):
    """Yield (name, result of its job) of files with known sizes, short files first."""
    for names, at_once in (
        ([n for n in sizes if sizes[n] <= _SHORT], sftp_session.AT_ONCE),
        ([n for n in sizes if sizes[n] > _SHORT], _LONG_AT_ONCE),
    ):
        yield from session.run_concurrently((_with_name(job(name), name) for name in names), at_once)


def digest(path, size, ahead=sftp_files.READS_AHEAD, algorithm="sha256"):
    """Return the hash of a file (a job)."""
    hasher = hashlib.new(algorithm)
    yield from sftp_files.read_blocks(path, hasher.update, size, ahead)
    return hasher


def write_tree(session, root, entries, owners):
    """
    Create the entries of a tree below a directory and yield the name of each finished one.

    entries
        {relative path: :class:`lxdapi.files.content.LocalEntry`} of the new or changed paths.
    owners
        {relative path: :class:`lxdapi.files.sftp_files.Owner`}, which say everything.
    """
    for _, names in _by_depth(name for name, each in entries.items() if each.type == "directory"):
        yield from _completed_names(
            session, ((sftp_files.make_directory(posixpath.join(root, name), owners[name]), name) for name in names)
        )
    contents = {name: sources.Content(path=each.path) for name, each in entries.items() if each.type == "file"}
    sizes = {name: content.size for name, content in contents.items()}

    def job(name):
        return sftp_files.write(posixpath.join(root, name), contents[name], owners[name])

    for name, _ in _by_size(session, sizes, job):
        yield name
    links = ((n, each.target) for n, each in entries.items() if each.type == "symlink")
    yield from _completed_names(session, ((sftp_files.make_symlink(posixpath.join(root, n), to), n) for n, to in links))


def _completed_names(session, jobs):
    """Run (job, name) pairs and yield the name of each finished job."""
    for name, _ in session.run_concurrently(_with_name(job, name) for job, name in jobs):
        yield name


def _by_depth(names):
    """Return [(depth, names)], topmost first."""
    levels = {}
    for name in names:
        levels.setdefault(name.count("/"), []).append(name)
    return sorted(levels.items())


def set_owners(session, root, owners):
    """Set owners and modes below a directory and yield the name of each finished path."""
    yield from _completed_names(
        session, ((sftp_files.set_ownership(posixpath.join(root, n), each), n) for n, each in owners.items())
    )


def read_targets(session, root, names):
    """Return {relative path: target} of links."""
    return dict(
        session.run_concurrently(_with_name(sftp_files.read_link(posixpath.join(root, name)), name) for name in names)
    )


def download(session, root, folder):
    """
    Download everything below a directory into a new local one; return the skipped paths.

    lxdapi skips devices, pipes and sockets, and links that lead out of the directory or that a program here would
    follow elsewhere. So the names in an instance cannot affect anything outside the directory: it is new, and its links
    are created last.
    """
    tree = list_tree(session, root)
    types = {name: sftp_files.file_type(each.mode) for name, each in tree.items()}
    for name in sorted(name for name, what in types.items() if what == "directory"):
        _mkdir(os.path.join(folder, name))
    sizes = {name: tree[name].size for name, what in types.items() if what == "file"}

    def job(name):
        return _fetch_file(posixpath.join(root, name), os.path.join(folder, name), tree[name])

    for _ in _by_size(session, sizes, job):
        pass
    links = [name for name, what in types.items() if what == "symlink"]
    skipped = [name for name, what in types.items() if what == "other"]
    for name, link_target in read_targets(session, root, links).items():
        if stays_inside(name, link_target):
            os.symlink(link_target, os.path.join(folder, name))
        else:
            skipped.append(name)
    return sorted(skipped)


def stays_inside(name, to):
    """
    Return True if the target of a link is below the root of its tree, whatever else is a link.

    name
        The path of the link, relative to the root; none of its parent directories may be a link.
    """
    parts = [part for part in to.split("/") if part not in ("", ".")]
    up = 0
    while up < len(parts) and parts[up] == "..":
        up += 1
    return bool(to) and not to.startswith("/") and "\0" not in to and up <= name.count("/") and ".." not in parts[up:]


def _mkdir(path):
    try:
        os.mkdir(path, 0o700)
    except (OSError, ValueError) as exc:
        raise LxdapiError(f"cannot create {path}: {getattr(exc, 'strerror', exc)}") from exc


def _fetch_file(path, local, attributes):
    """Download a file into a new local file that only its owner may read (a job)."""
    mode = 0o600 | stat.S_IMODE(attributes.mode) & 0o100
    try:
        with open(os.open(local, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode), "wb") as file:
            yield from sftp_files.read_blocks(
                path, lambda block: file.write(block) and None, attributes.size, _READS_AHEAD
            )
    except OSError as exc:
        raise LxdapiError(f"cannot write {local}: {exc.strerror}") from exc


def pull(session, root, folder, force=False):
    """
    Download a directory into a new local one, completely or not at all; return the skipped paths.

    force
        True: replace an existing directory. False: raise if it exists.
    """
    folder = validation.absolute_path("directory", folder).rstrip("/")
    if not folder:
        raise InvalidError("the local directory / cannot be replaced")
    if os.path.lexists(folder) and not force:
        raise InvalidError(f"{folder} already exists; set force=True to replace it")
    if os.path.lexists(folder) and (os.path.islink(folder) or not os.path.isdir(folder)):
        raise InvalidError(f"{folder} is not a directory")
    temporary = f"{folder}.lxdapi-{random.token_hex(8)}"
    _mkdir(temporary)
    try:
        skipped = download(session, root, temporary)
        _replace(folder, temporary)
    except OSError as exc:
        raise LxdapiError(f"cannot write {folder}: {exc.strerror}") from exc
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return skipped


def _replace(folder, temporary):
    """Rename a directory into the place of another, which is deleted."""
    old = f"{temporary}-old"
    if os.path.isdir(folder):
        os.rename(folder, old)
    os.rename(temporary, folder)
    shutil.rmtree(old, ignore_errors=True)
