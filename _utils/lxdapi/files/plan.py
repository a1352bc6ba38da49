"""
Plans for a declared file, directory or symbolic link in an instance.

Planning and applying use separate connections: while one is open, the daemon cannot delete, start or stop the instance
(LXD 5.0.2, Incus 6.0.4, Incus 7.0.2).
"""

import difflib
import posixpath
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Callable, NamedTuple

from lxdapi.errors import APIConnectionException, APINotFoundException, APITimeoutException, InvalidError, LxdapiError
from lxdapi.files import accounts, sftp_files, sftp_protocol, sftp_trees
from lxdapi.files import content as sources
from lxdapi.http import progress
from lxdapi.plan.steps import Plan, Step

HIDDEN = "(hidden)"
NOT_SHOWN = "(not shown: binary, or more than 1 MiB)"
_ROOT = sftp_files.NEW
_ROOT_FOLDER = sftp_files.Owner(0, 0, sftp_files.DIRECTORY_MODE)


class Inspection(NamedTuple):
    """
    The actual state of a target: its resolved path, and its attributes or None.

    declared
        The declared :class:`lxdapi.files.sftp_files.Owner`.
    owner
        The owner and mode to set.
    changes
        The changes of owner and mode.
    """

    path: str
    attributes: object
    declared: sftp_files.Owner
    owner: sftp_files.Owner
    changes: dict


def inspect(session, target, spec, new=_ROOT):
    """Return the :class:`Inspection` of a target; raises for a user or group that the instance lacks."""
    job = sftp_files.resolve(target.path) if spec.follow else _lstat(target.path)
    path, attributes = session.run(job)
    known_accounts = accounts.Accounts(session)
    numbers = sftp_files.Owner(
        known_accounts.number("user", spec.user),
        known_accounts.number("group", spec.group),
        spec.mode,
    )
    owner_before = None if attributes is None else sftp_files.owner_of(attributes)
    return Inspection(
        path,
        attributes,
        numbers,
        numbers.with_defaults_from(owner_before or new),
        owner_changes(known_accounts, numbers, owner_before),
    )


def _lstat(path):
    return path, (yield from sftp_files.lstat_or_none(path))


def owner_changes(known_accounts, declared, owner_before):
    """Return the changes of user, group and mode; without ``owner_before`` the target is new."""
    changes = {}
    for field in ("user", "group"):
        number, old = (getattr(each, field[0] + "id", None) for each in (declared, owner_before))
        if number is not None and number != old:
            changes[field] = {
                "old": None if old is None else known_accounts.name(field, old),
                "new": known_accounts.name(field, number),
            }
    old = None if owner_before is None else owner_before.mode
    if declared.mode is not None and declared.mode != old:
        changes["mode"] = {
            "old": None if old is None else sftp_files.format_mode(old),
            "new": sftp_files.format_mode(declared.mode),
        }
    return changes


def plan_file(target, content, spec) -> Plan:
    """
    Return the steps that create or update a file with this content and owner.

    content
        A :class:`lxdapi.files.content.Content`. Default: any content.
    spec
        A :class:`lxdapi.files.spec.FileSpec`.
    """
    return target.plan(lambda session: _plan_file(session, target, content, spec))


def _plan_file(session, target, content, spec) -> list[Step]:
    inspection = inspect(session, target, spec)
    is_new = inspection.attributes is None
    if not is_new and sftp_files.file_type(inspection.attributes.mode) != "file":
        _require_replaceable(target, inspection, "file", spec.force or _is_link_to_replace(inspection.attributes, spec))
        is_new = True
        inspection = inspection._replace(owner=inspection.declared.with_defaults_from(_ROOT))
    if is_new:
        new_content = content or sources.Content(b"")
        changes = {
            **_type_changes(target, inspection),
            **_diff(target, b"", new_content, spec.show),
            **inspection.changes,
        }
        write = partial(_write, target, inspection, new_content, spec)
        return [Step("created", changes, write, missing=_missing_folder(session, inspection.path, spec))]
    changes = _content_changes(session, target, inspection, content, spec) if content and spec.replace else {}
    if changes:
        return [Step("written", {**changes, **inspection.changes}, partial(_write, target, inspection, content, spec))]
    return plan_ownership(target, inspection)


def _is_link_to_replace(attributes, spec):
    """Return True for a symbolic link that a file may replace, because ``follow`` is False: no data is lost."""
    return not spec.follow and sftp_files.file_type(attributes.mode) == "symlink"


