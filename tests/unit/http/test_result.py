"""
Replies of every form: which of them are failures, and their exception classes.
"""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxdapi.errors import (
    APIConflictException,
    APIException,
    APIForbiddenException,
    APINotFoundException,
    APIOperationException,
    APIPreconditionException,
    APIProtocolException,
    APIUnavailableException,
    LxdapiError,
)

from tests.support.fake_transport import Paper, as_json, failure, finished, operation, page, raw, started, sync

JSON = "application/json"


def judged(reply, method="GET", url="profiles/web"):
    """Return the exception for a reply."""
    with pytest.raises(LxdapiError) as caught:
        Paper(reply).api.request(method, url)
    return caught.value


@pytest.mark.parametrize(
    "status, kind",
    [
        (400, APIException),
        (401, APIException),
        (403, APIForbiddenException),
        (404, APINotFoundException),
        (409, APIConflictException),
        (412, APIPreconditionException),
        (500, APIException),
        (501, APIException),
        (503, APIUnavailableException),
    ],
)
def test_each_status_raises_its_exception(status, kind):
    exc = judged(failure(status, "words of the daemon"))
    assert type(exc) is kind
    assert (exc.error, exc.status) == ("words of the daemon", status)


@pytest.mark.parametrize("words", ["Certificate is restricted", "User does not have permission for project"])
def test_incus_500_with_forbidden_words_is_forbidden(words):
    assert type(judged(failure(500, words))) is APIForbiddenException


def test_error_type_inside_a_200_is_a_failure():
    exc = judged(failure(500, "context deadline exceeded", status=200))
    assert type(exc) is APIOperationException
    assert exc.error == "context deadline exceeded"


def test_error_code_404_in_body_alone_is_no_absence():
    exc = judged(failure(404, "Network not found", status=200))
    assert not isinstance(exc, APINotFoundException)


@pytest.mark.parametrize("code", [400, 401, 500])
@pytest.mark.parametrize("depth", [0, 1, 3])
def test_a_failed_operation_inside_a_200_is_a_failure(code, depth):
    inner = {"status_code": code, "err": "no space left"}
    for _ in range(depth):
        inner = {"status_code": 200, "metadata": inner}
    assert type(judged(sync(inner))) is APIOperationException


def test_failed_operation_raises_its_own_words():
    assert judged(sync(operation(400, "Unknown configuration key: k"))).error == "Unknown configuration key: k"


@pytest.mark.parametrize(
    "metadata",
    [
        None,
        [],
        "text",
        {"status_code": 112, "status": "Error"},
        {"status_code": 200},
        {"status_code": "400"},
        {"failure": [{"status_code": 400}]},
        {"metadata": None},
        {"metadata": ["status_code", 400]},
        {"return": 500, "metadata": {"return": 127}},
    ],
)
def test_metadata_resembling_a_failure_is_a_success(metadata):
    assert Paper(sync(metadata)).api.get("instances").metadata == metadata


@pytest.mark.parametrize("status", [200, 201])
def test_a_success_is_a_success(status):
    assert Paper(sync({"a": 1}, status)).api.get("profiles/web").metadata == {"a": 1}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE"])
def test_a_redirect_is_refused_and_never_followed(status, method):
    paper = Paper(raw(status, Location="http+unix://%2Fpaper.socket/1.0/elsewhere"))
    with pytest.raises(APIProtocolException, match="elsewhere"):
        paper.api.request(method, "profiles/web", allow_redirects=True)
    assert len(paper.seen) == 1


NO_ANSWER = {
    "HTML of a proxy, 502": page(502),
    "HTML of a proxy, 404": page(404),
    "HTML of a proxy, 200": page(200),
    "half a head: 200, nothing else": raw(200),
    "half a head: 201, nothing else": raw(201),
    "half a head: 202 that promises JSON": raw(202, Content_Type=JSON),
    "an empty 404": raw(404),
    "half of a JSON body": raw(200, b'{"type": "sync", "metad', Content_Type=JSON),
    "a 404 of half of a JSON body": raw(404, b'{"type": "error", "err', Content_Type=JSON),
    "a word": raw(200, b"hello", Content_Type="text/plain"),
    "a word that claims to be JSON": raw(200, b"hello", Content_Type=JSON),
    "a list": as_json([{"type": "sync"}]),
    "a text": as_json("sync"),
    "a number": as_json(200),
    "null": as_json(None),
    "an empty object": as_json({}),
    "an object without type": as_json({"metadata": {}}),
    "another server's 404": as_json({"message": "not found"}, 404),
    "bytes that are no text": raw(200, b'\xff\xfe{"type"', Content_Type=JSON),
    "plain http to the TLS port": raw(400, b"Client sent an HTTP request to an HTTPS server.\n"),
}


