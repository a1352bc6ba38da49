"""
A plan: steps that were made with GETs only, reported or carried out.

In test mode the plan is only reported; otherwise each step acts, and what it says it did goes into
``changes`` before the next one begins. So test mode predicts what the apply does because it is the same
plan, and after a failure ``changes`` holds what was done.
"""

from typing import Callable, NamedTuple

from lxdapi import masking as secrets
from lxdapi import validation as names
from lxdapi.errors import APIException, InvalidError, LxdapiError
from lxdapi.minion import prefetch as ahead
from lxdapi.model.kinds import KINDS


class Step(NamedTuple):
    """
    One thing to be done.

    verb
        What is done, as a participle: ``created``, ``updated``, ``started``.
    changes
        What it will change; nothing for a step that only waits for something or looks whether it is so.
    act
        Does it. Returns what it really changed where that can differ from ``changes``, else None.
    note
        For the comment, where something has to be said.
    lacking
        Returns in words what is not there and is needed; asked in test mode and after a failure.
    """

    verb: str
    changes: dict
    act: Callable
    note: str = ""
    lacking: Callable = str


class Nothing(list):
    """
    A plan that changes nothing.

    words
        What is so already: "as declared", "absent".
    """

    def __init__(self, *words):
        super().__init__()
        self.words = "; ".join(filter(None, words))

    @classmethod
    def with_steps(cls, words, steps):
        """Return a plan that changes nothing, and has steps that only look or wait."""
        made = cls(words)
        made.extend(steps)
        return made


def state(word, name, run, plan, sensitive=None):
    """
    Return Salt's answer for a state.

    word
        The kind; of a state that is about none, what it is about in words.
    name
        The state's name.
    run
        What it is in, see :class:`lxdapi.minion.state_run.Run`: in test mode the plan is reported, and nothing done.
    plan
        Called without arguments, returns the steps; it sends only GETs.
    sensitive
        Patterns of keys whose values nobody shall see.
    """
    try:
        return ahead.taken(run, lambda: _answer(word, name, run, plan, sensitive))
    except InvalidError as exc:
        return {"name": name, "changes": {}, "result": False, "comment": str(exc)}


def _answer(word, name, run, plan, sensitive):
    ret = {"name": name, "changes": {}, "result": True, "comment": ""}
    label = KINDS[word].label if word in KINDS else word
    subject = " ".join(dict.fromkeys([label, str(name)]))
    try:
        patterns = names.patterns("sensitive", sensitive)
    except InvalidError as exc:
        return {**ret, "result": False, "comment": f"{subject}: {exc}"}
    with secrets.marked(patterns):
        return _reached(ret, subject, word, run, plan)


def _reached(ret, subject, word, run, plan):
    try:
        with run.planning(word):
            steps = plan()
    except InvalidError as exc:
        return {**ret, "result": False, "comment": f"{subject}: {exc}"}
    except LxdapiError as exc:
        return {**ret, "result": False, "comment": f"{subject} could not be read: {explained(exc)}"}
    if not steps:
        return {**ret, "comment": f"{subject} is {_so_already(steps)}"}
    if run.test:
        with run.planning(word):
            return _predicted(ret, subject, steps)
    return _carry_out(ret, subject, steps)


def _predicted(ret, subject, steps):
    for step in steps:
        join(ret["changes"], step.changes)
    if not ret["changes"]:
        return {**ret, "comment": f"{subject} is {_so_already(steps)}"}
    comment = _sentence(subject, "would be", steps) + "".join(_yet(step) for step in steps)
    return {**ret, "result": None, "comment": comment}


def _yet(step):
    words = _lacking(step)
    return f"; {words} (yet)" if words else ""


def _lacking(step):
    """Return what a step needs and is not there; that it cannot be told is told as nothing."""
    try:
        return step.lacking()
    except LxdapiError:
        return ""


def _carry_out(ret, subject, steps):
    done = []
    for step in steps:
        try:
            actual = step.act()
        except LxdapiError as exc:
            before = f" ({_sentence(subject, 'was', done)})" if done else ""
            words = "; ".join(dict.fromkeys(filter(None, [explained(exc), _lacking(step), step.note])))
            join(ret["changes"], getattr(exc, "changes", {}))
            return {**ret, "result": False, "comment": f"{subject} could not be {step.verb}: {words}{before}"}
        join(ret["changes"], step.changes if actual is None else actual)
        if actual or (actual is None and step.changes):  # else somebody else did it meanwhile
            done.append(step)
    return {**ret, "comment": _sentence(subject, "was", done) if done else f"{subject} is {_so_already(steps)}"}


def _so_already(steps):
    return getattr(steps, "words", "as declared")


def noted(steps, words):
    """Return the plan, which says this as well; it may have no steps."""
    if not words:
        return steps
    if not steps:
        return Nothing(_so_already(steps), words)
    return [steps[0]._replace(note="; ".join(filter(None, [steps[0].note, words]))), *steps[1:]]


def do(steps):
    """Do the steps and return what they changed; the first failure is raised."""
    changes = {}
    for step in steps:
        actual = step.act()
        join(changes, step.changes if actual is None else actual)
    return changes


def explained(exc):
    """Return an error in words: for a transaction the daemon's own, with method and path."""
    return exc.explain() if isinstance(exc, APIException) else str(exc)


def _sentence(subject, was, steps):
    notes = "".join(f"; {step.note}" for step in steps if step.note)
    return f"{subject} {was} {' and '.join(_detail(step) for step in steps if step.changes)}{notes}"


def _detail(step):
    """Return the verb, for an update with what it is about: ``updated (config limits.cpu)``."""
    if step.verb != "updated":
        return step.verb
    parts = (
        field if {"old", "new"} == set(change) or "diff" in change else f"{field} {', '.join(sorted(change))}"
        for field, change in step.changes.items()
        if isinstance(change, dict)
    )
    return f"updated ({'; '.join(parts)})"


def join(changes, more):
    """Add the changes of a step to those before: of a value changed twice the first old stays."""
    for key, change in more.items():
        before = changes.get(key)
        if not isinstance(before, dict) or not isinstance(change, dict):
            changes[key] = change
        elif set(change) == {"old", "new"}:
            changes[key] = {"old": before.get("old"), "new": change["new"]}
        else:
            join(before, change)
