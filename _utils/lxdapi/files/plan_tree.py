"""
A directory in an instance whose files are those of a tree on this side: what differs, and the steps to it.
"""

import os
import posixpath
import stat
from functools import partial
from typing import NamedTuple, Optional

from lxdapi.errors import InvalidError, LxdapiError
from lxdapi.files import accounts
from lxdapi.files import content as sources
from lxdapi.files import path_jobs as files
from lxdapi.files import plan as fileplan
from lxdapi.files import sftp_protocol as sftp
from lxdapi.files import tree_jobs as trees
from lxdapi.plan.steps import Step

KEEP = "keep"


class Rules(NamedTuple):
    """
    How a tree is brought about.

    owner
        A :class:`lxdapi.files.plan.Wanted`; its mode is that of the directories.
    file_mode
        Of the files; ``keep``: that of a local source.
    clean
        True: what the source does not have is removed.
    include, exclude
        Patterns; what is excluded is neither written nor removed.
    """

    owner: fileplan.Wanted
    file_mode: object = None
    clean: bool = False
    include: Optional[str] = None
    exclude: Optional[str] = None

    def checked(self):
        """Return it; raises :class:`InvalidError` for what is wrong in it, before any request."""
        if self.file_mode != KEEP:
            files.mode_of(self.file_mode)
        self.owner.checked()
        return self


class Difference(NamedTuple):
    """
    What a tree lacks.

    root
        Where the directory is.
    in_way
        {relative path: attributes} of what goes because it is of another type or not in the source.
    write
        {relative path: :class:`lxdapi.files.content.Local`} of what is new or another.
    fix
        Relative paths of which only owner or mode are others.
    owners
        {relative path: :class:`lxdapi.files.path_jobs.Owner`}.
    changes
        {relative path: what changes there}.
    left
        Relative paths of what earlier runs that were cut off left.
    """

    root: str
    in_way: dict
    write: dict
    fix: list
    owners: dict
    changes: dict
    left: list


def recurse(there, local, rules):
    """
    Return the steps to a directory that holds what a tree does.

    there
        A :class:`lxdapi.files.plan.Target`.
    local
        {relative path: :class:`lxdapi.files.content.Local`}.
    """
    rules = rules.checked()
    local = sources.chosen(local, rules.include, rules.exclude)
    return there.planned(lambda session: _steps(session, there, local, rules))


def _steps(session, there, local, rules):
    steps = fileplan.root_steps(session, there, rules.owner)
    root, found = session.do(files.resolved(there.path))
    is_folder = found is not None and files.type_of(found.mode) == "directory"
    difference = _difference(session, root, trees.listed(session, root) if is_folder else {}, local, rules)
    if difference.in_way:
        gone = {name for name in difference.in_way if name in difference.changes and name not in difference.write}
        steps.append(Step("cleaned", _changes_of(difference, sorted(gone)), partial(_remove, there, difference)))
    if difference.write:
        steps.append(
            Step("written", _changes_of(difference, sorted(difference.write)), _acting(there, difference, _write))
        )
    if difference.fix:
        steps.append(Step("corrected", _changes_of(difference, difference.fix), _acting(there, difference, _fix)))
    return steps


def _remove(there, difference):
    there.converse(lambda session: trees.removed(session, difference.root, difference.in_way))


def _changes_of(difference, names):
    """Return what changes of these relative paths, by their whole paths."""
    return {_shown(difference.root, name): difference.changes[name] for name in names}


def _shown(root, name):
    return sftp.shown(posixpath.join(root, name))


def _acting(there, difference, work):
    """Return a function that does the work; its error has what was done before."""

    def apply():
        done = []
        try:
            there.converse(lambda session: done.extend(work(session, difference)) or None)
        except LxdapiError as exc:
            exc.changes = _changes_of(difference, sorted(set(done)))
            raise

    return apply


def _write(session, difference):
    trees.swept(session, difference.root, difference.left)
    return trees.written(session, difference.root, difference.write, difference.owners)


def _fix(session, difference):
    return trees.chowned(session, difference.root, {name: difference.owners[name] for name in difference.fix})