def plan_ownership(target, inspection) -> list[Step]:
    """Return the steps that give a target the owner and mode of its :class:`Inspection`."""

    def apply():
        target.with_session(lambda session: session.run(sftp_files.set_ownership(inspection.path, inspection.owner)))

    return [Step("updated", inspection.changes, apply)] if inspection.changes else []


def _type_changes(target, inspection):
    """Return the changes for a new file, which may replace something of another type."""
    return {"created": target.label} if inspection.attributes is None else {"type": _type_change(inspection, "file")}


def _type_change(inspection, new):
    return {"old": sftp_files.file_type(inspection.attributes.mode), "new": new}


def _require_replaceable(target, inspection, new_type, force):
    """Raise for a target of another type unless ``force`` is set."""
    if not force:
        old_type = sftp_files.file_type(inspection.attributes.mode)
        raise InvalidError(f"{target.label}: expected a {new_type}, got a {old_type}; set force: true to replace it")


def _missing_folder(session, path, spec) -> Callable:
    """Return a function that names the missing parent directory, "" if none is missing."""
    folder = posixpath.dirname(path)
    missing = not spec.makedirs and session.run(sftp_files.lstat_or_none(folder, follow=True)) is None
    return (lambda: _missing_text(folder)) if missing else str


def _missing_text(folder):
    return f"{sftp_protocol.format_path(folder)} does not exist; set makedirs: true to create it"


def _write(target, inspection, content, spec):
    """Write the file; the old one is kept until the new one is complete."""

    def work(session):
        _prepare(session, target, inspection, spec)
        with progress.count_bytes(inspection.path, content.size, target.api, inspection.path) as show:
            sftp_files.write_pipelined(session, inspection.path, content, inspection.owner, show)

    try:
        target.with_session(work)
    except (APIConnectionException, APITimeoutException):
        # a later run would remove the leftover only when it writes the file
        with suppress(LxdapiError):
            without_retries = replace(target, api=target.api.without_retries())
            without_retries.with_session(lambda session: session.run(sftp_files.remove_leftovers(inspection.path)))
        raise


def _prepare(session, target, inspection, spec):
    """Create the parent directories and remove leftovers and anything of another type at the path."""
    folder = posixpath.dirname(inspection.path)
    make_folders(session, folder, spec.makedirs, inspection.owner)
    session.run(sftp_files.remove_leftovers(inspection.path))
    attributes = session.run(sftp_files.lstat_or_none(inspection.path))
    if attributes is not None and sftp_files.file_type(attributes.mode) not in ("file", "symlink"):
        _require_replaceable(target, inspection._replace(attributes=attributes), "file", spec.force)
        sftp_trees.remove(session, inspection.path, attributes)


def make_folders(session, folder, makedirs, owner):
    """Create missing directories for this user and group; raises unless ``makedirs`` is set."""
    missing = session.run(sftp_files.missing_folders(folder))
    if missing and not makedirs:
        raise InvalidError(_missing_text(folder))
    for each in missing:
        session.run(sftp_files.make_directory(each, owner._replace(mode=sftp_files.DIRECTORY_MODE)))


def _content_changes(session, target, inspection, content, spec):
    """Return the changes of the content, {} if it is the same."""
    size = inspection.attributes.size
    is_short = max(size, content.size) <= sources.LONGEST_SHOWN
    if size == content.size:
        digest = session.run(sftp_trees.digest(inspection.path, size)).hexdigest()
        if digest == content.sha256:
            return {}
        fallback = {"sha256": {"old": digest, "new": content.sha256}}
    else:
        fallback = {"size": {"old": size, "new": content.size}}
    if not spec.show:
        return {"diff": HIDDEN}
    return {**_diff(target, read_short(session, inspection.path, size) if is_short else None, content, True, fallback)}


def _diff(target, old, content, show, fallback=None):
    """Return the change of a text as a diff, of anything else ``fallback``; ``old``: None if it is too long."""
    if not show:
        return {"diff": HIDDEN}
    old_text, new_text = None if old is None else sources.decode_text(old), content.text()
    if old_text is None or new_text is None:
        return {"diff": NOT_SHOWN, **(fallback or {"size": {"old": None, "new": content.size}})}
    old_lines, new_lines = old_text.splitlines(keepends=True), new_text.splitlines(keepends=True)
    label = target.label
    return {"diff": "".join(_with_newline(line) for line in difflib.unified_diff(old_lines, new_lines, label, label))}


def _with_newline(line):
    return line if line.endswith("\n") else f"{line}\n\\ no newline at the end\n"


