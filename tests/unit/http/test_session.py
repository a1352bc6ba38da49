"""
The session of an endpoint: no proxies, and one connection for all requests to a unix socket.
"""

import pytest
from lxdapi.api import API
from lxdapi.http.session import create_session

from tests.support.tiny_servers import Server, running, unix_listener


@pytest.mark.parametrize("base", ["http+unix://%2Frun%2Fx", "https://host:8443", "http://host:80"])
def test_a_session_trusts_nothing_of_the_environment(base):
    assert create_session(base).trust_env is False


def test_one_connection_serves_many_urls(tmp_path, monkeypatch):
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with running(Server(unix_listener(tmp_path / "s"))) as server:
        api = API.factory(str(tmp_path / "s"))
        for number in range(40):
            api.get(f"instances/c{number}", params={"recursion": number})
    assert (server.accepted, len(server.heads)) == (1, 40)
    assert len({head.split()[1] for head in server.heads}) == 40


def test_two_daemons_in_one_process_are_two_connections(tmp_path):
    for name in ("a", "b"):
        with running(Server(unix_listener(tmp_path / name))) as server:
            API.factory(str(tmp_path / name)).get("instances")
        assert (server.accepted, len(server.heads)) == (1, 1)
