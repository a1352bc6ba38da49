"""
A repository for the modules of Salt 3007 moves to lxdapi: it made a host with Salt 3007, runs unchanged with the
drop-in, and runs converted without it. The host stays as it is. The shell commands are those of the documentation.
"""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from salt.utils.args import parse_input

from tests.support.documentation import code_blocks
from tests.support.loader import REPO, Loaded

SITE = Path(__file__).parent / "site"
COLLECTIONS = (
    *("certificates", "images", "images/aliases", "instances", "networks", "profiles", "projects", "storage-pools"),
    *("storage-pools/default/volumes", "warnings"),
)
CONVERT, FIND = code_blocks("docs/how-to/from-salt-lxd", "A whole repository", "bash")
# The changes that a person makes.
BY_HAND = {
    "salt['lxd.container_list'](True)": "salt['lxdapi.list']('instance')",
    "lxd.profile_config_get shop limits.memory": "lxdapi.get profile shop",
    "lxd.container_config_get web1 user.role": "lxdapi.get instance web1",
    """lxd.container_execute web1 '["echo", "hello"]'""": "lxdapi_instance.run_all web1 'echo hello'",
}


@pytest.fixture
def tree(image, tmp_path):
    """The folder with the SLS of the repository, and the image beside them."""
    site = Path(shutil.copytree(SITE, tmp_path / "site"))
    for name in ("removed", "dropin", "converted"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "pillar").symlink_to(site / "pillar")
    shutil.copy(image, site / "states" / "busybox.tar.gz")
    return site / "states"


def whole(daemon):
    """Return everything that the daemon has."""
    found = {path: daemon.ask("GET", f"/1.0/{path}?recursion=1") for path in COLLECTIONS}
    return {**found, "config": daemon.ask("GET", "/1.0")["config"]}


def changed(answers):
    """Return the IDs of the states that change something, of a run without failures."""
    assert isinstance(answers, dict), answers
    assert [each for each in answers.values() if each["result"] is False] == []
    return {each["__id__"] for each in answers.values() if each["changes"] or each["result"] is None}


def ran(tree, call):
    """Return the answers to the lines of the script, each a ``salt-call``."""
    lines = [shlex.split(line) for line in (tree.parent / "bin" / "report.sh").read_text().splitlines()]
    words = [line[2:] for line in lines if line[:2] == ["salt-call", "--local"]]
    return [call(function, *parse_input(arguments, condition=False)[0]) for function, *arguments in words]


def shell(text, tree):
    """Run commands of the documentation with the Python of the tests, and return what they print."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(REPO / "_utils")}
    text = text.replace("/srv/salt", str(tree))
    done = subprocess.run(["sh", "-c", text], env=environment, capture_output=True, text=True, timeout=60)
    assert done.stderr == "", done
    return done.stdout


def edit_by_hand(tree):
    """Make the changes that the converter leaves to a person, and remove the report."""
    for path in (tree / "lxd" / "containers.sls", tree.parent / "bin" / "report.sh"):
        text = path.read_text()
        for old, new in BY_HAND.items():
            text = text.replace(old, new)
        path.write_text(text.partition("returns other data than its counterpart, lxdapi.list\n")[2] or text)


@pytest.mark.long
def test_repository_of_salt_3007_moves_without_a_change(lxd, removed, tree, tmp_path):
    assert changed(removed.ask("state.apply")) == {"images.remote_cache_expiry", "busybox", "shop", "web1", "db1"}
    assert changed(removed.ask("state.apply")) == set()
    host, said = whole(lxd), ran(tree, removed.ask)

    def prove(salt):
        for test in (True, False):
            assert changed(salt.modules["state.apply"](test=test)) == set()
        answers = ran(tree, lambda function, *arguments: salt.modules[function](*arguments))
        assert whole(lxd) == host
        return answers

    unchanged = Loaded(tmp_path / "dropin", {"local": lxd.socket}, [str(tree)], dropin=True)
    assert prove(unchanged) == said
    shell(CONVERT, tree)
    assert {line.split(":")[0] for line in shell(FIND, tree).splitlines()} == {f"{tree}/lxd/containers.sls"}
    edit_by_hand(tree)
    assert shell(FIND, tree) == ""
    converted = Loaded(tmp_path / "converted", {"local": lxd.socket}, [str(tree)])
    assert "lxd.version" not in converted.modules
    profile, instance, executed = prove(converted)
    assert [profile["config"]["limits.memory"], instance["config"]["user.role"]] == said[:2]
    assert executed["stdout"] == said[2]["stdout"].strip() == "hello"
