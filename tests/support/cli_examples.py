"""
The ``CLI Example`` lines of the modules' docstrings, read without importing the modules.
"""

import ast
import shlex

from tests.support import fronts

COMMAND = "salt-call "
# The arguments from here on control the output and are not for the function.
_AFTER = "--out"


def public_functions(folder):
    """Return {"module.function": docstring} of all modules in the folder, by the names that users call."""
    return {
        f"{front}.{name}": ast.get_docstring(node) or ""
        for front in fronts.files(folder)
        for name, node in fronts.functions(folder, front).items()
    }


def examples(docstring):
    """Return the calls in a docstring, each as the words after ``salt-call``."""
    lines = (line.strip() for line in docstring.splitlines())
    return [_for_the_function(shlex.split(line)[1:]) for line in lines if line.startswith(COMMAND)]


def _for_the_function(words):
    """Return a function and its arguments."""
    return words[: words.index(_AFTER)] if _AFTER in words else words
