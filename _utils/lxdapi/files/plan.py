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

from lxdapi import validation
from lxdapi.errors import APIConnectionException, APINotFoundException, APITimeoutException, InvalidError, LxdapiError
from lxdapi.files import accounts, path_jobs, sftp_protocol, sftp_session, tree_jobs
from lxdapi.files import content as sources
from lxdapi.http import progress
from lxdapi.plan import steps
from lxdapi.plan.steps import Step

HIDDEN = "(hidden)"
NOT_SHOWN = "(not shown: binary, or more than 1 MiB)"
_ROOT = path_jobs.NEW
_ROOT_FOLDER = path_jobs.Owner(0, 0, path_jobs.DIRECTORY_MODE)


class FileSpec(NamedTuple):
    """
    What is declared of a file besides its content.

    user, group
        Names or numbers; None: left alone, of a new one root.
    mode
        See :func:`lxdapi.files.path_jobs.parse_mode`; None: left alone.
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

    def validate(self):
        """Return it; raises :class:`InvalidError` for what can be no owner and no mode, before any request."""
        path_jobs.parse_mode(self.mode)
        validation.user_or_group("user", self.user)
        validation.user_or_group("group", self.group)
        return self


class Target(NamedTuple):
    """Something in an instance: the API, the instance's name, the path."""

    api: object
    instance: str
    path: str

    @property
    def label(self):
        """Return the path as it can be told."""
        return sftp_protocol.format_path(self.path)

    def with_session(self, work):
        """See :func:`lxdapi.files.sftp_session.with_session`."""
        return sftp_session.with_session(self.api, self.instance, work)

    def plan(self, look):
        """
        Return the steps that ``look``, which is given a session, returns; of an instance that is not there, or does not
        run and has to, a step that says so.
        """
        try:
            return self.with_session(look)
        except (APINotFoundException, sftp_protocol.UnreachableError) as exc:
            words = exc.explain()

        def apply():
            return steps.apply(self.with_session(look))

        return [Step("created", {"created": self.label}, apply, missing=lambda: words)]


def parse_target(api, instance, path):
    """Return the :class:`Target`; raises :class:`InvalidError` for what can be none."""
    validation.check("instance", "instance", instance)
    return Target(api, instance, path_jobs.parse_path(path))


class Inspection(NamedTuple):
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
    declared: path_jobs.Owner
    owner: path_jobs.Owner
    changes: dict


def inspect(session, there, wanted, new=_ROOT):
    """Return the :class:`Inspection` of a target; raises for a name that the instance does not know."""
    where = path_jobs.resolve(there.path) if wanted.follow else _lstat(there.path)
    place, attributes = session.run(where)
    known = accounts.Accounts(session)
    numbers = path_jobs.Owner(
        known.number("user", wanted.user), known.number("group", wanted.group), path_jobs.parse_mode(wanted.mode)
    )
    before = None if attributes is None else path_jobs.owner_of(attributes)
    return Inspection(
        place, attributes, numbers, numbers.with_defaults_from(before or new), owner_changes(known, numbers, before)
    )


def _lstat(path):
    return path, (yield from path_jobs.lstat_or_none(path))


def owner_changes(known, wanted, before):
    """Return the changes of user, group and mode; ``before`` None: of something new."""
    changes = {}
    for word in ("user", "group"):
        number, was = (getattr(each, word[0] + "id", None) for each in (wanted, before))
        if number is not None and number != was:
            changes[word] = {"old": None if was is None else known.name(word, was), "new": known.name(word, number)}
    was = None if before is None else before.mode
    if wanted.mode is not None and wanted.mode != was:
        changes["mode"] = {
            "old": None if was is None else path_jobs.format_mode(was),
            "new": path_jobs.format_mode(wanted.mode),
        }
    return changes


def plan_file(there, content, wanted):
    """
    Return the steps to a file with this content and owner.

    content
        A :class:`lxdapi.files.content.Content`; None: there is a file, whatever it holds.
    wanted
        A :class:`FileSpec`.
    """
    wanted = wanted.validate()
    return there.plan(lambda session: _plan_file(session, there, content, wanted))


def _plan_file(session, there, content, wanted):
    found = inspect(session, there, wanted)
    new = found.attributes is None
    if not new and path_jobs.file_type(found.attributes.mode) != "file":
        _require_replaceable(there, found, "file", wanted.force or _is_link_to_replace(found.attributes, wanted))
        new = True
        found = found._replace(owner=found.declared.with_defaults_from(_ROOT))
    if new:
        body = content or sources.Content(b"")
        changes = {**_type_changes(there, found), **_diff(there, b"", body, wanted.show), **found.changes}
        write = partial(_write, there, found, body, wanted)
        return [Step("created", changes, write, missing=_missing_folder(session, found.place, wanted))]
    changes = _content_changes(session, there, found, content, wanted) if content and wanted.replace else {}
    if changes:
        return [Step("written", {**changes, **found.changes}, partial(_write, there, found, content, wanted))]
    return plan_ownership(there, found)


