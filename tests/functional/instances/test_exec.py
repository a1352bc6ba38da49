"""
Commands inside an instance.
"""

import base64
import hashlib
import threading

import pytest
from salt.exceptions import CommandExecutionError

from tests.support.daemons import until

ALL_BYTES = bytes(range(256)) * 12000  # 3 MB


@pytest.fixture
def run(salt, c1):
    """Run a command in the container: ``exec`` of the module, or another function of it."""

    def called(command, function="exec", **arguments):
        return salt.modules[f"lxdapi_instance.{function}"](c1, command, **arguments)

    return called


@pytest.fixture
def refused(run):
    """Return the error of a command that did not run."""

    def called(command, **arguments):
        with pytest.raises(CommandExecutionError) as caught:
            run(command, **arguments)
        return str(caught.value)

    return called


def test_exit_codes_are_the_same_on_every_daemon(run, refused, proxy):
    codes = {"exit 3": 3, "kill -9 $$": 137, "kill -15 $$": 143, "nowhere": 127, "/etc/passwd": 126, "exit 255": 255}
    assert {command: run(command, "retcode") for command in codes} == codes
    assert run(["/nowhere"]) == {"retcode": 127, "stdout": "", "stderr": "Command not found\n"}
    assert run(["/etc/passwd"]) == {"retcode": 126, "stdout": "", "stderr": "Command not executable\n"}
    proxy.clear()
    for nothing in ("", " ", [], [""], None, 3, ["a", None], {"a": 1}):
        assert "command" in refused(nothing)
    assert proxy.requests() == []


@pytest.mark.mainly("incus")
def test_megabytes_of_any_bytes_come_intact(run):
    made = run("head -c 4000000 /dev/urandom > /tmp/x; sha1sum /tmp/x | cut -c1-40 >&2; cat /tmp/x", binary=True)
    digest = base64.b64decode(made["stderr"]).decode().strip()
    assert hashlib.sha1(base64.b64decode(made["stdout"]), usedforsecurity=False).hexdigest() == digest
    assert run(["printf", "\\377\\000\\n\\n"], binary=True)["stdout"] == base64.b64encode(b"\xff\0\n\n").decode()
    assert run(["printf", "\\377a\\n\\n"])["stdout"] == "�a\n\n"
    assert run(["printf", "\\377a\\n\\n"], "run_stdout") == "�a"
    assert run(["/nowhere"], "retcode") == 127


@pytest.mark.mainly("lxd")
def test_list_arguments_are_literal_and_text_runs_in_a_shell(run):
    words = ["$(id)", ";id", "\"'", "a\nb", "*", "", " "]
    assert run(["printf", "%s|", *words], "run_stdout") == "|".join([*words, ""])
    assert run(["echo", 5, True], "run_stdout") == "5 true"
    assert run("echo $((2 + 3)); exit 1", "run_all") == {"retcode": 1, "stdout": "5", "stderr": ""}


@pytest.mark.mainly("incus7")
def test_output_is_ordered_or_split_by_stream(run):
    command = "echo a; sleep 0.1; echo b >&2; sleep 0.1; echo c"
    assert run(command, "run") == "a\nb\nc"
    assert run(command, "run_stderr") == "b"


@pytest.mark.mainly("incus7")
def test_stdin_of_any_size_and_kind_is_passed(run):
    assert base64.b64decode(run(["cat"], stdin=ALL_BYTES, binary=True)["stdout"]) == ALL_BYTES
    assert run("cat; echo; cat | wc -c", "run_stdout", stdin="hé") == "hé\n0"
    assert run("sleep 0.2; exit 4", "retcode", stdin=ALL_BYTES) == 4
    assert run("cat", "run_stdout") == ""


@pytest.mark.mainly("lxd")
def test_command_runs_as_user_in_directory(run):
    assert run("id -u; id -g; pwd; echo $HOME $USER", "run_stdout") == "0\n0\n/root\n/root root"
    assert run("id -u; id -g; echo $HOME $USER", "run_stdout", user="nobody") == "65534\n65534\n/ nobody"
    assert run("id -u; id -g", "run_stdout", user="65534", group="root") == "65534\n0"
    assert run("id -u; id -g", "run_stdout", user=1234, group=99) == "1234\n99"
    assert run("ln -s /var/log /mnt/a && ln -s a /mnt/b", "retcode") == 0
    assert run("pwd -P", "run_stdout", cwd="/mnt/b") == "/var/log"
    env = [{"A": "$(id)\nb", "N": 5}, {"E": ""}]
    assert run('echo "$A|$N|$E|$HOME"', "run_stdout", env=env) == "$(id)\nb|5||/root"


@pytest.mark.parametrize(
    "arguments, words",
    [
        ({"user": "bob"}, "user 'bob' not found in /etc/passwd of the instance"),
        ({"group": "bobs"}, "group 'bobs' not found in /etc/group of the instance"),
        ({"cwd": "/nowhere"}, "cwd: expected a directory, but /nowhere does not exist"),
        ({"cwd": "/etc/passwd"}, "cwd: expected a directory, but /etc/passwd is a file"),
    ],
)
@pytest.mark.mainly("incus")
def test_unknown_user_or_directory_is_refused_before_exec(refused, raw, proxy, arguments, words):
    assert words in refused("true", **arguments)
    assert proxy.writes() == []


