"""
Commands over a broken connection: they run once or not at all, nothing hangs, no secret appears.
"""

import logging
import re
import threading
import time

import pytest
import websocket
from salt.exceptions import CommandExecutionError

from tests.support.daemons import until
from tests.support.loader import Loaded

COUNTING = "echo x >> /tmp/count"


@pytest.fixture
def without_retries(tmp_path, proxy, c1):
    """Salt's modules without retries, and the container."""
    return Loaded(tmp_path / "without_retries", {"local": {"endpoint": str(proxy.socket), "retry_timeout": 0}}).modules


def counted(modules):
    return modules["lxdapi_instance.run_stdout"]("c1", "cat /tmp/count 2>/dev/null").count("x")


@pytest.mark.mainly("incus7")
@pytest.mark.parametrize("fault", ["close", "drop_reply", "cut_json"])
def test_exec_with_lost_reply_runs_once(salt, c1, proxy, fault):
    proxy.arm(fault, method="POST", path="/exec")
    assert salt.modules["lxdapi_instance.retcode"](c1, COUNTING) == 0
    assert counted(salt.modules) == 1


@pytest.mark.mainly("lxd")
def test_refused_websocket_error_does_not_show_its_secret(without_retries, proxy):
    for skip, asked in ((0, 3), (3, 4)):
        proxy.clear()
        proxy.arm("status", path="/websocket", skip=skip, status=403)
        with pytest.raises(CommandExecutionError, match=r"the daemon did not open the websocket: HTTP 403") as caught:
            without_retries["lxdapi_instance.exec"]("c1", COUNTING)
        assert "secret" not in repr(caught.value) and caught.value.__cause__ is None
        assert until(lambda: sum("/websocket" in seen.path for seen in proxy.requests()) == asked, 5)  # noqa: B023
    assert counted(without_retries) == 0


@pytest.mark.mainly("incus")
def test_daemon_death_during_exec_is_an_immediate_error(without_retries, daemon):
    errors = []

    def run():
        try:
            without_retries["lxdapi_instance.exec"]("c1", "touch /tmp/on; sleep 60")
        except CommandExecutionError as exc:
            errors.append(str(exc))

    thread = threading.Thread(target=run)
    thread.start()
    assert until(lambda: daemon.request("GET", "/1.0/instances/c1/files?path=/tmp/on")[0] == 200, 10)
    daemon.kill()
    began = time.monotonic()
    thread.join(20)
    assert errors and time.monotonic() - began < 5, errors
    assert "the connection broke" in errors[0]


@pytest.mark.mainly("incus7")
def test_silent_command_is_awaited_while_operation_exists(salt, c1, proxy, monkeypatch):
    monkeypatch.setattr("lxdapi.instances.exec.QUIET_SECONDS", 0.2)
    assert salt.modules["lxdapi_instance.run_stdout"](c1, "sleep 0.7; echo a") == "a"
    assert [seen for seen in proxy.requests("GET") if re.fullmatch(r"/1.0/operations/[\w-]+", seen.path)]
    gone = {"type": "error", "error": "Operation not found", "error_code": 404}
    proxy.arm("swap", method="GET", path=r"/operations/[\w-]+$", reply=gone, status="404 Not Found")
    with pytest.raises(CommandExecutionError, match="the command was lost, because its daemon was restarted"):
        salt.modules["lxdapi_instance.run_stdout"](c1, "sleep 60")


@pytest.mark.mainly("incus7")
def test_websocket_secret_is_not_logged_by_library_trace(salt, c1, caplog):
    websocket.enableTrace(True, logging.NullHandler())
    try:
        with caplog.at_level(logging.DEBUG):
            assert salt.modules["lxdapi_instance.retcode"](c1, "true") == 0
    finally:
        websocket.enableTrace(False)
    assert "operations/" in caplog.text and "secret=" not in caplog.text
