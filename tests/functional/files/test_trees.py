"""
Directory trees inside an instance: pushed, kept as declared, pulled; and none of their names leads out of the tree.
"""

import os
import stat

import pytest
from lxdapi.files import sftp_session

from tests.support.instance_files import Inside

MANY = 1000


@pytest.fixture
def inside(daemon, imported):
    """A stopped container and its files."""
    return Inside(daemon)


@pytest.fixture
def tree(tmp_path):
    """A tree with directories (one of them empty), links and an executable file."""
    top = tmp_path / "tree"
    (top / "sub" / "deep").mkdir(parents=True)
    (top / "empty").mkdir()
    (top / "a.conf").write_text("a\n")
    (top / "sub" / "é \n.txt").write_text("é\n")
    (top / "sub" / "deep" / "run").write_text("#!/bin/sh\n")
    (top / "sub" / "deep" / "run").chmod(0o755)
    (top / "link").symlink_to("a.conf")
    return top


def recurse(apply, way, **given):
    """Return the result of the state for the tree."""
    return getattr(apply, way)("lxdapi_file.recurse", "/srv/t", instance="c1", **given)


def test_recurse_creates_tree_and_corrects_differences(apply, inside, tree, proxy):
    given = {"source": str(tree), "keep_symlinks": True, "file_mode": "keep", "user": "nobody"}
    changes = recurse(apply, "changed", **given)
    assert changes["/srv/t/link"] == {"created": "symlink"} and changes["/srv/t/empty"]["created"] == "directory"
    assert inside.facts("/srv/t/sub/deep/run") == "755 65534 0" and inside.facts("/srv/t/sub") == "755 65534 0"
    inside.sh("cd /srv/t; echo b > a.conf; echo more > sub/deep/run; chmod 600 sub/deep; ln -sf x link; echo y > extra")
    changes = recurse(apply, "changed", **given)
    assert {name: sorted(each) for name, each in changes.items()} == {
        "/srv/t/a.conf": ["sha256"],
        "/srv/t/sub/deep/run": ["size"],
        "/srv/t/link": ["target"],
    }
    assert inside.read("/srv/t/a.conf") == b"a\n" and inside.facts("/srv/t/sub/deep") == "600 65534 0"
    changes = recurse(apply, "changed", dir_mode="0755", clean=True, **given)
    assert changes == {
        "/srv/t/sub/deep": {"mode": {"old": "0600", "new": "0755"}},
        "/srv/t/extra": {"deleted": "file"},
    }


@pytest.mark.mainly("lxd")
def test_patterns_select_and_excluded_files_are_kept(apply, inside, tree):
    recurse(apply, "changed", source=str(tree), include="*.conf")
    assert inside.sh("cd /srv/t; find . | sort").split() == [".", "./a.conf"]
    inside.sh("cd /srv/t; mkdir -p keep/x other; echo x > keep/x/f; echo x > other/f")
    changes = recurse(apply, "changed", source=str(tree), exclude="keep", clean=True)
    assert changes["/srv/t/other/f"] == {"deleted": "file"} and inside.read("/srv/t/keep/x/f") == b"x\n"
    # without keep_symlinks, the target of a link is copied
    assert inside.sh("test -L /srv/t/link || cat /srv/t/link") == "a\n"


@pytest.mark.mainly("incus7")
def test_entry_of_another_type_is_replaced_only_by_force(apply, inside, tree):
    inside.sh("mkdir -p /srv/t/a.conf/x; ln -s /etc /srv/t/sub")
    assert "expected a file, got a directory" in recurse(apply, "failed", source=str(tree))
    inside.sh("echo x > /srv/t/.link.lxdapi-0123456789abcdef")
    changes = recurse(apply, "changed", source=str(tree), force=True)
    assert changes["/srv/t/sub"]["type"] == {"old": "symlink", "new": "directory"}
    assert inside.names("/etc") == ["group", "hosts", "passwd"] and inside.read("/srv/t/a.conf") == b"a\n"
    assert inside.names("/srv/t") == ["a.conf", "empty", "link", "sub"]


@pytest.mark.mainly("incus")
def test_a_tree_of_the_fileserver(apply, inside, tree, salt):
    os.rename(tree, salt.tree / "site")
    changes = recurse(apply, "changed", source="salt://site", clean=True)
    assert "/srv/t/sub/deep/run" in changes and "/srv/t/empty" in changes
    assert "does not exist, or is empty" in recurse(apply, "failed", source="salt://nope")


