"""
What people ask of the files in an instance: facts, contents, copies of them on this machine.
"""

import hashlib

from lxdapi.errors import InvalidError, LxdapiError
from lxdapi.files import accounts
from lxdapi.files import content as sources
from lxdapi.files import path_jobs as files
from lxdapi.files import plan as fileplan
from lxdapi.files import sftp_protocol as sftp
from lxdapi.files import tree_jobs as trees
from lxdapi.http import progress


def stat(there, follow=False):
    """
    Return the facts of a :class:`lxdapi.files.plan.Target`, {} where there is nothing.

    follow
        True: of what a symbolic link leads to.
    """

    def look(session):
        found = session.do(files.looked(there.path, follow))
        if found is None:
            return {}
        known, what = accounts.Accounts(session), files.type_of(found.mode)
        facts = {"type": what, "size": found.size, "uid": found.uid, "gid": found.gid, "mtime": found.mtime}
        facts.update(user=known.name("user", found.uid), group=known.name("group", found.gid))
        facts["mode"] = files.mode_text(found.mode)
        if what == "symlink":
            facts["target"] = sftp.shown(session.do(files.target(there.path)))
        return facts

    return there.converse(look)


def _file(session, there):
    """Return (path, size) of a file, of a link what it leads to; raises where it is none."""
    place, found = session.do(files.resolved(there.path))
    if found is None:
        raise InvalidError(f"{there.shown} does not exist")
    if files.type_of(found.mode) != "file":
        raise InvalidError(f"{there.shown} is a {files.type_of(found.mode)} and no file")
    return place, found.size


def readdir(there):
    """Return the sorted names of what is in a directory."""
    return sorted(sftp.shown(name) for name in there.converse(lambda session: session.do(files.entries(there.path))))


def readlink(there):
    """Return the target of a symbolic link."""

    def look(session):
        found = session.do(files.looked(there.path))
        if found is None or files.type_of(found.mode) != "symlink":
            raise InvalidError(f"{there.shown} is no symbolic link" if found else f"{there.shown} does not exist")
        return sftp.shown(session.do(files.target(there.path)))

    return there.converse(look)


def read(there):
    """Return the text of a short file; raises :class:`InvalidError` for another."""

    def look(session):
        place, size = _file(session, there)
        return fileplan.read(session, place, size, sources.LONGEST_SHOWN + 1)

    data = there.converse(look)
    text = sources.text_of(data) if len(data) <= sources.LONGEST_SHOWN else None
    if text is None:
        raise InvalidError(f"{there.shown} is longer than 1 MiB, or no text: pull it")
    return text


def digest(there, algorithm):
    """Return the hash of a file."""
    if algorithm not in hashlib.algorithms_guaranteed or algorithm.startswith("shake"):
        raise InvalidError(f"there is no hash called {algorithm!r}")

    def look(session):
        place, size = _file(session, there)
        return session.do(trees.digest(place, size, algorithm=algorithm)).hexdigest()

    return there.converse(look)


def fetch(there, file):
    """Write a file of the instance into one that is open here; returns its size and sha256."""

    def work(session):
        place, size = _file(session, there)
        file.seek(0)
        file.truncate()
        found = hashlib.sha256()
        with progress.line(there.shown, size, there.api, there.shown) as show:
            done = session.do(files.content(place, lambda block: _taken(block, file, found, show), size))
        return {"size": done, "sha256": found.hexdigest()}

    return there.converse(work)


def _taken(block, file, found, show):
    try:
        file.write(block)
    except OSError as exc:
        raise LxdapiError(f"{file.name} cannot be written: {exc.strerror}") from exc
    found.update(block)
    show(len(block))


def fetch_tree(there, folder, force=False):
    """Make a directory here a copy of one of the instance; returns what was left out."""

    def work(session):
        root, found = session.do(files.resolved(there.path))
        if found is None or files.type_of(found.mode) != "directory":
            raise InvalidError(f"{there.shown} is no directory" if found else f"{there.shown} does not exist")
        return trees.pull(session, root, folder, force)

    return [sftp.shown(name) for name in there.converse(work)]


def owned(there, wanted):
    """Return the steps to this owner and mode of what is there already."""
    wanted = wanted.checked()

    def look(session):
        found = fileplan.compared(session, there, wanted)
        if found.attributes is None:
            raise InvalidError(f"{there.shown} does not exist")
        return fileplan.owner_step(there, found)

    return there.converse(look)
