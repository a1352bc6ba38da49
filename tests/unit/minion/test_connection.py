"""
What the fronts share: remotes, the connection that is kept for a run, files, the version.
"""

import re
import threading

import pytest
from lxdapi import local_files
from lxdapi.errors import APINotTrustedException, InvalidError, LxdapiError
from lxdapi.minion import connection, state
from lxdapi.version import VERSION
from salt.exceptions import MinionError

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
def there(tmp_path):
    """A daemon that has whatever it is asked for: its socket."""
    with running(Server(unix_listener(tmp_path / "s"))):
        yield str(tmp_path / "s")


def test_remote_named_local_is_the_local_daemon(there):
    assert asked({"local": "/run/l.socket"}).endpoint.endswith("%2Frun%2Fl.socket")
    assert asked({"local": {"endpoint": there, "project": "p"}}).project == "p"


def test_a_remote_has_its_settings(there):
    settings = {"endpoint": there, "project": "p", "timeout": 5, "wait_timeout": 6, "debug": True}
    api = asked({"x": settings}, remote="x")
    assert (api.project, api.timeout, api.wait_timeout, api.debug) == ("p", 5, 6, True)
    api.session.close()
    assert asked({"x": settings}, remote="x", project="q").project == "q"


def test_unknown_remote_error_lists_remotes():
    with pytest.raises(InvalidError, match="remote 'z' .* there are: x, y"):
        asked({"y": "/y", "x": "/x"}, remote="z")
    with pytest.raises(InvalidError, match="there are: none"):
        asked(None, remote="z")


def test_unknown_setting_error_lists_settings():
    with pytest.raises(InvalidError, match="remote 'x': unknown setting endpont; there are: .*endpoint"):
        asked({"x": {"endpont": "/x"}}, remote="x")


@pytest.mark.parametrize("settings", [5, None, ["/x"], {"endpoint": 5}])
def test_invalid_remote_is_refused(settings):
    with pytest.raises(InvalidError):
        asked({"x": settings}, remote="x")


def test_connection_is_cached_by_remote_and_project(there):
    remotes, context = {"x": there, "y": "/y"}, {}
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
        (None, "without certificate"),
    ):
        key = {"cert": cert, "key": ours.key} if cert else {}
        with tls_server(theirs, ours, lambda connection: connection.sendall(head + body)) as server:
            remote = {"endpoint": server.url, "fingerprint": theirs.fingerprint, **key}
            context = {}
            with pytest.raises(APINotTrustedException, match=words):
                asked({"x": remote}, context, remote="x")
        assert context == {}, "what does not work is not kept"


@pytest.fixture
def front(tmp_path):
    """The globals of a state beside execution modules of some version."""

    def make(version):
        (tmp_path / "modules").mkdir(exist_ok=True)
        (tmp_path / "modules" / "lxdapi.py").write_text(f'__version__ = "{version}"\n')
        return {
            "__file__": str(tmp_path / "states" / "lxdapi_profile.py"),
            "__salt__": {"config.get": lambda key, default: default},
            "__context__": {},
        }

    return make


def test_fronts_of_another_version_are_refused(front):
    connection.require_one_version(front(VERSION))
    with pytest.raises(InvalidError, match=f"lxdapi 0.0.0 .*library of lxdapi {re.escape(VERSION)} .*run salt-ssh -t"):
        connection.require_one_version(front("0.0.0"))
    with pytest.raises(InvalidError, match="lxdapi 0.0.0"):
        connection.connect(front("0.0.0"))
    ret = state.absent({**front("0.0.0"), "__opts__": {"test": False}}, "profile", "web")
    assert (ret["result"], ret["name"]) == (False, "web") and "lxdapi 0.0.0" in ret["comment"]


def test_fronts_without_a_version_are_not_refused(tmp_path):
    connection.require_one_version({})
    connection.require_one_version({"__file__": str(tmp_path / "states" / "x.py")})


def test_local_path_is_used_directly_and_urls_are_fetched():
    fetched = []

    def cache_file(source, saltenv, **options):
        fetched.append((source, saltenv, options))
        return "/cache/x"

    assert local_files.local_file(cache_file, "/srv/x.tar") == "/srv/x.tar" and fetched == []
    assert local_files.local_file(cache_file, "salt://x.tar", "dev") == "/cache/x"
    assert local_files.local_file(cache_file, "https://h/x.tar") == "/cache/x"
    assert fetched == [("salt://x.tar", "dev", {}), ("https://h/x.tar", "base", {"use_etag": True})]


def failing(*args, **kwargs):
    raise MinionError("HTTP 404")


@pytest.mark.parametrize("cache_file", [lambda *a, **k: "", lambda *a, **k: False, failing])
def test_failed_fetch_names_the_source(cache_file):
    with pytest.raises(LxdapiError, match="salt://x.tar cannot be fetched"):
        local_files.local_file(cache_file, "salt://x.tar")
