"""
Files that replace others once they are complete: private, locked during the write, and cleaned up after a kill.
"""

import os
import stat

import pytest
from lxdapi import atomic_file
from lxdapi.errors import InvalidError, LxdapiError

DATA = os.urandom(300000)


def test_written_file_is_private_and_complete(tmp_path):
    path = tmp_path / "x.tar"
    path.write_bytes(b"old")
    before = os.umask(0)
    try:
        with atomic_file.replace(str(path)) as file:
            file.write(DATA)
            assert path.read_bytes() == b"old"
            modes = {stat.S_IMODE(os.stat(tmp_path / name).st_mode) for name in os.listdir(tmp_path) if name != "x.tar"}
    finally:
        os.umask(before)
    assert modes == {0o600} == {stat.S_IMODE(path.stat().st_mode)}
    assert (path.read_bytes(), os.listdir(tmp_path)) == (DATA, ["x.tar"])


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), ValueError("x")])
def test_failed_write_keeps_the_old_file(tmp_path, error):
    path = tmp_path / "x.tar"
    path.write_bytes(b"old")
    with pytest.raises((LxdapiError, ValueError), match="No space left on device|x"):
        with atomic_file.replace(str(path)) as file:
            file.write(DATA)
            raise error
    assert (path.read_bytes(), os.listdir(tmp_path)) == (b"old", ["x.tar"])


def test_leftovers_of_killed_run_are_deleted_but_not_live_files(tmp_path):
    path, other = tmp_path / "x.tar", tmp_path / ".x.tar.lxdapi-notes"
    other.write_bytes(b"of somebody else")
    with atomic_file.replace(str(path)) as file:
        left = file.name
    with open(left, "wb") as file:
        file.write(DATA)
    os.mkfifo(left[:-8] + "00000000")
    os.symlink(other, left[:-8] + "11111111")
    with atomic_file.replace(str(path)) as living:
        living.write(DATA)
        assert not os.path.exists(left) and not os.path.exists(left[:-8] + "00000000")
        with atomic_file.replace(str(path)) as file:
            file.write(b"of the second")
    assert path.read_bytes() == DATA and other.read_bytes() == b"of somebody else"


def test_file_with_longest_name_is_written(tmp_path):
    path = tmp_path / ("é" * 127)
    with atomic_file.replace(str(path)) as file:
        file.write(DATA)
    assert path.read_bytes() == DATA


def test_temporary_name_contains_the_file_name(tmp_path):
    with atomic_file.replace(str(tmp_path / "x.tar")) as file:
        assert file.name.startswith(f"{tmp_path}/.x.tar.")


@pytest.mark.parametrize(
    "path, words",
    [
        ("x.tar", "absolute path"),
        (None, "absolute path"),
        ("/a\0b", "absolute path"),
        ("/tmp", "got the directory /tmp"),
        ("/tmp/", "got the directory /tmp/"),
        ("/none/x.tar", "No such file"),
        ("/dev/null/x", "Not a directory"),
        ("/tmp/\ud800", "cannot be the name of a file"),
    ],
)
def test_impossible_path_is_refused(path, words):
    with pytest.raises(InvalidError, match=words), atomic_file.replace(path):
        raise AssertionError("the block is not entered")
