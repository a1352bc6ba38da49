"""
Runs a script of the minion inside an instance, from a temporary file that is always removed.
"""

import logging
import posixpath
import secrets as random
import shlex

from lxdapi import validation
from lxdapi.errors import APIException, InvalidError
from lxdapi.http import retry
from lxdapi.instances import exec as execs
from lxdapi.instances import exec_user
from lxdapi.model import objects
from lxdapi.model.kinds import KINDS

log = logging.getLogger(__name__)

# The longest text of arguments: the kernel accepts no longer one, and splitting it takes time.
_LONGEST = 128 * 1024
# The folder in the instance, in which everybody may execute; the name of the file cannot be guessed.
_FOLDER = posixpath.join("/", "tmp")


def run(api, name, file, args, command):
    """
    Run a script in a running instance and return its :class:`lxdapi.instances.exec.Outcome`.

    file
        The path of the script on this machine; its first line names the interpreter.
    args
        A list, or text that is split as by a shell.
    command
        A :class:`lxdapi.instances.exec.Command`; its arguments are ignored.
    """
    arguments = parse_arguments(args)
    path = objects.path_of(KINDS["instance"], name)
    fields, _ = exec_user.resolve_user(api, path, command.user, command.group)
    temporary_path = f"{_FOLDER}/lxdapi-{random.token_hex(8)}"
    try:
        _put(api, f"{path}/files", file, temporary_path, fields)
        return execs.run(api, name, command._replace(argv=[temporary_path, *arguments]))
    finally:
        _remove(api, f"{path}/files", temporary_path)


def parse_arguments(args):
    """Return the arguments of a script as a list of text."""
    if isinstance(args, str) and len(args) > _LONGEST:
        raise InvalidError(f"args: expected at most {_LONGEST} characters, got {len(args)}")
    try:
        args = shlex.split(args) if isinstance(args, str) else args or []
    except ValueError as exc:
        raise InvalidError(f"args: {exc}") from None
    if not isinstance(args, (list, tuple)) or any(each is None for each in args):
        raise InvalidError.of_value("args", "text or a list", args)
    return [validation.config_value("args", each) or "" for each in args]


def _put(api, url, file, temporary_path, fields):
    attributes = {"type": "file", "mode": "0700", "uid": fields.get("user", 0), "gid": fields.get("group", 0)}
    headers = {f"X-{api.dialect}-{key}": str(value) for key, value in attributes.items()}
    try:
        with open(file, "rb") as stream:
            api.post(url, params={"path": temporary_path}, data=stream, headers=headers)
    except (OSError, ValueError) as exc:
        raise InvalidError(f"cannot read {file}: {getattr(exc, 'strerror', exc)}") from exc


def _remove(api, url, temporary_path):
    try:
        retry.write_verified(api, lambda: api.delete(url, params={"path": temporary_path}), lambda: None)
    except APIException as exc:  # it was not written, or the first request deleted it
        log.info("lxdapi: could not remove the script %s from the instance: %s", temporary_path, exc.explain())
