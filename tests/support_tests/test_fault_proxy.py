"""
The fault proxy passes everything except armed faults unchanged, and records every request.
"""

import hashlib
import http.client
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.daemons import until
from tests.support.rest import Rest, UnixConnection

PROFILES = "/1.0/profiles"
OTHER_ENDS = (ConnectionError, http.client.IncompleteRead, http.client.BadStatusLine)


@pytest.fixture
def through(proxy):
    """The daemon as seen through the proxy."""
    return Rest(proxy.socket, timeout=10)


def names(daemon):
    return {url.rpartition("/")[2] for url in daemon.ask("GET", PROFILES)}


def raw_get(proxy, path="/1.0"):
    """Return the bytes of the reply to a GET."""
    connection = UnixConnection(proxy.socket, timeout=10)
    connection.connect()
    connection.sock.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    received = b""
    while block := connection.sock.recv(65536):
        received += block
    connection.close()
    return received


def test_proxy_relays_and_counts(daemon, proxy, through):
    assert through.ask("GET", "/1.0")["environment"]["server"] == daemon.server
    body = {"name": "p1", "description": "é"}
    through.ask("POST", PROFILES + "?project=default", body)
    assert "p1" in names(daemon)
    length = len(json.dumps(body))
    assert proxy.seen == [("GET", "/1.0", 0, None), ("POST", PROFILES + "?project=default", length, None)]
    assert proxy.writes() == proxy.requests("POST") == proxy.seen[1:]
    assert proxy.connections == 2
    proxy.clear()
    assert (proxy.seen, proxy.connections) == ([], 0)


def test_errors_of_the_daemon_pass_unchanged(daemon, through):
    path = "/1.0/instances/none"
    assert through.request("GET", path) == daemon.request("GET", path)


def test_one_connection_carries_many_requests(proxy, daemon):
    connection = UnixConnection(proxy.socket, timeout=10)
    for _ in range(5):
        connection.request("GET", "/1.0")
        assert json.loads(connection.getresponse().read())["status_code"] == 200
    connection.close()
    assert (len(proxy.seen), proxy.connections) == (5, 1)


def test_connection_survives_head_without_length(proxy, daemon, imported):
    daemon.ask("POST", "/1.0/instances", {"name": "c1", "source": {"type": "image", "alias": "busybox"}})
    connection = UnixConnection(proxy.socket, timeout=10)
    for _ in range(5):
        connection.request("HEAD", "/1.0/instances/c1/files?path=/etc")
        reply = connection.getresponse()
        assert (reply.status, reply.headers["Content-Length"], reply.read()) == (200, None, b"")
    connection.close()
    assert (len(proxy.seen), proxy.connections) == (5, 1)


def test_a_chunked_upload_and_the_download_of_it_pass(daemon, proxy, through, image):
    content = image.read_bytes()
    connection = UnixConnection(proxy.socket, timeout=10)
    blocks = (content[start : start + 100_000] for start in range(0, len(content), 100_000))
    headers = {"Transfer-Encoding": "chunked"}
    connection.request("POST", "/1.0/images", blocks, headers, encode_chunked=True)
    through.wait(json.loads(connection.getresponse().read()))
    fingerprint = hashlib.sha256(content).hexdigest()
    assert proxy.seen[0] == ("POST", "/1.0/images", len(content), None)
    assert through.request("GET", f"/1.0/images/{fingerprint}/export") == (200, content)


def test_a_large_upload_is_not_held_in_memory(daemon, proxy, through, imported):
    daemon.ask("POST", "/1.0/instances", {"name": "c1", "source": {"type": "image", "alias": "busybox"}})
    size = 256 * 1024 * 1024
    before = peak_memory()
    with open("/dev/zero", "rb") as zeros:
        body = Limited(zeros, size)
        headers = {"Content-Length": str(size), f"X-{daemon.server}-type": "file"}
        through.ask("POST", "/1.0/instances/c1/files?path=/root/big", body, headers)
    assert proxy.writes() == [("POST", "/1.0/instances/c1/files?path=/root/big", size, None)]
    assert peak_memory() - before < 32 * 1024  # kB


