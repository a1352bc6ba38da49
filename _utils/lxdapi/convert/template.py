"""
A YAML text with Jinja in it, and edits of it that leave everything else as it is: comments, order, spaces and Jinja.
"""

import re
from typing import Any, Iterator, List, NamedTuple, Set, Tuple

import yaml

from lxdapi.errors import InvalidError

_JINJA = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)


class Decision(NamedTuple):
    """A place that a person has to look at."""

    line: int
    text: str


def blank_jinja(text: str) -> str:
    """
    Return a text of the same length that YAML can parse.

    Statements and comments become spaces, and an expression becomes a word. So each character of the text has the same
    place in both texts.
    """

    def blank(match: "re.Match[str]") -> str:
        if match[0].startswith("{{"):
            return "x" * len(match[0])
        return re.sub(r"[^\n]", " ", match[0])

    return _JINJA.sub(blank, text)


class Template:
    """
    A text, the YAML nodes in it, and the collected edits.

    text
        YAML with Jinja. Raises :class:`InvalidError` if it is not.
    """

    def __init__(self, text: str) -> None:
        if re.match(r"#!(?!.*\byaml\b)", text):
            raise InvalidError(f"{text.splitlines()[0]}: expected an SLS file in YAML, with or without Jinja")
        self.text = text
        self.decisions: List[Decision] = []
        # The items that were removed, and the places where arguments were added.
        self.dropped: List[Any] = []
        self.extended: Set[int] = set()
        self._edits: List[Tuple[int, int, str]] = []
        try:
            self.root = yaml.compose(blank_jinja(text), Loader=yaml.SafeLoader)
        except yaml.YAMLError as exc:
            raise InvalidError(f"expected an SLS file in YAML, with or without Jinja: {exc}") from exc

    def decide(self, node: Any, text: str) -> None:
        """Add a decision for the line of a node."""
        self.decisions.append(Decision(node.start_mark.line + 1, text))

    def read(self, node: Any) -> str:
        """Return the text of a node, with its Jinja and quotes."""
        return self.text[node.start_mark.index : end_of(node)]

    def replace(self, node: Any, text: str) -> None:
        """Replace a node by a text."""
        self._edits.append((node.start_mark.index, end_of(node), text))

    def replace_span(self, start: int, end: int, text: str) -> None:
        """Replace a part of the text."""
        self._edits.append((start, end, text))

    def line_start(self, index: int) -> int:
        """Return where the line of a character begins."""
        return self.text.rfind("\n", 0, index) + 1

    def line_end(self, index: int) -> int:
        """Return where the line of a character ends, after its line break."""
        end = self.text.find("\n", index)
        return len(self.text) if end < 0 else end + 1

    def drop(self, item: Any) -> None:
        """Remove the lines of an item of a block sequence."""
        self.dropped.append(item)
        start = self.line_start(item.start_mark.index)
        self._edits.append((start, self.line_end(end_of(item)), ""))

    def result(self) -> str:
        """Return the text with the edits."""
        text = self.text
        for start, end, replacement in sorted(self._edits, reverse=True):
            text = text[:start] + replacement + text[end:]
        return text


def is_scalar(node: Any) -> bool:
    """Return whether a node is a scalar."""
    return isinstance(node, yaml.ScalarNode)


def is_mapping(node: Any) -> bool:
    """Return whether a node is a mapping."""
    return isinstance(node, yaml.MappingNode)


def is_sequence(node: Any) -> bool:
    """Return whether a node is a sequence."""
    return isinstance(node, yaml.SequenceNode)


def pairs(node: Any) -> Iterator[Tuple[Any, Any]]:
    """Yield (key node, value node) of a mapping; nothing for another node."""
    if is_mapping(node):
        yield from node.value


def end_of(node: Any) -> int:
    """Return where a node ends: a block collection ends with its last scalar, not before the next token."""
    if is_scalar(node) or node.flow_style or not node.value:
        return node.end_mark.index
    last = node.value[-1]
    return max(end_of(each) for each in last) if isinstance(last, tuple) else end_of(last)
