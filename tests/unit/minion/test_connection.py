"""
Remotes, and the connection of a run.
"""

import threading

import pytest
from lxdapi.errors import APINotTrustedException, InvalidError
from lxdapi.minion import connection

from tests.support.tiny_servers import Server, make_pair, running, tls_server, unix_listener


def asked(remotes, context=None, **options):
    """Return the API of a remote."""
    settings = {"lxdapi:remotes": remotes}
    names = {"__salt__": {"config.get": settings.get}, "__context__": {} if context is None else context}
    return connection.connect(names, **options)


def test_no_remote_means_the_local_daemon(monkeypatch):
    monkeypatch.setenv("LXD_SOCKET", "/run/x.socket")
    for remotes in (None, {}, {"other": "/run/y.socket"}):
        assert asked(remotes).endpoint.endswith("%2Frun%2Fx.socket")


def test_progress_events_are_sent_if_enabled():
    sent, settings = [], {"lxdapi:remotes": {"far": "/x"}, "lxdapi:progress_events": True}
    functions = {"config.get": settings.get, "event.send": lambda tag, data: sent.append((tag, data))}
    connection.connect({"__salt__": functions, "__context__": {}}, "far").on_progress("1234", {"percent": 5})
    assert sent == [("lxdapi/far/operation/1234/progress", {"percent": 5})]
    assert asked({"far": "/x"}, remote="far").on_progress is None


@pytest.mark.parametrize("answer", [False, OSError("no master")])
def test_broken_event_bus_is_tried_once(answer):
    sent, settings = [], {"lxdapi:remotes": {"far": "/x"}, "lxdapi:progress_events": True}

    def send(tag, data):
        sent.append(data)
        if isinstance(answer, OSError):
            raise answer
        return answer

    functions = {"config.get": settings.get, "event.send": send}
    on_progress = connection.connect({"__salt__": functions, "__context__": {}}, "far").on_progress
    for percent in (1, 2):
        on_progress("1234", percent)
    assert sent == [1]


@pytest.fixture
def socket_path(tmp_path):
    """The socket of a daemon that has every requested object."""
    with running(Server(unix_listener(tmp_path / "s"))):
        yield str(tmp_path / "s")


def test_remote_named_local_is_the_local_daemon(socket_path):
    assert asked({"local": "/run/l.socket"}).endpoint.endswith("%2Frun%2Fl.socket")
    assert asked({"local": {"endpoint": socket_path, "project": "p"}}).project == "p"


def test_a_remote_has_its_settings(socket_path):
    settings = {"endpoint": socket_path, "project": "p", "timeout": 5, "wait_timeout": 6, "debug": True}
    api = asked({"x": settings}, remote="x")
    assert (api.project, api.timeout, api.wait_timeout, api.debug) == ("p", 5, 6, True)
    api.session.close()
    assert asked({"x": settings}, remote="x", project="q").project == "q"


def test_unknown_remote_error_lists_remotes():
    with pytest.raises(InvalidError, match="remote 'z' .* choose from: x, y"):
        asked({"y": "/y", "x": "/x"}, remote="z")
    with pytest.raises(InvalidError, match="choose from: none"):
        asked(None, remote="z")


def test_unknown_setting_error_lists_settings():
    with pytest.raises(InvalidError, match="remote 'x': unknown setting endpont; choose from: .*endpoint"):
        asked({"x": {"endpont": "/x"}}, remote="x")


@pytest.mark.parametrize("settings", [5, None, ["/x"], {"endpoint": 5}])
def test_invalid_remote_is_refused(settings):
    with pytest.raises(InvalidError):
        asked({"x": settings}, remote="x")


def test_connection_is_cached_by_remote_and_project(socket_path):
    remotes, context = {"x": socket_path, "y": "/y"}, {}
    first = asked(remotes, context, remote="x")
    assert asked(remotes, context, remote="x") is first
    assert asked(remotes, context, remote="x", project="p") is not first
    assert asked(remotes, context, remote="y") is not first
    assert asked({"x": "/z"}, context, remote="x") is not first, "settings that changed are another remote"


def test_threads_share_facts_about_the_daemon():
    remotes, context = {"x": "/x"}, {}
    found = [asked(remotes, context, remote="x")]
    thread = threading.Thread(target=lambda: found.append(asked(remotes, context, remote="x")))
    thread.start()
    thread.join()
    assert found[0] is found[1]


def test_the_context_shows_no_secret():
    context = {}
    asked({"x": {"endpoint": "/x", "key": "PRIVATE"}}, context, remote="x")
    assert "PRIVATE" not in repr(list(context))


def test_untrusted_error_names_our_fingerprint(tmp_path):
    ours, theirs = make_pair(tmp_path, "client"), make_pair(tmp_path, "server")
    body = b'{"type":"sync","metadata":{"auth":"untrusted"}}'
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    for cert, words in (
        (ours.cert, ours.fingerprint),
        (ours.cert_file, ours.fingerprint),
        (None, "without a certificate"),
    ):
        key = {"cert": cert, "key": ours.key} if cert else {}
        with tls_server(theirs, ours, lambda connection: connection.sendall(head + body)) as server:
            remote = {"endpoint": server.url, "fingerprint": theirs.fingerprint, **key}
            context = {}
            with pytest.raises(APINotTrustedException, match=words):
                asked({"x": remote}, context, remote="x")
        assert context == {}, "what does not work is not kept"


@pytest.mark.parametrize("remote", [["x"], {"x": 1}, 5, True, b"x"])
def test_invalid_name_of_a_remote_is_refused(remote):
    with pytest.raises(InvalidError, match="remote .* choose from: x"):
        connection.connect({"__salt__": {"config.get": {"lxdapi:remotes": {"x": "/x"}}.get}, "__context__": {}}, remote)