def read_short(session, path, size, most=sources.LONGEST_SHOWN):
    """Return about the first ``most`` bytes of a file."""
    data = bytearray()

    def sink(block):
        data.extend(block)
        return len(data) >= most

    session.run(sftp_files.read_blocks(path, sink, min(size, most)))
    return bytes(data)


def plan_directory(target, spec) -> Plan:
    """Return the steps that create or update a directory with this owner."""
    return target.plan(lambda session: _plan_directory(session, target, spec))


def _plan_directory(session, target, spec) -> list[Step]:
    inspection = inspect(session, target, spec, _ROOT_FOLDER)
    if inspection.attributes is not None and sftp_files.file_type(inspection.attributes.mode) == "directory":
        return plan_ownership(target, inspection)
    if inspection.attributes is not None:
        _require_replaceable(target, inspection, "directory", spec.force)
        type_change = {"type": _type_change(inspection, "directory")}
    else:
        type_change = {"created": target.label}

    def apply():
        target.with_session(lambda again: _make_directory(again, inspection, spec))

    return [
        Step(
            "created",
            {**type_change, **inspection.changes},
            apply,
            missing=_missing_folder(session, inspection.path, spec),
        )
    ]


def plan_root(session, target, spec) -> list[Step]:
    """Return the steps for the top directory of a tree."""
    return list(_plan_directory(session, target, spec))


def _make_directory(session, inspection, spec):
    owner = inspection.declared.with_defaults_from(_ROOT_FOLDER)
    attributes = session.run(sftp_files.lstat_or_none(inspection.path))
    if attributes is not None and sftp_files.file_type(attributes.mode) != "directory":
        sftp_trees.remove(session, inspection.path, attributes)
        attributes = None
    make_folders(session, posixpath.dirname(inspection.path), spec.makedirs, owner)
    session.run(
        sftp_files.make_directory(inspection.path, owner)
        if attributes is None
        else sftp_files.set_ownership(inspection.path, owner)
    )


def plan_symlink(target, link_target, spec) -> Plan:
    """Return the steps that create a symbolic link; another link is replaced, anything else only with ``force``."""
    if not isinstance(link_target, str) or not link_target or "\0" in link_target:
        raise InvalidError.of_value("target", "a path", link_target)
    return target.plan(lambda session: _plan_symlink(session, target, link_target, spec))


def _plan_symlink(session, target, link_target, spec) -> list[Step]:
    attributes = session.run(sftp_files.lstat_or_none(target.path))

    def apply():
        target.with_session(lambda again: _make_link(again, target, link_target, spec))

    missing = _missing_folder(session, target.path, spec)
    if attributes is None:
        return [
            Step(
                "created",
                {"created": target.label, "target": {"old": None, "new": link_target}},
                apply,
                missing=missing,
            )
        ]
    if sftp_files.file_type(attributes.mode) == "symlink":
        old_target = session.run(sftp_files.read_link(target.path))
        return (
            []
            if old_target == link_target
            else [
                Step("updated", {"target": {"old": sftp_protocol.format_path(old_target), "new": link_target}}, apply)
            ]
        )
    inspection = Inspection(target.path, attributes, _ROOT, _ROOT, {})
    _require_replaceable(target, inspection, "symlink", spec.force)
    return [
        Step(
            "created", {"type": _type_change(inspection, "symlink"), "target": {"old": None, "new": link_target}}, apply
        )
    ]


def _make_link(session, target, link_target, spec):
    make_folders(session, posixpath.dirname(target.path), spec.makedirs, _ROOT)
    attributes = session.run(sftp_files.lstat_or_none(target.path))
    if attributes is not None and sftp_files.file_type(attributes.mode) == "directory":
        sftp_trees.remove(session, target.path, attributes)
    session.run(sftp_files.make_symlink(target.path, link_target))


def plan_absent(target, recursive=True) -> Plan:
    """
    Return the steps that delete a path; a symbolic link is deleted, not its target.

    recursive
        True: delete a directory with everything below it.
    """
    if target.path == "/":
        raise InvalidError("the root directory / cannot be deleted")

    def look(session):
        if session.run(sftp_files.lstat_or_none(target.path)) is None:
            return Plan(summary="absent")
        return [Step("deleted", {"deleted": target.label}, partial(target.with_session, remove))]

    def remove(session):
        attributes = session.run(sftp_files.lstat_or_none(target.path))
        if attributes is not None:
            sftp_trees.remove(session, target.path, attributes, recursive)

    try:
        return Plan.of(target.with_session(look))
    except APINotFoundException:
        return Plan(summary="absent, because the instance does not exist")