def _difference(session, root, there, local, rules):
    """Return the :class:`Difference` between what is there and what shall be."""
    known = accounts.Accounts(session)
    declared = _declared(known, local, rules)
    in_way = _in_way(root, there, local, rules)
    kept = {name: each for name, each in there.items() if name in local and name not in in_way}
    contents = _content_changes(session, root, kept, local)
    left = [name for name in there if name not in in_way and trees.is_leftover(name, local)]
    result = Difference(root, in_way, {}, [], {}, {}, left)
    for name, each in local.items():
        before = files.owner_of(kept[name]) if name in kept else None
        result.owners[name] = declared[name].over(before or _default(each))
        owner = {} if each.type == "symlink" else fileplan.owner_changes(known, declared[name], before)
        _note(
            result, name, each, there.get(name) if name not in kept else None, contents.get(name), owner, name in kept
        )
    gone = {name: {"deleted": files.type_of(each.mode)} for name, each in in_way.items() if name not in local}
    result.changes.update(gone)
    return result


def _note(result, name, local, other, content, owner, is_there):
    """Note how something of the tree differs: it is new, of another type, of another content, of another owner."""
    if not is_there:
        kind = {"created": local.type}
        if other is not None:
            kind = {"type": {"old": files.type_of(other.mode), "new": local.type}}
        result.changes[name] = {**kind, **owner}
        result.write[name] = local
    elif content:
        result.changes[name] = {**content, **owner}
        result.write[name] = local
    elif owner:
        result.changes[name] = owner
        result.fix.append(name)


def _default(local):
    return files.Owner(0, 0, files.DIRECTORY_MODE if local.type == "directory" else files.FILE_MODE)


def _declared(known, local, rules):
    """Return {relative path: Owner} of what is declared."""
    uid, gid = known.number("user", rules.owner.user), known.number("group", rules.owner.group)
    folder = files.Owner(uid, gid, files.mode_of(rules.owner.mode))
    mode = None if rules.file_mode == KEEP else files.mode_of(rules.file_mode)
    file = files.Owner(uid, gid, mode)
    found = {}
    for name, each in local.items():
        kept = each.type == "file" and rules.file_mode == KEEP
        own = file._replace(mode=_mode_here(each.path)) if kept else file
        found[name] = folder if each.type == "directory" else own
    return found


def _mode_here(path):
    try:
        return stat.S_IMODE(os.stat(path).st_mode)
    except OSError as exc:
        raise InvalidError(f"{path} cannot be read: {exc.strerror}") from exc


def _in_way(root, there, local, rules):
    """Return what goes: of another type, with ``force``; not in the source, with ``clean``."""
    other = {n for n, each in there.items() if n in local and files.type_of(each.mode) != local[n].type}
    for name in sorted(other):
        # a file is replaced by a link, and a link by a file, as a whole
        if not rules.owner.force:
            words = f"is a {files.type_of(there[name].mode)} and no {local[name].type}: force: True replaces it"
            raise InvalidError(f"{_shown(root, name)} {words}")
    gone = set(other)
    if rules.clean:
        extra = {name for name in there if name not in local}
        kept = {name for name in extra if not sources.is_chosen(name, rules.include, rules.exclude)}
        gone |= extra - kept - {each for name in kept for each in sources.above(name)}
    return {n: each for n, each in there.items() if n in gone or set(sources.above(n)) & other}


def _content_changes(session, root, kept, local):
    """Return {relative path: changes} of the files and links that are there and hold something else."""
    changes, same = {}, {}
    for name, each in kept.items():
        if local[name].type == "file":
            size = sources.Content(path=local[name].path).size
            if size == each.size:
                same[name] = size
            else:
                changes[name] = {"size": {"old": each.size, "new": size}}
    for name, digest in trees.digests(session, root, same).items():
        new = sources.Content(path=local[name].path).sha256
        if new != digest:
            changes[name] = {"sha256": {"old": digest, "new": new}}
    links = [name for name in kept if local[name].type == "symlink"]
    for name, to in trees.targets(session, root, links).items():
        if to != local[name].target:
            changes[name] = {"target": {"old": sftp.shown(to), "new": sftp.shown(local[name].target)}}
    return changes
