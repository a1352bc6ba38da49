"""
Renames, deletions, creations and updates by converge: its decisions before a write.
"""

from datetime import date

import pytest
from lxdapi.errors import APIException, InvalidError
from lxdapi.model.kinds import KINDS
from lxdapi.plan import converge
from lxdapi.plan import steps as plans
from lxdapi.plan.state_result import run_state
from salt.exceptions import CommandExecutionError

from tests.support.fake_transport import MISSING, Paper, failure, server, sync
from tests.support.model_daemon import PROFILE, Model

pytestmark = pytest.mark.usefixtures("contract_kept")

VOLUMES = "storage-pools/default/volumes/custom"


def renamed(model, word, name, old, wanted=None, test=False):
    """Return (Salt's answer, the paper) for an object that another one can become."""
    paper = Paper(model)
    plan = lambda: converge.plan_present(paper.api, word, name, wanted or {}, renamed_from=old)  # noqa: E731
    return run_state(word, name, plan, test=test), paper


def there(**objects):
    """Return a model with profiles with these descriptions."""
    return Model({f"profiles/{name}": {**PROFILE, "name": name, "description": text} for name, text in objects.items()})


def test_other_object_is_renamed_and_then_as_declared():
    model = there(old="x")
    changes = {"name": {"old": "old", "new": "web"}, "description": {"old": "x", "new": "y"}}
    predicted, paper = renamed(model, "profile", "web", "old", {"description": "y"}, test=True)
    assert (predicted["result"], predicted["changes"], paper.writes) == (None, changes, [])
    ret, paper = renamed(model, "profile", "web", "old", {"description": "y"})
    assert (ret["result"], ret["changes"]) == (True, changes)
    assert paper.writes == ["POST /1.0/profiles/old", "PATCH /1.0/profiles/web"]
    assert [seen.json for seen in paper.seen if seen.method == "POST"] == [{"name": "web"}]
    again, paper = renamed(model, "profile", "web", "old", {"description": "y"})
    assert (again["changes"], paper.lines) == ({}, ["GET /1.0/profiles/web"])


def test_existing_object_prevents_rename():
    model = there(web="x", old="y")
    ret, paper = renamed(model, "profile", "web", "old")
    assert (ret["changes"], paper.lines) == ({}, ["GET /1.0/profiles/web"])


@pytest.mark.parametrize("old", ["gone", "web"])
def test_missing_old_object_leads_to_create(old):
    ret, paper = renamed(there(), "profile", "web", old)
    assert ret["changes"] == {"created": "web"} and paper.writes == ["POST /1.0/profiles"]


def test_old_name_may_omit_its_parent():
    for old in ("old", "default/old"):
        model = Model({f"{VOLUMES}/old": {"config": {}, "description": "", "name": "old"}})
        ret, paper = renamed(model, "storage_volume", "default/new", old)
        assert ret["changes"] == {"name": {"old": "default/old", "new": "default/new"}}
        assert paper.writes == [f"POST /1.0/{VOLUMES}/old"] and paper.seen[-1].json == {"name": "new"}


@pytest.mark.parametrize("test", [True, False])
@pytest.mark.parametrize("old", ["other/x", "other/new"])
def test_object_in_another_parent_is_not_renamed(test, old):
    model = Model({"storage-pools/other/volumes/custom/x": {"config": {}, "description": ""}})
    ret, paper = renamed(model, "storage_volume", "default/new", old, test=test)
    assert (ret["result"], paper.writes) == (False, [])
    assert f"storage volume {old} cannot be renamed to default/new: it would have another parent" in ret["comment"]


@pytest.mark.parametrize("word", sorted(word for word, kind in KINDS.items() if not kind.rename and kind.path))
def test_kind_without_rename_is_refused(word):
    with pytest.raises(InvalidError, match=f"the kind {KINDS[word].label} cannot be renamed"):
        converge.plan_rename_if_absent(Paper().api, KINDS[word], "old", "new")
    assert converge.plan_rename_if_absent(Paper().api, KINDS[word], None, "new") == []


