"""
The printout of every transaction, without secrets; errors contain no secrets either.
"""

import json

import pytest
from lxdapi.errors import APIException

from tests.support.fake_transport import (
    OPERATION,
    SOCKET,
    Paper,
    failure,
    finished,
    operation,
    page,
    raw,
    started,
    sync,
)

CANARY = "cAnaRy-7e1"
KEYS = ("core.trust_password", "trust_token", "secret", "user.api-key", "user.api_key", "private_key", "credentials")


def printed(capsys, *replies, method="GET", url="profiles", fails=False, **options):
    """Return the output of a request on standard error after a check that nothing else is printed."""
    api = Paper(*replies, debug=True).api
    if fails:
        with pytest.raises(APIException):
            api.request(method, url, **options)
    else:
        api.request(method, url, **options)
    out, err = capsys.readouterr()
    assert out == "", "salt-call --out json has standard output for itself"
    return err


def test_a_transaction_is_printed_as_one_block(capsys):
    err = printed(capsys, sync({"a": 1}, 201), method="POST", url="profiles", json={"name": "web", "config": {}})
    lines = err.splitlines()
    assert lines[:5] == [f"POST {SOCKET}/1.0/profiles", "\t{", '\t    "config": {},', '\t    "name": "web"', "\t}"]
    assert lines[5:7] == ["HTTP/201", "\t{"]
    reply = "".join(line.strip() for line in lines[6:])
    assert json.loads(reply)["metadata"] == {"a": 1}


def test_nothing_is_printed_by_default(capsys):
    Paper(sync()).api.get("profiles")
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("value, prints", [("1", True), ("yes", True), ("", False)])
def test_environment_can_enable_printing(capsys, monkeypatch, value, prints):
    monkeypatch.setenv("DEBUG", value)
    Paper(sync()).api.get("profiles")
    assert bool(capsys.readouterr().err) is prints


def test_a_transaction_that_failed_is_printed_too(capsys):
    err = printed(capsys, failure(404, "Profile not found"), fails=True)
    assert "HTTP/404" in err and "Profile not found" in err


def test_each_request_of_a_wait_is_printed(capsys):
    Paper(started(), finished(), debug=True).api.post("instances", json={}).wait()
    err = capsys.readouterr().err
    assert err.count("HTTP/") == 2
    assert f"GET {SOCKET}{OPERATION}/wait?timeout=" in err


@pytest.mark.parametrize(
    "options, line",
    [
        ({}, None),
        ({"data": b"\x00\x01\x02"}, "\t(3 bytes)"),
        ({"data": "no json"}, "\t(7 bytes)"),
        ({"data": iter([b"a"])}, "\t(a stream)"),
    ],
)
def test_non_json_body_is_described_and_not_shown(capsys, options, line):
    lines = printed(capsys, sync(), method="POST", **options).splitlines()
    assert lines[1] == (line or "HTTP/200")


def test_non_json_reply_is_printed_with_its_status(capsys):
    assert "HTTP/502" in printed(capsys, page(502), fails=True)


def test_a_head_is_printed_without_a_body(capsys):
    assert printed(capsys, raw(200), method="HEAD") == f"HEAD {SOCKET}/1.0/profiles\nHTTP/200\n"


HIDING_PLACES = {
    **{key: {key: CANARY} for key in KEYS},
    "in config": {"config": {"user.token": CANARY}},
    "in a list": {"members": [{"config": {"user.token": CANARY}}]},
    "in a list below the key": {"tokens": [CANARY]},
    "in a mapping below the key": {"secrets": {"control": CANARY}},
}


@pytest.mark.parametrize("data", HIDING_PLACES.values(), ids=HIDING_PLACES)
def test_secret_in_body_is_not_printed(capsys, data):
    err = printed(capsys, sync(), method="POST", json=data)
    assert CANARY not in err and err.count("(hidden)") == 1


@pytest.mark.parametrize("data", HIDING_PLACES.values(), ids=HIDING_PLACES)
def test_secret_in_reply_is_not_printed(capsys, data):
    err = printed(capsys, sync(data))
    assert CANARY not in err and err.count("(hidden)") == 1


@pytest.mark.parametrize("key", ["cloud-init.user-data", "user.user-data", "user.vendor-data", "user.network-config"])
def test_free_text_that_may_hold_secrets_is_not_printed(capsys, key):
    assert CANARY not in printed(capsys, sync({"config": {key: f"password: {CANARY}"}}))


