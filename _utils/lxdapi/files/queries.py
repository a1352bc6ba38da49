"""
What people ask of the files in an instance: facts, contents, copies of them on this machine.
"""

import hashlib

from lxdapi.errors import InvalidError, LxdapiError
from lxdapi.files import accounts, content, path_jobs, plan, sftp_protocol, tree_jobs
from lxdapi.http import progress


def stat(there, follow=False):
    """
    Return the facts of a :class:`lxdapi.files.plan.Target`, {} where there is nothing.

    follow
        True: of what a symbolic link leads to.
    """

    def look(session):
        found = session.run(path_jobs.lstat_or_none(there.path, follow))
        if found is None:
            return {}
        known, what = accounts.Accounts(session), path_jobs.file_type(found.mode)
        facts = {"type": what, "size": found.size, "uid": found.uid, "gid": found.gid, "mtime": found.mtime}
        facts.update(user=known.name("user", found.uid), group=known.name("group", found.gid))
        facts["mode"] = path_jobs.format_mode(found.mode)
        if what == "symlink":
            facts["target"] = sftp_protocol.format_path(session.run(path_jobs.read_link(there.path)))
        return facts

    return there.with_session(look)


def _resolve_file(session, there):
    """Return (path, size) of a file, of a link what it leads to; raises where it is none."""
    place, found = session.run(path_jobs.resolve(there.path))
    if found is None:
        raise InvalidError(f"{there.label} does not exist")
    if path_jobs.file_type(found.mode) != "file":
        raise InvalidError(f"{there.label} is a {path_jobs.file_type(found.mode)} and no file")
    return place, found.size


def readdir(there):
    """Return the sorted names of what is in a directory."""
    return sorted(
        sftp_protocol.format_path(name)
        for name in there.with_session(lambda session: session.run(path_jobs.list_directory(there.path)))
    )


def readlink(there):
    """Return the target of a symbolic link."""

    def look(session):
        found = session.run(path_jobs.lstat_or_none(there.path))
        if found is None or path_jobs.file_type(found.mode) != "symlink":
            raise InvalidError(f"{there.label} is no symbolic link" if found else f"{there.label} does not exist")
        return sftp_protocol.format_path(session.run(path_jobs.read_link(there.path)))

    return there.with_session(look)


def read(there):
    """Return the text of a short file; raises :class:`InvalidError` for another."""

    def look(session):
        place, size = _resolve_file(session, there)
        return plan.read_short(session, place, size, content.LONGEST_SHOWN + 1)

    data = there.with_session(look)
    text = content.decode_text(data) if len(data) <= content.LONGEST_SHOWN else None
    if text is None:
        raise InvalidError(f"{there.label} is longer than 1 MiB, or no text: pull it")
    return text


def digest(there, algorithm):
    """Return the hash of a file."""
    if algorithm not in hashlib.algorithms_guaranteed or algorithm.startswith("shake"):
        raise InvalidError(f"there is no hash called {algorithm!r}")

    def look(session):
        place, size = _resolve_file(session, there)
        return session.run(tree_jobs.digest(place, size, algorithm=algorithm)).hexdigest()

    return there.with_session(look)


def fetch(there, file):
    """Write a file of the instance into one that is open here; returns its size and sha256."""

    def work(session):
        place, size = _resolve_file(session, there)
        file.seek(0)
        file.truncate()
        found = hashlib.sha256()
        with progress.count_bytes(there.label, size, there.api, there.label) as show:
            done = session.run(path_jobs.read_blocks(place, lambda block: _write_block(block, file, found, show), size))
        return {"size": done, "sha256": found.hexdigest()}

    return there.with_session(work)


def _write_block(block, file, found, show):
    try:
        file.write(block)
    except OSError as exc:
        raise LxdapiError(f"{file.name} cannot be written: {exc.strerror}") from exc
    found.update(block)
    show(len(block))


def fetch_tree(there, folder, force=False):
    """Make a directory here a copy of one of the instance; returns what was left out."""

    def work(session):
        root, found = session.run(path_jobs.resolve(there.path))
        if found is None or path_jobs.file_type(found.mode) != "directory":
            raise InvalidError(f"{there.label} is no directory" if found else f"{there.label} does not exist")
        return tree_jobs.pull(session, root, folder, force)

    return [sftp_protocol.format_path(name) for name in there.with_session(work)]


def plan_ownership(there, wanted):
    """Return the steps to this owner and mode of what is there already."""
    wanted = wanted.validate()

    def look(session):
        found = plan.inspect(session, there, wanted)
        if found.attributes is None:
            raise InvalidError(f"{there.label} does not exist")
        return plan.plan_ownership(there, found)

    return there.with_session(look)