@pytest.mark.parametrize("old", ["", "..", 5, True, ["old"], {"old": 1}, b"old", "\ud800"])
@pytest.mark.parametrize("word, name", [("profile", "web"), ("storage_volume", "default/web")])
def test_invalid_old_name_is_refused(word, name, old):
    ret, paper = renamed(Model(), word, name, old)
    assert (ret["result"], paper.writes) == (False, [])
    assert f"{KINDS[word].label} name" in ret["comment"]


def test_changed_immutable_field_prevents_rename():
    model = Model({"instances/old": {"type": "container", "config": {}}})
    ret, paper = renamed(model, "instance", "new", "old", {"type": "virtual-machine"})
    assert (ret["result"], paper.writes) == (False, []) and "cannot be changed" in ret["comment"]


def test_explicit_rename_needs_an_existing_object():
    model = there(old="x")
    paper = Paper(model)
    assert plans.apply(converge.plan_rename(paper.api, "profile", "old", "new")) == {
        "name": {"old": "old", "new": "new"}
    }
    with pytest.raises(InvalidError, match="profile old does not exist"):
        converge.plan_rename(paper.api, "profile", "old", "new")
    with pytest.raises(InvalidError, match="the kind network zone cannot be renamed"):
        converge.plan_rename(Paper(server(api_extensions=["network_dns"])).api, "network_zone", "a", "b")


@pytest.mark.parametrize(
    "name, other", [(5, "a"), ("default/a", 5), (None, "a"), ("a", "b"), ("default/a", ""), (["a"], "b")]
)
def test_rename_with_invalid_name_is_refused_before_any_request(name, other):
    paper = Paper()
    with pytest.raises(InvalidError, match="storage volume name"):
        converge.plan_rename(paper.api, "storage_volume", name, other)
    assert paper.seen == []


def test_users_of_an_object_are_named_on_delete():
    users = [f"/1.0/instances/c{number}" for number in range(7)]
    for used_by, words in (
        (users, "it is used by instances/c0, instances/c1, instances/c2, instances/c3, instances/c4 and 2 more"),
        (users[:1], "it is used by instances/c0"),
        (["/1.0/x/1.0/y"], "it is used by x/1.0/y"),
        ([], ""),
        (None, ""),
    ):
        (step,) = converge.plan_absent(Paper(lambda seen: sync({"used_by": used_by})).api, "profile", "web")  # noqa: B023
        assert (step.missing(), step.note) == (words, "")


def test_server_cannot_be_deleted():
    paper = Paper()
    with pytest.raises(InvalidError, match="the server cannot be deleted"):
        converge.plan_absent(paper.api, "server", "server")
    assert paper.seen == []


FORCED = {
    "yes": True,
    "true": True,
    True: True,
    "no": False,
    "False": False,
    "0": False,
    "": False,
    None: False,
}


@pytest.mark.parametrize("given, force", FORCED.items())
def test_force_is_parsed_by_meaning(given, force):
    paper = Paper(Model({"projects/p": {"config": {}}}, facts={"api_extensions": ["projects_force_delete"]}))
    plans.apply(converge.plan_absent(paper.api, "project", "p", given))
    assert paper.seen[-1].query == ({"force": "1"} if force else {})


def test_unsupported_force_is_refused_and_nothing_deleted():
    paper = Paper(Model({"projects/p": {"config": {}}}))
    with pytest.raises(InvalidError, match="does not support force of the kind project"):
        converge.plan_absent(paper.api, "project", "p", True)
    assert paper.writes == [] and list(converge.plan_absent(paper.api, "project", "q", True)) == []


@pytest.mark.parametrize("given", ["maybe", 2, [1], {"a": 1}, 1.5])
def test_invalid_boolean_is_refused_before_any_request(given):
    paper = Paper()
    for act in (
        lambda: converge.plan_absent(paper.api, "project", "p", given),
        lambda: converge.plan_present(paper.api, "network_acl", "a", {}, given),
        lambda: converge.plan_update(paper.api, "network_acl", "a", {}, given),
    ):
        with pytest.raises(InvalidError, match="expected true or false for (force|purge)"):
            act()
    assert paper.seen == []


