"""
The Python of this machine as a folder, and the archive of Salt.
"""

import json
import os
import subprocess
import tarfile

import pytest
import salt.version
from lxdapi.salt_inside import bundle, thin


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a bundle."""
    return tmp_path_factory.mktemp("carried")


@pytest.fixture(scope="module")
def path(folder):
    """The path of the bundle."""
    return folder / bundle.find_or_build(str(folder))


def run(path, program):
    """Return what a program prints, with the Python of the bundle and nothing else in the environment."""
    command, environment = bundle.command(str(path))
    done = subprocess.run([*command, "-s", "-c", program], env=environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_bundle_runs_from_its_own_folder(path):
    program = "import json, ssl, sys, ctypes.util, os; print(json.dumps([sys.prefix, os.__file__, ssl.__file__]))"
    prefix, library, extension = run(path, program)
    assert prefix == str(path) and library.startswith(f"{path}/") and extension.startswith(f"{path}/")


def test_bundle_uses_its_own_shared_libraries(path):
    program = "import json, ssl; print(json.dumps([l.split()[-1] for l in open('/proc/self/maps') if '.so' in l]))"
    assert all(each.startswith(f"{path}/") for each in run(path, program))
    found = run(path, "import ctypes.util, json; print(json.dumps(ctypes.util.find_library('crypto')))")
    assert found.startswith(f"{path}/sys/libcrypto")


def test_programs_of_a_bundle_do_not_inherit_its_home(path):
    assert run(path, "import json, os; print(json.dumps(os.environ.get('PYTHONHOME')))") is None


def test_everybody_can_read_a_bundle_and_it_is_compiled(path):
    modes = {os.stat(os.path.join(place, name)).st_mode & 0o444 for place, _, names in os.walk(path) for name in names}
    assert modes == {0o444}
    assert list(path.glob("lib/*/__pycache__/json*")) or list(path.glob("lib/*/json/__pycache__/decoder*"))


def test_bundle_that_is_there_is_not_built_again(folder, path):
    before = os.stat(path).st_ino
    assert bundle.find_or_build(str(folder)) == path.name
    assert (os.stat(path).st_ino, os.listdir(folder)) == (before, [path.name])


def test_archive_has_salt_and_its_libraries():
    listed = {name: source for source, name in thin.list_files()}
    assert {"salt/minion.py", "salt/loader/__init__.py", "yaml/__init__.py", "jinja2/__init__.py"} <= set(listed)
    assert not [name for name in listed if name.startswith(("/", "..")) or name.endswith(".pyc")]
    assert all(os.path.isfile(source) for source in listed.values())


@pytest.fixture
def archive(tmp_path, monkeypatch):
    """An archive of one file."""
    (tmp_path / "a.py").write_text("a = 1\n")
    monkeypatch.setattr(thin, "list_files", lambda extra: [(str(tmp_path / "a.py"), "salt/a.py")])
    return thin.find_or_build(str(tmp_path / "store"))


def test_files_of_an_archive_belong_to_root(archive):
    with tarfile.open(archive.path) as tar:
        (member,) = tar.getmembers()
    assert (member.name, member.uid, member.gid, member.uname, member.mode) == ("salt/a.py", 0, 0, "", 0o644)


def test_archive_is_built_once_for_each_salt(archive, monkeypatch):
    folder = os.path.dirname(archive.path)
    assert thin.find_or_build(folder) == archive
    monkeypatch.setattr(salt.version, "__version__", "1.2.3")
    other = thin.find_or_build(folder)
    assert other.path != archive.path and other.digest == archive.digest
    assert [name for name in os.listdir(folder) if name.endswith(".tgz")] == [os.path.basename(other.path)]
