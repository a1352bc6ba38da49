"""
A file, a directory or a symbolic link in an instance as declared: the steps to it, and what they change.

Nothing of a connection is kept between what is read and what is done: as long as one is open, the daemon deletes,
starts and stops no such instance (LXD 5.0.2, Incus 6.0.4, Incus 7.0.2).
"""

import difflib
import posixpath
from contextlib import suppress
from functools import partial
from typing import Callable, NamedTuple, Union

from lxdapi import validation as names
from lxdapi.errors import APIConnectionException, APINotFoundException, APITimeoutException, InvalidError, LxdapiError
from lxdapi.files import accounts
from lxdapi.files import content as sources
from lxdapi.files import path_jobs as files
from lxdapi.files import sftp_protocol as sftp
from lxdapi.files import sftp_session as sessions
from lxdapi.files import tree_jobs as trees
from lxdapi.http import progress
from lxdapi.plan import steps as plans
from lxdapi.plan.steps import Step

HIDDEN = "(hidden)"
NOT_SHOWN = "(not shown: binary, or more than 1 MiB)"
_ROOT = files.NEW
_ROOT_FOLDER = files.Owner(0, 0, files.DIRECTORY_MODE)


class Wanted(NamedTuple):
    """
    What is declared of a file besides its content.

    user, group
        Names or numbers; None: left alone, of a new one root.
    mode
        See :func:`lxdapi.files.path_jobs.mode_of`; None: left alone.
    makedirs
        True: directories that are missing above it are made.
    force
        True: what is of another type goes.
    replace
        False: the content of a file that exists is left alone.
    follow
        True: a symbolic link of that name stays, and what it leads to is meant. False: a file replaces the link.
    show
        False: nothing of the content is in the changes.
    """

    user: Union[str, int, None] = None
    group: Union[str, int, None] = None
    mode: Union[str, int, None] = None
    makedirs: bool = False
    force: bool = False
    replace: bool = True
    follow: bool = True
    show: bool = True

    def checked(self):
        """Return it; raises :class:`InvalidError` for what can be no owner and no mode, before any request."""
        files.mode_of(self.mode)
        names.user_or_group("user", self.user)
        names.user_or_group("group", self.group)
        return self


class Target(NamedTuple):
    """Something in an instance: the API, the instance's name, the path."""

    api: object
    instance: str
    path: str

    @property
    def shown(self):
        """Return the path as it can be told."""
        return sftp.shown(self.path)

    def converse(self, work):
        """See :func:`lxdapi.files.sftp_session.converse`."""
        return sessions.converse(self.api, self.instance, work)

    def planned(self, look):
        """
        Return the steps that ``look``, which is given a session, returns; of an instance that is not there, or does not
        run and has to, a step that says so.
        """
        try:
            return self.converse(look)
        except (APINotFoundException, sftp.UnreachableError) as exc:
            words = exc.explain()

        def apply():
            return plans.apply(self.converse(look))

        return [Step("created", {"created": self.shown}, apply, missing=lambda: words)]


def target(api, instance, path):
    """Return the :class:`Target`; raises :class:`InvalidError` for what can be none."""
    names.check("instance", "instance", instance)
    return Target(api, instance, files.path_of(path))


class Found(NamedTuple):
    """
    What is there: where a path leads to, and its attributes or None.

    declared
        Of the :class:`lxdapi.files.path_jobs.Owner` what is declared.
    owner
        Who shall have it.
    changes
        How that differs.
    """

    place: str
    attributes: object
    declared: files.Owner
    owner: files.Owner
    changes: dict


def compared(session, there, wanted, new=_ROOT):
    """Return the :class:`Found` of a target; raises for a name that the instance does not know."""
    where = files.resolved(there.path) if wanted.follow else _unresolved(there.path)
    place, attributes = session.do(where)
    known = accounts.Accounts(session)
    numbers = files.Owner(
        known.number("user", wanted.user), known.number("group", wanted.group), files.mode_of(wanted.mode)
    )
    before = None if attributes is None else files.owner_of(attributes)
    return Found(place, attributes, numbers, numbers.over(before or new), owner_changes(known, numbers, before))


def _unresolved(path):
    return path, (yield from files.looked(path))


def owner_changes(known, wanted, before):
    """Return the changes of user, group and mode; ``before`` None: of something new."""
    changes = {}
    for word in ("user", "group"):
        number, was = (getattr(each, word[0] + "id", None) for each in (wanted, before))
        if number is not None and number != was:
            changes[word] = {"old": None if was is None else known.name(word, was), "new": known.name(word, number)}
    was = None if before is None else before.mode
    if wanted.mode is not None and wanted.mode != was:
        changes["mode"] = {"old": None if was is None else files.mode_text(was), "new": files.mode_text(wanted.mode)}
    return changes


