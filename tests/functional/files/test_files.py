"""
A file, a directory, a link inside an instance: created, corrected, and replaced completely or not at all.
"""

import pytest

from tests.support.instance_files import Inside

HOSTS = "127.0.0.1 localhost\n::1 localhost\n"


@pytest.fixture
def inside(daemon, imported):
    """A stopped container and its files."""
    return Inside(daemon)


@pytest.fixture
def managed(apply):
    """The methods of ``apply`` for a file of the container."""

    class Managed:
        def __getattr__(self, way):
            act = getattr(apply, way)
            return lambda path, state="managed", **given: act(f"lxdapi_file.{state}", path, instance="c1", **given)

        def __call__(self, path, state="managed", **given):
            return apply(f"lxdapi_file.{state}", path, instance="c1", **given)

    return Managed()


@pytest.mark.mainly("lxd")
def test_a_mode_is_octal_digits_however_yaml_reads_them(salt, inside, proxy):
    modes = ("640", '"640"', "0640", '"0640"', "0o640", '"0o640"')
    state = "lxdapi_file.managed:\n    - instance: c1\n    - contents: x\n    - mode:"
    sls = "\n".join(f"/etc/m{number}:\n  {state} {mode}" for number, mode in enumerate(modes))
    (salt.tree / "modes.sls").write_text(sls)
    answers = salt.modules["state.apply"]("modes").values()
    assert [each["changes"].get("mode") for each in answers] == [{"old": None, "new": "0640"}] * 6, answers
    assert inside.sh("stat -c %a /etc/m*").split() == ["640"] * 6


@pytest.mark.mainly("incus")
def test_invalid_mode_is_refused_before_any_request(managed):
    for mode in ("rw-", "999", 999, "", -1, 1.5, True, "07777777", [640]):
        assert "octal digits" in managed.refused("/etc/x", contents="x", mode=mode)


def test_the_setuid_bit_arrives_or_nothing_does(managed, inside, daemon):
    if daemon.name == "incus7":
        assert managed.changed("/bin/su2", contents="x", mode="4755")["mode"]["new"] == "4755"
        assert inside.facts("/bin/su2") == "4755 0 0"
        return
    assert "setuid" in managed.failed("/bin/su2", contents="x", mode="4755")
    assert [name for name in inside.names("/bin") if "su2" in name] == []


def test_content_owner_and_mode_are_corrected_each_by_itself(managed, inside):
    given = {"contents": ["one", "two"], "user": "nobody", "group": "nogroup", "mode": "0640"}
    changes = managed.changed("/etc/app.conf", **given)
    assert changes["created"] == "/etc/app.conf" and "+two" in changes["diff"]
    assert (inside.read("/etc/app.conf"), inside.facts("/etc/app.conf")) == (b"one\ntwo\n", "640 65534 65534")
    inside.sh("chown 0:7 /etc/app.conf")
    assert managed.changed("/etc/app.conf", **given) == {
        "user": {"old": "root", "new": "nobody"},
        "group": {"old": "7", "new": "nogroup"},
    }
    inside.sh("chmod 777 /etc/app.conf")
    assert managed.changed("/etc/app.conf", **given) == {"mode": {"old": "0777", "new": "0640"}}
    inside.sh("echo one > /etc/app.conf")
    assert managed.changed("/etc/app.conf", **given) == {
        "diff": "--- /etc/app.conf\n+++ /etc/app.conf\n@@ -1 +1,2 @@\n one\n+two\n"
    }
    inside.sh("printf 'one\\nTWO\\n' > /etc/app.conf")  # the same size
    assert set(managed.changed("/etc/app.conf", **given)) == {"diff"}
    # undeclared settings stay, although the file was replaced
    changes = managed.changed("/etc/app.conf", contents="three")
    assert set(changes) == {"diff"} and inside.facts("/etc/app.conf") == "640 65534 65534"


