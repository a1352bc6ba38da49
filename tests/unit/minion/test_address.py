"""
Connections to an address, as the front of the drop-in makes them.
"""

import os

import pytest
from lxdapi.errors import InvalidError
from lxdapi.minion import connection, remotes

URL = "https://host:8443"


def connected(address, settings=None, **options):
    """Return the API of an address."""
    names = {"__salt__": {"config.get": lambda key, default: (settings or {}).get(key, default)}, "__context__": {}}
    return connection.connect_to(names, address, **options)


@pytest.mark.parametrize("address", [None, "", remotes.LOCAL_ADDRESS])
def test_no_address_means_the_local_daemon(address):
    api = connected(address, {"lxdapi:remotes": {"local": "/run/l.socket"}})
    assert api.endpoint.endswith("%2Frun%2Fl.socket")


def test_path_is_that_of_a_socket():
    assert connected("/run/x.socket", cert="/a", key="/b").endpoint.endswith("%2Frun%2Fx.socket")


def test_paths_of_files_may_begin_with_a_tilde():
    home = os.path.expanduser("~")
    settings = remotes.settings_of_address(URL, "~/c.crt", "~/c.key", "~/ca.crt")
    paths = {"cert": f"{home}/c.crt", "key": f"{home}/c.key", "verify": f"{home}/ca.crt"}
    assert settings == {"endpoint": URL, **paths}
    assert remotes.settings_of_address(URL, "c", "k", False)["verify"] is False


@pytest.mark.parametrize("files", [(None, None), ("c", None), (None, "k")])
def test_url_requires_certificate_and_key(files):
    with pytest.raises(InvalidError, match="requires cert and key"):
        remotes.settings_of_address(URL, *files)
    with pytest.raises(InvalidError, match="expected the path of a socket"):
        remotes.settings_of_address(5, *files)
