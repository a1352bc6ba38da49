"""
The graph of a host as plain SVG: four columns of boxes, and lines between them. No script, no font, no reference
to anything outside of the file.
"""

import re
from collections import defaultdict
from typing import NamedTuple
from xml.sax import saxutils

from lxdapi import validation as names

# The columns from left to right, and in which each kind stands.
COLUMNS = ("Hosts", "Networks and pools", "Profiles", "Instances")
_PLACE = {"host": 0, "network": 1, "pool": 1, "profile": 2, "instance": 3}
# What XML 1.0 cannot hold at all, and what would break a line or turn the direction of writing.
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff\ufffe\uffff]")
_ROW, _BOX, _GAP, _MARGIN, _HEAD = 28, 22, 110, 20, 56
_CHARACTER, _LONGEST = 7.3, 40
_MARKS = {"Running": "good", "Ready": "good", "Online": "good", "Stopped": "off", "Frozen": "cold"}
_STYLE = """
text { font: 12px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #1f2933; }
.paper { fill: #ffffff; } .head { font-weight: bold; } .note { fill: #7b8794; font-size: 11px; }
.box { fill: #f5f7fa; stroke: #9aa5b1; } g:hover > .box { fill: #dbeafe; stroke: #2563eb; }
.line { fill: none; stroke: #7b8794; stroke-opacity: 0.45; }
.host { fill: #6d28d9; } .network { fill: #2563eb; } .pool { fill: #b45309; } .profile { fill: #0f766e; }
.good { fill: #16a34a; } .off { fill: #9aa5b1; } .cold { fill: #0ea5e9; } .bad { fill: #dc2626; }
@media (prefers-color-scheme: dark) {
text { fill: #e4e7eb; } .paper { fill: #16191d; } .box { fill: #23282e; stroke: #52606d; } .note { fill: #9aa5b1; }
g:hover > .box { fill: #1e3a5f; }
}
"""


class Node(NamedTuple):
    """A box: its kind, its name, what is said of it in small, and the status of an instance or a member."""

    kind: str
    name: str
    note: str = ""
    status: str = ""


def place(node):
    """Return the number of the column that a node stands in."""
    return _PLACE[node.kind]


def label(node):
    """Return the name and the note of a box, without what cannot be seen."""
    words = ", ".join(filter(None, [node.note, node.status]))
    return _UNSEEN.sub("?", node.name), _UNSEEN.sub("?", words)


def drawn(nodes, edges):
    """Return the picture of ``{key: node}`` and pairs of keys."""
    rows = arranged(nodes, edges)
    texts = {key: _texts(node) for key, node in nodes.items()}
    lefts, widths = _across(nodes, texts)
    height = _HEAD + _ROW * (max(rows.values(), default=0) + 1) + _MARGIN
    boxes = {
        key: _Box(lefts[place(node)], _HEAD + _ROW * rows[key], widths[place(node)]) for key, node in nodes.items()
    }
    lines = [_line(boxes[one], boxes[other]) for one, other in edges]
    drawings = [_drawing(boxes[key], node, *texts[key]) for key, node in nodes.items()]
    width = lefts[-1] + widths[-1] + _MARGIN
    return "\n".join([*_beginning(width, height), *_heads(lefts), *lines, *drawings, "</svg>"]) + "\n"


def arranged(nodes, edges):
    """
    Return {key: row}: instances in the order of what they use, and all else in the middle of what uses it, so that few
    lines cross.
    """
    uses, users = defaultdict(list), defaultdict(list)
    for one, other in edges:
        users[one].append(other)
        uses[other].append(one)
    rows = {}
    for column in reversed(range(len(COLUMNS))):
        inside = [key for key, node in nodes.items() if place(node) == column]
        wanted = {key: _middle(users[key], rows) for key in inside}
        following = 0.0
        for key in sorted(inside, key=lambda each: (wanted[each], sorted(uses[each]), names.in_order(each[1]))):
            rows[key] = following if wanted[key] == _NOWHERE else max(following, wanted[key])
            following = rows[key] + 1
    return rows


_NOWHERE = float("inf")


def _middle(users, rows):
    """Return the row in the middle of what uses something; last comes what nothing uses."""
    found = [rows[each] for each in users if each in rows]
    return sum(found) / len(found) if found else _NOWHERE


class _Box(NamedTuple):
    left: float
    top: float
    width: float


def _texts(node):
    """Return the name as it fits into a box, and the note."""
    name, note = label(node)
    return (name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "\u2026"), note


def _across(nodes, texts):
    """Return the left side and the width of each column."""
    longest = [len(title) for title in COLUMNS]
    for key, node in nodes.items():
        name, note = texts[key]
        longest[place(node)] = max(longest[place(node)], len(name) + len(note) + 2)
    widths = [round(number * _CHARACTER) + 26 for number in longest]
    lefts = [_MARGIN + sum(widths[:number]) + _GAP * number for number in range(len(widths))]
    return lefts, widths


def _beginning(width, height):
    size = f'width="{width:.0f}" height="{height:.0f}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {width:.0f} {height:.0f}" role="img">',
        f"<style>{_STYLE}</style>",
        f'<rect class="paper" {size}/>',
    )


def _heads(lefts):
    return [f'<text class="head" x="{left}" y="{_MARGIN + 14}">{title}</text>' for left, title in zip(lefts, COLUMNS)]


def _line(one, other):
    """Return a curve from the right side of a box to the left side of another."""
    start, end = one.left + one.width, other.left
    top, bottom, middle = one.top + _BOX / 2, other.top + _BOX / 2, (start + end) / 2
    curve = f"M{start} {top:.1f}C{middle} {top:.1f} {middle} {bottom:.1f} {end} {bottom:.1f}"
    return f'<path class="line" d="{curve}"/>'


def _drawing(box, node, name, note):
    mark = _MARKS.get(node.status, "bad") if node.status else node.kind
    top, baseline = f"{box.top:.1f}", f"{box.top + 15:.1f}"
    escaped = saxutils.escape(" ".join(label(node)).strip())
    parts = (
        f"<title>{escaped}</title>",
        f'<rect class="box" x="{box.left}" y="{top}" width="{box.width}" height="{_BOX}" rx="4"/>',
        f'<rect class="{mark}" x="{box.left}" y="{top}" width="5" height="{_BOX}" rx="2"/>',
        f'<text x="{box.left + 13}" y="{baseline}">{saxutils.escape(name)}',
        f' <tspan class="note">{saxutils.escape(note)}</tspan></text>',
    )
    return f"<g>{''.join(parts)}</g>"
