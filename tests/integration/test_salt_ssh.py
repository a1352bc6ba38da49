"""
salt-ssh to a target that has nothing but sshd, the system's python3 and the daemon's socket.
"""

import pytest
import ssh_target
from salt.version import __version__ as SALT
from salt_commands import REPO


@pytest.fixture(scope="module")
def salt(make_ssh):
    """The Salt of this environment, with what its version needs for salt-ssh."""
    return make_ssh(SALT)


def test_a_web_server_is_as_declared_on_a_target_of_salt_ssh(salt, life):
    life(salt.applied_by_ssh).begins()


def test_functions_answer_on_a_target_of_salt_ssh(salt, daemon, imported):
    assert salt.ssh("lxdapi.list", "image", f"remote={daemon.name}").result() == [imported]


def test_a_command_runs_inside_an_instance_from_a_target_of_salt_ssh(salt, daemon, imported):
    daemon.ask("POST", "/1.0/instances", {"name": "c1", "source": {"type": "image", "alias": "busybox"}})
    daemon.ask("PUT", "/1.0/instances/c1/state", {"action": "start"})
    assert salt.ssh("lxdapi_instance.run", "c1", "cat", "stdin=in", f"remote={daemon.name}").result() == "in"


def test_without_the_settings_the_message_names_what_is_missing(make_salt, sshd, a_remote, remotes, tmp_path):
    bare = make_salt("bare", lxdapi={})
    bare.write("roster", {"target": sshd.target(tmp_path / "thin", remotes)})
    said = bare.ssh("lxdapi.list", "image", a_remote)
    assert said.status != 0
    assert "it needs requests and requests-unixsocket" in said.stdout + said.stderr


@pytest.mark.parametrize("release", ["3007", "3008"])
def test_the_settings_in_the_readme_are_those_that_the_tests_use(release):
    setting = f"thin_extra_mods: {ssh_target.settings(release)['thin_extra_mods']}"
    assert setting in (REPO / "README.rst").read_text()
