"""
The content of files for an instance; names, modes, users and links as data.
"""

import hashlib
import os
import stat

import pytest
import yaml
from lxdapi.errors import InvalidError
from lxdapi.files import content as sources
from lxdapi.files import sftp_files, sftp_trees
from lxdapi.instances import exec_user


@pytest.mark.parametrize(
    "name, to, inside",
    [
        ("a", "b", True),
        ("d/a", "../b", True),
        ("d/e/a", "../../b/c", True),
        ("a", "./b//c/", True),
        ("a", "..", False),
        ("a", "../b", False),
        ("d/a", "../../b", False),
        ("a", "b/..", False),
        ("a", "b/../../c", False),
        ("a", "/etc", False),
        ("a", "", False),
        ("a", "b\0c", False),
    ],
)
def test_link_target_is_recognized_as_inside_or_outside(name, to, inside):
    assert sftp_trees.stays_inside(name, to) is inside


def test_temporary_name_is_recognized_and_never_too_long():
    for name in ("a", "é" * 127, "n" * 255, "with.dots.lxdapi-x", "\udcff"):
        temporary = os.path.basename(sftp_files.temporary_name(f"/d/{name}"))
        assert sftp_files.is_leftover(temporary, name) and len(temporary.encode("utf-8", "surrogateescape")) <= 255
        assert not sftp_files.is_leftover(temporary, f"{name[:100]}x")
    assert not sftp_files.is_leftover(".a.lxdapi-0123456789abcde", "a")
    assert sftp_trees.is_leftover("d/.a.lxdapi-0123456789abcdef", {"d/a"})
    assert not sftp_trees.is_leftover("d/.a.lxdapi-0123456789abcdef", {"a"})


def test_an_entry_without_numbers_is_left_out():
    text = b"root:x:0:0::/root:/bin/sh\n\nbroken\nx:y:z:1\nroot:x:5:\nb\xff:x:7:7:\n"
    assert [(each[0], each[2]) for each in exec_user.parse("group", text)] == [
        ("root", "0"),
        ("root", "5"),
        ("b�", "7"),
    ]
    assert [(each[0], each[3], each[5]) for each in exec_user.parse("passwd", text)] == [
        ("root", "0", "/root"),
        ("b�", "7", ""),
    ]


def test_contents_are_text_or_lines():
    assert sources.from_text(["a", "é"]).text() == "a\né\n"
    assert sources.from_text("a\n").size == 2 and sources.from_text("a", newline=False).size == 1
    assert sources.from_text("").size == 0
    for wrong in (5, True, None, {"a": 1}, b"a", "\ud800"):
        with pytest.raises(InvalidError, match="contents"):
            sources.from_text(wrong)


@pytest.mark.parametrize(
    "contents, words",
    [
        ("12", "text or a list of lines (quote numbers) for contents, got a number"),
        ("0644", "for contents, got a number"),
        ("12:30", "for contents, got a number"),
        ("1.10", "for contents, got a float"),
        ("off", "for contents, got a boolean"),
        ("2026-11-30", "for contents, got a date"),
        ("[a, 12]", "expected text (quote the value) for line 2 of contents, got a number"),
    ],
)
def test_unquoted_scalar_is_refused_as_contents(contents, words):
    with pytest.raises(InvalidError) as caught:
        sources.from_text(yaml.safe_load(contents))
    assert words in str(caught.value)


def test_content_has_hashes_and_shows_only_short_text(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"abc")
    content = sources.from_file(str(path))
    assert (content.size, content.sha256) == (3, hashlib.sha256(b"abc").hexdigest())
    assert content.digest("md5") == hashlib.md5(b"abc", usedforsecurity=False).hexdigest()
    with pytest.raises(InvalidError, match="unknown hash"):
        content.digest("nope")
    assert sources.Content(b"\xff").text() is None and sources.Content(b"a\0").text() is None
    assert sources.Content(b"a" * (sources.LONGEST_SHOWN + 1)).text() is None


def test_template_files_are_private_and_removed(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    seen = []

    def managed(name, engine, source, *given, **more):
        for path in (source, os.path.dirname(source)):
            seen.append(stat.S_IMODE(os.stat(path).st_mode))
        (tmp_path / "made").write_bytes(b"cAnaRy")
        return str(tmp_path / "made"), {}, ""

    given = sources.ContentSpec(content=sources.from_text("{{ x }}"))
    before = os.umask(0)
    try:
        found = sources.resolve({"file.get_managed": managed}, "/x", given, "base", sources.Template("jinja"))
    finally:
        os.umask(before)
    assert found.text() == "cAnaRy" and seen == [0o600, 0o700] and os.listdir(tmp_path) == []


def test_patterns_match_path_or_name_and_keep_parents():
    file, folder = sources.LocalEntry("file"), sources.LocalEntry("directory")
    found = {"a": folder, "a/x.conf": file, "a/y": file, "b": folder, "b/z": file}
    assert set(sources.select(found, include="*.conf")) == {"a", "a/x.conf"}
    assert set(sources.select(found, exclude="a")) == {"b", "b/z"}
    assert set(sources.select(found, include="a/*", exclude="y")) == {"a", "a/x.conf"}
