"""
The one way to a declared state: plan with GETs, then act, then report what was done.

A plan is a list of :class:`Step`. In test mode the plan is only reported; otherwise each step acts,
and what it says it did goes into ``changes`` before the next one begins. So test mode predicts what
the apply does because it is the same plan, and after a failure ``changes`` holds what was done.
"""

from typing import Callable, NamedTuple

import lxdapi_diff as diff
import lxdapi_names as names
from lxdapi_errors import (
    APIException,
    APINotFoundException,
    APIOperationException,
    APIOutcomeUnknownException,
    APIPreconditionException,
    InvalidError,
    LxdapiError,
)
from lxdapi_kinds import kind_of

# How often a write is tried when somebody else keeps changing the object between read and write.
TRIES = 10


class Step(NamedTuple):
    """
    One thing to be done.

    verb
        What is done, as a participle: ``created``, ``updated``, ``started``.
    changes
        What it will change.
    act
        Does it. Returns what it really changed where that can differ from ``changes``, else None.
    note
        For the comment, where something has to be said.
    """

    verb: str
    changes: dict
    act: Callable
    note: str = ""


def path_of(kind, name):
    """Return the REST path of an object, its name checked against the kind's rule and quoted."""
    return names.path(kind.path, name=names.check(kind.rule, kind.label, name))


def lacks(api, kind):
    """Return in words that the daemon does not know this kind, "" if it does."""
    if kind.extension is None or api.has(kind.extension):
        return ""
    found = api.server.get("environment") or {}
    who = f"{found.get('server', 'the daemon')} {found.get('server_version', '')}".strip()
    return f"{who} has no kind {kind.label}: it lacks the API extension {kind.extension}"


def require(api, kind):
    """Raise :class:`InvalidError` if the daemon does not know this kind."""
    words = lacks(api, kind)
    if words:
        raise InvalidError(words)


def read(api, kind, name):
    """
    Return the :class:`lxdapi_api.APIResult` of the object, None if the daemon says 404.

    Raises :class:`InvalidError` if the daemon does not know the kind.
    """
    path = path_of(kind, name)
    require(api, kind)
    try:
        return api.get(path)
    except APINotFoundException:
        return None


def state(word, name, test, plan):
    """
    Return Salt's answer for a state.

    word
        The kind.
    name
        The state's name.
    test
        True: report the plan, do nothing.
    plan
        Called without arguments, returns the steps; it sends only GETs.
    """
    ret = {"name": name, "changes": {}, "result": True, "comment": ""}
    subject = f"{kind_of(word).label} {name}"
    try:
        steps = plan()
    except InvalidError as exc:
        return {**ret, "result": False, "comment": f"{subject}: {exc}"}
    except LxdapiError as exc:
        return {**ret, "result": False, "comment": f"{subject} could not be read: {explained(exc)}"}
    if not steps:
        return {**ret, "comment": f"{subject} is as declared"}
    if test:
        for step in steps:
            join(ret["changes"], step.changes)
        return {**ret, "result": None, "comment": _sentence(subject, "would be", steps)}
    return _carry_out(ret, subject, steps)


def _carry_out(ret, subject, steps):
    done = []
    for step in steps:
        try:
            actual = step.act()
        except LxdapiError as exc:
            before = f" ({_sentence(subject, 'was', done)})" if done else ""
            words = f"{subject} could not be {step.verb}: {explained(exc)}{before}"
            return {**ret, "result": False, "comment": words}
        join(ret["changes"], step.changes if actual is None else actual)
        if actual is None or actual:  # else somebody else did it meanwhile
            done.append(step)
    return {**ret, "comment": _sentence(subject, "was", done) if done else f"{subject} is as declared"}


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
        field if {"old", "new"} == set(change) else f"{field} {', '.join(sorted(change))}"
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


def present(api, word, name, wanted):
    """
    Return the steps to an object with the declared fields.

    wanted
        ``{field: value}``; None is left alone. See :mod:`lxdapi_diff`.
    """
    kind = kind_of(word)
    wanted = diff.normal(kind, wanted)
    current = read(api, kind, name)
    if current is None:
        return [Step("created", {"created": name}, lambda: create(api, kind, name, wanted))]
    return update_steps(api, kind, name, wanted, current)


def update_steps(api, kind, name, wanted, current, note=""):
    """Return the steps that make an existing object as declared: one or none."""
    refuse_fixed(kind, wanted, current)
    delta = diff.compare(kind, wanted, current.metadata)
    if not delta:
        return []
    return [Step("updated", delta.changes, lambda: update(api, kind, name, wanted, current), note)]


def completion(api, kind, name, wanted):
    """
    Return the steps that give a new object what its creation could not: a failure leaves the object,
    of which ``changes`` says that it was created, to the next run.
    """
    if not wanted:
        return []
    return [Step("completed", {}, lambda: update(api, kind, name, wanted) and {})]


def refuse_fixed(kind, wanted, current):
    """Raise :class:`InvalidError` if a declared create-only field differs."""
    words = diff.fixed(kind, wanted, current.metadata)
    if words:
        raise InvalidError("; ".join(words))


def absent(api, word, name):
    """Return the steps to the absence of an object; a daemon that does not know its kind has none."""
    kind = kind_of(word)
    path_of(kind, name)
    if lacks(api, kind) or read(api, kind, name) is None:
        return []
    return [Step("deleted", {"deleted": name}, lambda: remove(api, kind, name))]


def create(api, kind, name, wanted, timeout=None, extra=None):
    """
    Create the object with the declared fields, in one call, and wait for it.

    extra
        What the body has beyond the fields: an instance's ``source``.
    """
    names.check(kind.rule, kind.label, name)
    body = {field: _for_create(value) for field, value in wanted.items()}
    api.post(kind.collection, json={**body, kind.key: name, **(extra or {})}).wait(timeout)


def _for_create(value):
    """Return a field's value without the keys that are declared to be absent."""
    if not isinstance(value, dict):
        return value
    return {key: _for_create(inner) for key, inner in value.items() if inner is not None}


def update(api, kind, name, wanted, current=None):
    """
    Make the fields as declared and return what changed.

    Read, compared and written with If-Match, again and again while somebody else is faster, so
    that nothing set meanwhile is lost.
    """
    for _ in range(TRIES):
        current = current or api.get(path_of(kind, name))
        delta = diff.compare(kind, wanted, current.metadata)
        if not delta:
            return {}
        try:
            write(api, kind, name, current, delta).wait()
        except APIPreconditionException as exc:
            current, lost = None, exc
            continue
        return delta.changes
    raise lost


def write(api, kind, name, current, delta):
    """Send the difference: by PATCH what is added or changed, by a PUT of the whole what goes."""
    headers = {"If-Match": current.etag} if current.etag else {}
    partial = kind.patch and not delta.removes
    repeated = kind.patch_with if partial else kind.fields
    body = {field: current.metadata[field] for field in repeated if field in current.metadata}
    body.update(delta.touched if partial else delta.fields)
    return api.request("PATCH" if partial else "PUT", path_of(kind, name), json=body, headers=headers)


def remove(api, kind, name):
    """Delete the object and wait; somebody else having deleted it meanwhile is as good."""
    try:
        api.delete(path_of(kind, name)).wait()
    except APINotFoundException:
        return {}
    except APIOutcomeUnknownException:
        if read(api, kind, name) is not None:
            raise
    except APIOperationException:
        if read(api, kind, name) is not None:
            raise
        return {}
    return None
