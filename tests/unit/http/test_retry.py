"""
The rule of lxdapi.http.retry with a fake daemon: which requests are sent again, and after which lxdapi reads instead.
"""

import re
import socket
import time

import pytest
import requests
from lxdapi.api import API
from lxdapi.errors import (
    APIConnectionException,
    APIException,
    APINotFoundException,
    APIOutcomeUnknownException,
    APIProtocolException,
    APITimeoutException,
    APIUnavailableException,
    InvalidError,
)
from lxdapi.http import retry
from lxdapi.model import writes
from lxdapi.model.kinds import get_kind
from lxdapi.plan import converge
from lxdapi.plan import steps as plans
from lxdapi.plan.state_result import run_state

from tests.support.fake_transport import (
    MISSING,
    OPERATION,
    Paper,
    as_json,
    failure,
    finished,
    page,
    raw,
    server,
    started,
    sync,
)
from tests.support.model_daemon import Model
from tests.support.tiny_servers import Server, running, unix_listener

BROKEN = requests.exceptions.ConnectionError("Connection aborted.")
CUT = requests.exceptions.ChunkedEncodingError("Response ended prematurely")
LATE = requests.exceptions.ReadTimeout("timed out")
REFUSED = requests.exceptions.ConnectionError(ConnectionRefusedError(111, "Connection refused"))
FORBIDDEN = requests.exceptions.ConnectionError(PermissionError(13, "Permission denied"))
BUSY = failure(400, 'Instance is busy running a "stop" operation')
DYING = failure(500, "Failed to begin transaction: sql: database is closed")
NO_OPERATION, TAKEN = sync({}), failure(409, "The profile already exists")
EMPTY, HALF = raw(200), as_json({})
WEB = {"config": {}, "description": "x", "devices": {}}
CREATED = {"created": "web"}


def patient(*replies, **options):
    """Return a paper whose API retries."""
    return Paper(*replies, **{"retry_timeout": 5, "wait_timeout": 5, **options})


@pytest.mark.parametrize(
    "trouble",
    [
        BROKEN,
        CUT,
        EMPTY,
        HALF,
        page(502),
        failure(503, "Shutting down"),
        failure(500, "Invalid PID '\ufffd'"),
        BUSY,
        DYING,
    ],
    ids=["broken", "cut", "empty", "half", "html502", "503", "invalid PID", "busy", "dying"],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_read_is_retried_until_it_works(trouble, method):
    paper = patient(trouble, trouble, sync({"a": "b"}))
    if method == "HEAD" and trouble in (EMPTY, HALF):
        return  # as in the reply to a HEAD
    assert paper.api.request(method, "profiles/web").response.status_code == 200
    assert len(paper.seen) == 3


@pytest.mark.parametrize(
    "trouble, error",
    [
        (failure(404, "not found"), APINotFoundException),
        (failure(500, "disk is full"), APIException),
        (failure(403, "not authorized"), APIException),
        (raw(302, Location="http://x/"), APIProtocolException),
        (LATE, APITimeoutException),
        (FORBIDDEN, APIConnectionException),
    ],
)
def test_permanent_error_is_not_retried(trouble, error):
    paper = patient(trouble)
    with pytest.raises(error):
        paper.api.get("profiles/web")
    assert len(paper.seen) == 1


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "trouble",
    [BROKEN, CUT, EMPTY, page(502), failure(503, "no available dqlite leader"), failure(500, "database is locked")],
)
def test_write_with_unknown_outcome_is_not_retried(method, trouble):
    paper = patient(trouble)
    with pytest.raises(APIException) as caught:
        paper.api.request(method, "profiles", json={})
    assert retry.is_outcome_unknown(caught.value)
    assert len(paper.seen) == 1


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_unsent_request_is_retried_if_daemon_was_seen(method):
    paper = patient(sync({}), REFUSED, REFUSED, sync({"a": "b"}))
    paper.api.get("profiles")
    assert paper.api.request(method, "profiles", json={}).metadata == {"a": "b"}
    assert len(paper.seen) == 4


def test_daemon_never_seen_is_not_retried():
    paper = patient(REFUSED)
    with pytest.raises(APIConnectionException, match="connection refused"):
        paper.api.get("profiles")
    assert len(paper.seen) == 1


def test_lost_daemon_is_retried_once_for_all_calls():
    paper = patient(lambda seen: REFUSED if len(paper.seen) > 1 else sync({}), retry_timeout=0.3)
    paper.api.get("profiles")
    begin = time.monotonic()
    with pytest.raises(APIConnectionException):
        paper.api.get("profiles")
    first, tried = time.monotonic() - begin, len(paper.seen)
    with pytest.raises(APIConnectionException):
        paper.api.get("profiles")
    assert len(paper.seen) == tried + 1 and 0.05 < first < 1


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_busy_daemon_is_retried_for_each_method(method):
    paper = patient(BUSY, BUSY, sync({}))
    paper.api.request(method, "instances/c1")
    assert len(paper.seen) == 3


