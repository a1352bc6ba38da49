"""
The summary of states that ran inside.
"""

import pytest
from lxdapi.salt_inside.report import summarize


def result(state_id, changes=None, outcome=True, comment="", function="file.managed", name=None):
    """Return the tag and the result of one state."""
    state, _, verb = function.partition(".")
    fields = {"changes": changes or {}, "result": outcome, "comment": comment, "__id__": state_id}
    return {f"{state}_|-{state_id}_|-{name or state_id}_|-{verb}": fields}


def test_changes_are_those_of_each_state_by_its_id():
    returned = {**result("/etc/a", {"diff": "New file"}), **result("/etc/b")}
    assert summarize(returned, test=False) == ({"/etc/a": {"diff": "New file"}}, True, "2 states, 1 changed")


def test_states_with_the_same_id_are_kept_apart():
    returned = {
        **result("web", {"a": 1}, function="pkg.installed"),
        **result("web", {"b": 2}, function="service.running", name="nginx"),
        **result("other", {"c": 3}),
    }
    expected = {"web (pkg.installed)": {"a": 1}, "web (service.running nginx)": {"b": 2}, "other": {"c": 3}}
    assert summarize(returned, test=False).changes == expected


def test_prediction_without_changes_says_what_would_happen():
    returned = {**result("date", outcome=None, comment="would run", function="cmd.run"), **result("/etc/b")}
    assert summarize(returned, test=True) == ({"date": {"comment": "would run"}}, None, "2 states, 1 would change")


def test_failures_are_named_and_changes_kept():
    returned = {**result("/a", {"diff": "x"}), **result("/b", outcome=False, comment="no such file")}
    found = summarize(returned, test=False)
    assert (found.changes, found.result) == ({"/a": {"diff": "x"}}, False)
    assert found.comment == "2 states, 1 changed, 1 failed: /b: no such file"


def test_many_failures_are_counted():
    returned = {tag: each for number in range(8) for tag, each in result(f"/{number}", outcome=False).items()}
    assert summarize(returned, test=False).comment.endswith("/4: ; and 3 more")


@pytest.mark.parametrize(
    "returned, comment",
    [
        (["Rendering SLS 'base:web' failed: x", "y"], "Rendering SLS 'base:web' failed: x; y"),
        ({}, "Salt returned no result"),
        ("text", "text"),
        (None, "None"),
    ],
)
def test_anything_but_results_is_a_failure(returned, comment):
    assert summarize(returned, test=False) == ({}, False, comment)
