"""
Values that users mark as secret, by the parameter of a state or by the setting, are never visible.
"""

import ast
import json
import logging
import threading
import traceback

import pytest
import requests
from lxdapi import masking
from lxdapi.errors import APIException, InvalidError
from lxdapi.minion import connection
from lxdapi.model import diff, listing
from lxdapi.model.kinds import KINDS
from lxdapi.plan import converge
from lxdapi.plan.state_result import run_state
from lxdapi.reports import effective, export_sls

from tests.support.fake_transport import Paper, failure, server, sync
from tests.unit.test_layout import STATES, called, parameters, public, tree

OLD, NEW, SEEN = "cAnaRy-old", "cAnaRy-new", "control-7c"
DOCUMENT = f"#cloud-config\nhostname: {NEW}\n"
PROFILE = {
    "name": "web",
    "description": "",
    "config": {"user.db_login": OLD, "user.owner": SEEN, "cloud-init.user-data": DOCUMENT.replace(NEW, OLD)},
    "devices": {"eth0": {"type": "nic", "hwaddr": OLD, "name": SEEN}, "eth1": {"type": "nic", "hwaddr": SEEN}},
    "used_by": [],
}
MARKS = ["user.db_*", "cloud-init.user-data", "eth0.hwaddr"]
WANTED = {
    "config": {"user.db_login": NEW, "user.db_more": NEW, "user.owner": "else", "cloud-init.user-data": DOCUMENT},
    "devices": {"eth0": {"hwaddr": NEW}, "eth1": {"hwaddr": "other"}},
}
HIDDEN = {"old": "(hidden)", "new": "(hidden)"}


@pytest.fixture(autouse=True)
def nothing_set():
    """Remove the settings of a test before the next one."""
    yield
    masking.set_patterns(())


def reply(seen):
    """Return the answer of a daemon that rejects each write and quotes the whole request."""
    if seen.method != "GET":
        return failure(400, f"Invalid {seen.body.decode()!s}, not {NEW} instead of {OLD}")
    found = {"/1.0": server(), "/1.0/profiles": sync([PROFILE])}
    return found.get(seen.path) or sync(PROFILE, ETag="e")


def applied(test=False, sensitive=tuple(MARKS), replies=(reply,), debug=True):
    """Return the output of a state for a profile with marked keys."""
    api = Paper(*replies, debug=debug).api
    return run_state(
        "profile", "web", lambda: converge.plan_present(api, "profile", "web", WANTED), test=test, sensitive=sensitive
    )


def test_values_of_marked_keys_are_not_in_changes(capsys):
    ret = applied(test=True)
    assert ret["changes"]["config"] == {
        "user.db_login": HIDDEN,
        "user.db_more": {"old": None, "new": "(hidden)"},
        "user.owner": {"old": SEEN, "new": "else"},
        "cloud-init.user-data": HIDDEN,
    }
    assert ret["changes"]["devices"]["eth0"] == {"old": {"hwaddr": "(hidden)"}, "new": {"hwaddr": "(hidden)"}}
    assert ret["changes"]["devices"]["eth1"] == {"old": {"hwaddr": SEEN}, "new": {"hwaddr": "other"}}
    assert "cAnaRy" not in json.dumps(ret) + capsys.readouterr().err


def test_refusal_quoting_marked_values_is_masked(capsys):
    ret = applied()
    said = json.dumps(ret) + capsys.readouterr().err
    assert ret["result"] is False and "Invalid" in ret["comment"] and SEEN in said
    assert "cAnaRy" not in said


def test_unmarked_values_are_shown(capsys):
    ret = applied(sensitive=None)
    assert "cAnaRy-new" in ret["comment"] and "cAnaRy-new" in capsys.readouterr().err


@pytest.mark.parametrize("declared", ["config", "devices"])
def test_removed_values_are_masked(declared):
    with masking.marked_keys(MARKS):
        changes = diff.compare(KINDS["profile"], {declared: {}}, PROFILE).changes
    assert "cAnaRy" not in json.dumps(changes) and SEEN in json.dumps(changes)


def test_a_mark_is_for_one_state_and_ends_with_it():
    assert applied(test=True)["changes"]["config"]["user.db_login"] == HIDDEN
    assert applied(test=True, sensitive=None)["changes"]["config"]["user.db_login"] == {"old": OLD, "new": NEW}


def test_a_mark_ends_with_a_state_that_breaks():
    def broken():
        raise RuntimeError

    with pytest.raises(RuntimeError):
        run_state("profile", "web", broken, sensitive=MARKS)
    assert not masking.is_marked("user.db_login")


def test_marked_value_stays_masked_in_the_same_connection(capsys):
    api = Paper(reply, debug=True).api
    run_state("profile", "web", lambda: converge.plan_present(api, "profile", "web", {}), test=True, sensitive=MARKS)
    api.get("profiles")
    assert OLD not in capsys.readouterr().err


def test_marks_are_local_to_a_thread():
    found = []
    with masking.marked_keys(MARKS):
        thread = threading.Thread(target=lambda: found.append(masking.is_marked("user.db_login")))
        thread.start()
        thread.join()
    assert found == [False]


@pytest.mark.parametrize("given", ["user.x", {"user.x": 1}, [1], [None], [""], True, 5])
def test_invalid_marks_are_refused_before_any_request(given):
    ret = run_state("profile", "web", lambda: pytest.fail("asked"), test=True, sensitive=given)
    assert (ret["result"], ret["comment"].startswith("profile web: expected a list of keys")) == (False, True)
    with pytest.raises(InvalidError, match="expected a list of keys .* for lxdapi:sensitive, got"):
        connection.connect({"__salt__": {"config.get": {"lxdapi:sensitive": given}.get}, "__context__": {}})


