"""
A daemon that is dead, silent, cut off or mistaken for another: a clear failure in bounded time.

Each test checks the result of the state, its duration, and the outcome on the daemon.
"""

import os
import socket
import time
from itertools import product

import pytest

from tests.support.loader import Loaded
from tests.support.processes import when
from tests.support.spread import spread

LIMIT = 1
AGAIN = 0.4


@pytest.fixture
def salt(tmp_path, proxy):
    """Salt's modules and states with short time limits for requests and retries."""
    return Loaded(tmp_path, remote(proxy.socket))


def remote(socket_path):
    return {"local": {"endpoint": str(socket_path), "timeout": LIMIT, "retry_timeout": AGAIN}}


@pytest.fixture
def at(tmp_path):
    """Return Salt's modules and states for a socket at any path."""
    return lambda path: Loaded(tmp_path / "at", remote(path))


def profile(salt):
    """Return the result of a state and its duration in seconds."""
    began = time.monotonic()
    ret = salt.states["lxdapi_profile.present"](name="web", description="x")
    return ret, time.monotonic() - began


def refused(salt, words):
    ret, seconds = profile(salt)
    assert (ret["result"], ret["changes"]) == (False, {})
    assert words in ret["comment"]
    assert "Traceback" not in ret["comment"]
    assert seconds < 1
    return ret["comment"]


def test_absent_socket_is_no_absent_object(at, tmp_path):
    salt = at(tmp_path / "none.socket")
    comment = refused(salt, ": the socket does not exist")
    assert "none.socket" in comment
    ret = salt.states["lxdapi_profile.absent"](name="web")
    assert ret["result"] is False


def test_socket_without_listener_is_refused(at, tmp_path):
    path = tmp_path / "dead.socket"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    refused(at(path), ": connection refused")


def test_plain_file_or_directory_as_socket_is_refused(at, tmp_path):
    (tmp_path / "file").write_text("x")
    refused(at(tmp_path / "file"), "cannot connect")
    refused(at(tmp_path), "cannot connect")


def test_path_too_long_for_a_socket_is_refused(at):
    refused(at("/tmp/" + "x" * 120), "more than 107 bytes")


def test_socket_without_permission_is_refused(daemon):
    script = (
        "import os, sys; from lxdapi.api import API; from lxdapi.errors import APIConnectionException\n"
        # import everything now, because the new user may not be able to read the interpreter's folder
        "API.factory(sys.argv[1]).get('profiles')\n"
        "try: API.factory('/nope.socket').get('profiles')\n"
        "except APIConnectionException: pass\n"
        "os.setgid(65534); os.setuid(65534)\n"
        "try: API.factory(sys.argv[1]).get('profiles')\n"
        "except APIConnectionException as exc: print(exc.error)"
    )
    assert "permission denied" in run_python(script, str(daemon.socket))


def run_python(script, *arguments):
    """Return the output of a Python process with the library; it imports salt before it drops its rights."""
    import subprocess
    import sys

    from tests.support.loader import REPO

    first = "import salt.exceptions, requests, requests_unixsocket, lxdapi.api, lxdapi.errors\n"
    command = [sys.executable, "-c", first + script, *arguments]
    environment = {**os.environ, "PYTHONPATH": str(REPO / "_utils")}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True).stdout


@pytest.mark.parametrize("method", spread("GET", "POST"))
def test_a_silent_daemon_is_a_timeout_within_the_limit(salt, proxy, method):
    proxy.arm("blackhole", method=method, path="profiles", times=9)
    ret, seconds = profile(salt)
    assert ret["result"] is False
    assert f"no reply within {LIMIT} s" in ret["comment"]
    assert LIMIT <= seconds < LIMIT + 1


@pytest.mark.mainly("incus7")
def test_a_daemon_that_dribbles_is_a_timeout_within_the_limit(salt, proxy):
    proxy.arm("slow", method="GET", path="profiles", times=9, rate=20)
    ret, seconds = profile(salt)
    assert (ret["result"], ret["changes"]) == (False, {})
    assert LIMIT <= seconds < LIMIT + 1


