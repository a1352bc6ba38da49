"""
The ``CLI Example`` lines of the modules' docstrings, read without importing the modules.
"""

import ast
import shlex
from pathlib import Path

COMMAND = "salt-call "
# From here on a command line is not for the function: in what form the answer comes, and where it goes.
_AFTER = "--out"


def public_functions(folder):
    """Return {"module.function": docstring} of all modules in the folder, by the names to call."""
    found = {}
    for path in sorted(Path(folder).glob("*.py")):
        tree = ast.parse(path.read_text())
        aliases = _aliases(tree)
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                name = f"{path.stem}.{aliases.get(node.name, node.name)}"
                found[name] = ast.get_docstring(node) or ""
    return found


def examples(docstring):
    """Return the calls in a docstring, each as the words after ``salt-call``."""
    lines = (line.strip() for line in docstring.splitlines())
    return [_for_the_function(shlex.split(line)[1:]) for line in lines if line.startswith(COMMAND)]


def _for_the_function(words):
    """Return a function and its arguments."""
    return words[: words.index(_AFTER)] if _AFTER in words else words


def _aliases(tree):
    """Return the module's ``__func_alias__``."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__func_alias__":
            return ast.literal_eval(node.value)
    return {}