def test_websocket_secrets_are_not_printed(capsys):
    sockets = {"fds": {"0": CANARY, "control": CANARY}}
    assert CANARY not in printed(capsys, sync(operation(103, metadata=sockets)))


def test_plain_values_are_printed(capsys):
    err = printed(capsys, sync({"config": {"limits.cpu": "2", "security.secureboot": "true"}}))
    assert '"limits.cpu": "2"' in err and '"security.secureboot": "true"' in err


def test_absent_secret_is_not_masked(capsys):
    err = printed(capsys, sync({"secret": "", "core.trust_password": True, "token": None}))
    assert "(hidden)" not in err


@pytest.mark.parametrize("query", ["secret", "password", "token", "join_token", "trust-token"])
def test_secret_in_query_is_not_printed_or_raised(capsys, query):
    api = Paper(failure(400, "no"), debug=True).api
    with pytest.raises(APIException) as caught:
        api.get("operations/x/websocket", params={"a": "1", query: CANARY, "z": "2"})
    assert CANARY not in capsys.readouterr().err + str(caught.value) + caught.value.explain()
    assert "a=1" in str(caught.value) and "z=2" in str(caught.value)


def refused(words, config=None, body=None, **options):
    """Return the exception of a POST that the daemon rejects with these words."""
    sent = body or {"json": {"config": config}}
    with pytest.raises(APIException) as caught:
        Paper(failure(400, words), **options).api.post("profiles", **sent)
    return caught.value


def go_quoted(text):
    """Return the text as Go's %q formats it, which many errors of the daemons use."""
    return json.dumps(text, ensure_ascii=False)


@pytest.mark.parametrize("end", ["", '"quoted', "\nsecond line", "\\back", " é"])
@pytest.mark.parametrize("quote", [str, go_quoted])
def test_error_quoting_a_secret_of_the_request_is_masked(end, quote):
    exc = refused(f"Invalid value {quote(CANARY + end)} for it", {"user.password": CANARY + end})
    assert CANARY not in str(exc) + exc.error + exc.explain()
    assert "Invalid value" in exc.error and "for it" in exc.error


BODIES = {
    "a list": {"json": [{"password": CANARY}]},
    "JSON text": {"data": json.dumps({"password": CANARY})},
    "JSON bytes": {"data": json.dumps({"password": CANARY}).encode()},
    "a mapping below the key": {"json": {"source": {"secrets": {"control": CANARY}}}},
    "a list below the key": {"json": {"tokens": [CANARY]}},
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_secret_is_masked_wherever_it_stood_in_the_request(body):
    assert refused(f"Bad {CANARY}!", body=body).error == "Bad (hidden)!"


def test_error_quoting_plain_values_is_unchanged():
    config = {"boot.autostart": "maybe", "user.password": "", "user.token": "in"}
    words = 'Invalid value for a boolean "maybe"'
    assert refused(words, config).error == words


def test_error_quoting_a_secret_is_not_printed(capsys):
    refused(f"Invalid value {CANARY} for it", {"user.password": CANARY}, debug=True)
    err = capsys.readouterr().err
    assert CANARY not in err and "Invalid value" in err


@pytest.mark.parametrize("code", [400, 500])
def test_operation_error_quoting_a_secret_is_masked(code):
    said = [sync(operation(400, f"Bad {CANARY}!"))]
    if code == 500:
        said.insert(0, failure(500, f"Bad {CANARY}!", status=200))
    api = Paper(started(), *said).api
    with pytest.raises(APIException) as caught:
        api.post("instances", json={"config": {"user.password": CANARY}}).wait()
    assert CANARY not in str(caught.value) + caught.value.error + caught.value.explain()


def test_secret_containing_another_is_masked_completely():
    exc = refused(f"Bad {CANARY}-and-more", {"user.password": CANARY, "user.token": f"{CANARY}-and-more"})
    assert exc.error == "Bad (hidden)"


def test_a_request_that_never_arrived_is_printed_too(capsys):
    with pytest.raises(APIException):
        Paper(ConnectionError("gone"), debug=True).api.get("profiles")
    assert "GET /paper.socket/1.0/profiles gone" in capsys.readouterr().err