NOT_DONE = {
    "close": "the connection broke",
    "reset": "the connection broke",
    "html502": "expected the JSON of a daemon, got HTTP 502",
    "status": "made by the fault proxy",
    "not_json": "expected the JSON of a daemon, got HTTP 200",
    "redirect": "got a redirect to",
}
DONE = {
    "drop_reply": "the connection broke",
    "cut_body": "the connection broke",
    "cut_json": "expected the JSON of a daemon",
    "cut_head": "",
}
FAULTS = {**NOT_DONE, **DONE}
BROKEN = [("GET", fault) for fault in FAULTS] + [("POST", fault) for fault in NOT_DONE]


@pytest.mark.parametrize("method, fault", spread(*BROKEN))
def test_persistent_fault_fails_in_bounded_time(salt, proxy, raw, method, fault):
    proxy.arm(fault, method=method, path="profiles", times=99)
    ret, seconds = profile(salt)
    assert (ret["result"], ret["changes"]) == (False, {})
    assert FAULTS[fault] in ret["comment"]
    assert f"({method} /1.0/profiles" in ret["comment"]
    assert seconds < AGAIN + 0.6
    assert raw("profiles/web") is None
    assert proxy.executed("POST") == []


@pytest.mark.parametrize("fault", spread(*FAULTS))
def test_a_read_that_broke_is_repeated(salt, proxy, fault):
    proxy.arm(fault, method="GET", path="profiles", times=2)
    ret, _ = profile(salt)
    assert ret["result"] is (fault != "redirect")


@pytest.mark.parametrize("fault", DONE)
def test_create_with_lost_reply_is_done_once(salt, proxy, raw, fault):
    proxy.arm(fault, method="POST", path="profiles", times=99)
    ret, _ = profile(salt)
    assert (ret["result"], ret["changes"]) == (True, {"created": "web"})
    assert raw("profiles/web")["description"] == "x"
    assert len(proxy.requests("POST")) == 1
    assert profile(salt)[0]["changes"] == {}


@pytest.mark.mainly("incus7")
def test_create_with_late_reply_is_done_once(salt, proxy, raw):
    proxy.arm("delay", method="POST", path="profiles", seconds=LIMIT + 1)
    ret, seconds = profile(salt)
    assert (ret["result"], ret["changes"]) == (True, {"created": "web"})
    assert len(proxy.requests("POST")) == 1
    assert seconds < LIMIT + 1


PATHS = {"GET": "/profiles/web", "POST": "/profiles$", "PATCH": "/profiles/web"}
PASSING = {
    "503": (503, "LXD is shutting down"),
    "invalid-pid": (500, "Invalid PID '\ufffd'"),
    "busy": (500, 'Instance is busy running a "stop" operation'),
    "busy-400": (400, 'Instance is busy running a "create" operation'),
    "not-ready": (503, "LXD daemon not ready yet"),
}


@pytest.mark.parametrize("words, method", spread(*product(PASSING, PATHS)))
def test_transient_error_is_retried(apply, proxy, raw, words, method):
    if method == "PATCH":
        apply("lxdapi_profile.present", "web")
    proxy.clear()
    status, error = PASSING[words]
    proxy.arm("status", method=method, path=PATHS[method], times=2, status=status, error=error)
    ret = apply("lxdapi_profile.present", "web", description="x")
    assert ret["result"] is True, ret
    assert raw("profiles/web")["description"] == "x"
    assert len(proxy.executed(method)) == 1 or method == "GET"


@pytest.mark.parametrize("status", [403, 500, 503])
def test_a_read_that_fails_is_not_taken_for_absent(apply, proxy, status):
    proxy.arm("status", method="GET", path="profiles/web", status=status, error="no, says the daemon", times=99)
    for function in ("present", "absent"):
        comment = apply.failed(f"lxdapi_profile.{function}", "web")
        assert "profile web could not be read: no, says the daemon (GET /1.0/profiles/web)" in comment
    assert proxy.writes() == []


def test_failed_operation_in_a_200_is_a_failure(apply, imported, proxy):
    """Incus answers /wait for a failed operation with 200 and an error; LXD may do that too one day."""
    error = {"type": "error", "error_code": 500, "error": "boom", "metadata": None}
    proxy.arm("swap", method="GET", path="/operations/.*/wait", reply=error)
    comment = apply.failed("lxdapi_instance.present", "c1", source="busybox", config={"bogus": "1"})
    assert "bogus" in comment


