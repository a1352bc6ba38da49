"""
The console log and the log files of an instance.
"""

from lxdapi import validation
from lxdapi.errors import APIException, APINotFoundException, InvalidError
from lxdapi.http import retry
from lxdapi.instances import rest_files
from lxdapi.model import objects

# The error of LXD for a console without output: 500 (5.0.2), 404 (the snapshot after it in Debian 13). Incus replies
# with empty text.
_NOTHING_WRITTEN = "no such file or directory"


def read_console_log(api, name, clear=False, limit=rest_files.LIMIT):
    """
    Return the end of the console output, or "".

    clear
        True: empty it afterwards.
    limit
        The largest number of bytes.
    """
    url, limit = rest_files.subpath(name, "console"), _parse_positive("limit", limit)
    clear = validation.flag("clear", clear)
    try:
        text = rest_files.decode(rest_files.read_end(api, url, limit))
    except APIException as exc:
        if exc.status not in (404, 500) or _NOTHING_WRITTEN not in exc.error:
            raise
        text = ""
    if clear:
        rest_files.delete_if_exists(api, url)
    return text


def list_logs(api, name):
    """Return the names of the log files, sorted."""
    url = rest_files.subpath(name, "logs")
    try:
        listed = api.get(url).metadata
    except APINotFoundException:  # Incus 6.0.4 names a directory for a missing instance; this GET raises
        api.get(objects.path_of(rest_files.KIND, name))
        return []
    return sorted(path.rpartition("/")[2] for path in listed or ())


def read_log(api, name, file, lines=None, limit=rest_files.LIMIT):
    """
    Return the end of a log file.

    lines
        The number of lines from the end. Default: as many as the limit allows.
    limit
        The largest number of bytes.
    """
    url, limit = _log_url(name, file), _parse_positive("limit", limit)
    lines = lines if lines is None else _parse_positive("lines", lines)
    try:
        text = rest_files.decode(rest_files.read_end(api, url, limit))
    except APIException as exc:
        if retry.is_refusal(exc):
            _raise_missing_log(api, name, file, exc)
        raise
    return text if lines is None else "".join(text.splitlines(keepends=True)[-lines:])


def _raise_missing_log(api, name, file, exc):
    """Raise an error that lists the log files if this one does not exist: daemons answer 400, 404 or 500."""
    existing = list_logs(api, name)
    if file not in existing:
        reason = f"{exc.error}; the log files of {name} are: {', '.join(existing) or 'none'}"
        raise type(exc)(exc.result, reason) from exc


def delete_log(api, name, file):
    """Delete a log file and return the changes, {} if it did not exist."""
    url = _log_url(name, file)
    try:
        deleted = rest_files.delete_if_exists(api, url)
    except APIException as exc:  # 400 for an invalid name, or for a log that cannot be deleted
        if not retry.is_refusal(exc) or file in list_logs(api, name):
            raise
        return {}
    if not deleted:
        list_logs(api, name)
    return {"deleted": file} if deleted else {}


def _log_url(name, file):
    return validation.path(rest_files.subpath(name, "logs/{file}"), file=validation.check("snapshot", "log file", file))


def _parse_positive(parameter, value):
    """Return a whole number above 0; raises :class:`InvalidError` for anything else."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 2**40:
        raise InvalidError.of_value(parameter, "a whole number above 0", value)
    return value
