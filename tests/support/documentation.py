"""
What the README and the pages of docs/ show, for the tests that carry it out.
"""

import re
import textwrap
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
UNDERLINE = r"(?:={3,}|-{3,})\n"


def code_blocks(page, heading, language):
    """
    Return the code blocks of a language in the section below a heading, in their order.

    page
        The path of the page below the repository without its ``.rst``: ``README``, ``docs/how-to/install``.
    """
    pattern = rf"^{re.escape(heading)}\n{UNDERLINE}(.*?)(?=^[^\n]+\n{UNDERLINE}|\Z)"
    text = (REPO / f"{page}.rst").read_text(encoding="utf-8")
    section = re.search(pattern, text, re.MULTILINE | re.DOTALL)[1]
    blocks = re.findall(rf"\.\. code-block:: {re.escape(language)}\n\n((?:    .*\n|\n)+)", section)
    return [textwrap.dedent(block).strip("\n") + "\n" for block in blocks]