class Limited:
    """Return the first bytes of a file as a file."""

    def __init__(self, source, left):
        self.source = source
        self.left = left

    def read(self, size):
        block = self.source.read(min(size, self.left))
        self.left -= len(block)
        return block


def peak_memory():
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))


def test_a_wait_that_takes_its_time_passes(daemon, proxy, through, imported):
    daemon.ask("POST", "/1.0/instances", {"name": "c1", "source": {"type": "image", "alias": "busybox"}})
    through.ask("PUT", "/1.0/instances/c1/state", {"action": "start"})
    body = {"command": ["sleep", "1"], "wait-for-websocket": False, "interactive": False}
    began = time.monotonic()
    assert through.ask("POST", "/1.0/instances/c1/exec", body)["return"] == 0
    assert 1 <= time.monotonic() - began < 5


def test_websockets_pass(daemon, proxy):
    connection = UnixConnection(proxy.socket, timeout=10)
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    # Incus 7 requires 16 bytes.
    key = {"Sec-WebSocket-Key": "MDEyMzQ1Njc4OWFiY2RlZg=="}
    connection.request("GET", "/1.0/events?type=lifecycle", headers={**upgrade, **key})
    reply = connection.sock.recv(65536)
    assert reply.startswith(b"HTTP/1.1 101")
    daemon.ask("POST", PROFILES, {"name": "p1"})
    received = b""
    while b"profile-created" not in received:  # keepalives arrive too; the timeout of the socket limits the wait
        received += connection.sock.recv(65536)
    connection.close()


def test_client_disconnect_reaches_the_daemon(daemon, proxy):
    connection = UnixConnection(proxy.socket, timeout=10)
    connection.putrequest("POST", "/1.0/images")
    connection.putheader("Content-Length", "1000")
    connection.endheaders(b"half")
    connection.close()
    deadline = time.monotonic() + 10
    while not proxy.seen and time.monotonic() < deadline:
        time.sleep(0.01)
    assert proxy.seen == [("POST", "/1.0/images", 4, None)]
    assert daemon.ask("GET", "/1.0/images") in ([], None)


def test_many_clients_at_once(daemon, proxy, through):
    with ThreadPoolExecutor(16) as pool:
        replies = list(pool.map(lambda _: through.request("GET", "/1.0")[0], range(200)))
    assert (replies, len(proxy.seen), proxy.connections) == ([200] * 200, 200, 200)


@pytest.mark.parametrize("fault", "close reset blackhole html502 status not_json redirect".split())
def test_before_faults_leave_the_daemon_alone(daemon, proxy, fault):
    proxy.arm(fault, method="POST")
    try:
        Rest(proxy.socket, timeout=0.3).request("POST", PROFILES, {"name": "p1"})
    except OSError:
        pass
    assert names(daemon) == {"default"}
    assert [seen[3] for seen in proxy.writes()] == [fault]


@pytest.mark.parametrize("fault", "drop_reply cut_head cut_body cut_json delay swap".split())
def test_after_faults_leave_the_work_done(daemon, proxy, fault):
    options = {"delay": {"seconds": 1}, "swap": {"reply": {}}}.get(fault, {})
    proxy.arm(fault, method="POST", **options)
    try:
        Rest(proxy.socket, timeout=0.3).request("POST", PROFILES, {"name": "p1"})
    except (*OTHER_ENDS, OSError, json.JSONDecodeError):
        pass
    assert names(daemon) == {"default", "p1"}
    assert [seen[3] for seen in proxy.writes()] == [fault]


@pytest.mark.parametrize(
    "fault, raised",
    [
        ("close", http.client.RemoteDisconnected),
        ("reset", ConnectionResetError),
        ("blackhole", TimeoutError),
        ("drop_reply", http.client.RemoteDisconnected),
        ("cut_body", http.client.IncompleteRead),
        ("cut_json", json.JSONDecodeError),
        ("slow", TimeoutError),
    ],
)
def test_each_fault_raises_its_error_in_the_client(daemon, proxy, fault, raised):
    options = {"rate": 2} if fault == "slow" else {}
    proxy.arm(fault, **options)
    with pytest.raises(raised) as caught:
        Rest(proxy.socket, timeout=0.3).request("GET", "/1.0")
    assert caught.type is raised


