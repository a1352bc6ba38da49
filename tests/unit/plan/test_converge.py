"""
The way to a declared state, with a model of the daemon's objects behind the fake transport.
"""

import copy

import pytest
from lxdapi.errors import APIException, InvalidError, LxdapiError
from lxdapi.model import objects, writes
from lxdapi.model.kinds import KINDS
from lxdapi.plan import converge
from lxdapi.plan import steps as plans
from lxdapi.plan.state_result import run_state
from lxdapi.plan.steps import Step
from requests.exceptions import ConnectionError as Broken

from tests.support.fake_transport import Paper, failure, page, raw, server, sync
from tests.support.model_daemon import PROFILE, Model, failed

pytestmark = pytest.mark.usefixtures("contract_kept")

WEB = {**PROFILE, "config": {"limits.cpu": "2", "user.keep": "me"}, "description": "web"}
GET, PATCH, PUT, DELETE = (f"{verb} /1.0/profiles/web" for verb in ("GET", "PATCH", "PUT", "DELETE"))


def applied(model, wanted=None, test=False, word="profile", name="web", timeout=5, **options):
    """Return (Salt's answer, the paper) for a declaration; None declares the object absent."""
    paper = Paper(model, wait_timeout=timeout, **options)

    def plan():
        if wanted is None:
            return converge.plan_absent(paper.api, word, name)
        return converge.plan_present(paper.api, word, name, wanted)

    return run_state(word, name, plan, test=test), paper


def web(**more):
    """Return a model with the profile web."""
    return Model({"profiles/web": copy.deepcopy(WEB)}, **more)


def somebody_sets(**config):
    """Return a function that changes the profile as another client."""
    return lambda model: model.objects["profiles/web"]["config"].update(config)


def vanish(model):
    """Delete everything as another client."""
    model.objects.clear()


LIVES = {
    "create": (
        Model,
        {"config": {"limits.cpu": 2, "user.no": None}},
        {"created": "web"},
        "created",
        "POST /1.0/profiles",
    ),
    "add": (
        web,
        {"config": {"user.new": "x"}},
        {"config": {"user.new": {"old": None, "new": "x"}}},
        "updated (config user.new)",
        PATCH,
    ),
    "change": (
        web,
        {"config": {"limits.cpu": 4}, "description": ""},
        {"config": {"limits.cpu": {"old": "2", "new": "4"}}, "description": {"old": "web", "new": ""}},
        "updated (config limits.cpu; description)",
        PATCH,
    ),
    "drop a key": (
        web,
        {"config": {"limits.cpu": None}},
        {"config": {"limits.cpu": {"old": "2", "new": None}}},
        "updated (config limits.cpu)",
        PUT,
    ),
    "clear": (
        web,
        {"config": {}},
        {"config": {"limits.cpu": {"old": "2", "new": None}, "user.keep": {"old": "me", "new": None}}},
        "updated (config limits.cpu, user.keep)",
        PUT,
    ),
    "delete": (web, None, {"deleted": "web"}, "deleted", DELETE),
}


@pytest.mark.parametrize("before, wanted, changes, verb, write", LIVES.values(), ids=LIVES)
def test_change_is_predicted_applied_and_then_silent(before, wanted, changes, verb, write):
    model = before()
    untouched = copy.deepcopy(model.objects)
    predicted, paper = applied(model, wanted, test=True)
    assert predicted == {
        "name": "web", "result": None, "changes": changes, "comment": f"profile web would be {verb}"
    }  # fmt: skip
    assert paper.writes == [] and model.objects == untouched
    ret, paper = applied(model, wanted)
    assert ret == {"name": "web", "result": True, "changes": changes, "comment": f"profile web was {verb}"}
    assert paper.lines[0] == GET and paper.writes == [write]
    for test in (False, True):
        again, paper = applied(model, wanted, test)
        words = "absent" if wanted is None else "as declared"
        assert again == {"name": "web", "result": True, "changes": {}, "comment": f"profile web is {words}"}
        assert paper.lines == [GET], "a second run asks once and writes nothing"


def test_create_sends_one_request_without_null_keys():
    model = Model()
    wanted = {
        "config": {"limits.cpu": 2, "user.no": None},
        "devices": {"d": {"type": "disk", "size": None}, "no": None},
        "description": None,
    }
    _, paper = applied(model, wanted)
    assert paper.seen[1].json == {
        "name": "web", "config": {"limits.cpu": "2"}, "devices": {"d": {"type": "disk"}}
    }  # fmt: skip
    assert applied(model, wanted)[0]["changes"] == {}