@pytest.mark.parametrize("reply", NO_ANSWER.values(), ids=NO_ANSWER)
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_non_api_reply_is_neither_success_nor_absence(reply, method):
    exc = judged(reply, method)
    assert type(exc) is APIProtocolException
    assert exc.result is not None and exc.status == reply.status


RAW_PATHS = (
    "instances/c1/files?path=/etc/hosts",
    "images/43d/export",
    "instances/c1/backups/b/export",
    "instances/c1/console",
    "instances/c1/logs/lxc.log",
    "instances/c1/metadata/templates?path=x",
    "metrics",
)


@pytest.mark.parametrize("path", RAW_PATHS)
@pytest.mark.parametrize("body", [b"\x00bytes", b""])
def test_file_reply_need_not_be_json(path, body):
    result = Paper(raw(200, body, Content_Type="application/octet-stream")).api.get(path)
    assert (result.data, result.metadata, result.response.content) == (None, None, body)


def test_file_reply_with_api_json_is_a_file():
    body = json.dumps({"type": "error", "error": "no", "status_code": 400}).encode()
    reply = raw(200, body, Content_Type="application/octet-stream")
    assert Paper(reply).api.get(RAW_PATHS[0]).response.content == body


@pytest.mark.parametrize("path", RAW_PATHS)
def test_failure_at_raw_path_is_a_failure(path):
    assert type(judged(failure(404, "Not Found"), url=path)) is APINotFoundException
    assert type(judged(page(502), url=path)) is APIProtocolException
    assert type(judged(sync(operation(400, "no")), url=path)) is APIOperationException


@pytest.mark.parametrize("path", ["instances/c1/files?path=/etc/hosts", "instances/c1/console"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_raw_write_without_json_reply_is_an_error(path, method):
    assert type(judged(raw(200), method, path)) is APIProtocolException


@pytest.mark.parametrize("path", ["profiles/export", "profiles/files", "networks/metrics", "images/aliases/templates"])
def test_object_named_like_a_raw_path_is_an_object(path):
    assert type(judged(raw(200), url=path)) is APIProtocolException


def test_a_head_has_no_data_and_its_status_counts():
    result = Paper(raw(200, Content_Type=JSON)).api.head("profiles/web")
    assert (result.data, result.metadata) == (None, None)
    with pytest.raises(APIException) as caught:
        Paper(raw(501, Content_Type=JSON)).api.head("profiles")
    assert caught.value.status == 501


def test_validate_judges_an_unjudged_result():
    result = Paper(failure(409, "exists")).api.transact("GET", "profiles")
    with pytest.raises(APIConflictException):
        result.validate()


def test_unfinished_operation_is_no_failure():
    assert Paper(started()).api.post("instances", json={}).data["type"] == "async"


KEYS = st.sampled_from(["type", "status_code", "error", "error_code", "metadata", "operation", "err"])
PLAIN = st.none() | st.booleans() | st.integers(0, 600) | st.sampled_from(["sync", "async", "error", "", "x"])


def envelopes(values):
    """Return a strategy for objects with the keys of a reply."""
    return st.dictionaries(KEYS, values, max_size=5)


ANYTHING = st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=3) | envelopes(inner), max_leaves=8)


@given(envelopes(ANYTHING), st.sampled_from([200, 202, 302, 400, 404, 500]))
def test_any_json_reply_is_judged_or_raises_lxdapi_error(data, status):
    replies = [as_json(data, status), finished()]
    try:
        result = Paper(*replies).api.get("profiles/web").wait(1)
    except LxdapiError as exc:
        assert exc.explain()
    else:
        assert status < 300 and result.data["type"] != "error"
