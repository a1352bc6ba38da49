"""
The agent deletes old copies and the folders of killed runs, and keeps the others.
"""

import os
import sys
import threading
import time

import pytest
from lxdapi.salt_inside import agent

MONTH = 31 * 24 * 3600


@pytest.fixture
def make(tmp_path):
    """Return a function that makes a copy of Salt or Python with an age."""

    def made(name, age=0, whole=True):
        folder = tmp_path / name
        folder.mkdir()
        marked = folder / agent.WHOLE if whole else folder
        if whole:
            marked.touch()
        os.utime(marked, (time.time() - age,) * 2)
        return folder

    return made


def test_only_unused_and_incomplete_copies_are_deleted(make, tmp_path):
    for name, age, whole in (
        ("thin-new", 0, True),
        ("thin-old", MONTH, True),
        ("python-old", MONTH, True),
        ("python-used", MONTH, True),
        ("thin-being-made.1", 60, False),
        ("thin-interrupted.2", 2 * 3600, False),
        ("salt-3008.3", MONTH, False),
    ):
        make(name, age, whole)
    agent.sweep(str(tmp_path), {"python-used"})
    assert sorted(os.listdir(tmp_path)) == ["python-used", "salt-3008.3", "thin-being-made.1", "thin-new"]


def test_using_a_copy_keeps_it(make, tmp_path):
    folder = make("thin-a", MONTH)
    agent.mark_used(str(folder))
    agent.sweep(str(tmp_path), set())
    assert folder.exists()
    agent.mark_used(str(tmp_path / "missing"))


def test_folder_of_somebody_else_is_refused(tmp_path, monkeypatch):
    assert os.stat(agent.private_folder(str(tmp_path / "a"))).st_mode & 0o777 == 0o700
    (tmp_path / "link").symlink_to(tmp_path / "a")
    with pytest.raises(OSError):
        agent.private_folder(str(tmp_path / "link"))
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(PermissionError, match="belongs to another user: delete it"):
        agent.private_folder(str(tmp_path / "a"))


def test_folders_of_killed_runs_are_deleted(tmp_path):
    for name in ("run-1", f"run-{os.getpid()}", "run-999999999", "files"):
        (tmp_path / name).mkdir()
    agent.remove_dead_runs(str(tmp_path))
    assert sorted(os.listdir(tmp_path)) == ["files", "run-1"]


def test_runs_share_files_and_nothing_else(tmp_path):
    folder = agent.run_folder({"base": str(tmp_path), "version": "1"})
    names = {"files", "extrn_files", "extmods"}
    assert {name for name in os.listdir(folder) if os.path.islink(os.path.join(folder, name))} == names
    assert set(os.listdir(tmp_path / "salt-1")) == {*names, os.path.basename(folder)}


@pytest.fixture
def postponed(tmp_path, monkeypatch):
    """The name of a module that counts in its folder how often its code ran."""
    code = "import lxdapi_postponed\nopen(__file__ + '.runs', 'a').write('x')\nuseful = list(range(1000))\n"
    (tmp_path / "lxdapi_postponed.py").write_text(code)
    monkeypatch.setattr(agent, "POSTPONED", ("lxdapi_postponed", "lxdapi_missing"))
    monkeypatch.setattr(sys, "meta_path", [agent.Postpone, *sys.meta_path])
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    return "lxdapi_postponed"


def test_code_of_a_postponed_module_runs_once_when_used(postponed, tmp_path):
    runs = tmp_path / f"{postponed}.py.runs"
    module = __import__(postponed)
    assert __import__(postponed) is module and module.__file__ and not runs.exists()
    threads = [threading.Thread(target=lambda: module.useful.append(1)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert runs.read_text() == "x" and len(module.useful) == 1008
    with pytest.raises(AttributeError, match="has no attribute 'useless'"):
        module.useless()
    with pytest.raises(ModuleNotFoundError):
        __import__("lxdapi_missing")
