"""
The wait for an operation: failures and timeouts in the form of both daemons, and a deadline that holds.
"""

import time

import pytest
import requests
from lxdapi.errors import (
    APIConnectionException,
    APIException,
    APIForbiddenException,
    APINotFoundException,
    APIOperationException,
    APIOutcomeUnknownException,
    APIProtocolException,
    APITimeoutException,
    InvalidError,
)
from lxdapi.http import operations

from tests.support.fake_transport import (
    OPERATION,
    Paper,
    as_json,
    failure,
    finished,
    late,
    operation,
    page,
    raw,
    started,
    sync,
)

BROKEN = (
    requests.exceptions.ConnectionError("Connection aborted."),
    requests.exceptions.ChunkedEncodingError("Response ended prematurely"),
    requests.exceptions.ReadTimeout("timed out"),
)
WAIT, LOOK = f"GET {OPERATION}/wait", f"GET {OPERATION}"


def waited(*replies, timeout=5, query=""):
    """Return (paper, the result of a POST after a wait)."""
    paper = Paper(started(query), *replies)
    result = paper.api.post("instances", json={"name": "c1"})
    return paper, result.wait(timeout)


def failed(*replies, **options):
    """Return the exception of a wait that fails."""
    with pytest.raises(APIException) as caught:
        waited(*replies, **options)
    return caught.value


def test_the_wait_returns_the_finished_operation():
    paper, result = waited(finished(resources={"instances": ["/1.0/instances/c1"]}))
    assert result.metadata["status_code"] == 200
    assert result.metadata["resources"] == {"instances": ["/1.0/instances/c1"]}
    assert paper.lines == ["POST /1.0/instances", WAIT]


def test_a_running_operation_is_waited_for_again():
    paper, result = waited(sync(operation(103)), sync(operation(103)), finished())
    assert result.metadata["status"] == "Success"
    assert paper.lines[1:] == [WAIT] * 3


@pytest.mark.parametrize("code", [400, 401])
def test_lxd_failure_inside_a_200_is_recognized(code):
    exc = failed(sync(operation(code, "Invalid CPU limit syntax")))
    assert type(exc) is APIOperationException
    assert exc.error == "Invalid CPU limit syntax"


@pytest.mark.parametrize("code", [500, 400, 404])
def test_incus_failure_inside_a_200_is_recognized(code):
    exc = failed(failure(code, "Storage pool not found", status=200), sync(operation(400, "pool not found")))
    assert type(exc) is APIOperationException, "a 404 of what the operation used is no absence of anything"
    assert exc.error == "pool not found"
    assert exc.result.metadata["class"] == "task", "the operation, with what /wait loses"


def test_failure_ending_in_timeout_words_is_a_failure():
    exc = failed(late(), sync(operation(400, "shutting down failed: context deadline exceeded")))
    assert type(exc) is APIOperationException


@pytest.mark.parametrize("answers", [[sync(operation(103))], [late(), sync(operation(103))]], ids=["LXD", "Incus"])
def test_a_timeout_of_either_daemon_is_a_timeout(answers):
    exc = failed(*answers, timeout=0)
    assert type(exc) is APITimeoutException
    assert "still running after 0 s" in exc.error


def test_early_incus_timeout_leads_to_another_wait():
    paper, result = waited(late(), sync(operation(103)), finished())
    assert result.metadata["status_code"] == 200
    assert paper.lines[1:] == [WAIT, LOOK, WAIT]


def test_finished_operation_after_failed_wait_is_a_success():
    paper, _ = waited(late(), finished())
    assert paper.lines[1:] == [WAIT, LOOK]


def test_query_of_operation_url_is_kept():
    paper, _ = waited(late(), finished(), query="?project=p&target=n3")
    wait, look = paper.seen[1:]
    assert wait.path == f"{OPERATION}/wait"
    assert {**wait.query, "timeout": None} == {"project": "p", "target": "n3", "timeout": None}
    assert (look.path, look.query) == (OPERATION, {"project": "p", "target": "n3"})


def test_project_of_the_operation_wins():
    paper = Paper(started("?project=q"), finished(), project="p")
    paper.api.post("instances", json={}).wait()
    assert [seen.query["project"] for seen in paper.seen] == ["p", "q"]


@pytest.mark.parametrize("first", [failure(404, "Operation not found"), late(), BROKEN[0]])
def test_a_vanished_operation_leaves_the_outcome_unknown(first):
    exc = failed(first, failure(404, "Operation not found"))
    assert type(exc) is APIOutcomeUnknownException
    assert not isinstance(exc, APINotFoundException), "nothing is said of the object itself"
    assert "Operation not found" in exc.error


