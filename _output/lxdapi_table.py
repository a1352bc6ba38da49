"""
The outputter of ``lxdapi.status``: an aligned table with a line for each instance.

It imports nothing of lxdapi, so that a master that has only this file can show the results of minions. It shows any
other data as ``nested`` does.
"""

import re

import salt.utils.color

__virtualname__ = "lxdapi_table"

_COLUMNS = ("project", "name", "status", "type", "addresses", "memory", "snapshots", "age", "location", "drift")
_RIGHT = ("memory", "snapshots", "age")
_TYPES = {"virtual-machine": "vm"}
# Colors that are readable on dark and light terminals; normal values have no color.
_COLORS = {"Running": "GREEN", "Ready": "GREEN", "Frozen": "CYAN", "Stopped": None}
_BAD, _HEAD, _DRIFT = "LIGHT_RED", "CYAN", "YELLOW"
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_AGES = ((365 * 86400, "y"), (86400, "d"), (3600, "h"), (60, "min"))
_ADDRESSES = 3
# The name that salt-call gives to the minion on which it runs.
_SELF = "local"
# Control characters, and characters that change the direction of text: a foreign name must not control a terminal.
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


def __virtual__():
    """Load always: the outputter needs nothing but Salt."""
    return __virtualname__


def output(data, **kwargs):
    """
    Return the results of minions as text.

    data
        ``{minion: result}``, or a result.
    kwargs
        Arguments that Salt passes to every outputter, ignored.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi.status --out lxdapi_table
    """
    colors = salt.utils.color.get_colors(__opts__.get("color"), __opts__.get("color_theme"))
    if _is_ours(data):
        return _table(data, colors)
    if not isinstance(data, dict) or not any(map(_is_ours, data.values())):
        return __salt__["nested"](data)
    parts = []
    for minion, answer in data.items():
        if _is_ours(answer):
            parts.append(_table(answer, colors, None if minion == _SELF else minion))
        else:
            parts.append(__salt__["nested"]({minion: answer}))
    return "\n\n".join(parts)


def _is_ours(answer):
    """Return whether data is a result of ``lxdapi.status``."""
    if not isinstance(answer, dict) or not isinstance(answer.get("server"), dict):
        return False
    rows = answer.get("instances")
    return isinstance(rows, list) and all(isinstance(row, dict) and "name" in row for row in rows)


def _table(answer, colors, minion=None):
    rows = answer["instances"]
    lines = [_headline(answer["server"], rows, colors, minion)]
    if rows:
        columns = [column for column in _COLUMNS if _has_information(column, rows)]
        texts = [[_cell(column, row.get(column)) for column in columns] for row in rows]
        widths = [max(map(len, column)) for column in zip(columns, *texts)]
        head = _line(columns, [column.upper() for column in columns], widths)
        lines += ["", _colored(head.rstrip(), _HEAD, colors)]
        lines += [_row(columns, row, each, widths, colors) for row, each in zip(rows, texts)]
    return "\n".join(lines)


def _headline(server, rows, colors, minion):
    """Return the host and the number of instances for each status, with failures in red."""
    who = " ".join(_text(server.get(key)) for key in ("server", "version") if server.get(key))
    who += f" on {_text(server['name'])}" if server.get("name") else ""
    counts = {}
    for row in rows:
        counts[_text(row.get("status"))] = counts.get(_text(row.get("status")), 0) + 1
    details = [_colored(f"{number} {each}", _COLORS.get(each, _BAD), colors) for each, number in sorted(counts.items())]
    drifting = sum(_drifts(row) for row in rows)
    details += [_colored(f"{drifting} not as declared", _DRIFT, colors)] if drifting else []
    memory = sum(row["memory"] for row in rows if isinstance(row.get("memory"), int))
    details += [f"{_size(memory)} of memory"] if memory else []
    total = f"{len(rows)} instance{'s' * (len(rows) != 1)}"
    before = f"{_text(minion)}: " if minion else ""
    return f"{before}{who}: {total}" + (f" ({', '.join(details)})" if details else "")


def _drifts(row):
    return row.get("drift") not in (None, "as declared", "not declared")


def _has_information(column, rows):
    """Return whether a column has information: no location without a cluster, no project if there is only one."""
    values = [row.get(column) for row in rows]
    if column == "project":
        return len(set(map(str, values))) > 1
    return column in ("name", "status") or any(value not in (None, [], ()) for value in values)


def _row(columns, row, texts, widths, colors):
    cells = [_padded(column, text, width) for column, text, width in zip(columns, texts, widths)]
    cells[-1] = cells[-1].rstrip()
    for number, column in enumerate(columns):
        cells[number] = _colored(cells[number], _color(column, row), colors)
    return "  ".join(cells).rstrip()


def _color(column, row):
    """Return the name of the color of a cell, None for that of the terminal."""
    if column == "status":
        return _COLORS.get(_text(row.get("status")), _BAD)
    return _DRIFT if column == "drift" and _drifts(row) else None


def _colored(text, color, colors):
    return f"{colors[color]}{text}{colors['ENDC']}" if color and text else text


def _line(columns, texts, widths):
    return "  ".join(_padded(column, text, width) for column, text, width in zip(columns, texts, widths))


def _padded(column, text, width):
    return text.rjust(width) if column in _RIGHT else text.ljust(width)


def _cell(column, value):
    """Return a value as text, with a dash for no value."""
    if value in (None, [], ()):
        return "-"
    if column == "addresses" and isinstance(value, (list, tuple)):
        more = len(value) - _ADDRESSES
        return _text(", ".join(map(str, value[:_ADDRESSES])) + (f" +{more}" if more > 0 else ""))
    if column in ("memory", "age") and isinstance(value, (int, float)):
        return _size(value) if column == "memory" else _since(value)
    return _text(_TYPES.get(str(value), value) if column == "type" else value)


def _text(value):
    return _UNSEEN.sub("?", str(value))


def _size(number):
    """Return a number of bytes in a readable unit: 12 MiB, 1.5 GiB."""
    power = 0
    while number >= 1024 and power < len(_UNITS) - 1:
        number, power = number / 1024, power + 1
    return f"{number:.1f} {_UNITS[power]}" if power and number < 10 else f"{number:.0f} {_UNITS[power]}"


def _since(seconds):
    """Return an age in its largest unit: 3 d."""
    for size, unit in _AGES:
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds)} s"
