"""
The words about the versions with an API extension agree with the OpenAPI files, where those show the extension.
"""

import re
from pathlib import Path

import pytest
from lxdapi.model.kinds import KINDS

from tests.support import contract

REPO = Path(__file__).resolve().parents[2]
SOURCES = [path for folder in ("_states", "_modules", "docs") for path in sorted((REPO / folder).rglob("*.*"))]
# "the API extension network_dns (LXD 4.21, every Incus)"
CLAIM = re.compile(r"API extension (?:``)?(\w+)(?:``)? \(((?:LXD|Incus|every)[^)]*)\)")
# extension: (path, field) by which the files show it
SHOWN = {extension: entry for entry, extension in contract.EXTENSIONS.items()}
SHOWN.update(
    {kind.extension: re.sub(r"{\w+}", "{}", kind.path).rpartition("/")[0] for kind in KINDS.values() if kind.extension}
)


def claims():
    """Return {(extension, words)} of all docstrings and pages."""
    texts = [path.read_text(encoding="utf-8") for path in SOURCES if path.suffix in (".py", ".rst")]
    return {found for text in texts for found in CLAIM.findall(" ".join(text.split()))}


def version(text):
    """Return a version in a form that can be compared."""
    return [int(number) for number in text.split(".")]


def promised(words, name):
    """Return whether the words promise the extension for the daemon of a file, such as ``lxd-5.21.7``."""
    daemon, _, own = name.partition("-")
    label = {"lxd": "LXD", "incus": "Incus"}[daemon]
    if f"every {label}" in words:
        return True
    part = re.search(rf"{label} ([\d. or]+)", words)
    return bool(part) and any(version(own) >= version(each) for each in re.findall(r"[\d.]*\d", part[1]))


@pytest.mark.parametrize("extension, words", sorted(claims()))
def test_words_about_versions_agree_with_the_files(extension, words):
    if contract.missing():
        pytest.skip(contract.missing())
    shown = {
        name: contract.knows(contract.spec(name), SHOWN[extension]) for name in contract.FILES if extension in SHOWN
    }
    assert {name: promised(words, name) for name in shown} == shown


def test_words_about_versions_are_found():
    assert {"network_load_balancer", "network_address_set", "projects_force_delete"} <= {each for each, _ in claims()}
    assert len(claims()) > 10


@pytest.mark.parametrize(
    "words, name, expected",
    [
        ("LXD 5.21.5 or 6.6 or newer, every Incus", "lxd-5.21.7", True),
        ("LXD 5.21.5 or 6.6 or newer, every Incus", "lxd-5.0.2", False),
        ("LXD 5.21.5 or 6.6 or newer, every Incus", "incus-6.0.4", True),
        ("Incus 6.12 or newer", "incus-6.0.4", False),
        ("Incus 6.12 or newer", "incus-7.0.1", True),
        ("Incus 7", "lxd-6.9", False),
    ],
)
def test_promise_of_words_is_understood(words, name, expected):
    assert promised(words, name) is expected
