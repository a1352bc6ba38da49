"""
Minion ids of instances, by a pattern in the settings.
"""

from lxdapi.errors import InvalidError

DEFAULT = "{name}"


def format_id(where, pattern, fields):
    """
    Return the minion id of an instance.

    where
        The name of the setting, for errors.
    pattern
        Text with the names of fields in braces.
    fields
        ``{name: value}``.
    """
    try:
        return pattern.format(**fields)
    except (AttributeError, KeyError, IndexError, ValueError):
        expected = f"text with {', '.join(f'{{{each}}}' for each in fields)}"
        raise InvalidError.of_value(where, expected, pattern) from None
