"""
The documentation builds without a warning, each kind has its page, and each page has its parts in the same order.
"""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from lxdapi.model.kinds import KINDS

from tests.support import fronts

REPO = Path(__file__).resolve().parents[2]
DOCS = REPO / "docs"
PAGES = "reference/kinds"
TEXTS = [*REPO.glob("*.rst"), *DOCS.glob("**/*.rst")]
KINDS_WITH_STATES = [word for word in KINDS if (REPO / "_states" / f"lxdapi_{word}.py").exists()]
FIRST, LAST, BY_HAND = ("present", "absent"), ["Module calls", "Needs"], ["Good to know"]


class Headings(HTMLParser):
    """The headings of a page in order; ``said`` is whether a paragraph comes before the second one."""

    def __init__(self, path):
        super().__init__()
        self.found, self.said, self._inside = [], False, False
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        names = (dict(attrs).get("class") or "").split()
        self._inside = tag in ("h1", "h2") and "logo" not in names or "rubric" in names
        if self._inside:
            self.found.append("")
        self.said = self.said or tag == "p" and len(self.found) == 1

    def handle_data(self, data):
        if self._inside:
            self.found[-1] += data

    def handle_endtag(self, tag):
        self._inside = False


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The folder of the HTML pages, built without a warning."""
    folder = tmp_path_factory.mktemp("docs")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", "-d", str(folder / "trees")]
    done = subprocess.run([*command, DOCS, folder / "html"], cwd=REPO, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "html"


def states(word):
    """Return the public functions of a kind's states, in the order of the documentation."""
    names = list(fronts.functions("_states", f"lxdapi_{word}"))
    return [name for name in FIRST if name in names] + [name for name in names if name not in FIRST]


def called(path):
    """Return the path of a file from the top of the repository, for the ids of tests."""
    return str(path.relative_to(REPO))


@pytest.mark.parametrize("word", KINDS_WITH_STATES)
def test_each_kind_has_a_page_with_its_parts_in_order(built, word):
    page = Headings(built / PAGES / f"{word}.html")
    headings = [text.rstrip("¶") for text in page.found]
    assert page.said, "what the kind is comes first"
    functions = [part for name in states(word) for part in (f"lxdapi_{word}.{name}", "SLS", "Parameters")]
    parts = [word, *functions, *LAST]
    assert headings in (parts, parts + BY_HAND)


@pytest.mark.parametrize("word", KINDS_WITH_STATES)
def test_each_page_names_the_requirements_of_the_kind(built, word):
    kind = KINDS[word]
    text = (built / PAGES / f"{word}.html").read_text(encoding="utf-8").partition('<section id="needs">')[2]
    expected = [kind.extension or "Every LXD since 4.0", *kind.extensions, *kind.extensions.values()]
    assert [word for word in expected if word not in text] == []


@pytest.mark.parametrize("word", KINDS_WITH_STATES)
def test_each_page_shows_the_module_calls(built, word):
    text = re.sub(r"<[^>]+>", "", (built / PAGES / f"{word}.html").read_text(encoding="utf-8"))
    assert re.search(rf"^salt-call lxdapi.list {word}\b", text, re.MULTILINE)


def test_each_page_belongs_to_a_kind():
    assert {path.stem for path in DOCS.glob(f"{PAGES}/*.rst")} == set(KINDS_WITH_STATES)


def test_each_module_is_documented(built):
    text = (built / "reference" / "modules.html").read_text(encoding="utf-8")
    assert set(fronts.files("_modules")) == set(re.findall(r"<h2>(\w+)<", text))


def test_each_state_file_without_kind_is_documented(built):
    text = (built / "reference" / "states.html").read_text(encoding="utf-8")
    files = set(fronts.files("_states")) - {f"lxdapi_{word}" for word in KINDS}
    assert files == set(re.findall(r"<h2>(\w+)<", text))


@pytest.mark.parametrize("path", TEXTS, ids=called)
def test_linked_files_exist(path):
    text = path.read_text(encoding="utf-8")
    links = re.findall(r"`[^`<]+ <(?!\w+:)([^>`]+)>`_|^\.\. (?:image|include):: (\S+)", text, re.MULTILINE)
    targets = {link or shown for link, shown in links}
    assert {target for target in targets if not (path.parent / target).exists()} == set()


@pytest.mark.parametrize("path", TEXTS, ids=called)
def test_named_files_exist(path):
    folders = "|".join(each.name for each in REPO.iterdir() if each.is_dir() and each.name[0] != ".")
    named = re.findall(rf"``((?:{folders})/[\w./-]*\.(?:py|rst|sls))``", path.read_text(encoding="utf-8"))
    assert {target for target in named if not (REPO / target).exists()} == set()
