"""
Plans for a directory in an instance that mirrors a tree of the minion.
"""

import os
import posixpath
import stat
from functools import partial
from typing import NamedTuple

from lxdapi.errors import InvalidError, LxdapiError
from lxdapi.files import accounts, plan, sftp_files, sftp_protocol, sftp_trees
from lxdapi.files import content as sources
from lxdapi.plan.steps import Plan, Step


class Difference(NamedTuple):
    """
    The difference between a directory and the tree that it mirrors.

    root
        The path of the directory.
    in_way
        {relative path: attributes} of the paths to delete: of another type, or not in the source.
    write
        {relative path: :class:`lxdapi.files.content.LocalEntry`} of the new or changed paths.
    fix
        Relative paths with another owner or mode only.
    owners
        {relative path: :class:`lxdapi.files.sftp_files.Owner`}.
    changes
        {relative path: its changes}.
    leftovers
        Relative paths of the leftovers of interrupted runs.
    """

    root: str
    in_way: dict
    write: dict
    fix: list
    owners: dict
    changes: dict
    leftovers: list


def plan_recurse(target, local, spec) -> Plan:
    """
    Return the steps that make a directory mirror a tree.

    target
        A :class:`lxdapi.files.target.Target`.
    local
        {relative path: :class:`lxdapi.files.content.LocalEntry`}.
    spec
        A :class:`lxdapi.files.spec.TreeSpec`.
    """
    local = sources.select(local, spec.include, spec.exclude)
    return target.plan(lambda session: _plan(session, target, local, spec))


def _plan(session, target, local, spec) -> list[Step]:
    steps = plan.plan_root(session, target, spec.directory)
    root, attributes = session.run(sftp_files.resolve(target.path))
    is_directory = attributes is not None and sftp_files.file_type(attributes.mode) == "directory"
    difference = _difference(session, root, sftp_trees.list_tree(session, root) if is_directory else {}, local, spec)
    if difference.in_way:
        removed = {name for name in difference.in_way if name in difference.changes and name not in difference.write}
        steps.append(Step("cleaned", _changes_of(difference, sorted(removed)), partial(_remove, target, difference)))
    if difference.write:
        steps.append(
            Step(
                "written",
                _changes_of(difference, sorted(difference.write)),
                _reporting_progress(target, difference, _write),
            )
        )
    if difference.fix:
        steps.append(
            Step("corrected", _changes_of(difference, difference.fix), _reporting_progress(target, difference, _fix))
        )
    return steps


def _remove(target, difference):
    target.with_session(lambda session: sftp_trees.remove_all(session, difference.root, difference.in_way))


def _changes_of(difference, names):
    """Return the changes of these relative paths, by their full paths."""
    return {_label(difference.root, name): difference.changes[name] for name in names}


def _label(root, name):
    return sftp_protocol.format_path(posixpath.join(root, name))


def _reporting_progress(target, difference, work):
    """Return a function that does the work; if it fails, the error has the changes done so far."""

    def apply():
        completed = []
        try:
            target.with_session(lambda session: completed.extend(work(session, difference)))
        except LxdapiError as exc:
            exc.changes = _changes_of(difference, sorted(set(completed)))
            raise

    return apply


def _write(session, difference):
    sftp_trees.remove_leftovers(session, difference.root, difference.leftovers)
    return sftp_trees.write_tree(session, difference.root, difference.write, difference.owners)


def _fix(session, difference):
    return sftp_trees.set_owners(session, difference.root, {name: difference.owners[name] for name in difference.fix})