@pytest.mark.parametrize(
    "words",
    [
        "Failed to create instance update operation: A matching non-reusable operation has now succeeded",
        "Error deleting storage volume: Failed to remove '/p/c1': unlinkat /p/c1/rootfs: directory not empty",
    ],
)
def test_transient_error_is_retried(words):
    paper = patient(failure(500, words), sync())
    assert paper.api.delete("instances/c1").response.status_code == 200
    assert len(paper.seen) == 2


def test_retry_is_logged_with_its_reason(caplog):
    caplog.set_level("INFO", "lxdapi.http.retry")
    patient(BUSY, sync({})).api.get("instances/c1", params={"project": "web"})
    assert re.search(r"busy running .* \(GET /1.0/instances/c1 of project web\); repeated in 0.\d s", caplog.text)


def test_stream_is_sent_once():
    paper = patient(BUSY)
    with pytest.raises(APIException, match="busy"):
        paper.api.post("images", data=iter([b"x"]))
    assert len(paper.seen) == 1


def test_retries_end_with_the_timeout_of_the_call():
    paper = patient(lambda seen: failure(503, "Shutting down"), retry_timeout=60)
    begin = time.monotonic()
    with pytest.raises(APIUnavailableException):
        paper.api.get("profiles", timeout=0.4)
    assert 0.1 < time.monotonic() - begin < 1
    assert all(seen.timeout <= 0.4 for seen in paper.seen)


def test_backoff_grows_and_stays_within_the_deadline():
    patience, begin, pauses = retry.Backoff(0.5), time.monotonic(), []
    while patience.sleep():
        pauses.append(time.monotonic() - begin - sum(pauses))
    assert time.monotonic() - begin < 0.5
    assert len(pauses) > 2 and pauses[2] > pauses[0]


def made(*replies):
    """Return (Salt's answer, the paper) for a new profile."""
    paper = patient(MISSING, *replies)
    wanted = {"description": "x"}
    return run_state("profile", "web", lambda: converge.plan_present(paper.api, "profile", "web", wanted)), paper


@pytest.mark.parametrize("trouble", [BROKEN, CUT, EMPTY, page(502), LATE, failure(503, "Shutting down"), DYING])
def test_create_with_lost_reply_is_verified_as_done(trouble):
    ret, paper = made(trouble, NO_OPERATION, sync(WEB), sync(WEB))
    assert (ret["result"], ret["changes"]) == (True, CREATED)
    assert paper.writes == ["POST /1.0/profiles"]


@pytest.mark.parametrize("trouble", [BROKEN, CUT, EMPTY, page(502), failure(503, "Shutting down")])
def test_create_that_was_lost_is_sent_again(trouble):
    ret, paper = made(trouble, NO_OPERATION, MISSING, sync(status=201))
    assert (ret["result"], ret["changes"]) == (True, CREATED)
    assert paper.writes == ["POST /1.0/profiles"] * 2


def test_late_create_is_not_done_twice():
    """The first creation was still running when lxdapi read the object; the daemon rejects the second."""
    ret, paper = made(BROKEN, NO_OPERATION, MISSING, TAKEN, NO_OPERATION, sync(WEB), sync(WEB))
    assert (ret["result"], ret["changes"]) == (True, CREATED)


def test_timed_out_create_is_verified_and_not_sent_again():
    ret, paper = made(LATE, NO_OPERATION, MISSING)
    assert (ret["result"], ret["changes"]) == (False, {})
    assert "no reply within" in ret["comment"] and paper.writes == ["POST /1.0/profiles"]


def test_object_created_by_others_is_updated_as_declared():
    theirs = {**WEB, "description": "theirs"}
    paper = patient(MISSING, failure(409, "The profile already exists"), sync(theirs), sync(theirs), sync(), sync(WEB))
    wanted = {"description": "x"}
    ret = run_state("profile", "web", lambda: converge.plan_present(paper.api, "profile", "web", wanted))
    assert (ret["result"], ret["changes"]) == (True, {"description": {"old": "theirs", "new": "x"}})


def test_refused_create_fails_with_the_words_of_the_daemon():
    ret, _ = made(failure(400, "no such key"), MISSING)
    assert (ret["result"], ret["changes"]) == (False, {})
    assert "no such key (POST /1.0/profiles)" in ret["comment"]


WANTED = {"description": "y"}
CHANGE = {"description": {"old": "x", "new": "y"}}


def updated(model):
    """Return (changes, the paper) of an update of a profile in a model."""
    paper = patient(model)
    return writes.update(paper.api, get_kind("profile"), "web", WANTED), paper


def lost(trouble, done):
    """Return a model that loses the first PATCH, after it was done or before."""

    def faster(model):
        model.objects["profiles/web"]["description"] = "y"

    meanwhile = {"PATCH profiles/web": [faster]} if done else {}
    return Model({"profiles/web": dict(WEB)}, faults={"PATCH profiles/web": [trouble]}, meanwhile=meanwhile)


@pytest.mark.parametrize("trouble", [BROKEN, EMPTY, page(502), failure(503, "no leader")])
@pytest.mark.parametrize("done", [True, False])
def test_update_with_lost_reply_is_verified_or_sent_again(trouble, done):
    changes, paper = updated(lost(trouble, done))
    assert changes == CHANGE
    assert len(paper.writes) == (1 if done else 2)


