"""
Changes that need a restart: the note names them, and a look into the container proves it.
"""

import pytest
from lxdapi.api import API
from lxdapi.model import restart_keys

# {config key: (value, a command inside that shows its effect)}
PROBES = {
    "environment.LIVE": ("1", "echo $LIVE"),
    "limits.kernel.nofile": ("300:400", "grep 'open files' /proc/1/limits"),
    "linux.sysctl.net.ipv4.ip_forward": ("1", "cat /proc/sys/net/ipv4/ip_forward"),
    "raw.lxc": ("lxc.environment=RAW=1", "tr '\\0' '\\n' </proc/1/environ | grep RAW"),
    "security.nesting": ("true", "ls -d /dev/.lxc"),
    "security.syscalls.deny": ("mkdir errno 1\nmkdirat errno 1", "mkdir /tmp/new && rmdir /tmp/new && echo made"),
    "{guest}": ("false", "ls /dev/lxd/sock /dev/incus/sock"),
}
GUEST_API = {"lxd": "security.devlxd", "incus": "security.guestapi"}


@pytest.fixture
def seen(salt, c1):
    """Return a function that returns the output of each probe inside the container."""
    script = "\n".join(f"({command}) 2>/dev/null; echo ---" for _, command in PROBES.values())

    def read():
        return salt.modules["lxdapi_instance.exec"](c1, script)["stdout"].split("---\n")[:-1]

    return read


def test_note_names_exactly_the_keys_that_need_a_restart(apply, daemon, c1, seen):
    names = [key.format(guest=GUEST_API[daemon.server]) for key in PROBES]
    config = {key: value for key, (value, _) in zip(names, PROBES.values())}
    before = seen()
    ret = apply("lxdapi_instance.present", c1, config=config)
    after = seen()
    pending = sorted(key for key, old, new in zip(names, before, after) if old == new)
    assert len(pending) == 5, after
    note = f"{', '.join(pending)} takes effect at the next start (set restart_on_change: true to restart now)"
    assert ret["comment"].endswith(f"; {note}"), ret
    apply.salt.modules["lxdapi_instance.restart"](c1, timeout=0, force=True)
    assert [old for old, new in zip(before, seen()) if old == new] == []


def _has_metadata(daemon):
    return "metadata_configuration" in daemon.ask("GET", "/1.0")["api_extensions"]


@pytest.mark.mainly("incus")
def test_metadata_are_read_once_and_only_for_a_change(apply, proxy, daemon, c1):
    apply.unchanged("lxdapi_instance.present", c1, config={"user.a": None})
    assert "/1.0/metadata/configuration" not in apply.seen()
    apply.clear()
    for value in ("1", "2", "3"):
        ret = apply("lxdapi_instance.present", c1, config={"limits.cpu": value, "boot.autostart": "false"})
        assert ret["result"] is True and "next start" not in ret["comment"], ret
    reads = [path for _, path, *_ in proxy.seen if path.startswith("/1.0/metadata/")]
    assert len(reads) == (1 if _has_metadata(daemon) else 0)


# Keys about which the metadata of one daemon differ from those of the others.
EXCEPTIONS = {("virtual-machine", "security.nesting")}


def test_table_agrees_with_the_metadata_of_the_daemon(daemon):
    documented = restart_keys._documented_keys(API.factory(daemon.socket))
    assert bool(documented) is _has_metadata(daemon)
    keys = {(each, key) for each in ("container", "virtual-machine") for key in documented} - EXCEPTIONS
    keys = {(each, key) for each, key in keys if not key.startswith(restart_keys._AT_ONCE)}
    by_metadata = {key for key in keys if restart_keys._needs_restart(documented, *key)}
    by_table = {key for key in keys if restart_keys._needs_restart({}, *key)}
    corrected = {(each, key) for each, key in keys if key.startswith(restart_keys._AT_START[each])}
    corrected |= {(each, key) for each, key in keys if key.startswith(restart_keys._CLOUD_INIT)}
    assert by_metadata - corrected == by_table - corrected
