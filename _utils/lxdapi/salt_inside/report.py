"""
The results of states that ran inside, summarized for a state of Salt.
"""

from collections import Counter
from typing import NamedTuple

_MOST_FAILURES = 5


class Report(NamedTuple):
    """
    A summary.

    changes
        {state id: its changes}, without states that changed nothing.
    result
        False if a state failed, None if one would change something, otherwise True.
    comment
        How many states there are, how many changed something, and which failed.
    """

    changes: dict
    result: object
    comment: str


def summarize(returned, test):
    """
    Return the :class:`Report` of what ``state.sls`` or ``state.highstate`` returned.

    test
        True: the states were only predicted.
    """
    if not isinstance(returned, dict) or not all(isinstance(each, dict) for each in returned.values()):
        return Report({}, False, _errors(returned))
    if not returned:
        return Report({}, False, "Salt returned no result")
    keys = _keys(returned)
    changes = {keys[tag]: _changes(each) for tag, each in returned.items() if _changes(each)}
    failed = [f"{keys[tag]}: {each.get('comment')}" for tag, each in returned.items() if each.get("result") is False]
    counted = f"{len(returned)} state{'s' if len(returned) > 1 else ''}, {len(changes)} "
    counted += "would change" if test else "changed"
    if failed:
        listed = failed[:_MOST_FAILURES] + [f"and {len(failed) - _MOST_FAILURES} more"] * (len(failed) > _MOST_FAILURES)
        return Report(changes, False, f"{counted}, {len(failed)} failed: {'; '.join(listed)}")
    return Report(changes, None if any(each.get("result") is None for each in returned.values()) else True, counted)


def _errors(returned):
    """Return the reason for which no state ran: the errors of a rendering, or whatever Salt returned."""
    if isinstance(returned, (list, tuple)):
        return "; ".join(map(str, returned))
    return str(returned)


def _changes(each):
    """Return the changes of a state; a prediction without changes says in words what would happen."""
    if each.get("changes") or each.get("result") is not None:
        return each.get("changes") or {}
    return {"comment": each.get("comment")}


def _keys(returned):
    """Return {tag: the id of the state}; several states with one id get their function and name, too."""
    parts = {tag: tag.split("_|-") for tag in returned}
    ids = {tag: each.get("__id__") or parts[tag][1] for tag, each in returned.items()}
    counts = Counter(ids.values())
    return {tag: ids[tag] if counts[ids[tag]] == 1 else _long_key(ids[tag], parts[tag]) for tag in returned}


def _long_key(state_id, parts):
    function = f"{parts[0]}.{parts[-1]}"
    return f"{state_id} ({function})" if parts[2] == state_id else f"{state_id} ({function} {parts[2]})"
