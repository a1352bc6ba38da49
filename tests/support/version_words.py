"""
The words of the docstrings and of the documentation about versions of the daemons.
"""

import re
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
SOURCES = [path for folder in ("_states", "_modules", "docs") for path in sorted((REPO / folder).rglob("*.*"))]
# "the API extension network_dns (LXD 4.21, every Incus)"
CLAIM = re.compile(r"API extension (?:``)?(\w+)(?:``)? \(((?:LXD|Incus|every)[^)]*)\)")
# "the API extension instances_rebuild, which LXD 5.0.2 lacks"
LACK = re.compile(r"API extension (?:``)?(\w+)(?:``)?(?:, which | \(not in )((?:LXD|Incus) [\d.]*\d)")
# Other words about the first or last version with something.
OTHER = re.compile(
    r"(?:since|came with|came to) (?:LXD|Incus) \d[\d.]*|(?:LXD|Incus) \d[\d.]*(?:(?:, | or )\d[\d.]*)*"
    r" (?:or|and) (?:newer|later|older)|(?:newer|older|later) than (?:LXD|Incus) [\d.]+"
)


def texts():
    """Return the texts of all docstrings and pages, with single spaces."""
    return [" ".join(path.read_text(encoding="utf-8").split()) for path in SOURCES if path.suffix in (".py", ".rst")]


def claims():
    """Return {(extension, words)} of all docstrings and pages."""
    return {found for text in texts() for found in CLAIM.findall(text)}


def lacks():
    """Return {(extension, daemon and version)} of the words that a daemon lacks an extension."""
    return {found for text in texts() for found in LACK.findall(text)}


def others():
    """Return the other words about versions."""
    return {found for text in texts() for found in OTHER.findall(CLAIM.sub("", text))}


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
