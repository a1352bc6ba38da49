"""
The fronts for Salt, read without importing them; a front can consist of several files.
"""

import ast
from pathlib import Path

# Functions that Salt itself calls: no SLS names them, and Salt defines their arguments.
HOOKS = {"mod_init", "mod_watch"}
REPO = Path(__file__).resolve().parents[2]


def constant(tree, name):
    """Return the value of a constant of the file, None if it does not exist."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == name:
            return ast.literal_eval(node.value)
    return None


def files(folder):
    """Return {front: [(path, tree)]} of ``_modules`` or ``_states``; the file with the name of the front is first."""
    found = {}
    for path in sorted((REPO / folder).glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found.setdefault(constant(tree, "__virtualname__") or path.stem, []).append((path, tree))
    return found


def functions(folder, front):
    """Return {name in Salt: node} of the public functions of a front."""
    found = {}
    for _, tree in files(folder)[front]:
        aliases = constant(tree, "__func_alias__") or {}
        own = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name[0] != "_"]
        found.update({aliases.get(node.name, node.name): node for node in own})
    return found
