"""
The folder with the programs ssh and scp.
"""

import os
import re

import pytest
from lxdapi.errors import InvalidError
from lxdapi.salt_ssh import programs


def test_programs_are_written_only_if_they_differ(tmp_path):
    folder = tmp_path / "a" / "ssh"
    programs.write(str(folder))
    assert sorted(os.listdir(folder)) == ["scp", "ssh"]
    assert {(folder / name).stat().st_mode & 0o777 for name in programs.NAMES} == {0o755}
    (folder / "scp").write_text("old")
    before = (folder / "ssh").stat().st_ino
    programs.write(str(folder))
    assert (folder / "scp").read_text() == (folder / "ssh").read_text()
    assert (folder / "ssh").stat().st_ino == before


def test_programs_must_be_the_first_on_path(tmp_path, monkeypatch):
    folder, other = tmp_path / "our own", tmp_path / "other"
    for each in (folder, other):
        programs.write(str(each))
    monkeypatch.setenv("PATH", f"{other}:{folder}")
    with pytest.raises(InvalidError, match=re.escape(f"as in PATH='{folder}':$PATH salt-ssh ...")):
        programs.require_first(str(folder))
    monkeypatch.setenv("PATH", f"{folder}:{other}")
    programs.require_first(str(folder))
