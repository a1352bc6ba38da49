"""
The result of a plan for Salt: the dictionary that a state returns, in test mode and after applying the steps.

In test mode the plan is only reported. Otherwise each step is applied, and its changes go into ``changes`` before the
next one begins. So test mode predicts what the apply does because it is the same plan, and after a failure
``changes`` holds what was done.
"""

from __future__ import annotations

import copy
from functools import partial
from typing import TYPE_CHECKING, Any, Callable, Dict

from lxdapi import masking, validation
from lxdapi.errors import APIUnappliedException, InvalidError, LxdapiError
from lxdapi.model import diff, verification
from lxdapi.model.kinds import KINDS
from lxdapi.plan.steps import Plan, Step

if TYPE_CHECKING:
    from lxdapi.plan.steps import Steps

Answer = Dict[str, Any]


def apply_directly(act: Callable[[], Answer]) -> Answer:
    """Call the function that applies the steps of a plan, and return its answer."""
    return act()


def run_state(
    kind_name: str,
    name: str,
    make_plan: Callable[[], Steps],
    test: bool = False,
    sensitive: Any = None,
    apply_with: Callable[[Callable[[], Answer]], Answer] = apply_directly,
) -> Answer:
    """
    Return Salt's answer for a state.

    kind_name
        The kind, or the subject of the comment for a state without a kind.
    name
        The state's name.
    make_plan
        Called without arguments, returns a :class:`lxdapi.plan.steps.Plan` or steps; it sends only GETs.
    test
        True: report the plan and change nothing.
    sensitive
        Patterns of keys whose values are masked.
    apply_with
        Called with a function that applies the steps; returns its answer. Default: :func:`apply_directly`.
    """
    ret = {"name": name, "changes": {}, "result": True, "comment": ""}
    label = KINDS[kind_name].label if kind_name in KINDS else kind_name
    subject = " ".join(dict.fromkeys([label, str(name)]))
    try:
        patterns = validation.parse_patterns("sensitive", sensitive)
    except InvalidError as exc:
        return {**ret, "result": False, "comment": f"{subject}: {exc}"}
    with masking.marked_keys(patterns):
        return _plan_and_apply(ret, subject, make_plan, test, apply_with)


def _plan_and_apply(
    ret: Answer,
    subject: str,
    make_plan: Callable[[], Steps],
    test: bool,
    apply_with: Callable[[Callable[[], Answer]], Answer],
) -> Answer:
    try:
        plan = Plan.of(make_plan())
    except InvalidError as exc:
        return {**ret, "result": False, "comment": f"{subject}: {exc}"}
    except LxdapiError as exc:
        return {**ret, "result": False, "comment": f"{subject} could not be read: {exc.explain()}"}
    if not plan.steps:
        return {**ret, "comment": _unchanged_comment(subject, plan)}
    return _predict(ret, subject, plan) if test else apply_with(partial(_apply, ret, subject, plan))


def _predict(ret, subject, plan):
    for step in plan.steps:
        diff.merge_changes(ret["changes"], step.changes)
    if not ret["changes"]:
        return {**ret, "comment": _unchanged_comment(subject, plan)}
    missing = [f"note: {note}" for note in map(_missing_note, plan.steps) if note]
    return {**ret, "result": None, "comment": _join(_sentence(subject, "would be", plan.steps), plan.notes, missing)}


def _missing_note(step):
    """Return the missing prerequisite of a step; "" if nothing is missing, or if reading it fails."""
    try:
        return step.missing()
    except LxdapiError:
        return ""


def _apply(ret, subject, plan, done_before=()):
    done: list[Step] = [*done_before]
    for step in plan.steps:
        try:
            actual = _apply_last(ret, subject, plan, done) if step is plan.steps[-1] else step.apply()
        except LxdapiError as exc:
            diff.merge_changes(ret["changes"], getattr(exc, "changes", {}))
            return {**ret, "result": False, "comment": _failure_comment(subject, step, exc, done)}
        diff.merge_changes(ret["changes"], step.changes if actual is None else actual)
        if actual or (actual is None and step.changes):  # otherwise somebody else did the same
            done.append(step)
    if not done:
        return {**ret, "comment": _unchanged_comment(subject, plan)}
    return {**ret, "comment": _join(_sentence(subject, "was", done), plan.notes)}


def _apply_last(ret, subject, plan, done):
    """Apply the last step. An update may defer its verification; it continues as the only step that is left."""
    step = plan.steps[-1]
    if not step.deferrable:
        return step.apply()
    before, done_before = copy.deepcopy(ret), tuple(done)
    # without ``apply``, which has the object as it was read
    left = plan.with_steps([step._replace(apply=dict, deferrable=False)])

    def finish(act):
        return _apply(before, subject, left.with_steps([left.steps[0]._replace(apply=act)]), done_before)

    with verification.deferrable(finish):
        return step.apply()


def _failure_comment(subject, step, exc, done):
    """Return the comment for a failed step, with the steps that were done before it."""
    done_before = f" ({_sentence(subject, 'was', done)})" if done else ""
    text = _join("", dict.fromkeys([exc.explain(), _missing_note(step), step.note]))
    if isinstance(exc, APIUnappliedException):
        return (
            f"{subject} was {_detail(step)}, but an object that uses it did not apply the change: {text}{done_before}"
        )
    return f"{subject} {step.failure or f'could not be {step.verb}'}: {text}{done_before}"


def _unchanged_comment(subject, plan):
    return f"{subject} is {_join(plan.summary, plan.notes)}"


def _join(first, *notes):
    return "; ".join(filter(None, [first, *(note for group in notes for note in group)]))


def _sentence(subject, verb, steps):
    details = " and ".join(_detail(step) for step in steps if step.changes)
    return _join(f"{subject} {verb} {details}", [step.note for step in steps])


def _detail(step):
    """Return the verb, for an update with the changed fields: ``updated (config limits.cpu)``."""
    if step.verb != "updated":
        return step.verb
    parts = (
        field if {"old", "new"} == set(change) or "diff" in change else f"{field} {', '.join(sorted(change))}"
        for field, change in step.changes.items()
        if isinstance(change, dict)
    )
    return f"updated ({'; '.join(parts)})"