def _difference(session, root, actual, local, spec):
    """Return the :class:`Difference` between the actual and the declared tree."""
    known_accounts = accounts.Accounts(session)
    declared = _declared_owners(known_accounts, local, spec)
    in_way = _obstacles(root, actual, local, spec)
    common = {name: each for name, each in actual.items() if name in local and name not in in_way}
    contents = _content_changes(session, root, common, local)
    leftovers = [name for name in actual if name not in in_way and sftp_trees.is_leftover(name, local)]
    result = Difference(root, in_way, {}, [], {}, {}, leftovers)
    for name, each in local.items():
        owner_before = sftp_files.owner_of(common[name]) if name in common else None
        result.owners[name] = declared[name].with_defaults_from(owner_before or _default_owner(each))
        owner = {} if each.type == "symlink" else plan.owner_changes(known_accounts, declared[name], owner_before)
        _add_difference(
            result,
            name,
            each,
            actual.get(name) if name not in common else None,
            contents.get(name),
            owner,
            name in common,
        )
    removed = {name: {"deleted": sftp_files.file_type(each.mode)} for name, each in in_way.items() if name not in local}
    result.changes.update(removed)
    return result


def _add_difference(result, name, local, other, content, owner, exists):
    """Add the difference of one entry: it is new, or its type, content or owner differs."""
    if not exists:
        type_change = {"created": local.type}
        if other is not None:
            type_change = {"type": {"old": sftp_files.file_type(other.mode), "new": local.type}}
        result.changes[name] = {**type_change, **owner}
        result.write[name] = local
    elif content:
        result.changes[name] = {**content, **owner}
        result.write[name] = local
    elif owner:
        result.changes[name] = owner
        result.fix.append(name)


def _default_owner(local):
    return sftp_files.Owner(0, 0, sftp_files.DIRECTORY_MODE if local.type == "directory" else sftp_files.FILE_MODE)


def _declared_owners(known_accounts, local, spec):
    """Return {relative path: Owner} as declared."""
    uid, gid = known_accounts.number("user", spec.directory.user), known_accounts.number("group", spec.directory.group)
    folder = sftp_files.Owner(uid, gid, spec.directory.mode)
    file = sftp_files.Owner(uid, gid, spec.file_mode)
    owners = {}
    for name, each in local.items():
        keeps_mode = each.type == "file" and spec.keep_file_modes
        file_owner = file._replace(mode=_local_mode(each.path)) if keeps_mode else file
        owners[name] = folder if each.type == "directory" else file_owner
    return owners


def _local_mode(path):
    try:
        return stat.S_IMODE(os.stat(path).st_mode)
    except OSError as exc:
        raise InvalidError(f"cannot read {path}: {exc.strerror}") from exc


def _obstacles(root, actual, local, spec):
    """Return what must be deleted: entries of another type with ``force``, undeclared ones with ``clean``."""
    of_other_type = {n for n, each in actual.items() if n in local and sftp_files.file_type(each.mode) != local[n].type}
    for name in sorted(of_other_type):
        # a file is replaced by a link, and a link by a file, as a whole
        if not spec.directory.force:
            types = f"expected a {local[name].type}, got a {sftp_files.file_type(actual[name].mode)}"
            raise InvalidError(f"{_label(root, name)}: {types}; set force: true to replace it")
    names = set(of_other_type)
    if spec.clean:
        undeclared = {name for name in actual if name not in local}
        excluded = {name for name in undeclared if not sources.is_selected(name, spec.include, spec.exclude)}
        names |= undeclared - excluded - {each for name in excluded for each in sources.parent_folders(name)}
    return {n: each for n, each in actual.items() if n in names or set(sources.parent_folders(n)) & of_other_type}


def _content_changes(session, root, common, local):
    """Return {relative path: changes} of existing files and links whose content differs."""
    changes, same_size = {}, {}
    for name, each in common.items():
        if local[name].type == "file":
            size = sources.Content(path=local[name].path).size
            if size == each.size:
                same_size[name] = size
            else:
                changes[name] = {"size": {"old": each.size, "new": size}}
    for name, digest in sftp_trees.digests(session, root, same_size).items():
        new = sources.Content(path=local[name].path).sha256
        if new != digest:
            changes[name] = {"sha256": {"old": digest, "new": new}}
    links = [name for name in common if local[name].type == "symlink"]
    for name, to in sftp_trees.read_targets(session, root, links).items():
        if to != local[name].target:
            changes[name] = {
                "target": {"old": sftp_protocol.format_path(to), "new": sftp_protocol.format_path(local[name].target)}
            }
    return changes