def test_obstacle_is_reported_and_kept(managed, inside):
    assert "expected a file, got a directory; set force" in managed.failed("/etc", contents="x")
    assert "/nope does not exist; set makedirs" in managed.failed("/nope/x", contents="x")
    assert managed.predicted("/nope/x", contents="x")["result"] is None
    assert inside.read("/nope") is None
    assert managed.changed("/nope/y/x", contents="x", makedirs=True, user="nobody")["created"] == "/nope/y/x"
    assert inside.facts("/nope/y") == "755 65534 0"
    assert managed.changed("/nope/y", contents="x", force=True)["type"] == {"old": "directory", "new": "file"}
    assert inside.read("/nope/y") == b"x\n"
    assert "user 'who' not found in /etc/passwd" in managed.failed("/etc/who", contents="x", user="who")
    assert inside.read("/etc/who") is None
    assert "expected a directory, got a file" in managed.failed("/nope/y", "directory")


@pytest.mark.mainly("incus7")
def test_write_follows_symbolic_link(managed, inside):
    managed.changed("/etc/link", "symlink", target="hosts")
    managed.changed("/etc/link", contents="x")
    assert inside.read("/etc/hosts") == b"x\n" and managed.unchanged("/etc/link", "symlink", target="hosts")
    managed.changed("/etc/dangling", "symlink", target="../srv2/no")
    assert "/srv2 does not exist" in managed.failed("/etc/dangling", contents="x")
    managed.changed("/etc/dangling", contents="x", makedirs=True)
    assert inside.read("/srv2/no") == b"x\n"
    managed.changed("/etc/link", contents="y", follow_symlinks=False, force=True)
    assert (inside.read("/etc/link"), inside.read("/etc/hosts")) == (b"y\n", b"x\n")
    inside.sh("ln -s loop /etc/loop")
    assert "symbolic links; is it a circle?" in managed.failed("/etc/loop", contents="x")


def test_unfollowed_link_is_replaced_and_target_kept(managed, inside):
    inside.sh("echo x > /etc/file && mkdir /etc/dir && touch /etc/dir/kept")
    for number, target in enumerate(("file", "dir", "nowhere", "l2")):  # the last one leads to itself
        path = f"/etc/l{number - 1}"
        inside.sh(f"ln -s {target} {path}")
        given = {"contents": "mine", "user": "nobody", "mode": "0640", "follow_symlinks": False}
        changes = managed.changed(path, **given)
        assert changes["type"] == {"old": "symlink", "new": "file"} and "created" not in changes
        assert (inside.read(path), inside.facts(path)) == (b"mine\n", "640 65534 0")
    assert (inside.read("/etc/file"), inside.names("/etc/dir")) == (b"x\n", ["kept"])
    assert inside.read("/etc/nowhere") is None
    assert "expected a file, got a directory; set force" in managed.failed(
        "/etc/dir", contents="x", follow_symlinks=False
    )


def test_directory_follows_link_and_absent_removes_it(managed, inside):
    inside.sh("mkdir -p /srv/real && echo x > /srv/file && ln -s real /srv/d && ln -s file /srv/f && ln -s no /srv/n")
    assert managed.changed("/srv/d", "directory", mode="0700") == {"mode": {"old": "0755", "new": "0700"}}
    assert inside.facts("/srv/real") == "700 0 0"
    assert "expected a directory, got a file; set force" in managed.failed("/srv/f", "directory")
    managed.changed("/srv/n", "directory")
    assert inside.facts("/srv/no") == "755 0 0"
    for name, target in (("d", "real"), ("f", "file"), ("n", "no")):
        assert inside.sh(f"readlink /srv/{name}") == f"{target}\n"
        assert managed.changed(f"/srv/{name}", "absent") == {"deleted": f"/srv/{name}"}
    assert inside.names("/srv") == ["file", "no", "real"]


def test_directories_and_links_as_declared_and_gone(managed, inside):
    assert managed.changed("/srv/www", "directory", mode="0750", user=33, makedirs=True)["created"] == "/srv/www"
    assert inside.facts("/srv/www") == "750 33 0"
    assert managed.changed("/srv/www", "directory", mode="755") == {"mode": {"old": "0750", "new": "0755"}}
    assert managed.changed("/srv/l", "symlink", target="www")["target"] == {"old": None, "new": "www"}
    assert managed.changed("/srv/l", "symlink", target="/etc") == {"target": {"old": "www", "new": "/etc"}}
    assert "expected a symlink, got a directory" in managed.failed("/srv/www", "symlink", target="/etc")
    inside.sh("mkdir -p /srv/www/a/b && echo x > /srv/www/a/f && ln -s /etc /srv/www/a/etc && mkfifo /srv/www/p")
    assert managed("/srv/www", "absent")["changes"] == {"deleted": "/srv/www"}
    assert managed("/srv/l", "absent")["changes"] == {"deleted": "/srv/l"}
    managed.unchanged("/srv/www", "absent")
    assert inside.names("/srv") == [] and b"localhost" in inside.read("/etc/hosts")
    assert "cannot be deleted" in managed.refused("/", "absent")


