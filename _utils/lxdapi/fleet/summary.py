"""
The summary of a fleet: instances with the same outcome are named together.
"""

from lxdapi.fleet import name_ranges

# The largest number of sentences about failures, and of other sentences; the comment still names all instances.
_MOST_LISTED = 10
_SAME = (" is as declared", " is absent")


def answer(ret, answers, unstarted=(), notes=()):
    """
    Return Salt's answer for a fleet.

    ret
        The answer so far, with the state's name.
    answers
        ``{name: answer like that of a state}``; None as the result of a prediction.
    unstarted
        The names of the instances that were not started.
    notes
        Further sentences; "" adds none.
    """
    failed = [name for name, each in answers.items() if each["result"] is False]
    changes = {name: each["changes"] for name, each in answers.items() if each["changes"]}
    good_result = None if any(each["result"] is None for each in answers.values()) else True
    sentences = [*_failure_notes({name: answers[name] for name in failed}), *_unstarted_note(unstarted)]
    sentences += _success_notes({name: each for name, each in answers.items() if each["result"] is not False})
    nothing_to_say = not sentences and not changes
    comment = "; ".join([*sentences, *filter(None, notes)])
    label = f"fleet {ret['name']}"
    if nothing_to_say:
        comment = f"{label} is as declared" + (f"; {comment}" if comment else "")
    else:
        comment = f"{label}: {comment}"
    return {**ret, "changes": changes, "result": False if failed or unstarted else good_result, "comment": comment}


def _comment_text(name, each):
    """Return the comment of an answer without the name of its instance."""
    return each["comment"].removeprefix(f"instance {name}")


def _failure_notes(failed):
    """Return a sentence for each of the first failures, and the names of the rest."""
    grouped = _group(failed)
    sentences = [f"{name_ranges.fold(group)}{text}" for text, group in grouped[:_MOST_LISTED]]
    more = [name for _, group in grouped[_MOST_LISTED:] for name in group]
    return sentences + ([f"also failed: {name_ranges.fold(more, None)}"] if more else [])


def _unstarted_note(unstarted):
    return [f"not started: {name_ranges.fold(unstarted, None)}"] if unstarted else []


def _success_notes(answers):
    """Return sentences for the successes, except for instances that are as declared."""
    grouped = [(text, group) for text, group in _group(answers) if text not in _SAME]
    sentences = [f"{name_ranges.fold(group)}{_in_plural(group, text)}" for text, group in grouped[:_MOST_LISTED]]
    more = [name for _, group in grouped[_MOST_LISTED:] for name in group]
    return sentences + ([f"also: {name_ranges.fold(more)}"] if more else [])


def _in_plural(group, text):
    """Return a sentence about one instance in the plural for several."""
    for one, many in (" was ", " were "), (" is ", " are "):
        if len(group) > 1 and text.startswith(one):
            return text.replace(one, many, 1)
    return text


def _group(answers):
    """Return [(text, names with this text)]."""
    groups = {}
    for name, each in answers.items():
        groups.setdefault(_comment_text(name, each), []).append(name)
    return list(groups.items())
