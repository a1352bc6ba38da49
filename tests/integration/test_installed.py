"""
The package installed by pip, and what happens when the modules are synced besides.
"""

import pytest


@pytest.fixture(scope="module")
def installed(make_installed):
    """A Salt that has our modules by pip only."""
    return make_installed()


def test_a_web_server_lives_as_declared_with_the_package_installed_by_pip(installed, life):
    web = life(installed.applied)
    web.begins()
    web.ends()


def test_functions_of_the_package_are_found_and_documented(installed, daemon):
    found = installed.call("lxdapi.server", f"remote={daemon.name}").result()
    assert found["server"] == daemon.server
    assert "lxdapi_instance.start" in installed.call("sys.doc", "lxdapi_instance").result()
    assert f"{daemon.server} " in installed.shown("lxdapi.status", f"remote={daemon.name}").stdout.splitlines()[0]


def test_the_same_version_by_pip_and_by_sync_works(make_installed, a_remote):
    salt = make_installed()
    salt.sync()
    assert salt.call("lxdapi.list", "profile", a_remote).result() == ["default"]


def test_two_versions_by_pip_and_by_sync_are_refused_and_both_are_named(make_installed, a_remote):
    salt = make_installed(version="0.0.1")
    assert salt.call("lxdapi.list", "profile", a_remote).result() == ["default"]
    salt.sync()
    said = salt.call("lxdapi.list", "profile", a_remote)
    assert said.status != 0
    for words in ("with the library of lxdapi 0.0.1", "by pip and by saltutil.sync_all; keep one"):
        assert words in said.stderr
