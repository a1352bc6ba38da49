"""
A daemon that is dead, silent, cut off or mistaken for another: a clear failure in bounded time.

Each is proved on the state's answer, on the time it took, and on what the daemon really has.
"""

import os
import socket
import time

import pytest
from loaded import Loaded

LIMIT = 2


@pytest.fixture
def salt(tmp_path, proxy):
    """Salt's modules and states with a short time limit for a request."""
    return Loaded(tmp_path, {"local": {"endpoint": str(proxy.socket), "timeout": LIMIT}})


@pytest.fixture
def at(tmp_path):
    """Return Salt's modules and states for a socket of any path."""
    return lambda path: Loaded(tmp_path / "at", {"local": {"endpoint": str(path), "timeout": LIMIT}})


def profile(salt):
    """Return the answer of a state and the seconds it took."""
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


def test_a_socket_that_is_absent_is_no_absent_object(at, tmp_path):
    salt = at(tmp_path / "none.socket")
    comment = refused(salt, ": the socket does not exist")
    assert "none.socket" in comment
    ret = salt.states["lxdapi_profile.absent"](name="web")
    assert ret["result"] is False


def test_a_socket_where_nobody_listens(at, tmp_path):
    path = tmp_path / "dead.socket"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    refused(at(path), ": nobody listens")


def test_a_plain_file_or_directory_in_the_sockets_place(at, tmp_path):
    (tmp_path / "file").write_text("x")
    refused(at(tmp_path / "file"), "cannot connect")
    refused(at(tmp_path), "cannot connect")


def test_a_path_that_is_too_long_for_a_socket(at):
    refused(at("/tmp/" + "x" * 120), "no longer than 107 bytes")


def test_a_daemon_that_is_forbidden_says_so(daemon):
    script = (
        "import os, sys; from lxdapi_api import API; from lxdapi_errors import APIConnectionException\n"
        # whatever is imported late is imported now: the new rights may not reach the interpreter's folder
        "API.factory(sys.argv[1]).get('profiles')\n"
        "try: API.factory('/nope.socket').get('profiles')\n"
        "except APIConnectionException: pass\n"
        "os.setgid(65534); os.setuid(65534)\n"
        "try: API.factory(sys.argv[1]).get('profiles')\n"
        "except APIConnectionException as exc: print(exc.error)"
    )
    assert "permission denied" in run_python(script, str(daemon.socket))


def run_python(script, *arguments):
    """Return what a Python process of the library prints; salt is imported before rights are dropped."""
    import subprocess
    import sys

    from loaded import REPO

    first = "import salt.exceptions, requests, requests_unixsocket, lxdapi_api, lxdapi_errors\n"
    command = [sys.executable, "-c", first + script, *arguments]
    environment = {**os.environ, "PYTHONPATH": str(REPO / "_utils")}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True).stdout


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_silent_daemon_is_a_timeout_within_the_limit(salt, proxy, method):
    proxy.arm("blackhole", method=method, path="profiles", times=9)
    ret, seconds = profile(salt)
    assert ret["result"] is False
    assert f"no answer within {LIMIT} s" in ret["comment"]
    assert LIMIT <= seconds < LIMIT + 1


FAULTS = {
    "close": "the connection broke",
    "reset": "the connection broke",
    "html502": "HTTP 502 with a body that is not the daemon's JSON",
    "not_json": "HTTP 200 with a body that is not the daemon's JSON",
    "redirect": "redirected to",
    "drop_reply": "the connection broke",
    "cut_body": "the connection broke",
    "cut_json": "with a body that is not the daemon's JSON",
    "cut_head": "",
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_broken_reply_is_a_failure_and_never_a_success(salt, proxy, raw, fault, method):
    proxy.arm(fault, method=method, path="profiles", times=9)
    ret, _ = profile(salt)
    assert (ret["result"], ret["changes"]) == (False, {})
    assert FAULTS[fault] in ret["comment"]
    assert f"({method} /1.0/profiles" in ret["comment"]
    posts = [entry for entry in proxy.seen if entry[0] == "POST"]
    assert len(posts) == (method == "POST")


@pytest.mark.parametrize("fault", ["drop_reply", "cut_body", "cut_json"])
def test_after_a_lost_reply_the_next_run_finds_the_object(salt, proxy, raw, fault):
    proxy.arm(fault, method="POST", path="profiles")
    ret, _ = profile(salt)
    assert ret["result"] is False
    assert raw("profiles/web")["description"] == "x"
    ret, _ = profile(salt)
    assert (ret["result"], ret["changes"]) == (True, {})


@pytest.mark.parametrize("status", [403, 500, 503])
def test_a_read_that_fails_is_not_taken_for_absent(apply, proxy, status):
    proxy.arm("status", method="GET", path="profiles/web", status=status, error="no, says the daemon", times=9)
    for function in ("present", "absent"):
        comment = apply.failed(f"lxdapi_profile.{function}", "web")
        assert "profile web could not be read: no, says the daemon (GET /1.0/profiles/web)" in comment
    assert proxy.writes() == []


def test_an_operation_that_fails_in_a_200_is_a_failure_with_both_servers(apply, imported, proxy):
    """Incus answers /wait of a failed operation with 200 and an error; LXD may come to that too."""
    error = {"type": "error", "error_code": 500, "error": "boom", "metadata": None}
    proxy.arm("swap", method="GET", path="/operations/.*/wait", reply=error)
    comment = apply.failed("lxdapi_instance.present", "c1", source="busybox", config={"bogus": "1"})
    assert "bogus" in comment


def test_a_wait_that_is_out_of_time_is_no_failure_of_the_operation(apply, imported, proxy, raw):
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


def test_a_vanished_operation_is_of_unknown_outcome(apply, imported, proxy):
    def foreign(reply):
        return {**reply, "operation": "/1.0/operations/00000000-0000-4000-8000-000000000000"}

    proxy.arm("swap", method="POST", path="/instances", reply=foreign)
    ret = apply("lxdapi_instance.present", "c1", source="busybox")
    assert ret["result"] is False
    assert "the operation vanished" in ret["comment"]
    assert "POST /1.0/instances" in ret["comment"]


def test_a_connection_that_breaks_while_waiting_is_settled_by_the_operation(apply, imported, proxy, raw):
    proxy.arm("drop_reply", method="GET", path="/operations/.*/wait")
    ret = apply("lxdapi_instance.present", "c1", source="busybox")
    assert ret["result"] is True, ret
    assert raw("instances/c1")


def test_an_operation_longer_than_its_time_is_given_up_with_a_word(salt, imported, proxy):
    def running(reply):
        return {**reply, "metadata": {**(reply["metadata"] or {}), "status": "Running", "status_code": 103}}

    proxy.arm("swap", method="GET", path="/operations/", reply=running, times=99)
    began = time.monotonic()
    ret = salt.states["lxdapi_instance.present"](name="c1", source="busybox", timeout=1)
    assert "the operation still runs after 1 s" in ret["comment"]
    assert time.monotonic() - began < 3


def test_a_clean_shutdown_is_a_clear_error_and_after_it_the_state_converges(salt, daemon):
    daemon.stop()
    try:
        comment = profile(salt)[0]["comment"]
        assert "could not be read: " in comment
    finally:
        daemon.start()
    assert profile(salt)[0]["result"] is True
