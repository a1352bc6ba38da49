"""
The examples of the README, for the tests that run them.
"""

import re
import textwrap
from pathlib import Path

README = Path(__file__).resolve().parents[2] / "README.rst"
UNDERLINE = r"(?:={3,}|-{3,})\n"


def code_blocks(heading, language):
    """Return the code blocks of a language in the section below a heading, in order."""
    pattern = rf"^{re.escape(heading)}\n{UNDERLINE}(.*?)(?=^[^\n]+\n{UNDERLINE}|\Z)"
    section = re.search(pattern, README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)[1]
    blocks = re.findall(rf"\.\. code-block:: {re.escape(language)}\n\n((?:    .*\n|\n)+)", section)
    return [textwrap.dedent(block).strip("\n") + "\n" for block in blocks]