def test_patch_sends_the_difference_and_put_the_whole_object():
    model = web()
    _, paper = applied(model, {"config": {"limits.cpu": 4, "user.keep": "me"}})
    assert paper.seen[1].json == {"config": {"limits.cpu": "4"}}
    _, paper = applied(model, {"config": {"limits.cpu": None}})
    assert paper.seen[1].json == {"config": {"user.keep": "me"}, "description": "web", "devices": {}}
    assert model.objects["profiles/web"]["description"] == "web"


@pytest.mark.parametrize("wanted", [{"config": {"limits.cpu": 4}}, {"config": {"limits.cpu": None}}])
def test_write_carries_the_etag_of_the_compared_object(wanted):
    model = web()
    tag = model.etag("profiles/web")
    _, paper = applied(model, wanted)
    assert paper.seen[1].headers["If-Match"] == tag


def test_kind_without_patch_is_written_by_put():
    assert KINDS["image_alias"].write.patch is None
    model = Model({"images/aliases/a/b": {"name": "a/b", "target": "0" * 64, "description": "d"}})
    _, paper = applied(model, {"target": "1" * 64}, word="image_alias", name="a/b")
    assert paper.seen[1].line == "PUT /1.0/images/aliases/a/b"
    assert paper.seen[1].path == "/1.0/images/aliases/a%2Fb"
    assert paper.seen[1].json == {"target": "1" * 64, "description": "d"}, "what was not declared is not emptied"


def test_a_name_with_every_character_reaches_its_object():
    model = Model()
    for _ in range(2):
        ret, _ = applied(model, {"config": {"user.a": "b"}}, name="a b?c#d%2Fe*é")
    assert list(model.objects) == ["profiles/a b?c#d%2Fe*é"] and ret["changes"] == {}


@pytest.mark.parametrize(
    "wanted, write", [({"config": {"limits.cpu": 4}}, PATCH), ({"config": {"limits.cpu": None}}, PUT)]
)
def test_concurrent_edit_between_read_and_write_is_kept(wanted, write):
    model = web(meanwhile={write.replace("/1.0/", ""): [somebody_sets(**{"user.other": "theirs"})]})
    ret, paper = applied(model, wanted)
    assert ret["result"] is True
    assert paper.lines[:4] == [GET, write, GET, write], "412: read again, compare again, write again"
    assert paper.lines[4:] == [GET, GET], "it stays so, where others write as well"
    config = model.objects["profiles/web"]["config"]
    assert (config["user.other"], config.get("limits.cpu")) == ("theirs", wanted["config"]["limits.cpu"] and "4")
    assert config["user.keep"] == "me"


def test_changes_reflect_the_second_attempt():
    model = web(meanwhile={"PATCH profiles/web": [somebody_sets(**{"limits.cpu": "3"})]})
    ret, _ = applied(model, {"config": {"limits.cpu": 4}})
    assert ret["changes"] == {"config": {"limits.cpu": {"old": "3", "new": "4"}}}


def test_identical_change_by_others_is_no_change():
    model = web(meanwhile={"PATCH profiles/web": [somebody_sets(**{"limits.cpu": "4"})]})
    ret, paper = applied(model, {"config": {"limits.cpu": 4}})
    assert (ret["result"], ret["changes"]) == (True, {})
    assert paper.lines == [GET, PATCH, GET, GET]


def test_lost_concurrent_write_is_repeated():
    def lose(model):
        model.objects["profiles/web"]["config"].pop("limits.cpu", None)

    for times, result in ((2, True), (99, False)):
        model = web(meanwhile={"GET profiles/web": [lambda _: None, *[lose] * times]})
        ret, paper = applied(model, {"config": {"limits.cpu": 4}})
        assert ret["result"] is result
        assert len(paper.writes) == (times + 1 if result else writes.TRIES)
    assert "the daemon accepted the write, but config did not become as declared" in ret["comment"]


def test_lost_write_after_many_conflicts_is_repeated(monkeypatch):
    monkeypatch.setattr(writes, "_LONGEST_PAUSE", 0.01)
    conflicts = [somebody_sets(**{"user.count": str(number)}) for number in range(writes.TRIES)]
    reads = [lambda _: None] * (writes.TRIES + 1)
    lost = lambda model: model.objects["profiles/web"]["config"].pop("limits.cpu")  # noqa: E731
    model = web(meanwhile={"PATCH profiles/web": conflicts, "GET profiles/web": [*reads, lost]})
    ret, paper = applied(model, {"config": {"limits.cpu": 4}}, retry_timeout=5)
    assert (ret["result"], list(ret["changes"]["config"])) == (True, ["limits.cpu"])
    assert len(paper.writes) == writes.TRIES + 2


