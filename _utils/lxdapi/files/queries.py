"""
Queries about files in an instance: facts, contents, and downloads to the minion.
"""

import hashlib

from lxdapi.errors import InvalidError, LxdapiError
from lxdapi.files import accounts, content, plan, sftp_files, sftp_protocol, sftp_trees
from lxdapi.http import progress
from lxdapi.plan.steps import Step


def stat(target, follow=False):
    """
    Return the facts about a :class:`lxdapi.files.target.Target`, {} if it does not exist.

    follow
        True: follow a symbolic link.
    """

    def look(session):
        attributes = session.run(sftp_files.lstat_or_none(target.path, follow))
        if attributes is None:
            return {}
        known_accounts, file_type = accounts.Accounts(session), sftp_files.file_type(attributes.mode)
        facts = {
            "type": file_type,
            "size": attributes.size,
            "uid": attributes.uid,
            "gid": attributes.gid,
            "mtime": attributes.mtime,
        }
        facts.update(
            user=known_accounts.name("user", attributes.uid), group=known_accounts.name("group", attributes.gid)
        )
        facts["mode"] = sftp_files.format_mode(attributes.mode)
        if file_type == "symlink":
            facts["target"] = sftp_protocol.format_path(session.run(sftp_files.read_link(target.path)))
        return facts

    return target.with_session(look)


def _resolve_file(session, target):
    """Return (path, size) of a file after following links; raises unless it is a file."""
    path, attributes = session.run(sftp_files.resolve(target.path))
    _require_type(target, "file", attributes)
    return path, attributes.size


def _require_type(target, file_type, attributes):
    """Raise unless a path exists and has this type."""
    if attributes is None:
        raise InvalidError(f"{target.label} does not exist")
    actual = sftp_files.file_type(attributes.mode)
    if actual != file_type:
        raise InvalidError(f"{target.label}: expected a {file_type}, got a {actual}")


def readdir(target):
    """Return the sorted names in a directory."""
    return sorted(
        sftp_protocol.format_path(name)
        for name in target.with_session(lambda session: session.run(sftp_files.list_directory(target.path)))
    )


def readlink(target):
    """Return the target of a symbolic link."""

    def look(session):
        attributes = session.run(sftp_files.lstat_or_none(target.path))
        _require_type(target, "symlink", attributes)
        return sftp_protocol.format_path(session.run(sftp_files.read_link(target.path)))

    return target.with_session(look)


def read(target):
    """Return the text of a short file; raises :class:`InvalidError` for a long or binary one."""

    def look(session):
        path, size = _resolve_file(session, target)
        return plan.read_short(session, path, size, content.LONGEST_SHOWN + 1)

    data = target.with_session(look)
    text = content.decode_text(data) if len(data) <= content.LONGEST_SHOWN else None
    if text is None:
        raise InvalidError(f"{target.label} is longer than 1 MiB, or not text; use lxdapi_file.pull")
    return text


def digest(target, algorithm):
    """Return the hash of a file."""
    if algorithm not in hashlib.algorithms_guaranteed or algorithm.startswith("shake"):
        raise InvalidError(f"unknown hash {algorithm!r}; choose one of hashlib, such as sha256")

    def look(session):
        path, size = _resolve_file(session, target)
        return session.run(sftp_trees.digest(path, size, algorithm=algorithm)).hexdigest()

    return target.with_session(look)


def fetch(target, file):
    """Download a file of the instance into an open local file; returns its size and sha256."""

    def work(session):
        path, size = _resolve_file(session, target)
        file.seek(0)
        file.truncate()
        digest = hashlib.sha256()
        with progress.count_bytes(target.label, size, target.api, target.label) as show:
            size_read = session.run(
                sftp_files.read_blocks(path, lambda block: _write_block(block, file, digest, show), size)
            )
        return {"size": size_read, "sha256": digest.hexdigest()}

    return target.with_session(work)


def _write_block(block, file, digest, show):
    try:
        file.write(block)
    except OSError as exc:
        raise LxdapiError(f"cannot write {file.name}: {exc.strerror}") from exc
    digest.update(block)
    show(len(block))


def fetch_tree(target, folder, force=False):
    """Download a directory of the instance; return the skipped paths."""

    def work(session):
        root, attributes = session.run(sftp_files.resolve(target.path))
        _require_type(target, "directory", attributes)
        return sftp_trees.pull(session, root, folder, force)

    return [sftp_protocol.format_path(name) for name in target.with_session(work)]


def plan_ownership(target, spec) -> list[Step]:
    """Return the steps that set the owner and mode of an existing path."""

    def look(session):
        inspection = plan.inspect(session, target, spec)
        if inspection.attributes is None:
            raise InvalidError(f"{target.label} does not exist")
        return plan.plan_ownership(target, inspection)

    return target.with_session(look)
