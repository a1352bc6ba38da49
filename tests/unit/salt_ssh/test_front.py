"""
The programs ssh and scp: how they read a command line, and how they pass it on to the next program on PATH.
"""

import subprocess

import pytest
from lxdapi.salt_ssh import front, programs

SSH, SCP = "BbcDEeFIiJLlmOopQRSWw", "cDFiJloPSX"


@pytest.mark.parametrize(
    "arguments, letters, rest",
    [
        (["host", "-t", "command"], SSH, ["host", "-t", "command"]),
        (["-o", "User=root", "-oPort=22", "-4", "host"], SSH, ["host"]),
        (["-t", "-t", "-R", "1:a:2", "ls"], SSH, ["ls"]),
        (["-vp", "22", "host"], SSH, ["host"]),
        (["-p22", "host"], SSH, ["host"]),
        (["--", "-o"], SSH, ["-o"]),
        (["-P", "22", "-r", "a", "host:b"], SCP, ["a", "host:b"]),
        (["-o"], SSH, []),
        ([], SSH, []),
    ],
)
def test_options_and_their_values_are_skipped(arguments, letters, rest):
    assert front.skip_options(arguments, letters) == rest


@pytest.fixture
def path(tmp_path):
    """PATH with a folder of the programs and one of other programs, which print their arguments."""
    others = tmp_path / "others"
    others.mkdir()
    for name in programs.NAMES:
        (others / name).write_text(f'#!/bin/sh\necho the other {name}: "$@"\n')
        (others / name).chmod(0o755)
    programs.write(str(tmp_path / "own"))
    return f"{tmp_path / 'own'}:{others}:/usr/bin:/bin"


def run(path, *command, **environment):
    """Return (exit code, output, error output) of a program."""
    environment = {"PATH": path, **environment}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    "command",
    [
        "ssh web1 -o User=root ls",
        "ssh web1.lxdapi.example.com ls",
        "ssh -V",
        "ssh",
        "ssh web1.lxdapi",
        "scp a web1:b",
        "scp web1.0.lxdapi:a b",
        "scp -r a b web1.lxdapi:",
        "scp",
    ],
)
def test_other_command_lines_go_on_to_the_next_program(path, command):
    program, *arguments = command.split()
    assert run(path, program, *arguments) == (0, f"the other {' '.join([f'{program}:', *arguments])}\n", "")


def test_failure_is_reported_as_one_of_ssh(path, tmp_path):
    remotes = f'[{{"endpoint": "{tmp_path}/none.socket"}}]'
    code, out, error = run(path, "ssh", "web1.default.0.lxdapi", "-o", "User=root", "ls", LXDAPI_SSH_REMOTES=remotes)
    assert (code, out) == (255, "") and error.startswith("ssh: ") and f"{tmp_path}/none.socket" in error
    code, out, error = run(path, "ssh", "web1.default.1.lxdapi", "ls", LXDAPI_SSH_REMOTES=remotes)
    assert (code, error) == (
        255,
        "ssh: web1.default.1.lxdapi is a host of the roster lxdapi: use it with salt-ssh --roster=lxdapi\n",
    )


def test_without_another_program_the_error_says_so(path):
    code, out, error = run(path.partition(":")[0], "/bin/sh", "-c", 'exec ssh "$@"', "sh", "web1", "ls")
    assert (code, out) == (1, "") and "PATH has no other ssh" in error
