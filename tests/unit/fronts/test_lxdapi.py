"""
The functions for every kind on the command line: their arguments and requests.
"""

import importlib.util
from pathlib import Path

import pytest
from lxdapi.errors import APIException, LxdapiError
from lxdapi.minion import connection
from salt.exceptions import SaltInvocationError

from tests.support.fake_transport import MISSING, Paper, failure, server, sync
from tests.support.model_daemon import PROFILE, Model

FILE = Path(__file__).resolve().parents[3] / "_modules" / "lxdapi.py"


@pytest.fixture
def module(monkeypatch):
    """The execution module as Salt loads it; its connection is ``module.paper``."""
    spec = importlib.util.spec_from_file_location("lxdapi_of_the_tests", FILE)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    loaded.__salt__, loaded.__context__ = {"config.get": None}, {}
    loaded.asked = []

    def connect(names, remote=None, project=None, target=None):
        loaded.asked.append((remote, project, target))
        return loaded.paper.api

    monkeypatch.setattr(connection, "connect", connect)
    loaded.paper = Paper()
    return loaded


def web(**facts):
    """Return a paper with the profile web."""
    return Paper(Model({"profiles/web": {**PROFILE, "name": "web"}}, facts=facts))


def test_lifecycle_by_hand(module):
    module.paper = Paper(Model())
    assert module.get("profile", "web") is None
    assert module.create("profile", "web", {"description": "x"}) == {"created": "web"}
    assert module.get("profile", "web")["description"] == "x"
    assert module.update("profile", "web", '{"description": "y"}') == {"description": {"old": "x", "new": "y"}}
    assert module.update("profile", "web", {"description": "y"}) == {}
    assert module.rename("profile", "web", "web2") == {"name": {"old": "web", "new": "web2"}}
    assert module.delete("profile", "web2") == {"deleted": "web2"}
    assert module.delete("profile", "web2") == {}


def test_remote_project_and_target_reach_the_connection(module):
    module.paper = Paper(lambda seen: sync([]) if seen.line.endswith("profiles") else sync({}))
    where = {"remote": "r", "project": "p", "target": "t"}
    module.get("profile", "web", **where)
    module.list_("profile", **where)
    module.create("profile", "web", **where)
    module.update("profile", "web", {}, **where)
    module.delete("profile", "web", **where)
    module.get("profiles/web", **where)
    assert module.asked == [("r", "p", "t")] * 6


def test_names_are_sorted_and_full_returns_objects(module):
    module.paper = Paper(lambda seen: sync([{"name": "web"}, {"name": "default"}]))
    assert module.list_("profile") == ["default", "web"]
    assert module.list_("profile", full=True) == {"web": {"name": "web"}, "default": {"name": "default"}}


def test_without_a_name_the_first_argument_is_a_path(module):
    module.paper = Paper(sync({"a": "b"}), sync({}), failure(404, "not found"))
    assert module.get("profiles/web", params={"recursion": 1})["metadata"] == {"a": "b"}
    assert module.delete("profiles/web")["type"] == "sync"
    assert [seen.query for seen in module.paper.seen] == [{"recursion": "1"}, {}]
    with pytest.raises(APIException):
        module.get("profiles/web")


MEANINGLESS = [
    ("get", ("profile", "web"), {"params": {"a": "b"}}, "params"),
    ("delete", ("profile", "web"), {"params": {"a": "b"}}, "params"),
    ("delete", ("profile", "web"), {"wait": True}, "wait"),
    ("delete", ("profile", "web"), {"timeout": 5}, "timeout"),
    ("delete", ("profiles/web",), {"force": True}, "force"),
]


@pytest.mark.parametrize("function, given, more, word", MEANINGLESS)
def test_unused_argument_is_refused_before_any_request(module, function, given, more, word):
    with pytest.raises(SaltInvocationError, match=f"{word} does not apply to a "):
        getattr(module, function)(*given, **more)
    assert module.paper.seen == []


@pytest.mark.parametrize("function", ["get", "create", "update", "delete", "rename", "list_", "export"])
@pytest.mark.parametrize("word", ["profil", 5, ["profile"], {"a": 1}])
def test_unknown_kind_error_lists_kinds(module, function, word):
    given = {"get": ("web",), "create": ("web",), "update": ("web", {}), "delete": ("web",), "rename": ("web", "x")}
    with pytest.raises(LxdapiError, match="unknown kind .*; choose from: .*profile"):
        getattr(module, function)(word, *given.get(function, ()))
    assert module.paper.seen == []


@pytest.mark.parametrize("settings", [5, ["a"], "[1]", '"text"', "5", "null", "true", "{", "not json", True, 1.5])
def test_non_mapping_settings_are_refused_before_any_request(module, settings):
    for act in (lambda: module.create("profile", "web", settings), lambda: module.update("profile", "web", settings)):
        with pytest.raises(
            SaltInvocationError, match="^(expected a mapping for settings, got|expected JSON for settings: )"
        ):
            act()
    assert module.paper.seen == []


def test_an_update_needs_settings_and_a_create_does_not(module):
    with pytest.raises(SaltInvocationError, match="^expected a mapping for settings, got "):
        module.update("profile", "web", None)
    module.paper = Paper(MISSING, sync(status=201))
    assert module.create("profile", "web") == {"created": "web"}
    assert module.paper.seen[-1].json == {"name": "web"}


@pytest.mark.parametrize("settings", [{"confg": {}}, {5: "x"}, {"config": 5}, {None: 1}, {("a",): 1}])
def test_unknown_settings_are_refused_before_any_request(module, settings):
    for act in (lambda: module.create("profile", "web", settings), lambda: module.update("profile", "web", settings)):
        with pytest.raises(LxdapiError, match="unknown field|expected a mapping for config"):
            act()
    assert module.paper.seen == []


@pytest.mark.parametrize("name", ["..", "", "\ud800", 5, ["web"], True])
def test_invalid_name_is_refused_before_any_request(module, name):
    for act in (
        lambda: module.get("profile", name),
        lambda: module.create("profile", name),
        lambda: module.update("profile", name, {"description": "x"}),
        lambda: module.delete("profile", name),
        lambda: module.rename("profile", name, "x"),
        lambda: module.rename("profile", "web", name),
    ):
        with pytest.raises(LxdapiError, match="profile name"):
            act()
    assert module.paper.seen == []


def test_field_accepts_the_parameter_name_of_the_state(module):
    module.paper = Paper(server(api_extensions=["storage_buckets"]), MISSING, sync(status=201))
    module.create("storage_bucket_key", "p/b/k", {"secret_key": "s", "access-key": "a"})
    assert module.paper.seen[2].json == {"name": "k", "role": "read-only", "secret-key": "s", "access-key": "a"}


def test_words_meaning_false_are_false(module):
    module.paper = web()
    assert module.delete("profile", "web", force="false") == {"deleted": "web"}
    assert module.paper.seen[-1].query == {}


def test_only_an_instance_inherits(module):
    with pytest.raises(SaltInvocationError, match="only instances have profiles"):
        module.effective("profile", "web")


def test_export_of_a_name_needs_its_kind(module):
    with pytest.raises(LxdapiError, match="kind"):
        module.export(name="web")


def test_an_export_is_text_with_the_objects_as_states(module):
    module.paper = web()
    assert module.export("profile", "web") == "#!yaml\nweb:\n  lxdapi_profile.present: []\n"
    with pytest.raises(LxdapiError, match="profile x does not exist"):
        module.export("profile", "x")
