"""
The code blocks of the README and of docs/, for the tests that run them.
"""

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
_HEADING = re.compile(r"(?P<heading>[^\n]+)\n(?:={3,}|-{3,}|~{3,})\n")
_BLOCK = re.compile(
    r"\.\. code-block:: (?P<language>\S+)\n(?P<options>(?:    :[\w-]+:.*\n)*)\n(?P<text>(?:    .*\n|\n)+)"
)
_ITEM = re.compile(f"^(?:{_HEADING.pattern}|{_BLOCK.pattern})", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """
    A code block with its language, its caption and the heading of its section.

    A package index does not know captions. So in the README a comment with the path of the file is the caption.
    """

    heading: str
    language: str
    caption: str
    text: str


def blocks(page):
    """
    Return the code blocks of a page in their order.

    page
        The path of the page below the repository without its ``.rst``: ``README``, ``docs/how-to/install``.
    """
    found, heading, content = [], "", (REPO / f"{page}.rst").read_text(encoding="utf-8")
    for item in _ITEM.finditer(content):
        heading = item["heading"] or heading
        if item["language"]:
            text = textwrap.dedent(item["text"]).strip("\n") + "\n"
            caption = re.search(r":caption: (.*)", item["options"]) or re.match(r"# (/\S+)\n", text)
            found.append(Block(heading, item["language"], caption[1] if caption else "", text))
    assert len(found) == content.count(".. code-block::"), f"{page}: a code block that is indented or empty"
    return found


def code_blocks(page, heading, language):
    """Return the texts of the code blocks of a language in the section below a heading, in their order."""
    return [block.text for block in blocks(page) if (block.heading, block.language) == (heading, language)]