def _is_link_to_replace(attributes, wanted):
    """Return True for a symbolic link where ``follow`` is False: a file takes its place, and no data is lost."""
    return not wanted.follow and path_jobs.file_type(attributes.mode) == "symlink"


def plan_ownership(there, found):
    """Return the steps to the owner and mode that a :class:`Inspection` shall have."""

    def apply():
        there.with_session(lambda session: session.run(path_jobs.set_ownership(found.place, found.owner)))

    return [Step("updated", found.changes, apply)] if found.changes else []


def _type_changes(there, found):
    """Return the changes for something new, which may be in place of something of another type."""
    return {"created": there.label} if found.attributes is None else {"type": _type_change(found, "file")}


def _type_change(found, new):
    return {"old": path_jobs.file_type(found.attributes.mode), "new": new}


def _require_replaceable(there, found, word, force):
    """Raise for what is of another type and may not go."""
    if not force:
        old = path_jobs.file_type(found.attributes.mode)
        raise InvalidError(f"{there.label} is a {old} and no {word}: force: True replaces it")


def _missing_folder(session, place, wanted) -> Callable:
    """Return a function that says which directory is missing, if one is that shall not be made."""
    folder = posixpath.dirname(place)
    missing = not wanted.makedirs and session.run(path_jobs.lstat_or_none(folder, follow=True)) is None
    return (lambda: f"{sftp_protocol.format_path(folder)} does not exist; makedirs: True makes it") if missing else str


def _write(there, found, content, wanted):
    """Write the file; nothing of what is in its place is lost before it is whole."""

    def work(session):
        _prepare(session, there, found, wanted)
        with progress.count_bytes(found.place, content.size, there.api, found.place) as show:
            path_jobs.write_pipelined(session, found.place, content, found.owner, show)

    try:
        there.with_session(work)
    except (APIConnectionException, APITimeoutException):
        # what is left now a later run would only remove when it writes the file
        with suppress(LxdapiError):
            once = there._replace(api=there.api.without_retries())
            once.with_session(lambda session: session.run(path_jobs.remove_leftovers(found.place)))
        raise


def _prepare(session, there, found, wanted):
    """The directory is there, without leftovers of earlier runs, and so is the place."""
    folder = posixpath.dirname(found.place)
    make_folders(session, folder, wanted.makedirs, found.owner)
    session.run(path_jobs.remove_leftovers(found.place))
    old = session.run(path_jobs.lstat_or_none(found.place))
    if old is not None and path_jobs.file_type(old.mode) not in ("file", "symlink"):
        _require_replaceable(there, found._replace(attributes=old), "file", wanted.force)
        tree_jobs.remove(session, found.place, old)


def make_folders(session, folder, makedirs, owner):
    """Make the directories that are missing, for this user and group; raises where they shall not be made."""
    missing = session.run(path_jobs.missing_folders(folder))
    if missing and not makedirs:
        raise InvalidError(f"{sftp_protocol.format_path(folder)} does not exist; makedirs: True makes it")
    for each in missing:
        session.run(path_jobs.make_directory(each, owner._replace(mode=path_jobs.DIRECTORY_MODE)))


def _content_changes(session, there, found, content, wanted):
    """Return the changes of the content, {} where it is the same."""
    size = found.attributes.size
    short = max(size, content.size) <= sources.LONGEST_SHOWN
    if size == content.size:
        digest = session.run(tree_jobs.digest(found.place, size)).hexdigest()
        if digest == content.sha256:
            return {}
        more = {"sha256": {"old": digest, "new": content.sha256}}
    else:
        more = {"size": {"old": size, "new": content.size}}
    if not wanted.show:
        return {"diff": HIDDEN}
    return {**_diff(there, read_short(session, found.place, size) if short else None, content, True, more)}


def _diff(there, old, content, show, more=None):
    """Return the changes of a text, for what is none ``more``; ``old`` None: it is too long."""
    if not show:
        return {"diff": HIDDEN}
    before, after = None if old is None else sources.decode_text(old), content.text()
    if before is None or after is None:
        return {"diff": NOT_SHOWN, **(more or {"size": {"old": None, "new": content.size}})}
    lines = (each.splitlines(keepends=True) for each in (before, after))
    label = there.label
    return {"diff": "".join(_with_newline(line) for line in difflib.unified_diff(*lines, label, label))}


