"""
The release: its version and changelog, reproducible distributions, and the files for the forge.
"""

import hashlib
import os
import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from lxdapi.version import VERSION

from tests.support.distribution import REPO, copy_sources, read_version, run

BIN = Path(sys.executable).parent
GITHUB = REPO / ".github"
SCHEMAS = {
    "workflows/*.yml": "vendor.github-workflows",
    "ISSUE_TEMPLATE/[!c]*.yml": "vendor.github-issue-forms",
    "ISSUE_TEMPLATE/config.yml": "vendor.github-issue-config",
}
GIT = {f"GIT_{role}_{word}": "x@localhost" for role in ("AUTHOR", "COMMITTER") for word in ("NAME", "EMAIL")}
DATE = {f"GIT_{role}_DATE": "2026-01-02T03:04:05Z" for role in ("AUTHOR", "COMMITTER")}
HEADING = f"\n{VERSION} (unreleased)\n"


@pytest.fixture
def checkout(tmp_path):
    """A repository with one commit, without changes since the last release."""
    copy_sources(tmp_path / "checkout")
    for path in tmp_path.glob("checkout/changelog.d/+*"):
        path.unlink()
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "begin"]):
        git(tmp_path / "checkout", *words)
    return tmp_path / "checkout"


@pytest.fixture
def after_release(checkout):
    """A checkout whose version is released."""
    changelog = checkout / "CHANGELOG.rst"
    changelog.write_text(changelog.read_text().replace("(unreleased)", "(2026-01-02)"))
    return checkout


def git(folder, *words):
    subprocess.run(["git", "-C", folder, *words], check=True, env={**os.environ, **GIT, **DATE}, timeout=60)


def script(folder, name, *words):
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
    command = [folder / "scripts" / name, *words]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)


def digests(folder, target):
    done = script(folder, "build-release", target)
    assert done.returncode == 0, done.stderr
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in target.iterdir()}


def test_two_builds_of_a_commit_have_the_same_bytes(checkout, tmp_path):
    first = digests(checkout, tmp_path / "first")
    for path in checkout.rglob("*"):  # as in a clone of another user at another time
        path.chmod(path.stat().st_mode & ~0o077)
        os.utime(path, (1, 1))
    git(checkout.parent, "clone", "-q", checkout, "clone")
    assert digests(checkout.parent / "clone", tmp_path / "second") == first
    assert sorted(name.rpartition(".")[2] for name in first) == ["gz", "whl"]


def test_first_release_dates_its_section(checkout):
    changelog = checkout / "CHANGELOG.rst"
    changelog.write_text(changelog.read_text().replace("(2026-01-02)", "(unreleased)"))
    assert HEADING in changelog.read_text()
    assert "no section" in script(checkout, "prepare-release", "--check").stderr
    assert script(checkout, "prepare-release", VERSION).returncode == 0
    assert f"\n{VERSION} ({date.today()})\n" in changelog.read_text()
    assert script(checkout, "prepare-release", "--check").stdout == f"{VERSION}\n"


def test_fragments_become_the_section_of_the_next_release(after_release):
    fragment = after_release / "changelog.d" / "+pools.added.rst"
    fragment.write_text("Pools can be renamed.\n")
    assert "changelog.d/ has changes" in script(after_release, "prepare-release", "--check").stderr
    done = script(after_release, "prepare-release", "7.8.9")
    assert done.returncode == 0, done.stderr
    text = (after_release / "CHANGELOG.rst").read_text()
    new = f"\n7.8.9 ({date.today()})\n------------------\n\nAdded\n~~~~~\n\n- Pools can be renamed.\n"
    assert new in text and text.index(new) < text.index(f"\n{VERSION} (")
    assert not fragment.exists() and read_version(after_release) == "7.8.9"
    assert (after_release / "dropin" / "setup.cfg").read_text().count("= 7.8.9\n") == 2
    assert script(after_release, "prepare-release", "--check").stdout == "7.8.9\n"


def test_a_released_version_is_not_published_again(after_release):
    git(after_release, "tag", f"v{VERSION}")
    assert "has been released" in script(after_release, "prepare-release", "--check").stderr


def test_one_version_in_all_files(after_release):
    path = after_release / "_modules" / "lxdapi.py"
    path.write_text(path.read_text().replace(f'"{VERSION}"', '"0.0.1"'))
    assert "different versions" in script(after_release, "prepare-release", "--check").stderr


@pytest.mark.parametrize("version", ["", "1.2", "1.2.3rc1", "v1.2.3"])
def test_version_has_three_numbers(checkout, version):
    assert "expected a version" in script(checkout, "prepare-release", version).stderr


@pytest.mark.parametrize(("files", "schema"), SCHEMAS.items(), ids=SCHEMAS)
def test_files_for_the_forge_follow_their_schema(files, schema):
    found = sorted(GITHUB.glob(files))
    assert found
    run("check_jsonschema", "--builtin-schema", schema, *found)


def test_workflows_run_only_known_actions_and_our_commands():
    text = "".join(path.read_text() for path in GITHUB.glob("workflows/*.yml"))
    used = set(re.findall(r"uses: (\S+)@", text))
    assert {each for each in used if not each.startswith("actions/")} == {"pypa/gh-action-pypi-publish"}
    assert "://" not in text
    for command in (".ci/run", "scripts/build-release", "scripts/prepare-release"):
        assert command in text and os.access(REPO / command, os.X_OK)