def test_wait_timeout_is_no_failed_operation(apply, imported, proxy, raw):
    error = {"type": "error", "error_code": 500, "error": "context deadline exceeded", "metadata": None}
    proxy.arm("swap", method="GET", path="/operations/.*/wait", reply=error)
    ret = apply("lxdapi_instance.present", "c1", source="busybox")
    assert ret["result"] is True, ret
    assert raw("instances/c1")["status"] == "Stopped"


def test_an_operations_url_with_a_query_is_waited_for(apply, imported, proxy, raw):
    def queried(reply):
        return {**reply, "operation": reply["operation"].split("?")[0] + "?project=default"}

    proxy.arm("swap", method="POST", path="/instances", reply=queried)
    ret = apply("lxdapi_instance.present", "c1", source="busybox", running=True)
    assert ret["result"] is True, ret
    waits = [path for _, path, *_ in proxy.seen if "/wait" in path]
    assert "project=default" in waits[0]


def failed(reply):
    """Return the end of a failed operation in LXD's form."""
    return {**reply, "metadata": {**reply["metadata"], "status": "Failure", "status_code": 400, "err": "boom"}}


def test_failure_status_in_a_200_is_a_failure(apply, imported, proxy):
    apply("lxdapi_instance.present", "c1", source="busybox")
    proxy.arm("swap", method="GET", path="/operations/", reply=failed, times=9)
    assert "could not be started: boom" in apply.failed("lxdapi_instance.running", "c1")


def test_create_with_vanished_operation_is_verified(apply, imported, proxy, raw):
    def foreign(reply):
        return {**reply, "operation": "/1.0/operations/00000000-0000-4000-8000-000000000000"}

    proxy.arm("swap", method="POST", path="/instances", reply=foreign)
    ret = apply("lxdapi_instance.present", "c1", source="busybox")
    assert (ret["result"], ret["changes"]) == (True, {"created": "c1"}), ret
    assert len(proxy.requests("POST")) == 1
    assert raw("instances/c1")


def test_broken_wait_is_resolved_by_the_operation(apply, imported, proxy, raw):
    proxy.arm("drop_reply", method="GET", path="/operations/.*/wait")
    ret = apply("lxdapi_instance.present", "c1", source="busybox")
    assert ret["result"] is True, ret
    assert raw("instances/c1")


def test_operation_beyond_its_timeout_is_given_up_and_reported(salt, imported, proxy):
    def running(reply):
        return {**reply, "metadata": {**(reply["metadata"] or {}), "status": "Running", "status_code": 103}}

    proxy.arm("swap", method="GET", path="/operations/", reply=running, times=99)
    began = time.monotonic()
    ret = salt.states["lxdapi_instance.present"](name="c1", source="busybox", timeout=1)
    assert "the operation is still running after 1 s" in ret["comment"]
    assert time.monotonic() - began < 3


@pytest.fixture
def direct(daemon, tmp_path):
    """Return Salt's modules and states without a proxy, with this many seconds for retries."""
    return lambda seconds: Loaded(tmp_path / "direct", {"local": {"endpoint": daemon.socket, "retry_timeout": seconds}})


def test_stopped_daemon_is_retried_once_then_a_clear_error(direct, daemon):
    salt = direct(1)
    assert profile(salt)[0]["result"] is True
    daemon.stop()
    try:
        ret, seconds = profile(salt)
        assert "could not be read: cannot connect" in ret["comment"]
        assert 0.4 < seconds < 1.6
        # only the first state waits, not each state that follows
        assert profile(salt)[1] < 0.4
    finally:
        daemon.start()
    assert profile(salt)[0]["result"] is True


def test_daemon_back_in_time_is_no_failure(direct, daemon):
    salt = direct(20)
    assert profile(salt)[0]["result"] is True
    daemon.stop()
    with when(lambda: True, daemon.start):
        ret, _ = profile(salt)
    assert (ret["result"], ret["changes"], ret["comment"]) == (True, {}, "profile web is as declared")
