"""
A short pass on each other Salt version: synced without a master, and by salt-ssh.

LXDAPI_SALT_VENVS has them, made by ./test: ``3006.28=/path/to/venv,3007.15=/path/to/venv``.
"""

import os

import pytest

VARIABLE = "LXDAPI_SALT_VENVS"
VENVS = dict(pair.split("=", 1) for pair in os.environ.get(VARIABLE, "").split(",") if pair)

pytestmark = pytest.mark.salt_versions


@pytest.fixture(scope="module", params=list(VENVS) or [None], ids=lambda version: version or "none")
def version(request):
    """A version of Salt that is in LXDAPI_SALT_VENVS."""
    if request.param is None:
        pytest.fail(f"{VARIABLE} is not set; run ./test, or leave them out with -m 'not salt_versions'")
    return request.param


@pytest.fixture(scope="module")
def synced(version, make_salt):
    """A Salt of this version whose cache has our modules."""
    salt = make_salt(f"synced-{version}", VENVS[version])
    assert salt.call("test.version").result() == version
    salt.sync()
    return salt


@pytest.fixture(scope="module")
def by_ssh(version, make_ssh):
    """A Salt of this version, with what it needs for salt-ssh."""
    return make_ssh(version, VENVS[version])


def test_a_web_server_lives_as_declared_with_another_salt(synced, life):
    web = life(synced.applied)
    web.begins()
    web.ends()


def test_a_web_server_is_made_by_the_salt_ssh_of_another_salt(by_ssh, life):
    assert set(life(by_ssh.applied_by_ssh).changes("web")) == {"busybox", "web", "web1"}
