"""
Files of containers as the removed functions copied them, by the rules of ``cp``.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Any, NamedTuple

from lxdapi import atomic_file, local_files, validation
from lxdapi.dropin import errors
from lxdapi.errors import InvalidError, LxdapiError
from lxdapi.files import content, plan, plan_tree, queries
from lxdapi.files.spec import FileSpec, TreeSpec, parse_mode
from lxdapi.files.target import Target
from lxdapi.plan import steps
from lxdapi.plan.steps import Plan

if TYPE_CHECKING:
    from lxdapi.api import API

# The mode of a new file on the minion.
_NEW_MODE = 0o644


class Owner(NamedTuple):
    """The declared owner and mode of a file; None: see the functions."""

    mode: Any = None
    uid: Any = None
    gid: Any = None


def put(
    api: API, functions: Any, name: str, source: Any, path: Any, recursive: Any, overwrite: Any, owner: Owner, env: str
) -> bool:
    """
    Copy a file, or a directory with ``recursive``, into a container; returns True.

    functions
        Salt's ``__salt__``.
    path
        A path that ends with ``/``, or a directory if the source is a file, gets the name of the source in it.
    owner
        Default: mode, user and group of a file on the minion; a directory belongs to root.
    """
    source = _local_source(functions, source, env)
    target = Target.parse(lambda: api, name, path)
    if str(path).endswith("/") or (os.path.isfile(source) and _type_of(target) == "directory"):
        target = Target.parse(lambda: api, name, f"{target.path.rstrip('/')}/{os.path.basename(source)}")
    if os.path.isdir(source):
        if not validation.flag("recursive", recursive):
            raise errors.invalid(f"{source} is a directory: set recursive: true to copy it")
        made = _plan_tree(functions, source, target, owner)
    else:
        made = _plan_file(source, target, owner)
    if len(made) and _type_of(target) and not validation.flag("overwrite", overwrite):
        raise errors.invalid(f"{target.label} exists, and overwrite is false")
    steps.apply(made)
    return True


def _local_source(functions, source, env):
    """Return the path of a source on the minion, without a "/" at its end."""
    path = local_files.local_file(functions["cp.cache_file"], os.path.expanduser(str(source)), env).rstrip("/") or "/"
    if not os.path.exists(path):
        raise InvalidError(f"{path} does not exist")
    return path


def _type_of(target):
    """Return the type of a path in a container, "" if it does not exist."""
    return queries.stat(target, follow=True).get("type", "")


def _plan_file(source, target, owner) -> Plan:
    facts = os.stat(source)
    uid, gid = (facts.st_uid if owner.uid is None else owner.uid, facts.st_gid if owner.gid is None else owner.gid)
    mode = f"{stat.S_IMODE(facts.st_mode):o}" if owner.mode is None else owner.mode
    return plan.plan_file(target, content.from_file(source), FileSpec.parse(uid, gid, mode, show=False))


def _plan_tree(functions, source, target, owner) -> Plan:
    directory = FileSpec.parse(owner.uid, owner.gid, makedirs=True)
    file_mode = "keep" if owner.mode is None else owner.mode
    tree = content.read_tree(functions, source, keep_symlinks=True)
    return plan_tree.plan_recurse(target, tree, TreeSpec.parse(directory, file_mode))


def get(api: API, name: str, path: Any, destination: Any, overwrite: Any, owner: Owner) -> bool:
    """
    Copy a file of a container to the minion, completely or not at all; returns True.

    destination
        An absolute path; in a directory the file keeps its name.
    owner
        Default: those of the file that is replaced; a new file has the mode 0644.
    """
    destination = validation.absolute_path("dst", os.path.expanduser(str(destination)))
    if os.path.isdir(destination):
        destination = os.path.join(destination, os.path.basename(str(path)))
    exists = os.path.exists(destination)
    if exists and not validation.flag("overwrite", overwrite):
        raise errors.invalid(f"{destination} exists, and overwrite is false")
    mode = parse_mode(owner.mode)
    if mode is None:
        mode = stat.S_IMODE(os.stat(destination).st_mode) if exists else _NEW_MODE
    target = Target.parse(lambda: api, name, path)
    with atomic_file.replace(destination) as file:
        queries.fetch(target, file)
        _set_owner(file.fileno(), mode, _number("uid", owner.uid), _number("gid", owner.gid))
    return True


def _number(what, value):
    if value in (None, ""):
        return -1
    if str(value).isdigit():
        return int(value)
    raise InvalidError.of_value(what, "a number", value)


def _set_owner(number, mode, uid, gid):
    try:
        os.fchown(number, uid, gid)
        os.fchmod(number, mode)
    except OSError as exc:
        raise LxdapiError(f"cannot set owner or mode of the file: {exc.strerror}") from exc
