"""
Ranges of names: ``web[01-20]`` expands to twenty names, and twenty names fold to ``web[01-20]``.
"""

import re
from itertools import product

from lxdapi import validation
from lxdapi.errors import InvalidError

# The largest number of names for one entry, against slips such as [1-2000000000].
MOST = 10_000
_RANGE = re.compile(r"\[(\d{1,9}(?:-\d{1,9})?(?:,\d{1,9}(?:-\d{1,9})?)*)\]")
_MOST_LISTED = 10


def is_range(text):
    """Return True if the text has a range of numbers in square brackets."""
    return isinstance(text, str) and bool(_RANGE.search(text))


def expand(text):
    """
    Return the names of one entry in order; a plain name is returned unchanged.

    text
        Text with any number of ranges, ``web[01-20]`` or ``web[1-3,7]``. If one end begins with 0, both must have the
        same number of digits.

    Raises :class:`InvalidError` for an invalid range, for more than 10,000 names, and for an invalid name.
    """
    if not isinstance(text, str):
        raise InvalidError.of_value("instance name", "text", text)
    parts, total = _RANGE.split(text), 1
    texts, ranges = parts[::2], parts[1::2]
    for each in ranges:
        total *= sum(last - first + 1 for first, last, _ in _bounds(text, each))
        if total > MOST:
            raise InvalidError(f"{text}: expected at most {MOST} names; declare smaller ranges")
    names = [_join(texts, numbers) for numbers in product(*(_numbers(text, each) for each in ranges))]
    for name in names:
        validation.check("instance", "instance", name)
    if len(set(names)) != len(names):
        raise InvalidError(f"{text}: the ranges overlap, so a name is duplicate")
    return names


def _bounds(text, inside):
    """Return (first, last, number of digits or 0) of each part between the commas."""
    return [_bound(text, *(part.split("-") * 2)[:2]) for part in inside.split(",")]


def _bound(text, first, last):
    padded = any(len(each) > 1 and each.startswith("0") for each in (first, last))
    if padded and len(first) != len(last):
        raise InvalidError(f"{text}: expected the same number of digits in {first} and {last}")
    if int(first) > int(last):
        raise InvalidError(f"{text}: {first} is greater than {last}; swap them")
    return int(first), int(last), len(first) if padded else 0


def _numbers(text, inside):
    return [
        f"{number:0{digits}d}" if digits else str(number)
        for first, last, digits in _bounds(text, inside)
        for number in range(first, last + 1)
    ]


def _join(texts, numbers):
    return texts[0] + "".join(number + after for number, after in zip(numbers, texts[1:]))


def expand_keys(entries):
    """
    Return ``{name: value}`` of a mapping of entries to values, in its order.

    Raises :class:`InvalidError` for a name that two entries give.
    """
    values, origin = {}, {}
    for entry, value in entries.items():
        for name in expand(entry):
            if name in values:
                raise InvalidError(f"duplicate name {name}: in {origin[name]} and in {entry}")
            values[name], origin[name] = value, entry
    return values


def fold(names, most=_MOST_LISTED):
    """
    Return names as text, consecutive ones as a range: ``db, web[01-20]``.

    most
        The largest number of words, None for all; the rest is counted.
    """
    runs = []
    for name in sorted(names, key=_order):
        if not (runs and _follows(runs[-1][-1], name)):
            runs.append([])
        runs[-1].append(name)
    most = len(runs) if most is None else most
    more = sum(len(run) for run in runs[most:])
    ranges = [text for run in runs[:most] for text in _format_run(run)]
    return ", ".join(ranges) + (f" and {more} more" if more else "")


def _order(name):
    """Return the sort key of a name: its text, then its last number."""
    before, digits, after = _parts(name)
    return before, after, int(digits or -1), name


def _parts(name):
    """Return (text, digits of the last number, text after it)."""
    match = re.fullmatch(r"(.*?)(\d{1,9})(\D*)", name, re.DOTALL)
    return match.groups() if match else (name, "", "")


def _follows(name, other):
    """Return True if the other name has the next number, with the same digits if zero-padded."""
    (before, digits, after), (other_before, other_digits, other_after) = _parts(name), _parts(other)
    if (
        not digits
        or not other_digits
        or (before, after) != (other_before, other_after)
        or int(other_digits) != int(digits) + 1
    ):
        return False
    padded = digits.startswith("0") or other_digits.startswith("0")
    return len(digits) == len(other_digits) if padded else True


def _format_run(run):
    if len(run) < 3:
        return run
    before, first, after = _parts(run[0])
    return [f"{before}[{first}-{_parts(run[-1])[1]}]{after}"]