def test_a_cut_head_ends_in_a_header(daemon, proxy):
    proxy.arm("cut_head")
    received = raw_get(proxy)
    assert received.startswith(b"HTTP/1.1 200") and b"\r\n\r\n" not in received


def test_the_replies_that_are_not_the_daemons(daemon, proxy, through):
    proxy.arm("html502", path="/a")
    proxy.arm("status", path="/b", status=500, error="Invalid PID")
    proxy.arm("not_json", path="/c")
    proxy.arm("redirect", path="/d")
    status, page = through.request("GET", "/a")
    assert (status, page[:6]) == (502, b"<html>")
    status, reply = through.request("GET", "/b")
    assert (status, reply["type"], reply["error_code"], reply["error"]) == (500, "error", 500, "Invalid PID")
    assert through.request("GET", "/c") == (200, b"hello")
    assert through.request("GET", "/d")[0] == 302
    assert b"location: http://127.0.0.1:" in raw_after_arming(proxy, "redirect")


def raw_after_arming(proxy, fault):
    proxy.arm(fault)
    return raw_get(proxy)


def test_swap_rewrites_the_true_reply(daemon, proxy, through):
    proxy.arm("swap", reply=lambda true: {**true, "metadata": true["metadata"]["environment"]["server"]})
    assert through.request("GET", "/1.0")[1]["metadata"] == daemon.server
    proxy.arm("swap", reply={"type": "error", "error_code": 500}, status=400)
    assert through.request("GET", "/1.0") == (400, {"type": "error", "error_code": 500})


def test_stalled_upload_stops_half_way_until_daemon_dies(daemon, proxy, through, image):
    proxy.arm("stall", method="POST", path="/images$")
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(through.request, "POST", "/1.0/images", image.read_bytes())
        arrived = lambda: [each.stat().st_size for each in Path(daemon.directory, "images").glob("*_build_*/*")]  # noqa: E731
        assert until(lambda: sum(arrived()), 10)
        assert not answer.done()
        daemon.kill()
        assert isinstance(answer.exception(timeout=10), OTHER_ENDS)
    assert (proxy.seen[0].fault, proxy.executed()) == ("stall", [])
    assert 0 < proxy.seen[0].length < image.stat().st_size


def test_executed_means_the_daemon_got_the_whole_request(daemon, proxy, through):
    for fault in ("close", "drop_reply", None):
        if fault:
            proxy.arm(fault, method="DELETE")
        try:
            through.request("DELETE", f"{PROFILES}/p1")
        except OTHER_ENDS:
            pass
    assert [seen.fault for seen in proxy.executed("DELETE")] == ["drop_reply", None]


def test_slow_and_delay_arrive_in_the_end(daemon, proxy, through):
    proxy.arm("slow", rate=1000)
    proxy.arm("delay", seconds=0.3)
    for least in (0.2, 0.3):
        began = time.monotonic()
        assert through.request("GET", "/1.0/profiles?recursion=0")[0] == 200
        assert time.monotonic() - began > least


def test_skip_and_times_count_matches(daemon, proxy, through):
    proxy.arm("status", method="GET", path="/1.0$", skip=1, times=2)
    replies = [through.request("GET", path)[0] for path in ("/1.0", "/1.0", PROFILES, "/1.0", "/1.0")]
    assert replies == [200, 503, 200, 503, 200]


def test_an_unknown_fault_is_refused(daemon, proxy):
    with pytest.raises(ValueError):
        proxy.arm("blackhoel")


def test_a_dead_daemon_is_a_closed_connection(daemon, proxy, through):
    daemon.kill()
    with pytest.raises(http.client.RemoteDisconnected):
        through.request("GET", "/1.0")
    assert proxy.seen == [("GET", "/1.0", 0, None)]


def test_end_of_proxy_frees_waiting_clients(daemon, proxy):
    proxy.arm("blackhole")
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(raw_get, proxy)
        while not proxy.seen:
            threading.Event().wait(0.01)
        began = time.monotonic()
        proxy.__exit__()
        assert answer.result(timeout=5) == b""
    assert time.monotonic() - began < 5
