"""
The search for the daemon.
"""

import logging

import pytest
from lxdapi.errors import EndpointError, InvalidError
from lxdapi.http import endpoints

from tests.support.tiny_servers import unix_listener


def url(path):
    """Return the base URL for the path of a socket."""
    return "http+unix://" + str(path).replace("/", "%2F")


@pytest.mark.parametrize(
    "given, found",
    [
        ("/run/incus/unix.socket", "http+unix://%2Frun%2Fincus%2Funix.socket"),
        ("/a b/ü", "http+unix://%2Fa%20b%2F%C3%BC"),
        ("http+unix://%2Frun%2Fx.socket", "http+unix://%2Frun%2Fx.socket"),
        ("http+unix://%2Frun%2Fx.socket/1.0", "http+unix://%2Frun%2Fx.socket"),
        ("http+unix:///run/x.socket", "http+unix://%2Frun%2Fx.socket"),
        ("unix:/run/x.socket", "http+unix://%2Frun%2Fx.socket"),
        ("unix:///run/x.socket", "http+unix://%2Frun%2Fx.socket"),
        ("https://host", "https://host:8443"),
        ("https://host/", "https://host:8443"),
        ("https://HOST:443", "https://host:443"),
        ("https://[::1]", "https://[::1]:8443"),
        ("https://[::1]:9000/", "https://[::1]:9000"),
        ("http://host", "http://host:80"),
        ("http://host:8080", "http://host:8080"),
    ],
)
def test_an_endpoint_is_a_path_or_an_url(given, found):
    assert endpoints.find(given) == endpoints.base_url(given) == found


@pytest.mark.parametrize(
    "given",
    [
        "host",
        "host:8443",
        "run/x.socket",
        "ftp://host",
        "https://",
        "https://:8443",
        "https://user:pAsS@host",
        "https://:pAsS@host",
        "https://host:port",
        "https://host:99999",
        "https://[::1",
        "unix:",
        "unix://",
        "http+unix://",
        5,
        ["/run/x.socket"],
    ],
)
def test_invalid_endpoint_is_refused(given):
    with pytest.raises(InvalidError, match="endpoint") as caught:
        endpoints.find(given)
    assert "pAsS" not in str(caught.value)


@pytest.mark.parametrize(
    "environ, found",
    [
        ({"INCUS_SOCKET": "/i.socket"}, "/i.socket"),
        ({"INCUS_DIR": "/i"}, "/i/unix.socket"),
        ({"LXD_SOCKET": "/l.socket"}, "/l.socket"),
        ({"LXD_DIR": "/l"}, "/l/unix.socket"),
        ({"INCUS_SOCKET": "/i.socket", "INCUS_DIR": "/i"}, "/i.socket"),
        ({"LXD_SOCKET": "/l.socket", "LXD_DIR": "/l"}, "/l.socket"),
        ({"LXD_SOCKET": "", "LXD_DIR": "/l", "INCUS_DIR": ""}, "/l/unix.socket"),
    ],
)
def test_the_environment_names_the_socket(environ, found, monkeypatch):
    assert endpoints.find(environ=environ) == url(found)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert endpoints.find() == url(found), "the process's own environment is what is asked by default"


@pytest.mark.parametrize("variable", ["INCUS_SOCKET", "INCUS_DIR", "LXD_SOCKET", "LXD_DIR"])
def test_a_socket_of_the_environment_is_logged_with_its_variable(variable, caplog):
    with caplog.at_level(logging.INFO):
        endpoints.find(environ={variable: "/tmp/theirs"})
        endpoints.find("/run/ours", environ={variable: "/tmp/theirs"})
    (record,) = caplog.records
    assert record.levelname == "INFO"
    assert "/tmp/theirs" in record.message and record.message.endswith(f"environment variable {variable}")