@pytest.mark.parametrize(
    "purge, left", [("no", 2), ("false", 2), (None, 2), ("", 2), (False, 2), (True, 1), ("yes", 1)]
)
def test_purge_is_parsed_by_meaning(purge, left):
    rules = [{"action": "allow"}, {"action": "drop"}]
    facts = {"api_extensions": ["network_acl"]}
    for act in (converge.plan_present, converge.plan_update):
        model = Model(
            {"network-acls/a": {"config": {}, "description": "", "ingress": rules, "egress": []}}, facts=facts
        )
        plans.apply(act(Paper(model).api, "network_acl", "a", {"ingress": rules[:1]}, purge))
        assert len(model.objects["network-acls/a"]["ingress"]) == left


def test_create_of_existing_object_is_refused_by_the_daemon():
    paper = Paper(sync({}), failure(409, "The profile already exists"))
    (step,) = converge.plan_create_new(paper.api, "profile", "web", {"description": "x"})
    with pytest.raises(APIException, match="already exists"):
        step.apply()
    assert paper.lines == ["GET /1.0/profiles/web", "POST /1.0/profiles"]


def test_update_of_missing_object_is_a_failure():
    with pytest.raises(APIException, match="not found"):
        converge.plan_update(Paper(Model()).api, "profile", "web", {"description": "x"})
    assert list(converge.plan_update(Paper(there(web="x")).api, "profile", "web", {"description": "x"})) == []


@pytest.mark.parametrize("wanted", [5, None, "text", ["a"], [("a", "b")], True])
@pytest.mark.parametrize("act", [converge.plan_create_new, converge.plan_update, converge.plan_present])
def test_non_mapping_fields_are_refused_before_any_request(act, wanted):
    paper = Paper()
    with pytest.raises(CommandExecutionError, match="expected a mapping of fields for the profile"):
        act(paper.api, "profile", "web", wanted)
    assert paper.seen == []


@pytest.mark.parametrize("source", [{"name": date(2030, 1, 1)}, {1, 2}, b"x", {"x": float("nan")}, object()])
def test_non_json_source_is_refused_and_named(source):
    with pytest.raises(InvalidError, match="^source: "):
        converge.plan_present(Paper().api, "storage_volume", "default/a", {"source": source})


def test_fields_ignored_by_create_are_written_afterwards():
    path = f"{VOLUMES}/v/snapshots"
    replies = [sync(status=201), sync({"description": "of the volume", "expires_at": "x"}), sync()]
    paper = Paper(MISSING, server(), *replies, sync({"description": "mine", "expires_at": "x"}))
    made, completed = converge.plan_create_new(paper.api, "volume_snapshot", "default/v/s", {"description": "mine"})
    assert (made.apply(), completed.apply()) == (None, {})
    asked = [f"GET /1.0/{path}/s", "GET /1.0"]
    assert paper.lines == [*asked, f"POST /1.0/{path}", f"GET /1.0/{path}/s", f"PUT /1.0/{path}/s"] + asked[:1]
    assert paper.seen[2].json == {"name": "s"}
    assert paper.seen[4].json == {"description": "mine", "expires_at": "x"}


@pytest.mark.parametrize("extensions, note", [([], True), (["storage_pool_loop_resize"], False)])
def test_change_that_is_only_stored_is_reported(extensions, note):
    facts = {"api_extensions": extensions, "environment": {"server": "lxd", "server_version": "5.0.2"}}
    found = Model({"storage-pools/p": {"config": {"size": "1GiB"}, "description": "", "driver": "btrfs"}}, facts=facts)
    (step,) = converge.plan_present(Paper(found).api, "storage_pool", "p", {"config": {"size": "2GiB"}})
    words = "size has no effect on an existing storage pool: lxd 5.0.2 lacks the API extension storage_pool_loop_resize"
    assert step.note == (words if note else "")
    (step,) = converge.plan_present(Paper(found).api, "storage_pool", "p", {"description": "x"})
    assert step.note == ""


@pytest.mark.parametrize(
    "config, goes", [({}, True), ({"b": None}, True), ({"a": "1", "b": ""}, True), ({"a": "1"}, False)]
)
def test_key_filled_in_by_daemon_is_removed_after_create(config, goes):
    paper = Paper(Model())
    steps = converge.plan_create_new(paper.api, "profile", "web", {"config": config})
    assert [step.verb for step in steps] == (["created", "completed"] if goes else ["created"])
