"""
salt-ssh to a target that has only sshd, the system's python3 and the socket of the daemon, and to instances.
"""

import shutil

import pytest
from salt.version import __version__ as SALT

from tests.support.ssh_instances import SshGuide
from tests.support.web_server_life import prove_single_calls


@pytest.fixture(scope="module")
def salt(make_ssh):
    """The Salt of this environment, with the package."""
    return make_ssh(SALT, "pip")


@pytest.fixture(scope="module")
def from_checkout(make_ssh):
    """The same with a checkout instead of the package."""
    return make_ssh(SALT, "checkout")


@pytest.mark.mainly("incus")
def test_a_web_server_is_as_declared_on_a_target_of_salt_ssh(salt, life):
    life(salt.applied_by_ssh).begins()


@pytest.mark.mainly("lxd")
def test_a_web_server_is_as_declared_by_salt_ssh_from_a_checkout(from_checkout, life):
    life(from_checkout.applied_by_ssh).begins()


@pytest.mark.mainly("incus7")
def test_single_calls_work_by_salt_ssh_from_checkout(from_checkout, daemon):
    prove_single_calls(from_checkout, daemon)


@pytest.mark.mainly("lxd")
def test_a_single_state_works_on_a_target_of_salt_ssh(salt, daemon):
    prove_single_calls(salt, daemon)


def test_functions_answer_on_a_target_of_salt_ssh(salt, daemon, imported):
    assert salt.ssh("lxdapi.list", "image", f"remote={daemon.name}").result() == [imported]


def test_exec_works_on_a_salt_ssh_target(salt, daemon, imported):
    daemon.ask("POST", "/1.0/instances", {"name": "c1", "source": {"type": "image", "alias": "busybox"}})
    daemon.ask("PUT", "/1.0/instances/c1/state", {"action": "start"})
    assert salt.ssh("lxdapi_instance.run", "c1", "cat", "stdin=in", f"remote={daemon.name}").result() == "in"


def test_missing_settings_are_named(make_salt, sshd, a_remote, remotes, tmp_path):
    bare = make_salt("bare", lxdapi={})
    bare.write("roster", {"target": sshd.target(tmp_path / "thin", remotes)})
    said = bare.ssh("lxdapi.list", "image", a_remote)
    assert said.status != 0
    assert "over salt-ssh add lxdapi to thin_extra_mods and run salt-ssh -t" in said.stdout + said.stderr


@pytest.fixture
def guide(salt, daemon, python_imported, roots, tmp_path):
    """The guide to salt-ssh with instances."""
    return SshGuide(salt, daemon, roots[1:], tmp_path)


@pytest.mark.mainly("incus")
def test_instances_without_sshd_are_targets_of_salt_ssh(salt, guide):
    shutil.copy(salt.folder / "roster", guide.salt.folder)
    guide.follow("flat,lxdapi", ["target"])