def test_any_text_is_a_valid_file_name(managed, inside, salt):
    for name in ("é ü?&#%", "with\nnewline", "'\"$HOME;id", "n" * 255, "é" * 127):
        managed.changed(f"/etc/{name}", contents="x")
        assert name in inside.names("/etc")
        assert salt.modules["lxdapi_file.read"]("c1", f"/etc/{name}") == "x\n"
        assert managed(f"/etc/{name}", "absent")["changes"]
    assert inside.names("/etc") == ["group", "hosts", "passwd"]


@pytest.mark.mainly("incus")
def test_invalid_path_is_refused_before_any_request(managed):
    for name in ("etc/x", "", "/etc/../x", "/./x", "/a\0b", "/half\ud800", None, 5):
        comment = managed.refused(name, contents="x")
        assert "path" in comment


def test_instance_may_be_running_frozen_or_missing(managed, inside, apply):
    for number, action in enumerate((None, "start", "freeze")):
        if action:
            inside.act(action)
        managed.changed("/etc/state", contents=str(number))
    ret = apply.predicted("lxdapi_file.managed", "/etc/x", instance="nope", contents="x")
    assert ret["result"] is None and "not found" in ret["comment"]
    assert "not found" in apply.failed("lxdapi_file.managed", "/etc/x", instance="nope", contents="x")
    apply.unchanged("lxdapi_file.absent", "/etc/x", instance="nope")


@pytest.mark.mainly("lxd")
def test_source_is_rendered_and_verified(managed, inside, salt, tmp_path):
    (salt.tree / "t.conf").write_text("{{ who }} by {{ salt['test.echo']('salt') }}\n")
    given = {"source": "salt://t.conf", "template": "jinja", "defaults": {"who": "no"}, "context": {"who": "me"}}
    managed.changed("/etc/t.conf", **given)
    assert inside.read("/etc/t.conf") == b"me by salt\n"
    managed.changed("/etc/u.conf", contents="{{ who }}", template="jinja", context={"who": "é"})
    assert inside.read("/etc/u.conf") == "é\n".encode()
    assert "'who' is undefined" in managed.refused("/etc/v.conf", contents="{{ who.x }}", template="jinja")
    (tmp_path / "bin").write_bytes(b"\0\xff")
    assert managed.changed("/etc/bin", source=str(tmp_path / "bin"))["diff"].startswith("(not shown")
    for source, words in (
        ("salt://nope", "not found"),
        (str(tmp_path / "no"), "does not exist"),
        (str(tmp_path), "is not a regular file"),
    ):
        assert words in managed.refused("/etc/x", source=source)
    wrong = f"sha256={'0' * 64}"
    assert "expected the sha256 " in managed.refused("/etc/x", source=str(tmp_path / "bin"), source_hash=wrong)
    assert "expected only one of them" in managed.refused("/etc/x", source=str(tmp_path / "bin"), contents="x")


@pytest.mark.mainly("incus")
def test_show_changes_false_masks_content(managed, inside, apply):
    for text in ("cAnaRy1", "cAnaRy2"):
        ret = managed.predicted("/etc/secret", contents=text, mode="0600", show_changes=False)
        assert "cAnaRy" not in str(ret) and ret["changes"]["diff"] == "(hidden)"
        assert "cAnaRy" not in str(managed.changed("/etc/secret", contents=text, mode="0600", show_changes=False))
    assert inside.facts("/etc/secret") == "600 0 0"


@pytest.mark.mainly("incus7")
def test_existing_file_is_kept_without_content_or_replace(managed, inside):
    assert managed.changed("/etc/hosts", contents="x", replace=False, mode="0600").keys() == {"mode"}
    managed.unchanged("/etc/hosts")
    assert inside.read("/etc/hosts") == HOSTS.encode()
    assert managed.changed("/etc/empty")["created"] == "/etc/empty"
    assert inside.read("/etc/empty") == b""
