"""
Threads: their number, and the context that they see.
"""

import os
import threading
from contextvars import ContextVar
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingUnixStreamServer
from urllib.parse import quote

import pytest
from lxdapi import concurrency
from lxdapi.api import API

SEEN = ContextVar("seen", default="nothing")


@pytest.mark.parametrize("cores, found", [(None, 2), (1, 2), (2, 4), (8, 16), (64, 16)])
def test_creations_use_two_threads_for_a_processor(cores, found, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    assert concurrency.worker_count() == found


def test_thread_inherits_context_of_caller():
    with concurrency.Workers(1) as made:
        before = SEEN.set("this")
        found = made.begin(SEEN.get)
        SEEN.reset(before)
        assert (found.result(), made.begin(SEEN.get).result()) == ("this", "nothing")


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def address_string(self):
        return "socket"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.server.run_concurrently.wait(10)
        body = b'{"type":"sync","status_code":200,"metadata":{}}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class _Server(ThreadingUnixStreamServer):
    daemon_threads = True
    accepted = 0

    def get_request(self):
        self.accepted += 1
        return self.socket.accept()


def test_pool_has_as_many_connections_as_concurrent_requests(tmp_path, caplog):
    path = str(tmp_path / "s")
    with _Server(path, _Answer) as server:
        # no request is answered before all have arrived
        server.run_concurrently = threading.Barrier(concurrency.STOPS)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        api = API.factory(f"http+unix://{quote(path, safe='')}")
        with concurrency.Workers(concurrency.STOPS) as made:
            for _ in range(3):
                each = [
                    made.begin(lambda name=number: api.get(f"instances/c{name}")) for number in range(concurrency.STOPS)
                ]
                assert all(one.result().metadata == {} for one in each)
        server.shutdown()
        assert server.accepted == concurrency.STOPS
    assert "discarding" not in caplog.text
