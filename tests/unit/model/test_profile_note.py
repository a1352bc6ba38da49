"""
The note of a changed profile: which of its running instances need a restart.
"""

import pytest
from lxdapi.model.kinds import KINDS

from tests.support.fake_transport import Paper, failure, server, sync

CHANGES = {"config": {"limits.kernel.nofile": {"old": None, "new": "1"}, "limits.cpu": {"old": "1", "new": "2"}}}
LIVE = {"config": {"user.a": {"old": None, "new": "1"}}, "description": {"old": "", "new": "x"}}
TPM = {"devices": {"tpm": {"old": None, "new": {"type": "tpm"}}}}


def instance(name, status="Running", project="default", **fields):
    """Return an entry of the list of instances."""
    known = {"config": {}, "devices": {}, "expanded_config": {}, "type": "container"}
    return {"name": name, "status": status, "project": project, **known, **fields}


def note(changes, instances, profile=None, users=None, reply=None):
    """Return the note about a change of the profile, and the requests for it."""
    paper = Paper(lambda seen: server() if seen.path == "/1.0" else reply or sync(instances))
    users = [_path(each) for each in instances] if users is None else users
    actual = {"config": profile or {}, "devices": {}, "used_by": users}
    return KINDS["profile"].change_note(paper.api, "web", actual, changes), paper


def _path(entry):
    scope = "" if entry["project"] == "default" else f"?project={entry['project']}"
    return f"/1.0/instances/{entry['name']}{scope}"


def test_running_instances_are_named():
    states = ["Running", "Stopped", "Frozen", "Ready", "Error"]
    text, paper = note(CHANGES, [instance(f"c{number}", state) for number, state in enumerate(states)])
    assert text == "limits.kernel.nofile requires a restart of the running instances c0, c2, c3"
    assert paper.lines[-1] == "GET /1.0/instances" and paper.seen[-1].query == {"recursion": "1", "project": "default"}


def test_five_instances_are_named_and_others_counted():
    text, _ = note(CHANGES, [instance(f"c{number}") for number in range(8)])
    assert text.endswith(" c0, c1, c2, c3, c4 and 3 more")


def test_only_users_of_the_profile_are_named():
    text, _ = note(CHANGES, [instance("c1"), instance("c2")], users=["/1.0/instances/c2", "/1.0/images/x"])
    assert text.endswith(" instances c2")


def test_instances_of_other_projects_are_named_with_them():
    text, paper = note(CHANGES, [instance("c1"), instance("c1", project="shop")])
    assert text.endswith(" instances c1, c1 of project shop")
    assert paper.seen[-1].query == {"recursion": "1", "all-projects": "true"}


@pytest.mark.parametrize(
    "fields, profile",
    [
        ({"config": {"limits.kernel.nofile": "7"}}, {}),
        ({"expanded_config": {"limits.kernel.nofile": "7"}}, {"limits.kernel.nofile": "5"}),
    ],
)
def test_instance_with_its_own_value_needs_no_restart(fields, profile):
    assert note(CHANGES, [instance("c1", **fields)], profile)[0] == ""


def test_key_of_the_other_type_is_not_named():
    machine = instance("v1", type="virtual-machine")
    assert note(CHANGES, [machine])[0] == ""
    assert note(TPM, [instance("c1"), machine])[0] == "tpm requires a restart of the running instances v1"


@pytest.mark.parametrize("changes, instances", [(LIVE, [instance("c1")]), (CHANGES, []), ({}, [instance("c1")])])
def test_change_without_need_for_a_restart_lists_nothing(changes, instances):
    text, paper = note(changes, instances)
    assert text == "" and "GET /1.0/instances" not in paper.lines


def test_client_without_access_to_the_list_gets_no_note():
    assert note(CHANGES, [instance("c1")], reply=failure(403, "not allowed"))[0] == ""