def test_endless_conflict_is_a_failure():
    count = iter(range(1000))

    def again(model):
        model.objects["profiles/web"]["config"]["user.count"] = str(next(count))

    model = web(meanwhile={"PATCH profiles/web": [again] * 1000})
    ret, paper = applied(model, {"config": {"limits.cpu": 4}})
    assert (ret["result"], ret["changes"]) == (False, {})
    assert "ETag doesn't match" in ret["comment"] and "PATCH /1.0/profiles/web" in ret["comment"]
    assert 1 < len(paper.writes) == writes.TRIES <= 20


def test_object_deleted_before_second_attempt_is_a_failure():
    between = {"PATCH profiles/web": [somebody_sets(a="b")], "GET profiles/web": [lambda model: None, vanish]}
    ret, _ = applied(web(meanwhile=between), {"config": {"limits.cpu": 4}})
    assert (ret["result"], ret["changes"]) == (False, {})


UNREADABLE = {
    "500": failure(500, "no dqlite leader"),
    "403": failure(403, "not authorized"),
    "503": failure(503, "shutting down"),
    "a proxy's 404": page(404),
    "an empty 404": raw(404),
    "half a head": raw(200),
    "a broken connection": Broken("gone"),
    "a failure in a 200": failure(404, "not found", status=200),
}


@pytest.mark.parametrize("reply", UNREADABLE.values(), ids=UNREADABLE)
@pytest.mark.parametrize("wanted", [{"config": {}}, None], ids=["present", "absent"])
@pytest.mark.parametrize("test", [True, False])
def test_unreadable_object_is_a_failure_and_not_absent(reply, wanted, test):
    model = web(faults={"GET profiles/web": [reply]})
    ret, paper = applied(model, wanted, test)
    assert (ret["result"], ret["changes"]) == (False, {})
    assert "could not be read" in ret["comment"] and "GET /1.0/profiles/web" in ret["comment"]
    assert paper.lines == [GET], "nothing is written on a guess"


def test_a_404_of_the_daemon_is_absent():
    paper = Paper(Model())
    assert objects.read(paper.api, KINDS["profile"], "web") is None
    assert applied(Model())[0]["comment"] == "profile web is absent"


@pytest.mark.parametrize(
    "wanted, write, verb",
    [
        ({"config": {"limits.cpu": 4}}, "PATCH profiles/web", "updated"),
        ({"config": {"limits.cpu": None}}, "PUT profiles/web", "updated"),
        (None, "DELETE profiles/web", "deleted"),
    ],
)
def test_refused_write_names_method_and_path(wanted, write, verb):
    ret, _ = applied(web(faults={write: [failure(500, "Profile is currently in use")]}), wanted)
    method, path = write.split()
    assert (ret["result"], ret["changes"]) == (False, {})
    assert ret["comment"] == (f"profile web could not be {verb}: Profile is currently in use ({method} /1.0/{path})")


def test_refused_create_is_reported():
    ret, _ = applied(
        Model(faults={"POST profiles": [failure(400, "Unknown configuration key: k")]}), {"config": {"k": 1}}
    )
    assert (ret["result"], ret["changes"]) == (False, {})
    assert ret["comment"] == "profile web could not be created: Unknown configuration key: k (POST /1.0/profiles)"


GONE = {
    "404 at once": {},
    "the operation failed": {"DELETE instances/c1": [failed("A matching operation has now succeeded")]},
    "the operation vanished": {"DELETE instances/c1": [failure(404, "Operation not found")]},
}


@pytest.mark.parametrize("ends", GONE.values(), ids=GONE)
def test_delete_by_others_is_no_failure(ends):
    meanwhile = {"DELETE instances/c1": [vanish]}
    model = Model({"instances/c1": {}}, meanwhile=meanwhile, ends=copy.deepcopy(ends))
    ret, _ = applied(model, None, word="instance", name="c1")
    assert ret["result"] is True, ret["comment"]


@pytest.mark.parametrize("end", [failed("Container is protected"), failure(404, "Operation not found")])
def test_failed_delete_is_a_failure_if_object_remains(end):
    model = Model({"instances/c1": {}}, ends={"DELETE instances/c1": [end]})
    ret, _ = applied(model, None, word="instance", name="c1")
    assert (ret["result"], ret["changes"]) == (False, {})
    assert "Container is protected" in ret["comment"] or "the operation vanished" in ret["comment"]


