"""
The package installed by pip: alone, beside other extensions of Salt, and in addition to synced modules.
"""

import json
import sys

import pytest
from salt.version import __version__ as SALT

from tests.support import foreign_extension as extension
from tests.support import pip_install as environments
from tests.support.documentation import code_blocks
from tests.support.salt_commands import REPO, VENVS, run, this_environment

# The classes that the earlier lxdapi had in the same place.
SEED = "from lxdapi.api import API, APIException, APINotFoundException, APIResult\n"
TARGETS = """
import json, salt.config, salt.loader
opts = salt.config.minion_config(None)
opts["proxy"] = {"proxytype": "lxdapi"}
found = {"lxdapi.init": salt.loader.proxy(opts), "lxdapi_guard.execute": salt.loader.executors(opts)}
if hasattr(salt.loader, "resource"):
    found["lxdapi.discover"] = salt.loader.resource(opts)
    found["state.apply"] = salt.loader.resource_modules(opts, "lxdapi")
print(json.dumps({name: name in functions for name, functions in found.items()}))
"""
SENT = "import json, salt.utils.thin as thin; print(json.dumps(thin._discover_saltexts()))"


@pytest.fixture(scope="module")
def installed(make_installed):
    """A Salt that has the modules by pip only."""
    return make_installed()


@pytest.mark.mainly("incus")
def test_web_server_lives_with_pip_package(installed, life):
    web = life(installed.applied)
    web.begins()
    web.ends()


@pytest.mark.mainly("incus7")
def test_functions_of_the_package_are_found_and_documented(installed, daemon):
    found = installed.call("lxdapi.server", f"remote={daemon.name}").result()
    assert found["server"] == daemon.server
    assert "lxdapi_instance.start" in installed.call("sys.doc", "lxdapi_instance").result()
    assert f"{daemon.server} " in installed.shown("lxdapi.status", f"remote={daemon.name}").stdout.splitlines()[0]


def test_what_makes_instances_targets_is_in_the_package(installed):
    found = run([installed.python, "-c", TARGETS], 60).succeeded().parsed()
    assert found == dict.fromkeys(found, True) and len(found) == (4 if SALT.startswith("3008.") else 2)


def test_the_same_version_by_pip_and_by_sync_works(make_installed, a_remote):
    salt = make_installed()
    salt.sync()
    assert salt.call("lxdapi.list", "profile", a_remote).result() == ["default"]


def test_mixed_versions_by_pip_and_sync_are_refused(make_installed, a_remote):
    salt = make_installed(version="0.0.1")
    assert salt.call("lxdapi.list", "profile", a_remote).result() == ["default"]
    salt.sync()
    said = salt.call("lxdapi.list", "profile", a_remote)
    assert said.status != 0
    for words in ("with the library of lxdapi 0.0.1", "by pip and by saltutil.sync_all: remove one"):
        assert words in said.stderr


@pytest.mark.parametrize("way", ["pip", "checkout"])
def test_the_documented_python_needs_no_minion(way, installed, daemon, imported):
    program = SEED + code_blocks("docs/reference/python", "In Python", "python")[0]
    python = {"pip": installed.python, "checkout": sys.executable}[way]
    path = {"pip": {}, "checkout": {"PYTHONPATH": str(REPO / "_utils")}}[way]
    said = run([python, "-c", program], 60, LXD_SOCKET=daemon.socket, **path)
    assert said.succeeded().stdout == "Running\n"


@pytest.mark.parametrize("own_namespace", [False, True], ids=["namespace package", "saltext/__init__.py"])
def test_other_extension_still_works(own_namespace, make_ssh, a_remote, tmp_path):
    salt = make_ssh(SALT, "pip", beside=[extension.sources(tmp_path / "foreign", own_namespace)])
    assert salt.call("foreign.answer").result() == 42
    assert "lxdapi_trust.fingerprint" in salt.call("sys.list_functions", "lxdapi_trust").result()
    assert salt.ssh("foreign.answer").result() == 42
    assert salt.ssh("lxdapi.list", "profile", a_remote).result() == ["default"]


def test_salt_ssh_of_salt_3008_finds_all_that_it_has_to_send(make_wheel, tmp_path):
    venv = this_environment() if SALT.startswith("3008.") else VENVS["3008.3"]
    foreign = extension.sources(tmp_path / "foreign", own_namespace=False)
    python = environments.environment(tmp_path / "venv", venv, make_wheel(), foreign)
    packages, extensions = json.loads(run([python, "-c", SENT], 60).succeeded().stdout)
    sent = {(folder.rpartition("/")[2], *namespace) for folder, namespace in packages}
    assert {("lxdapi",), ("requests_unixsocket",), ("websocket",), ("foreign", "saltext")} <= sent
    assert {"saltext.lxdapi", "saltext.foreign"} <= set(extensions)
