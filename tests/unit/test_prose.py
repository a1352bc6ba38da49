"""
The English of code, messages and documentation: spelling, and phrases to avoid.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import prose

REPO = Path(__file__).resolve().parents[2]
PLACES = (
    *("_executors", "_modules", "_output", "_proxy", "_resources", "_roster", "_runners", "_states", "_utils"),
    *("bench", "changelog.d", "docs", "dropin", "examples", "formula", "scripts"),
    *("CHANGELOG.rst", "CODE_OF_CONDUCT.md", "CONTRIBUTING.rst", "README.rst", "SECURITY.md", "demo", "test", "tests"),
)
# Misspelled on purpose: inputs of tests, and a reply of a shell ("not found") without its first letter.
MISSPELLED = "confg,descripton,endpont,ot,tiemout"


def is_text(path):
    """Return whether the file has texts of the project: Python, reStructuredText, Markdown, SLS, or a script."""
    return path.suffix in (".md", ".py", ".rst", ".sls") or not path.suffix and path.open("rb").read(2) == b"#!"


def files():
    """Return every file with texts below the places."""
    found = [each for place in PLACES for each in (REPO / place, *(REPO / place).rglob("*")) if each.is_file()]
    return [each for each in found if "__pycache__" not in each.parts and is_text(each)]


def name(path):
    """Return the path of a file from the top of the repository."""
    return str(path.relative_to(REPO))


FILES = {name(path): path for path in sorted(files())}


def test_the_places_have_files():
    assert len(FILES) > 300
    assert {each.partition("/")[0] for each in FILES} == set(PLACES)


def test_codespell_finds_nothing():
    command = [sys.executable, "-m", "codespell_lib", "--ignore-words-list", MISSPELLED, "--ignore-regex", "GET's"]
    done = subprocess.run([*command, *FILES], cwd=REPO, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", FILES)
def test_a_text_has_no_phrase_to_avoid(path):
    assert prose.findings(FILES[path], messages=not path.startswith("tests/")) == []


@pytest.mark.parametrize(
    "text, finding",
    [
        ("# the reason is told\nx = 1\n", "1: is told"),
        ('"""\nOne.\n\nWhat lasts.\n"""\n', "4: What lasts"),
        ('"""\nOf the set.\n"""\n', "2: Of"),
        ('"""\nWhat does it do?\n"""\n', None),
        ('f = f"{x} is no file or {y}"\n', "1: is no"),
        ('f = f"there is no {x} of that"\n', None),
        ('"""\nSee::\n\n    Of course\n"""\n', None),
        ("# one\n# has to\n# be there\n", "2: has to be there"),
    ],
)
def test_the_linter_finds_a_phrase(tmp_path, text, finding):
    path = tmp_path / "sample.py"
    path.write_text(text)
    found = prose.findings(path)
    assert [each.partition(" (")[0] for each in found][:1] == [finding] if finding else found == []
