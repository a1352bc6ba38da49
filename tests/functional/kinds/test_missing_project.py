"""
A project that does not exist: ``absent`` succeeds, test mode predicts creations in it, and a read is an error.
"""

import pytest
from salt.exceptions import SaltException

ABSENT_WITHOUT_PROJECT = "absent; project 'x' does not exist on /"
DECLARED = {
    "lxdapi_instance": ("c1", {"source": "none", "profiles": ["default"]}),
    "lxdapi_profile": ("web", {"config": {"user.a": "1"}}),
    "lxdapi_storage_volume": ("default/data", {"description": "one"}),
}
SLS = """
x:
  lxdapi_project.present:
    - config: {features.images: "true", features.profiles: "true", features.storage.volumes: "true"}
web:
  lxdapi_profile.present:
    - project: x
    - devices: {root: {type: disk, pool: default, path: /}}
default/data:
  lxdapi_storage_volume.present:
    - project: x
    - description: one
c1:
  lxdapi_instance.present:
    - project: x
    - source: none
    - profiles: [web]
"""
CLEANUP = """
c1:
  lxdapi_instance.absent:
    - project: x
default/data:
  lxdapi_storage_volume.absent:
    - project: x
web:
  lxdapi_profile.absent:
    - project: x
x:
  lxdapi_project.absent: []
"""


@pytest.fixture
def applied(salt):
    """Apply the text of an SLS file and return the results by the ID of the state."""

    def apply(text, test=False):
        (salt.tree / "team.sls").write_text(text)
        answers = salt.modules["state.apply"]("team", test=test)
        assert isinstance(answers, dict), answers
        return {answer["__id__"]: answer for answer in answers.values()}

    return apply


@pytest.mark.parametrize("state", DECLARED)
def test_missing_project_contains_nothing(apply, daemon, state):
    ret = apply.unchanged(f"{state}.absent", DECLARED[state][0], project="x")
    assert ABSENT_WITHOUT_PROJECT in ret["comment"]
    predicted = apply.predicted(f"{state}.absent", DECLARED[state][0], project="x")
    assert predicted == ret
    assert "project" not in apply.unchanged(f"{state}.absent", DECLARED[state][0], project="default")["comment"]


@pytest.mark.parametrize("state", DECLARED)
def test_create_in_missing_project_is_predicted_and_fails(apply, daemon, state):
    name, declared = DECLARED[state]
    predicted = apply.predicted(f"{state}.present", name, project="x", **declared)
    assert (predicted["result"], predicted["changes"]) == (None, {"created": name})
    assert predicted["comment"].endswith("; note: project x does not exist")
    comment = apply.failed(f"{state}.present", name, project="x", **declared)
    assert "not found" in comment and "POST /1.0/" in comment and "project x does not exist" in comment


@pytest.mark.parametrize(
    "function, arguments",
    [
        ("list", ["profile"]),
        ("list", ["instance"]),
        ("get", ["profile", "web"]),
        ("get", ["instance", "c1"]),
        ("export", []),
        ("export", ["profile"]),
        ("effective", ["instance", "c1"]),
    ],
)
def test_read_in_missing_project_is_refused(salt, daemon, function, arguments):
    with pytest.raises(SaltException, match="project 'x' does not exist on /"):
        salt.modules[f"lxdapi.{function}"](*arguments, project="x")


def test_project_and_contents_are_managed_in_one_run(applied, daemon, raw):
    for test, result in ((True, None), (False, True)):
        answers = applied(SLS, test)
        assert {name: each["result"] for name, each in answers.items()} == dict.fromkeys(answers, result), answers
        changes = {name: each["changes"] for name, each in answers.items()}
        assert changes == {name: {"created": name} for name in ("x", "web", "default/data", "c1")}
    assert raw("instances/c1?project=x")["profiles"] == ["web"]
    assert [each["changes"] for each in applied(SLS).values()] == [{}] * 4
    gone = applied(CLEANUP)
    assert {name: each["changes"] for name, each in gone.items()} == {name: {"deleted": name} for name in gone}
    assert raw("projects/x") is None
    for answers in (applied(CLEANUP), applied(CLEANUP, test=True)):
        assert {(each["result"], str(each["changes"])) for each in answers.values()} == {(True, "{}")}, answers
