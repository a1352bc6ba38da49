"""
Looks up the user, group and working directory of a command in the files of the instance.

The daemons accept any number for a user, and run the command in ``/`` if the folder does not exist (LXD 5.0.2,
Incus 6.0.4, Incus 7.0.2).
"""

import http.client
import posixpath
import re

from lxdapi.errors import APIException, APINotFoundException, InvalidError
from lxdapi.http import retry
from lxdapi.instances import rest_files

_NUMBER = re.compile("[0-9]{1,10}")
# The numeric fields of an entry.
_NUMBERS = {"passwd": (2, 3), "group": (2,)}
_MOST_LINKS = 40
# The largest file to read, because the instance controls its size.
_MOST_BYTES = 8 * 1024 * 1024


def resolve_user(api, path, user=None, group=None):
    """
    Return (the user fields of an exec request, the environment of a login).

    path
        The REST path of the instance: ``instances/web1``.
    user, group
        The result of :func:`lxdapi.validation.user_or_group`. Default: root, and the primary group of the user.

    Raises :class:`InvalidError` for a name that the instance does not know.
    """
    fields, login_env = {}, {}
    if user not in (None, 0, "root"):
        entry = _find_entry(api, path, "passwd", user)
        # a number may have no entry
        fields = {"user": int(entry[2]), "group": int(entry[3])} if entry else {"user": user}
        login_env = {"USER": entry[0], "HOME": entry[5]} if entry else {}
    if group is not None:
        entry = _find_entry(api, path, "group", group) if isinstance(group, str) else None
        fields["group"] = int(entry[2]) if entry else group
    return fields, login_env


def _find_entry(api, path, base, user_or_group):
    """Return the entry of a user or group, None for a number without an entry."""
    file, label = f"/etc/{base}", "user" if base == "passwd" else "group"
    try:
        entries = parse(base, _read_file(api, path, file))
    except APINotFoundException as exc:
        if isinstance(user_or_group, int):
            return None
        raise InvalidError(f"{label} {user_or_group!r} not found: the instance has no {file}: {exc.explain()}") from exc
    column = 2 if isinstance(user_or_group, int) else 0
    for entry in entries:
        if entry[column] == str(user_or_group):
            return entry
    if isinstance(user_or_group, int):
        return None
    raise InvalidError(f"{label} {user_or_group!r} not found in {file} of the instance")


def parse(base, text):
    """
    Return the valid entries of ``/etc/passwd`` or ``/etc/group``, each a list of at least seven fields. As for glibc,
    fields at the end of a line may be missing.
    """
    entries = [[*line.split(":"), *[""] * 6] for line in text.decode("utf-8", "replace").splitlines()]
    return [each for each in entries if all(_NUMBER.fullmatch(each[at]) for at in _NUMBERS[base])]


def _read_file(api, path, file):
    content = rest_files.read_end(api, f"{path}/files", _MOST_BYTES + 1, {"path": file})
    if len(content) > _MOST_BYTES:
        raise InvalidError(
            f"{file} of the instance has more than {_MOST_BYTES} bytes: use a number instead of the name"
        )
    return content


def parse_cwd(api, path, cwd):
    """Return the working directory; raises :class:`InvalidError` unless it is a directory in the instance."""
    if cwd is None:
        return None
    actual = file_type(api, path, cwd)
    if actual != "directory":
        raise InvalidError(
            f"cwd: expected a directory, but {cwd} {'does not exist' if actual is None else f'is a {actual}'}"
        )
    return cwd


def file_type(api, path, file):
    """
    Return ``file`` or ``directory``, None if the path does not exist; symlinks are followed.

    file
        An absolute path inside the instance. The daemon follows all symlinks in it except one at the end.

    Sends nothing but GETs, and reads no content.
    """
    file = file.encode("utf-8")
    for _ in range(_MOST_LINKS):
        actual = _stat(api, f"{path}/files", {"path": file})
        if actual is None:
            # raises if the instance itself does not exist
            api.get(path)
            return None
        if actual != "symlink":
            return actual
        target = api.get(f"{path}/files", params={"path": file}).response.content
        file = posixpath.join(posixpath.dirname(file.rstrip(b"/")), target)
    return None


def _type_of(api, result):
    return result.response.headers.get(f"X-{api.dialect}-type", "file")


def _stat(api, url, params):
    """Return the daemon's type of a path, ``file`` also for a socket or a pipe, None if it does not exist."""
    backoff = retry.Backoff(api.retry_timeout)
    while True:
        # a GET would open it: that fails for a socket, and a pipe blocks the daemon's helper until somebody writes
        try:
            result = api.without_retries().transact("HEAD", url, params=params)
        except APIException as exc:
            if not backoff.sleep(exc):
                raise
            continue
        if result.response.status_code == http.client.OK:
            return _type_of(api, result)
        if result.response.status_code == http.client.NOT_FOUND:
            break
        if not backoff.sleep():
            result.validate()
    try:
        # the reply to a HEAD has no error text that identifies a 404 of the daemon
        result = api.get(url, params=params, stream=True)
    except APINotFoundException:
        return None
    result.response.close()
    return _type_of(api, result)