@pytest.mark.parametrize("fault", BROKEN, ids=lambda fault: type(fault).__name__)
@pytest.mark.parametrize("end, kind", [(finished(), None), (sync(operation(400, "no")), APIOperationException)])
def test_after_a_broken_wait_the_operation_itself_decides(fault, end, kind):
    if kind:
        assert type(failed(fault, end)) is kind
    else:
        assert waited(fault, end)[1].metadata["status_code"] == 200


@pytest.mark.parametrize("reply", [raw(200), raw(200, b'{"type": "sy', Content_Type="application/json"), page(502)])
def test_truncated_wait_reply_is_verified(reply):
    assert waited(reply, finished())[0].lines[1:] == [WAIT, LOOK]


def test_a_daemon_that_stays_away_is_a_broken_connection():
    assert type(failed(BROKEN[0], BROKEN[0])) is APIConnectionException


@pytest.mark.parametrize(
    "reply, kind",
    [
        (page(502), APIProtocolException),
        (page(404), APIProtocolException),
        (raw(200), APIProtocolException),
        (sync({"name": "something else"}), APIProtocolException),
        (sync([]), APIProtocolException),
        (failure(403, "not authorized"), APIForbiddenException),
    ],
)
def test_unreadable_operation_is_no_success(reply, kind):
    assert type(failed(late(), reply)) is kind


def test_non_operation_status_is_not_its_end():
    assert type(failed(sync({"status_code": 200}), sync({"status_code": 200}))) is APIProtocolException


def test_a_silent_operation_is_given_up_at_the_deadline():
    def answer(seen):
        return started() if seen.method == "POST" else sync(operation(103))

    paper, begin = Paper(answer), time.monotonic()
    with pytest.raises(APITimeoutException, match="still running after 0.4 s"):
        paper.api.post("instances", json={}).wait(0.4)
    assert 0.4 <= time.monotonic() - begin < 1.5
    assert 2 <= len(paper.seen) < 10, "a daemon that answers /wait at once is not hammered"


def test_each_request_is_bounded_by_remaining_time_plus_grace():
    paper, _ = waited(late(), finished(), timeout=3)
    wait, look = paper.seen[1:]
    assert wait.query["timeout"] == "3"
    assert 3 < wait.timeout <= 15
    assert look.timeout <= 60


def test_a_long_wait_is_cut_into_slices():
    paper, _ = waited(finished(), timeout=7200)
    assert int(paper.seen[1].query["timeout"]) <= 60
    assert paper.seen[1].timeout > int(paper.seen[1].query["timeout"])


def test_short_wait_stays_short_without_answers():
    paper = Paper(started(), BROKEN[2], BROKEN[2])
    with pytest.raises(APIException):
        paper.api.post("instances", json={}).wait(1)
    assert sum(seen.timeout for seen in paper.seen[1:]) <= 30


def test_default_timeout_is_that_of_the_api():
    paper = Paper(started(), sync(operation(103)), wait_timeout=0)
    with pytest.raises(APITimeoutException):
        paper.api.post("instances", json={}).wait()


@pytest.mark.parametrize("reply", [sync({"a": 1}), sync(None, 201), sync(operation(200))])
def test_reply_without_operation_needs_no_wait(reply):
    paper = Paper(reply)
    result = paper.api.post("profiles", json={})
    assert result.wait() is result
    assert len(paper.seen) == 1


def test_a_failure_names_the_request_that_started_it():
    exc = failed(sync(operation(400, "No root device could be found")))
    assert exc.explain() == "No root device could be found (POST /1.0/instances, operation 'Doing')"
    assert exc.started_by.method == "POST"


@pytest.mark.parametrize("replies", [[started(), late(), sync(operation(400, "no"))], [sync(operation(400, "no"))]])
def test_failure_has_the_same_words_however_early_it_comes(replies):
    paper = Paper(*replies)
    with pytest.raises(APIOperationException) as caught:
        paper.api.post("instances", json={}).wait()
    assert caught.value.explain() == "no (POST /1.0/instances, operation 'Doing')"


def test_id_of_an_operation_is_not_in_the_text_of_an_error():
    words = f"cannot reach https://h{OPERATION}/websocket"
    with pytest.raises(APIException) as caught:
        Paper(failure(500, words)).api.delete(OPERATION)
    assert caught.value.explain() == ("cannot reach https://h/1.0/operations/ID/websocket (DELETE /1.0/operations/ID)")
    assert caught.value.path == OPERATION