@pytest.mark.parametrize("incus", ["INCUS_SOCKET", "INCUS_DIR"])
@pytest.mark.parametrize("lxd", ["LXD_SOCKET", "LXD_DIR"])
def test_an_environment_that_names_two_daemons_decides_nothing(incus, lxd):
    with pytest.raises(EndpointError) as caught:
        endpoints.find(environ={incus: "/one", lxd: "/two"})
    for word in (incus, lxd, "/one", "/two"):
        assert word in str(caught.value)


def test_explicit_endpoint_wins_over_environment():
    environ = {"INCUS_SOCKET": "/i", "LXD_SOCKET": "/l"}
    assert endpoints.find("/x.socket", environ) == url("/x.socket")


def test_the_well_known_sockets_are_those_of_the_vendors():
    paths = [path for _, _, _, known in endpoints.LOCAL for path in known]
    assert paths == [
        "/run/incus/unix.socket",
        "/var/lib/incus/unix.socket",
        "/var/snap/lxd/common/lxd/unix.socket",
        "/var/lib/lxd/unix.socket",
    ]


@pytest.fixture
def known(tmp_path, monkeypatch):
    """The well-known sockets, two of each daemon, in the folder of the test; none exists yet."""
    paths = {name: tmp_path / name for name in ("incus1", "incus2", "lxd1", "lxd2")}
    moved = [
        (daemon, by_socket, by_dir, (str(paths[daemon + "1"]), str(paths[daemon + "2"])))
        for daemon, by_socket, by_dir, _ in endpoints.LOCAL
    ]
    monkeypatch.setattr(endpoints, "LOCAL", tuple(moved))
    return paths


@pytest.fixture
def listen(known):
    """Return a function that listens on these well-known sockets until the end of the test."""
    listeners = []

    def start(*names):
        listeners.extend(unix_listener(known[name]) for name in names)

    yield start
    for listener in listeners:
        listener.close()


@pytest.mark.parametrize(
    "listening, found",
    [
        (["incus1"], "incus1"),
        (["incus2"], "incus2"),
        (["lxd1"], "lxd1"),
        (["lxd2"], "lxd2"),
        (["incus2", "incus1"], "incus1"),
        (["lxd2", "lxd1"], "lxd1"),
    ],
)
def test_the_first_well_known_socket_that_accepts_is_the_daemon(known, listen, listening, found):
    listen(*listening)
    assert endpoints.find() == url(known[found])


def test_a_socket_that_a_dead_daemon_left_is_no_daemon(known, listen):
    listen("incus2", "lxd1")
    unix_listener(known["incus1"]).close()
    known["lxd2"].mkdir()
    with pytest.raises(EndpointError, match="two daemons") as caught:
        endpoints.find()
    assert str(known["incus2"]) in str(caught.value) and str(known["incus1"]) not in str(caught.value)


def test_two_daemons_without_a_choice_are_an_error_naming_both(known, listen):
    listen("incus1", "lxd2")
    with pytest.raises(EndpointError) as caught:
        endpoints.find()
    for word in ("incus at " + str(known["incus1"]), "lxd at " + str(known["lxd2"]), "lxdapi:remotes"):
        assert word in str(caught.value)


def test_the_environment_decides_between_two_daemons(known, listen):
    listen("incus1", "lxd1")
    assert endpoints.find(environ={"LXD_SOCKET": str(known["lxd1"])}) == url(known["lxd1"])


def test_missing_daemon_error_lists_sockets_and_reasons(known):
    unix_listener(known["lxd1"]).close()
    with pytest.raises(EndpointError) as caught:
        endpoints.find()
    for path in known.values():
        assert str(path) in str(caught.value)
    assert f"{known['incus1']} (No such file" in str(caught.value)
    assert f"{known['lxd1']} (Connection refused" in str(caught.value)


def test_an_empty_environment_is_an_environment(known, monkeypatch):
    monkeypatch.setenv("INCUS_SOCKET", "/run/real.socket")
    with pytest.raises(EndpointError, match="no LXD or Incus"):
        endpoints.find(environ={})
