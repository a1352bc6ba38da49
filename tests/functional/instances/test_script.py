"""
Scripts of the minion that run inside an instance.
"""

import pytest
from salt.exceptions import CommandExecutionError

SCRIPT = '#!/bin/sh\nstat -c \'%a %u %g\' "$0"; echo "$0" > /mnt/where; printf \'%s|\' "$@"; cat; exit ${CODE:-0}\n'


@pytest.fixture
def script(salt, c1):
    """Run the script in the container."""
    (salt.tree / "setup.sh").write_text(SCRIPT)

    def called(source="salt://setup.sh", **arguments):
        return salt.modules["lxdapi_instance.script"](c1, source, **arguments)

    return called


def test_script_runs_with_arguments_and_is_removed(script, salt, raw, tmp_path):
    inside = lambda command: salt.modules["lxdapi_instance.run_stdout"]("c1", command)  # noqa: E731
    assert inside("chmod 777 /mnt") == ""
    made = script(args="--now 'two words' $HOME", stdin="in", env={"CODE": 3})
    assert made == {"retcode": 3, "stdout": "700 0 0\n--now|two words|$HOME|in", "stderr": ""}
    assert inside("cat /mnt/where; ls /tmp; rm /mnt/where").splitlines()[1:] == []
    path = tmp_path / "other.sh"
    path.write_text(SCRIPT)
    made = script(str(path), args=["a;b", 5], user="nobody", cwd="/mnt")
    assert made == {"retcode": 0, "stdout": "700 65534 65534\na;b|5|", "stderr": ""}
    path.write_text("#!/nowhere\n")
    assert script(str(path))["retcode"] == 127
    path.write_text("#!/bin/sh\nexec sleep 60\n")
    assert script(str(path), timeout=0.3)["killed"] == "after 0.3 s"
    assert inside("ls /tmp") == ""


@pytest.mark.mainly("incus")
def test_unreadable_or_unwritable_script_is_an_error(script, salt, tmp_path, proxy, daemon):
    for source, arguments in (
        ("salt://none.sh", {}),
        (str(tmp_path / "none.sh"), {}),
        (str(tmp_path), {}),
        ("salt://setup.sh", {"user": "bob"}),
        ("salt://setup.sh", {"args": "it's"}),
        ("salt://setup.sh", {"args": 5}),
        ("salt://setup.sh", {"cwd": "/nowhere"}),
    ):
        with pytest.raises(CommandExecutionError):
            script(source, **arguments)
    proxy.arm("close", method="POST", path="/files")
    with pytest.raises(CommandExecutionError):
        script()
    assert salt.modules["lxdapi_instance.run_stdout"]("c1", "ls /tmp") == ""
    daemon.ask("PUT", "/1.0/instances/c1/state", {"action": "stop", "force": True})
    with pytest.raises(CommandExecutionError, match="is not running"):
        script()
    assert daemon.ask("GET", "/1.0/instances/c1/files?path=/tmp") in ([], None)