@pytest.mark.parametrize(
    "wanted, words",
    [
        ({"confg": {}}, "unknown field confg"),
        ({"config": {"limits.cpu": 1.5}}, "limits.cpu"),
        ({"config": "text"}, "mapping"),
    ],
)
@pytest.mark.parametrize("test", [True, False])
def test_invalid_declaration_is_refused_before_any_request(wanted, words, test):
    ret, paper = applied(web(), wanted, test)
    assert (ret["result"], ret["changes"]) == (False, {})
    assert ret["comment"].startswith("profile web: ") and words in ret["comment"]
    assert paper.seen == []


@pytest.mark.parametrize("name", ["..", "", "\ud800", None, 5])
@pytest.mark.parametrize("wanted", [{}, None], ids=["present", "absent"])
def test_invalid_name_is_refused_before_any_request(name, wanted):
    ret, paper = applied(web(), wanted, name=name)
    assert (ret["result"], ret["changes"], paper.seen) == (False, {}, [])
    assert "profile name" in ret["comment"]


def test_unknown_kind_error_lists_kinds():
    with pytest.raises(InvalidError, match="unknown kind 'profil'; choose from: .*profile"):
        converge.plan_present(Paper().api, "profil", "web", {})


@pytest.mark.parametrize("test", [True, False])
def test_changed_immutable_field_is_a_failure(test):
    model = Model({"instances/c1": {"type": "container", "config": {}}})
    ret, paper = applied(model, {"type": "virtual-machine", "config": {"a": "b"}}, test, "instance", "c1")
    assert (ret["result"], ret["changes"], paper.writes) == (False, {}, [])
    assert "type is 'container' and cannot be changed" in ret["comment"]


def step(verb, changes, outcome=None):
    """Return a step that only returns or raises the outcome."""

    def act():
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return Step(verb, changes, act)


def stated(*steps, test=False):
    """Return Salt's answer for a plan of these steps."""
    return run_state("profile", "web", lambda: list(steps), test=test)


def test_failed_second_step_leaves_first_in_changes():
    trouble = LxdapiError("no space left")
    ret = stated(step("one", {"a": 1}), step("two", {"b": 2}, trouble), step("three", {"c": 3}))
    assert (ret["result"], ret["changes"]) == (False, {"a": 1})
    assert ret["comment"] == "profile web could not be two: no space left (profile web was one)"


def test_steps_are_reported_in_order_with_actual_changes():
    steps = step("one", {"a": 1}, {"a": 5}), step("two", {"b": 2}), step("three", {"c": 3}, {})
    assert stated(*steps)["changes"] == {"a": 5, "b": 2}
    assert stated(*steps)["comment"] == "profile web was one and two"
    assert stated(steps[2])["comment"] == "profile web is as declared"
    assert stated(*steps, test=True)["changes"] == {"a": 1, "b": 2, "c": 3}


def test_value_changed_twice_has_first_old_and_last_new():
    stop = step("stopped", {"status": {"old": "Running", "new": "Stopped"}})
    start = step("started", {"status": {"old": "Stopped", "new": "Frozen"}, "x": {"k": {"old": 1, "new": 2}}})
    other = step("updated", {"x": {"l": {"old": 3, "new": 4}}})
    changes = stated(stop, start, other)["changes"]
    assert changes["status"] == {"old": "Running", "new": "Frozen"}
    assert changes["x"] == {"k": {"old": 1, "new": 2}, "l": {"old": 3, "new": 4}}


def test_apply_raises_first_failure_and_returns_changes():
    assert plans.apply([step("one", {"a": 1}), step("two", {"b": 2}, {"b": 3})]) == {"a": 1, "b": 3}
    with pytest.raises(APIException):
        plans.apply([step("one", {"a": 1}, APIException(error="no", method="GET", url="x"))])


def test_result_is_plain_data():
    ret, _ = applied(web(), {"config": {"limits.cpu": 4}})
    assert set(ret) == {"name", "changes", "result", "comment"}
    assert sync(ret).body, "it is JSON, which is less than msgpack takes"


def test_unsupported_kind_is_refused_before_any_write():
    lacking = Paper(server("lxd", environment={"server": "lxd", "server_version": "5.0.2"}))
    ret = run_state(
        "network_address_set",
        "web",
        lambda: converge.plan_present(lacking.api, "network_address_set", "web", {"addresses": ["192.0.2.1"]}),
    )
    assert ret["result"] is False
    assert (
        "lxd 5.0.2 does not support the kind network address set: it lacks the API extension network_address_set"
        in ret["comment"]
    )
    assert lacking.lines == ["GET /1.0"]


def test_unsupported_kind_is_absent():
    lacking = Paper(server("lxd"))
    assert list(converge.plan_absent(lacking.api, "network_address_set", "web")) == []
    assert lacking.lines == ["GET /1.0"]