@pytest.mark.mainly("incus7")
def test_a_thousand_files_go_and_come_back(salt, inside, tmp_path, raw):
    source = tmp_path / "many"
    source.mkdir()
    for number in range(MANY):
        (source / str(number)).write_text(str(number))
    began = salt.modules["lxdapi_file.push_tree"]("c1", str(source), "/srv/many")
    assert len(began) == MANY + 1
    assert salt.modules["lxdapi_file.push_tree"]("c1", str(source), "/srv/many") == {}
    assert len(inside.names("/srv/many")) == MANY
    found = salt.modules["lxdapi_file.pull_tree"]("c1", "/srv/many", str(tmp_path / "back"))
    assert found == {"path": str(tmp_path / "back"), "left_out": []}
    assert {each.name: each.read_text() for each in (tmp_path / "back").iterdir()} == {
        str(number): str(number) for number in range(MANY)
    }


def test_pulled_files_are_private_and_stay_inside_target(salt, inside, tmp_path):
    inside.sh(
        "mkdir -p /srv/t/sub && cd /srv/t && echo x > f && chmod 755 f && echo x > sub/g && mkfifo pipe && "
        "ln -s f good && ln -s ../f sub/good && ln -s /etc abs && ln -s ../../x up && ln -s . here && ln -s here/.. out"
    )
    umask = os.umask(0)
    try:
        found = salt.modules["lxdapi_file.pull_tree"]("c1", "/srv/t", str(tmp_path / "t"))
    finally:
        os.umask(umask)
    assert found["left_out"] == ["abs", "out", "pipe", "up"]
    modes = {each.name: stat.S_IMODE(each.lstat().st_mode) for each in tmp_path.glob("t/**/*") if not each.is_symlink()}
    assert modes == {"f": 0o700, "sub": 0o700, "g": 0o600} and stat.S_IMODE((tmp_path / "t").stat().st_mode) == 0o700
    assert sorted(each.name for each in tmp_path.iterdir() if "lxdapi" in each.name) == []


@pytest.mark.mainly("lxd")
def test_existing_directory_is_replaced_only_by_force(salt, inside, tmp_path):
    inside.sh("mkdir -p /srv/t && echo new > /srv/t/f")
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "old").write_text("old")
    pull = salt.modules["lxdapi_file.pull_tree"]
    with pytest.raises(Exception, match="set force=True to replace it"):
        pull("c1", "/srv/t", str(tmp_path / "t"))
    with pytest.raises(Exception, match="expected a directory, got a file"):
        pull("c1", "/etc/hosts", str(tmp_path / "t"), force=True)
    assert (tmp_path / "t" / "old").read_text() == "old"
    pull("c1", "/srv/t", str(tmp_path / "t"), force=True)
    assert [each.name for each in (tmp_path / "t").iterdir()] == ["f"]


@pytest.mark.mainly("incus")
def test_test_mode_sends_only_reading_sftp_requests(apply, inside, tree, monkeypatch):
    sent = []
    send = sftp_session.Session._send
    monkeypatch.setattr(
        sftp_session.Session, "_send", lambda self, request: sent.append(request) or send(self, request)
    )
    inside.sh("mkdir -p /srv/t/old; echo x > /srv/t/a.conf; ln -s a /srv/l; cd /; find . -xdev | sort > /tmp/list")
    before = inside.sh("cd /; find etc srv root -exec stat -c '%n %a %u %g %s %Y %Z' {} + | sort")
    predicted = lambda state, path, **given: apply.predicted(  # noqa: E731
        f"lxdapi_file.{state}", path, instance="c1", **given
    )
    rets = [
        predicted("managed", "/etc/hosts", contents="x", mode="0600", user="nobody"),
        predicted("managed", "/nope/x", contents="x", makedirs=True),
        predicted("directory", "/srv/d", makedirs=True),
        predicted("symlink", "/srv/l", target="b"),
        predicted("absent", "/srv/t"),
        predicted("recurse", "/srv/t", source=str(tree), clean=True, force=True, dir_mode="0700"),
    ]
    assert [ret["result"] for ret in rets] == [None] * len(rets)
    calls = {request.call for request in sent}
    assert (
        {"lstat", "open", "read"}
        <= calls
        <= {"lstat", "stat", "open", "read", "close", "opendir", "readdir", "readlink"}
    )
    assert {request.body[-8:-4] for request in sent if request.call == "open"} == {b"\0\0\0\x01"}  # to read
    assert inside.sh("cd /; find etc srv root -exec stat -c '%n %a %u %g %s %Y %Z' {} + | sort") == before


@pytest.mark.mainly("lxd")
def test_local_tree_with_loop_or_special_file_is_refused(apply, tree):
    (tree / "sub" / "round").symlink_to("..")
    assert "links to one of its parent directories" in recurse(apply, "refused", source=str(tree))
    (tree / "sub" / "round").unlink()
    os.mkfifo(tree / "pipe")
    assert "neither a regular file nor a directory" in recurse(apply, "refused", source=str(tree))
    assert "does not exist" in recurse(apply, "refused", source=str(tree / "no"))
    assert "absolute path" in recurse(apply, "refused", source="tree")