def test_timed_out_update_is_verified_and_not_sent_again():
    assert updated(lost(LATE, True))[0] == CHANGE
    with pytest.raises(APITimeoutException):
        updated(lost(LATE, False))


def removed(*replies):
    """Return (the result of a deletion, the paper)."""
    paper = patient(*replies)
    return writes.delete(paper.api, get_kind("profile"), "web"), paper


@pytest.mark.parametrize("trouble", [BROKEN, EMPTY, LATE])
def test_delete_with_lost_reply_is_ours_if_object_is_gone(trouble):
    assert removed(trouble, sync({}), MISSING)[0] is None


def test_delete_that_was_lost_is_sent_again():
    gone, paper = removed(BROKEN, sync({}), sync(WEB), sync())
    assert gone is None and paper.writes == ["DELETE /1.0/profiles/web"] * 2


def test_delete_by_others_is_no_change():
    assert removed(MISSING)[0] == {}


@pytest.mark.parametrize("there, requests_", [((MISSING, sync(WEB)), 1), ((sync(WEB),), 2)])
def test_rename_with_lost_reply_is_verified_under_both_names(there, requests_):
    paper = patient(BROKEN, *there, sync(status=201))
    writes.rename(paper.api, get_kind("profile"), "web", "new")
    assert len(paper.writes) == requests_


def test_dead_endpoint_leads_to_failover(tmp_path):
    good, dead = tmp_path / "good", tmp_path / "dead"
    with running(Server(unix_listener(good))) as server_:
        api = API.factory([str(dead), str(good)], timeout=2)
        for _ in range(3):
            api.delete("profiles/web")
    assert [head.split()[0] for head in server_.heads] == [b"DELETE"] * 3
    assert server_.accepted == 1, "it stays with the one that answers"


def test_broken_read_fails_over_and_broken_write_does_not(tmp_path):
    with running(Server(unix_listener(tmp_path / "a"), shut)) as bad, running(Server(unix_listener(tmp_path / "b"))):
        api = API.factory([str(tmp_path / "a"), str(tmp_path / "b")], timeout=2)
        with pytest.raises(APIConnectionException):
            api.post("profiles", json={})
        assert api.get("profiles").metadata
    assert len(bad.heads) == 2


def shut(connection):
    connection.shutdown(socket.SHUT_RDWR)


def test_all_endpoints_dead_fails_at_once(tmp_path):
    begin = time.monotonic()
    with pytest.raises(APIConnectionException, match="cannot connect to"):
        API.factory([str(tmp_path / name) for name in "abc"]).get("profiles")
    assert time.monotonic() - begin < 1


def test_full_url_may_belong_to_any_endpoint():
    api = API.factory(["/run/a", "/run/b"])
    assert api.endpoint_pool.path_of("http+unix://%2Frun%2Fb/1.0/x") == "/1.0/x"
    with pytest.raises(InvalidError, match="belongs to another server"):
        api.endpoint_pool.path_of("http+unix://%2Frun%2Fc/1.0/x")


@pytest.mark.parametrize("endpoint", [[], ["/run/a", "https://host"], [5], [None], {"a": "b"}])
def test_endpoints_must_be_of_one_kind(endpoint):
    with pytest.raises(InvalidError, match="endpoint"):
        API.factory(endpoint)


def test_vanished_operation_is_verified_by_the_object():
    there = sync({"name": "s"})
    paper = patient(MISSING, server(), started(), MISSING, MISSING, NO_OPERATION, there, server(), there)
    steps = converge.plan_present(paper.api, "instance_snapshot", "c1/s", {})
    assert plans.apply(steps) == {"created": "c1/s"}
    assert paper.writes == ["POST /1.0/instances/c1/snapshots"]


def test_snapshot_left_by_dead_daemon_is_recreated():
    before, after = server(environment={"server_pid": 1}), server(environment={"server_pid": 2})
    lost_ = [started(), BROKEN, MISSING, MISSING, NO_OPERATION, sync({"name": "s"}), after]
    again = [started(), finished(), started(), finished()]
    paper = patient(MISSING, before, *lost_, *again)
    steps = converge.plan_present(paper.api, "instance_snapshot", "c1/s", {})
    assert plans.apply(steps) == {"created": "c1/s"}
    create, delete = "POST /1.0/instances/c1/snapshots", "DELETE /1.0/instances/c1/snapshots/s"
    assert paper.writes == [create, delete, create]
    assert f"GET {OPERATION}/wait" in paper.lines


def test_snapshot_that_may_be_foreign_is_kept():
    before, after = server(environment={"server_pid": 1}), server(environment={"server_pid": 2})
    paper = patient(MISSING, before, BROKEN, NO_OPERATION, sync({"name": "s"}), after)
    steps = converge.plan_present(paper.api, "instance_snapshot", "c1/s", {})
    with pytest.raises(APIOutcomeUnknownException, match="c1/s exists, but may be incomplete or somebody else's"):
        plans.apply(steps)
    assert paper.writes == ["POST /1.0/instances/c1/snapshots"]