def managed(there, content, wanted):
    """
    Return the steps to a file with this content and owner.

    content
        A :class:`lxdapi.files.content.Content`; None: there is a file, whatever it holds.
    wanted
        A :class:`Wanted`.
    """
    wanted = wanted.checked()
    return there.planned(lambda session: _managed(session, there, content, wanted))


def _managed(session, there, content, wanted):
    found = compared(session, there, wanted)
    new = found.attributes is None
    if not new and files.type_of(found.attributes.mode) != "file":
        _refuse_type(there, found, "file", wanted.force or _is_link_to_replace(found.attributes, wanted))
        new = True
        found = found._replace(owner=found.declared.over(_ROOT))
    if new:
        body = content or sources.Content(b"")
        changes = {**_kind_changes(there, found), **_diff(there, b"", body, wanted.show), **found.changes}
        write = partial(_write, there, found, body, wanted)
        return [Step("created", changes, write, missing=_missing_folder(session, found.place, wanted))]
    changes = _content_changes(session, there, found, content, wanted) if content and wanted.replace else {}
    if changes:
        return [Step("written", {**changes, **found.changes}, partial(_write, there, found, content, wanted))]
    return owner_step(there, found)


def _is_link_to_replace(attributes, wanted):
    """Return True for a symbolic link where ``follow`` is False: a file takes its place, and no data is lost."""
    return not wanted.follow and files.type_of(attributes.mode) == "symlink"


def owner_step(there, found):
    """Return the steps to the owner and mode that a :class:`Found` shall have."""

    def apply():
        there.converse(lambda session: session.do(files.changed(found.place, found.owner)))

    return [Step("updated", found.changes, apply)] if found.changes else []


def _kind_changes(there, found):
    """Return the changes for something new, which may be in place of something of another type."""
    return {"created": there.shown} if found.attributes is None else {"type": _type_change(found, "file")}


def _type_change(found, new):
    return {"old": files.type_of(found.attributes.mode), "new": new}


def _refuse_type(there, found, word, force):
    """Raise for what is of another type and may not go."""
    if not force:
        old = files.type_of(found.attributes.mode)
        raise InvalidError(f"{there.shown} is a {old} and no {word}: force: True replaces it")


def _missing_folder(session, place, wanted) -> Callable:
    """Return a function that says which directory is missing, if one is that shall not be made."""
    folder = posixpath.dirname(place)
    missing = not wanted.makedirs and session.do(files.looked(folder, follow=True)) is None
    return (lambda: f"{sftp.shown(folder)} does not exist; makedirs: True makes it") if missing else str


def _write(there, found, content, wanted):
    """Write the file; nothing of what is in its place is lost before it is whole."""

    def work(session):
        _prepare(session, there, found, wanted)
        with progress.line(found.place, content.size, there.api, found.place) as show:
            files.put_alone(session, found.place, content, found.owner, show)

    try:
        there.converse(work)
    except (APIConnectionException, APITimeoutException):
        # what is left now a later run would only remove when it writes the file
        with suppress(LxdapiError):
            once = there._replace(api=there.api.impatient())
            once.converse(lambda session: session.do(files.swept(found.place)))
        raise


def _prepare(session, there, found, wanted):
    """The directory is there, without leftovers of earlier runs, and so is the place."""
    folder = posixpath.dirname(found.place)
    make_folders(session, folder, wanted.makedirs, found.owner)
    session.do(files.swept(found.place))
    old = session.do(files.looked(found.place))
    if old is not None and files.type_of(old.mode) not in ("file", "symlink"):
        _refuse_type(there, found._replace(attributes=old), "file", wanted.force)
        trees.remove(session, found.place, old)


def make_folders(session, folder, makedirs, owner):
    """Make the directories that are missing, for this user and group; raises where they shall not be made."""
    missing = session.do(files.missing_folders(folder))
    if missing and not makedirs:
        raise InvalidError(f"{sftp.shown(folder)} does not exist; makedirs: True makes it")
    for each in missing:
        session.do(files.made(each, owner._replace(mode=files.DIRECTORY_MODE)))


def _content_changes(session, there, found, content, wanted):
    """Return the changes of the content, {} where it is the same."""
    size = found.attributes.size
    short = max(size, content.size) <= sources.LONGEST_SHOWN
    if size == content.size:
        digest = session.do(trees.digest(found.place, size)).hexdigest()
        if digest == content.sha256:
            return {}
        more = {"sha256": {"old": digest, "new": content.sha256}}
    else:
        more = {"size": {"old": size, "new": content.size}}
    if not wanted.show:
        return {"diff": HIDDEN}
    return {**_diff(there, read(session, found.place, size) if short else None, content, True, more)}