@pytest.mark.mainly("lxd")
def test_links_in_a_circle_are_no_folder(run, refused):
    assert run("ln -s b /mnt/a; ln -s a /mnt/b; rm /etc/passwd", "retcode") == 0
    assert "cwd: expected a directory, but /mnt/a does not exist" in refused("true", cwd="/mnt/a")
    assert "/etc/passwd" in refused("true", user="bob")
    assert run("id -u", "run_stdout", user=7) == "7"
    assert run(": > /etc/passwd", "retcode") == 0
    assert "user 'bob' not found in /etc/passwd of the instance" in refused("true", user="bob")


@pytest.mark.parametrize(
    "arguments",
    [
        {"env": {"A=B": "1"}},
        {"env": {"": "1"}},
        {"env": {"A\0": "1"}},
        {"env": {"A": 1.5}},
        {"env": "A=1"},
        {"cwd": "tmp"},
        {"cwd": "/a\0b"},
        {"cwd": 5},
        {"user": -1},
        {"user": True},
        {"user": ""},
        {"user": "a:b"},
        {"group": 1.5},
        {"timeout": 0},
        {"timeout": "5"},
        {"timeout": float("inf")},
        {"stdin": 5},
        {"stdin": "\ud800"},
    ],
    ids=str,
)
@pytest.mark.mainly("lxd")
def test_invalid_exec_arguments_are_refused_before_any_request(salt, proxy, arguments):
    with pytest.raises(CommandExecutionError, match=next(iter(arguments))):
        salt.modules["lxdapi_instance.exec"]("c1", "true", **arguments)
    assert proxy.requests() == []


@pytest.mark.mainly("incus")
def test_a_command_that_writes_too_much_is_killed(run, refused, monkeypatch):
    monkeypatch.setattr("lxdapi.instances.exec.MOST_BYTES", 1000000)
    assert len(run("head -c 1000000 /dev/zero", "run_stdout")) == 1000000
    assert "wrote more than 1000000 bytes" in refused("head -c 1100000 /dev/zero; exec sleep 60")
    assert until(lambda: run("ps", "run_stdout").count("sleep 60") == 0, 5)


@pytest.mark.mainly("lxd")
def test_command_over_timeout_is_killed_and_output_reported(run, refused):
    made = run("echo a; exec sleep 60", timeout=0.5)
    assert made == {"retcode": 137, "stdout": "a\n", "stderr": "", "killed": "after 0.5 s"}
    assert run("ps", "run_stdout").count("sleep 60") == 0
    words = "it was killed after 0.3 s; its output was: b"
    assert words in refused("echo b; exec sleep 60", function="run", timeout=0.3)
    assert run("yes", timeout=0.3)["stdout"].startswith("y\ny\n")
    assert run("exit 3", "retcode", timeout=20) == 3


def test_reason_is_reported_where_no_command_can_run(run, refused, daemon, salt):
    daemon.ask("PUT", "/1.0/instances/c1/state", {"action": "freeze"})
    assert "Instance is frozen (" not in refused("true") and "is frozen" in refused("true")
    daemon.ask("PUT", "/1.0/instances/c1/state", {"action": "unfreeze"})
    during = []
    thread = threading.Thread(target=lambda: during.append(run("echo $$ > /tmp/pid; sleep 60", "retcode")))
    thread.start()
    assert until(lambda: run("test -s /tmp/pid", "retcode") == 0, 10)
    daemon.ask("PUT", "/1.0/instances/c1/state", {"action": "stop", "force": True})
    thread.join(20)
    assert during == [137], "a command ends with its instance"
    assert "is not running" in refused("true")
    with pytest.raises(CommandExecutionError, match="not found"):
        salt.modules["lxdapi_instance.exec"]("nowhere", "true")


@pytest.mark.mainly("incus")
def test_command_in_frozen_instance_continues_after_thaw(run, daemon):
    during = []
    thread = threading.Thread(target=lambda: during.append(run("touch /tmp/on; sleep 0.3; echo b", "run_stdout")))
    thread.start()
    assert until(lambda: run("test -e /tmp/on", "retcode") == 0, 10)
    for action in ("freeze", "unfreeze"):
        daemon.ask("PUT", "/1.0/instances/c1/state", {"action": action})
    thread.join(20)
    assert during == ["b"]


@pytest.mark.mainly("incus")
@pytest.mark.parametrize("function", ["exec", "run", "run_stdout", "run_stderr", "run_all"])
def test_exit_code_becomes_that_of_the_salt_call(salt, c1, function):
    salt.modules[f"lxdapi_instance.{function}"](c1, "exit 3")
    assert salt.modules.pack["__context__"]["retcode"] == 3
