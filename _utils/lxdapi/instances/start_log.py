"""
The reason of a failed start, from the log of the instance: the daemons report only that their command failed.
"""

import re

from lxdapi import masking
from lxdapi.errors import APIException
from lxdapi.instances import rest_files

MOST_LINES, MOST_CHARACTERS = 5, 1000
_READ_BYTES = 16 * 1024
# (the command in the daemon's error, its log): any other error is older than the command, and the log than the error.
_LOGS = (("forkstart", "lxc.log"), ("forklxc", "lxc.log"), ("qemu-system-", "qemu.log"))
# "lxc c1 20261130075252.563 ERROR    conf - ../src/lxc/conf.c:lxc_setup:4419 - Failed to setup mount entries"
_LXC_LINE = re.compile(r"lxc (?:\S+ )?\d{14}\.\d+ (?P<level>[A-Z]+) +(?P<part>\S+) - \S+:\d+ - (?P<text>.*)")
_HARMLESS = ("WARN", "NOTICE", "INFO", "DEBUG", "TRACE")
# These only repeat that something failed, in an order that differs from run to run.
_VAGUE_PARTS = ("af_unix", "commands", "lxccontainer", "sync")
_VAGUE = re.compile(r"Failed to (spawn|initialize) container|warning: |terminating on signal")


def add_reason(api, name, error):
    """Add the end of the log of a failed start to an exception, as its hint; one more GET."""
    file = next((file for command, file in _LOGS if command in error.error), None)
    reason = _read_reason(api.without_retries(), name, file) if file else ""
    error.hint = "; ".join(filter(None, [error.hint, reason]))


def _read_reason(api, name, file):
    """Return the last useful lines of a log, "" if it cannot be read."""
    try:
        text = rest_files.decode(rest_files.read_end(api, rest_files.subpath(name, f"logs/{file}"), _READ_BYTES))
    except APIException:
        return ""
    lines = useful_lines(text)[-MOST_LINES:]
    reason = masking.mask_text("; ".join(lines), api.secret_values)[:MOST_CHARACTERS]
    return f"{file}: {reason}" if lines else ""


def useful_lines(text):
    """Return the errors in a log, each once, without times and numbers of lines."""
    lines = [_parse_line(line) for line in text.splitlines() if line.strip()]
    errors = [(part, line) for level, part, line in lines if level not in _HARMLESS]
    telling = [line for part, line in errors if part not in _VAGUE_PARTS and not _VAGUE.search(line)]
    return list(dict.fromkeys(telling or [line for _, line in errors]))


def _parse_line(line):
    """Return (level, part of LXC, text) of a line."""
    line = "".join(each if each.isprintable() else " " for each in line).strip()
    match = _LXC_LINE.fullmatch(line)
    return (match["level"], match["part"], match["text"]) if match else ("", "", line)