@pytest.mark.parametrize("last", [failure(404, "Operation not found"), sync(operation(103)), BROKEN[0]])
def test_each_wait_error_names_the_starting_request(last):
    exc = failed(late(), last, timeout=0)
    assert "(POST /1.0/instances, operation 'Doing')" in exc.explain()


@pytest.mark.parametrize("text", ["", "/", "/1.0/instances/c1", "/1.0/operations/../instances", None, 5])
def test_invalid_operation_url_is_not_awaited(text):
    envelope = {"type": "async", "status_code": 100, "operation": text, "metadata": operation(103)}
    paper = Paper(as_json(envelope, 202))
    with pytest.raises(APIProtocolException):
        paper.api.post("instances", json={}).wait()
    assert len(paper.seen) == 1


@pytest.mark.parametrize(
    "text, path, query",
    [
        ("7f0a", "/1.0/operations/7f0a", {}),
        ("7f0a-4b5c?project=p", "/1.0/operations/7f0a-4b5c", {"project": "p"}),
        ("/1.0/operations/7f0a", "/1.0/operations/7f0a", {}),
        ("/1.0/operations/7f0a?project=p", "/1.0/operations/7f0a", {"project": "p"}),
    ],
)
def test_operation_is_addressed_by_id_or_path(text, path, query):
    assert operations.parse_address(text) == (path, query)


@pytest.mark.parametrize("text", ["", "a b", "a/b", "/1.0/operations", "../x", "/1.0/operations/a/wait", 5])
def test_invalid_operation_name_is_refused(text):
    with pytest.raises(InvalidError):
        operations.parse_address(text)


C2 = {"resources": {"instances": ["/1.0/instances/c2"]}}


@pytest.mark.parametrize("about", [C2, {"metadata": {"entity_url": "/1.0/instances/c2"}}])
def test_an_operation_about_another_instance_proves_no_creation(about):
    exc = failed(finished(**about))
    assert isinstance(exc, APIOutcomeUnknownException)
    assert "expected an operation about instances/c1, got one about instances/c2" in exc.error


@pytest.mark.parametrize(
    "about",
    [
        {"resources": {"instances": ["/1.0/instances/c1", "/1.0/instances/c2"]}},
        {"resources": {"containers": ["/1.0/containers/c1?project=web"]}},
        {"resources": {"images": ["/1.0/images/abc"]}},
        {"resources": None},
        {"resources": {}, "metadata": {"entity_url": "/1.0/instances/c1"}},
        {"resources": {}, "metadata": {"entity_url": "/1.0/projects/web"}},
    ],
)
def test_operation_about_own_or_unknown_resource_is_accepted(about):
    assert waited(finished(**about))[1].metadata["status_code"] == 200


def test_wait_reply_with_another_operation_is_retried():
    paper, result = waited(finished(id="another"), finished())
    assert paper.lines[1:] == [WAIT, LOOK]
    assert result.metadata["id"] != "another"


WEB = "instances/web 1"
CREATING = {"description": "Creating instance", "class": "websocket"}


def entity(url, **more):
    """Return the fields of an operation of LXD since 6.8, which has no resources."""
    return {"resources": {}, "metadata": {"entity_url": url, **more}}


@pytest.mark.parametrize(
    "about, found",
    [
        ({"resources": {"instances": ["/1.0/instances/web%201"]}}, True),
        ({"resources": {"containers": ["/1.0/containers/web%201?project=p"]}}, True),
        (entity("/1.0/instances/web%201?project=p"), True),
        ({**entity("/1.0/instances/web%201"), **CREATING}, True),
        (entity("/1.0/instances/web%201/snapshots/a"), True),
        (entity("/1.0/instances/b", original_entity_url="/1.0/instances/web%201"), True),
        ({**entity("/1.0/instances/web%201"), "class": "websocket"}, False),  # a shell
        (entity("/1.0/instances/web%2010"), False),
        (entity("/1.0/projects/p"), False),
        ({"resources": None, "metadata": None}, False),
        ({**entity("/1.0/projects/p"), "children": [operation(105, **entity("/1.0/instances/web%201"))]}, True),
    ],
)
def test_running_operation_of_an_object_is_found(about, found):
    paper = Paper(sync({"running": [operation(103, **about)], "success": [operation(200, **entity(f"/1.0/{WEB}"))]}))
    assert operations.has_operation(paper.api, "instances/web%201") is found
    assert paper.seen[0].query == {"recursion": "2"}


def test_operation_of_a_twice_quoted_snapshot_is_found():
    listed = {"pending": [operation(105, **entity("/1.0/instances/c1/snapshots/a%20b"))]}
    assert operations.has_operation(Paper(sync(listed)).api, "instances/c1/snapshots/a%2520b")
