"""
Salt inside instances whose disk is full, read-only or not for programs, with large results, and on the way down.
"""

import pytest
from salt.exceptions import CommandExecutionError

from tests.support.daemons import until

MOTD = "/etc/motd:\n  file.managed:\n    - source: salt://motd\n"
FULL = "mount -t tmpfs -o size=64k tmpfs {0}; cat /dev/zero > {0}/full; true"
BASES = ("/var/cache/lxdapi", "/run/lxdapi", "/tmp/lxdapi-0")


@pytest.fixture
def applied(salt, call, c1, inside):
    """Return a function that applies a state inside the container without a Python, and returns whether it did."""
    (salt.tree / "motd.sls").write_text(MOTD)
    (salt.tree / "motd").write_text("hello\n")
    inside(c1, "mkdir -p /var/cache /run /tmp; mount -t tmpfs tmpfs /run")

    def apply():
        inside(c1, "rm -f /etc/motd")
        (result,) = call("apply", c1, "motd", python="carried").values()
        assert result["result"] is True, result
        return inside(c1, "cat /etc/motd") == "hello\n"

    return apply


@pytest.mark.mainly("incus")
def test_full_or_read_only_disk_makes_salt_use_another_folder(applied, c1, inside):
    inside(c1, FULL.format("/var/cache"))
    assert applied() and inside(c1, "ls /var/cache; ls /run/lxdapi").startswith("full\nlxdapi\nsalt-")
    inside(c1, "umount /var/cache; mount -t tmpfs -o ro tmpfs /var/cache; rm -rf /run/lxdapi")
    assert applied() and inside(c1, "ls /run/lxdapi").startswith("salt-")
    inside(c1, "umount /var/cache /run; for each in /var/cache /tmp; do mount -t tmpfs -o noexec tmpfs $each; done")
    assert applied() and inside(c1, "ls /var/cache/lxdapi").startswith("salt-")


@pytest.mark.mainly("incus")
def test_instance_without_any_writable_folder_says_so(call, c1, inside):
    inside(c1, f"mkdir -p /var/cache /run /tmp; touch {' '.join(BASES)}")
    with pytest.raises(CommandExecutionError, match="no Python found; .*no folder for .* can be written: .*copied"):
        call("ping", c1)


@pytest.mark.mainly("incus7")
def test_full_disk_during_a_state_is_the_result_of_that_state(call, salt, c1, inside):
    (salt.tree / "two.sls").write_text(MOTD.replace("/etc", "/mnt") + MOTD)
    (salt.tree / "motd").write_text("hello\n" * 20000)
    inside(c1, f"mkdir -p /mnt; {FULL.format('/mnt')}")
    results = {each["__id__"]: each for each in call("apply", c1, "two", python="carried").values()}
    assert [results[name]["result"] for name in ("/mnt/motd", "/etc/motd")] == [False, True]
    assert "No space left on device" in results["/mnt/motd"]["comment"]


@pytest.mark.long
@pytest.mark.mainly("incus")
def test_result_of_fifty_megabytes_arrives(call, c1, running, ended):
    text = call("call", c1, "cmd.run", "head -c 50000000 /dev/zero | tr '\\0' a", python="carried")
    assert len(text) == 50000000
    ended()
    assert not running(c1)


@pytest.mark.long
@pytest.mark.mainly("lxd")
def test_unpacking_salt_on_a_full_disk_is_named(call, p1, inside):
    inside(p1, f"umount /var/cache; {FULL.format('/var/cache')}; rm /var/cache/full")
    with pytest.raises(CommandExecutionError, match="cannot write Salt to .*No space left"):
        call("ping", p1, python="inside")
    assert inside(p1, "ls -A /var/cache/lxdapi") == ""
    assert call("ping", p1) is True


@pytest.mark.long
def test_instances_that_stop_or_fail_do_not_keep_the_others(salt, daemon, c1, running):
    daemon.ask("POST", "/1.0/instances", {"name": "c2", "source": {"type": "image", "alias": "busybox"}})
    daemon.ask("PUT", "/1.0/instances/c2/state", {"action": "start"})
    (salt.tree / "down.sls").write_text(
        "{% if grains['id'] == 'c1' %}{{ salt['cmd.run']('kill -9 $PPID; sleep 1', python_shell=True) }}{% endif %}\n"
        "/etc/a:\n  file.managed:\n    - contents: a\n"
    )
    answers = salt.modules["lxdapi_fleet.apply"](["c1", "c2"], "down", python="carried")
    assert answers["c2"] == {"/etc/a": {"diff": "New file"}}
    assert "before it answered: was it killed, or the instance stopped?" in answers["c1"]
    assert until(lambda: not running("c2"), 30)