def _with_newline(line):
    return line if line.endswith("\n") else f"{line}\n\\ no newline at the end\n"


def read_short(session, path, size, most=sources.LONGEST_SHOWN):
    """Return a short file as bytes; of a long one about as many as are wanted at most."""
    data = bytearray()

    def sink(block):
        data.extend(block)
        return len(data) >= most

    session.run(path_jobs.read_blocks(path, sink, min(size, most)))
    return bytes(data)


def plan_directory(there, wanted):
    """Return the steps to a directory with this owner."""
    wanted = wanted.validate()
    return there.plan(lambda session: _plan_directory(session, there, wanted))


def _plan_directory(session, there, wanted):
    found = inspect(session, there, wanted, _ROOT_FOLDER)
    if found.attributes is not None and path_jobs.file_type(found.attributes.mode) == "directory":
        return plan_ownership(there, found)
    if found.attributes is not None:
        _require_replaceable(there, found, "directory", wanted.force)
        kind = {"type": _type_change(found, "directory")}
    else:
        kind = {"created": there.label}

    def apply():
        there.with_session(lambda again: _make_directory(again, found, wanted))

    return [Step("created", {**kind, **found.changes}, apply, missing=_missing_folder(session, found.place, wanted))]


def plan_root(session, there, wanted):
    """Return the steps to the directory that a tree is to be in."""
    return list(_plan_directory(session, there, wanted))


def _make_directory(session, found, wanted):
    owner = found.declared.with_defaults_from(_ROOT_FOLDER)
    old = session.run(path_jobs.lstat_or_none(found.place))
    if old is not None and path_jobs.file_type(old.mode) != "directory":
        tree_jobs.remove(session, found.place, old)
        old = None
    make_folders(session, posixpath.dirname(found.place), wanted.makedirs, owner)
    session.run(
        path_jobs.make_directory(found.place, owner) if old is None else path_jobs.set_ownership(found.place, owner)
    )


def plan_symlink(there, to, wanted):
    """Return the steps to a symbolic link; a link to elsewhere is replaced, something else only with ``force``."""
    if not isinstance(to, str) or not to or "\0" in to:
        raise InvalidError(f"target: a path is needed, not {to!r}")
    return there.plan(lambda session: _plan_symlink(session, there, to, wanted))


def _plan_symlink(session, there, to, wanted):
    found = session.run(path_jobs.lstat_or_none(there.path))

    def apply():
        there.with_session(lambda again: _make_link(again, there, to, wanted))

    missing = _missing_folder(session, there.path, wanted)
    if found is None:
        return [Step("created", {"created": there.label, "target": {"old": None, "new": to}}, apply, missing=missing)]
    if path_jobs.file_type(found.mode) == "symlink":
        old = session.run(path_jobs.read_link(there.path))
        return (
            []
            if old == to
            else [Step("updated", {"target": {"old": sftp_protocol.format_path(old), "new": to}}, apply)]
        )
    there_is = Inspection(there.path, found, _ROOT, _ROOT, {})
    _require_replaceable(there, there_is, "symlink", wanted.force)
    return [Step("created", {"type": _type_change(there_is, "symlink"), "target": {"old": None, "new": to}}, apply)]


def _make_link(session, there, to, wanted):
    make_folders(session, posixpath.dirname(there.path), wanted.makedirs, _ROOT)
    found = session.run(path_jobs.lstat_or_none(there.path))
    if found is not None and path_jobs.file_type(found.mode) == "directory":
        tree_jobs.remove(session, there.path, found)
    session.run(path_jobs.make_symlink(there.path, to))


def plan_absent(there, recursive=True):
    """
    Return the steps to a path that is not there; a symbolic link goes and not its target.

    recursive
        True: a directory goes with all that is below it.
    """
    if there.path == "/":
        raise InvalidError("/ cannot be removed")

    def look(session):
        if session.run(path_jobs.lstat_or_none(there.path)) is None:
            return steps.Plan(summary="absent")
        return [Step("deleted", {"deleted": there.label}, partial(there.with_session, gone))]

    def gone(session):
        found = session.run(path_jobs.lstat_or_none(there.path))
        if found is not None:
            tree_jobs.remove(session, there.path, found, recursive)

    validation.check("instance", "instance", there.instance)
    try:
        return there.with_session(look)
    except APINotFoundException:
        return steps.Plan(summary="absent: there is no such instance")