def connected(marks):
    """Return an API with a setting that marks these keys."""
    settings = {"lxdapi:remotes": {"local": "/x"}, "lxdapi:sensitive": marks}
    connection.connect({"__salt__": {"config.get": settings.get}, "__context__": {}})
    return Paper(reply, debug=True).api


@pytest.mark.parametrize(
    "ask",
    [
        lambda api: masking.mask_object(listing.list_objects(api, "profile")),
        lambda api: export_sls.format_sls(export_sls.read_states(api, "profile", "web")),
        lambda api: masking.mask_marked(api.get("profiles").data),
        lambda api: diff.compare(KINDS["profile"], diff.normalize(KINDS["profile"], WANTED), PROFILE).changes,
    ],
    ids=["list", "export", "raw", "changes"],
)
@pytest.mark.parametrize("marks, shows", [(MARKS, False), (None, True), ([], True)])
def test_values_marked_by_the_setting_are_masked_everywhere(capsys, ask, marks, shows):
    shown = json.dumps(ask(connected(marks)))
    err = capsys.readouterr().err
    assert (OLD in shown) is shows and SEEN in shown
    # a cloud-init document is never printed
    assert (OLD in err) is (shows and bool(err))


def test_export_names_marked_keys():
    left_out = []
    export_sls.read_states(connected(MARKS), "profile", "web", left_out=left_out)
    places = ["config cloud-init.user-data", "config user.db_login", "device eth0 hwaddr"]
    assert left_out == [f"profile web: {place}" for place in places]


def test_effective_config_masks_marked_keys():
    instance = {"profiles": ["web"], "config": {"user.db_login": OLD}, "devices": {}}
    replies = {"/1.0/instances/c1": sync(instance), "/1.0/profiles": sync([PROFILE]), "/1.0": server()}
    masking.set_patterns(MARKS)
    shown = effective.read(Paper(lambda seen: replies[seen.path]).api, "c1")
    assert shown["config"]["user.db_login"] == {"value": "(hidden)", "origin": "instance"}
    assert "cAnaRy" not in json.dumps(shown) and SEEN in json.dumps(shown)


def test_object_is_shown_with_masked_documents():
    found = {"secret-key": OLD, "config": {"cloud-init.user-data": f"hostname: a\npassword: {OLD}"}, "set": True}
    masked = {"cloud-init.user-data": "hostname: a\npassword: (hidden)"}
    assert masking.mask_object(found) == {"secret-key": "(hidden)", "config": masked, "set": True}


def test_immutable_field_error_masks_marked_values():
    pool = {"name": "p", "driver": OLD, "config": {"source": "/x"}}
    with masking.marked_keys(["driver", "source"]):
        words = diff.immutable_differences(KINDS["storage_pool"], {"driver": NEW, "config": {"source": NEW}}, pool)
    assert len(words) == 2 and "cAnaRy" not in str(words) and "(hidden)" in words[0]


def test_short_marked_value_does_not_alter_other_words():
    def refusing(seen):
        return failure(400, "a true word") if seen.method == "POST" else server()

    with masking.marked_keys(["user.*"]), pytest.raises(APIException) as caught:
        Paper(refusing).api.post("profiles", json={"config": {"user.a": "a", "user.b": "true"}})
    assert caught.value.error == "a true word"


@pytest.mark.parametrize("path", STATES, ids=called)
def test_each_state_with_config_or_devices_has_sensitive(path):
    for function in public(path):
        if {"config", "devices"} & set(parameters(function)):
            assert "sensitive" in parameters(function)
            calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
            call = next(node for node in calls if ast.unparse(node.func).startswith(("state.present", "state.run")))
            given = [*call.args, *(each.value for each in call.keywords)]
            assert "sensitive" in [ast.unparse(each) for each in given]
    assert tree(path)


def told_of(exc):
    """Return everything that Python prints for an exception."""
    return "".join(traceback.format_exception(type(exc), exc, exc.__traceback__)) + repr(exc) + repr(exc.args)


SECRET_QUERIES = ["/1.0/images/f/export?secret=cAnaRy-q&x=1", "/1.0/operations/o/websocket?x=1&secret=cAnaRy-q"]


@pytest.mark.parametrize("url", SECRET_QUERIES)
def test_secret_in_query_is_not_logged_by_urllib3(caplog, url):
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("urllib3.connectionpool").debug('%s "%s" %s', "localhost", url, 200)
        logging.getLogger("urllib3.util.retry").debug("Incremented Retry for (url='%s'): %r", url, None)
    assert "cAnaRy" not in caplog.text and caplog.text.count("x=1") == 2


@pytest.mark.parametrize("error", [requests.ConnectionError, requests.ReadTimeout, requests.exceptions.InvalidURL])
def test_secret_in_query_is_not_in_a_traceback(error):
    broken = error(f"Max retries exceeded with url: /1.0/images/f/export?secret={OLD} (Caused by nothing)")
    try:
        Paper(broken).api.get("images/f/export", params={"secret": OLD})
    except APIException as exc:
        told = told_of(exc)
    assert "cAnaRy" not in told and "images/f/export" in told


def test_cause_of_an_error_without_secret_is_kept():
    with pytest.raises(APIException) as caught:
        Paper(requests.ConnectionError("gone")).api.get("profiles")
    assert isinstance(caught.value.__cause__, requests.ConnectionError)


def test_traceback_of_a_refusal_has_no_secret_of_the_request():
    try:
        Paper(failure(400, f"Bad {OLD}")).api.post("profiles", json={"config": {"user.password": OLD}})
    except APIException as exc:
        told = told_of(exc)
    assert OLD not in told and "Bad (hidden)" in told