def _diff(there, old, content, show, more=None):
    """Return the changes of a text, for what is none ``more``; ``old`` None: it is too long."""
    if not show:
        return {"diff": HIDDEN}
    before, after = None if old is None else sources.text_of(old), content.text()
    if before is None or after is None:
        return {"diff": NOT_SHOWN, **(more or {"size": {"old": None, "new": content.size}})}
    lines = (each.splitlines(keepends=True) for each in (before, after))
    label = there.shown
    return {"diff": "".join(_ended(line) for line in difflib.unified_diff(*lines, label, label))}


def _ended(line):
    return line if line.endswith("\n") else f"{line}\n\\ no newline at the end\n"


def read(session, path, size, most=sources.LONGEST_SHOWN):
    """Return a short file as bytes; of a long one about as many as are wanted at most."""
    data = bytearray()

    def sink(block):
        data.extend(block)
        return len(data) >= most

    session.do(files.content(path, sink, min(size, most)))
    return bytes(data)


def directory(there, wanted):
    """Return the steps to a directory with this owner."""
    wanted = wanted.checked()
    return there.planned(lambda session: _directory(session, there, wanted))


def _directory(session, there, wanted):
    found = compared(session, there, wanted, _ROOT_FOLDER)
    if found.attributes is not None and files.type_of(found.attributes.mode) == "directory":
        return owner_step(there, found)
    if found.attributes is not None:
        _refuse_type(there, found, "directory", wanted.force)
        kind = {"type": _type_change(found, "directory")}
    else:
        kind = {"created": there.shown}

    def apply():
        there.converse(lambda again: _make(again, found, wanted))

    return [Step("created", {**kind, **found.changes}, apply, missing=_missing_folder(session, found.place, wanted))]


def root_steps(session, there, wanted):
    """Return the steps to the directory that a tree is to be in."""
    return list(_directory(session, there, wanted))


def _make(session, found, wanted):
    owner = found.declared.over(_ROOT_FOLDER)
    old = session.do(files.looked(found.place))
    if old is not None and files.type_of(old.mode) != "directory":
        trees.remove(session, found.place, old)
        old = None
    make_folders(session, posixpath.dirname(found.place), wanted.makedirs, owner)
    session.do(files.made(found.place, owner) if old is None else files.changed(found.place, owner))


def symlink(there, to, wanted):
    """Return the steps to a symbolic link; a link to elsewhere is replaced, something else only with ``force``."""
    if not isinstance(to, str) or not to or "\0" in to:
        raise InvalidError(f"target: a path is needed, not {to!r}")
    return there.planned(lambda session: _symlink(session, there, to, wanted))


def _symlink(session, there, to, wanted):
    found = session.do(files.looked(there.path))

    def apply():
        there.converse(lambda again: _link(again, there, to, wanted))

    missing = _missing_folder(session, there.path, wanted)
    if found is None:
        return [Step("created", {"created": there.shown, "target": {"old": None, "new": to}}, apply, missing=missing)]
    if files.type_of(found.mode) == "symlink":
        old = session.do(files.target(there.path))
        return [] if old == to else [Step("updated", {"target": {"old": sftp.shown(old), "new": to}}, apply)]
    there_is = Found(there.path, found, _ROOT, _ROOT, {})
    _refuse_type(there, there_is, "symlink", wanted.force)
    return [Step("created", {"type": _type_change(there_is, "symlink"), "target": {"old": None, "new": to}}, apply)]


def _link(session, there, to, wanted):
    make_folders(session, posixpath.dirname(there.path), wanted.makedirs, _ROOT)
    found = session.do(files.looked(there.path))
    if found is not None and files.type_of(found.mode) == "directory":
        trees.remove(session, there.path, found)
    session.do(files.linked(there.path, to))


def absent(there, recursive=True):
    """
    Return the steps to a path that is not there; a symbolic link goes and not its target.

    recursive
        True: a directory goes with all that is below it.
    """
    if there.path == "/":
        raise InvalidError("/ cannot be removed")

    def look(session):
        if session.do(files.looked(there.path)) is None:
            return plans.Plan(summary="absent")
        return [Step("deleted", {"deleted": there.shown}, partial(there.converse, gone))]

    def gone(session):
        found = session.do(files.looked(there.path))
        if found is not None:
            trees.remove(session, there.path, found, recursive)

    names.check("instance", "instance", there.instance)
    try:
        return there.converse(look)
    except APINotFoundException:
        return plans.Plan(summary="absent: there is no such instance")
