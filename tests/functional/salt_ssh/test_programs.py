"""
The programs ssh and scp, which run commands and write files in instances.
"""

import json
import os
import subprocess

import pytest
from lxdapi.salt_ssh import hosts, programs


@pytest.fixture
def run(daemon, c1, tmp_path):
    """Return a function that runs one of the programs, and returns (exit code, output, error output)."""
    programs.write(str(tmp_path / "bin"))
    remotes = json.dumps([{"endpoint": str(daemon.socket)}])
    environment = {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", hosts.REMOTES: remotes}

    def run(*command, data=b""):
        done = subprocess.run(command, input=data, env=environment, capture_output=True, timeout=60)
        return done.returncode, done.stdout, done.stderr

    return run


HOST = "c1.default.0.lxdapi"


@pytest.mark.mainly("lxd")
def test_ssh_passes_input_output_and_exit_code(run, daemon):
    command = ["-t", "-o", "User=root", "cat; echo $HOME >&2;", "exit", "3"]
    assert run("ssh", HOST, *command, data=b"\x00in\xff" * 50000) == (3, b"\x00in\xff" * 50000, b"/root\n")
    assert run("ssh", HOST, "command -v scp") == (0, b"/run/lxdapi/bin/scp\n", b"")
    assert run("ssh", HOST, "kill -9 $$")[0] == 137
    daemon.ask("PUT", "/1.0/instances/c1/state", {"action": "stop", "force": True})
    for host, reason in ((HOST, b"not running"), ("c2.default.0.lxdapi", b"not found")):
        code, out, error = run("ssh", host, "ls")
        assert (code, out, error[:5]) == (255, b"", b"ssh: ") and reason in error, error


@pytest.mark.mainly("incus7")
def test_scp_writes_a_whole_file_that_only_root_reads(run, tmp_path, inside):
    data = os.urandom(3 << 20)
    (tmp_path / "data").write_bytes(data)
    assert run("scp", "-o", "User=root", tmp_path / "data", f"{HOST}:/root/a b") == (0, b"", b"")
    assert inside("c1", "stat -c '%a %s' '/root/a b'; ls /root") == f"600 {len(data)}\na b\n"
    code, _, error = run("scp", tmp_path / "data", f"{HOST}:/none/data")
    assert code == 1 and b"/none/data" in error
