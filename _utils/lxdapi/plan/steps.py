"""
Plans: steps to report or to apply. Making a plan sends GETs only.
"""

from typing import Any, Callable, Dict, Iterable, Iterator, NamedTuple, Optional, Sequence, Union

from lxdapi.errors import LxdapiError
from lxdapi.model import diff


class Step(NamedTuple):
    """
    One step of a plan.

    verb
        The participle for the comment: ``created``, ``updated``, ``started``.
    changes
        The planned changes; {} for a step that only waits or checks.
    apply
        A function that does the step. It returns the real changes if they can differ from ``changes``, else None.
    note
        A note for the comment. Default: "".
    missing
        A function that returns a missing prerequisite as a sentence, or ""; called in test mode and after a failure.
    failure
        The verb of the sentence about a failure, such as ``is not ready``. Default: ``could not be VERB``.
    deferrable
        True if ``apply`` is only an update, whose verification can be deferred: see :mod:`lxdapi.model.verification`.
    """

    verb: str
    changes: Dict[str, Any]
    apply: Callable[[], Optional[Dict[str, Any]]]
    note: str = ""
    missing: Callable[[], str] = str
    failure: str = ""
    deferrable: bool = False


class Plan:
    """
    Steps, and notes for the comment. Iterating over a plan yields its steps.

    steps
        In their order.
    summary
        The state of the object if the steps change nothing: "as declared", "absent".
    notes
        For the comment, with or without changes.
    """

    def __init__(self, steps: Sequence[Step] = (), summary: str = "as declared", notes: Sequence[str] = ()) -> None:
        self.steps, self.summary, self.notes = steps, summary, notes

    @classmethod
    def of(cls, steps: "Steps") -> "Plan":
        """Return the plan itself, or one with these steps."""
        return steps if isinstance(steps, Plan) else cls(tuple(steps))

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def __len__(self) -> int:
        return len(self.steps)

    def with_steps(self, steps: Iterable[Step]) -> "Plan":
        """Return a plan with other steps and the same summary and notes."""
        return Plan(tuple(steps), self.summary, self.notes)

    def then(self, other: "Steps") -> "Plan":
        """Return a plan with the steps and notes of another after its own."""
        following = Plan.of(other)
        return Plan((*self.steps, *following), self.summary, (*self.notes, *following.notes))

    def with_note(self, note: str) -> "Plan":
        """Return a plan with one more note; "" adds none."""
        return Plan(self.steps, self.summary, (*self.notes, note)) if note else self


Steps = Union[Plan, Iterable[Step]]


def apply(steps: Iterable[Step]) -> Dict[str, Any]:
    """Apply the steps and return their changes; the first failure is raised, with the changes so far in ``changes``."""
    changes: Dict[str, Any] = {}
    for step in steps:
        try:
            actual = step.apply()
        except LxdapiError as exc:
            diff.merge_changes(changes, getattr(exc, "changes", {}))
            exc.changes = changes
            raise
        diff.merge_changes(changes, step.changes if actual is None else actual)
    return changes
