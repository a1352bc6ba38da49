"""
The drop-in as users add it: as another entry of file_roots, on the versions of Salt with and without modules of the
same names, and by pip.
"""

import shutil

import pytest

from tests.support.distribution import IGNORED
from tests.support.loader import DROPIN
from tests.support.salt_commands import REPO, VENVS, this_environment

# An SLS for the removed states, which calls their functions.
SLS = """
{% set names = salt['lxd.profile_list'](True) %}
{{ names | join('-') }}-{{ salt['sys.list_functions']('lxd') | length }}:
  lxd_profile.present:
    - config:
      - key: user.a
        value: {{ salt['sys.argspec']('lxd.container_get')['lxd.container_get']['defaults'] | length }}
"""


@pytest.fixture(scope="module")
def local(remotes):
    """The settings with one of the daemons as the local one."""
    return {"remotes": {"local": next(iter(remotes.values()))}}


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A folder behind ``salt://`` with an SLS for the removed states."""
    folder = tmp_path_factory.mktemp("tree")
    (folder / "old.sls").write_text(SLS)
    return folder


def prove(salt):
    """Check that functions and states are those of the drop-in."""
    (answer,) = salt.call("state.apply", "old", "test=true").result().values()
    assert answer["changes"] == {"created": 'Would create the profile "default-55"'}
    assert answer["comment"] == "profile default-55 would be created"


# By default the version that has modules of the same names.
VERSIONS = [each if each[:4] == "3007" else pytest.param(each, marks=pytest.mark.long) for each in ("this", *VENVS)]


@pytest.mark.parametrize("version", VERSIONS)
def test_drop_in_is_synced_from_another_root(version, make_salt, local, tree):
    salt = make_salt("dropin", VENVS.get(version) or this_environment(), roots=[tree, REPO, DROPIN], lxdapi=local)
    assert "modules.lxd" in salt.sync()["modules"]
    prove(salt)


@pytest.mark.long
def test_drop_in_is_a_package_of_its_own(make_installed, local, tree, tmp_path):
    # setuptools builds in place
    sources = shutil.copytree(DROPIN, tmp_path / "dropin", ignore=shutil.ignore_patterns(*IGNORED))
    prove(make_installed(beside=[sources], roots=[tree], lxdapi=local))
