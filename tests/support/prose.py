"""
Plain English: phrases that the project's texts avoid, and the texts of a file.
"""

import ast
import io
import re
import tokenize

# (pattern, alternative). The patterns see a text as one line with single blanks.
PHRASES = (
    (r"\b(?:is|are|was|were|be|been) (?:said|told)\b", "name the actor: 'the error names X'"),
    (r"\b(?:is|are|was|were) asked (?:of|for)\b", "name the actor: 'lxdapi asks the daemon for X'"),
    (r"\b(?:is|are|was|were|has|have|had) (?-i:none)\b", "'is not a X', 'has no X'"),
    (r"(?<!there )\b(?:is|are|was|were) no\b(?! (?:longer|more)\b)", "'is not a X'"),
    (r"\b(?:has|have|had) to be there\b|\bmust be there\b", "'must exist'"),
    (r"\b(?:is|are|was|were|be|been) there\b(?! (?:a|an|any|no)\b)", "'exists'"),
    (r"\bstands? there\b", "'exists', 'contains', 'duplicate entry'"),
    (r"\bwhat lasts\b", "'long operations'"),
    (r"\bof which\b", "two sentences"),
    (r"\brid of\b", "'without', 'remove'"),
    (r"\bshall\b", "'must', or the present tense"),
    (r"\bas good\b(?! as)", "say what holds"),
    (r"\bso already\b", "'already'"),
    (r"\bhalf made\b", "'incomplete'"),
    (r"\bleft alone\b(?! unless declared)", "'unchanged', 'not touched'"),
    (r"\bin (?:its|their) stead\b", "'instead'"),
    (r"\bno more\b(?! than)", "'no longer'"),
    (r"\banew\b", "'again'"),
    (r"\bfor whoever\b", "'Use this guide to X'"),
    (r"\bhas of (?:its|their) own\b|\bis (?:his|hers|ours|theirs)\b", "'its own X'"),
)
# The same for the beginning of a sentence.
BEGINNINGS = (
    (r"(?:\A[Ww]|\bW)h(?:at|o)\b(?![^.]*\?)", "begin with a noun"),
    (r"(?:\A[Oo]|\bO)f\b", "'the Y of X'"),
)
LITERAL_BLOCK = re.compile(r"^( *)(?:\.\. (?:code-block|literalinclude|image|figure|toctree|graphviz)::.*|.*\S::)$")


RULES = [(re.compile(pattern, re.IGNORECASE), instead) for pattern, instead in PHRASES]
RULES += [(re.compile(pattern), instead) for pattern, instead in BEGINNINGS]


def without_literals(text):
    """Return reStructuredText with empty literal blocks and a word for each literal; the line numbers stay the same."""
    lines, inside = [], None
    for line in text.split("\n"):
        indent = len(line) - len(line.lstrip())
        if inside is not None and line.strip() and indent <= inside:
            inside = None
        lines.append(line if inside is None else "")
        start = LITERAL_BLOCK.match(line) if inside is None else None
        inside = len(start[1]) if start else inside
    return re.sub(r"``.+?``", lambda found: "X" + "\n" * found[0].count("\n"), "\n".join(lines), flags=re.DOTALL)


def _comments(source):
    """Yield (line, text) of the comments, consecutive lines as one."""
    block, begin, last = [], 0, (0, 0)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT:
            continue
        if block and token.start != (last[0] + 1, last[1]):
            yield begin, "\n".join(block)
            block = []
        begin = begin if block else token.start[0]
        block.append(token.string.lstrip("#! "))
        last = token.start
    if block:
        yield begin, "\n".join(block)


def _docstrings(tree):
    """Yield (line, text) of the docstrings."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.lineno, node.value.value


def _strings(tree):
    """Yield (line, text) of all strings, with X for each value in an f-string."""
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield node.lineno, "".join(part.value if isinstance(part, ast.Constant) else "X" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts:
            yield node.lineno, node.value


def texts(path, messages=True):
    """
    Yield (line, text) of a file: docstrings, comments and messages of Python, everything in other files.

    messages
        False: omit strings other than docstrings, such as the data of tests.
    """
    content = path.read_text(encoding="utf-8")
    if path.suffix == ".py" or content.startswith("#!/usr/bin/env python"):
        yield from _comments(content)
        strings = _strings if messages else _docstrings
        yield from ((line, without_literals(text)) for line, text in strings(ast.parse(content)) if " " in text)
    elif path.suffix in (".md", ".rst"):
        yield 1, without_literals(content)
    else:
        yield 1, re.sub(r"(?m)^ *# ?", "", content)


def findings(path, messages=True):
    """Return "line: phrase (alternative)" for each phrase to avoid in the file."""
    found = []
    for first, text in texts(path, messages):
        words = [(line, word) for line, part in enumerate(text.split("\n"), first) for word in part.split()]
        joined = " ".join(word for _, word in words)
        for rule, instead in RULES:
            for match in rule.finditer(joined):
                found.append(f"{words[joined.count(' ', 0, match.start())][0]}: {match[0]} ({instead})")
    return found
