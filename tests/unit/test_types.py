"""
The types at the seams: mypy has nothing to say, every public function of these folders has annotations, and every
function that plans says whether it returns a Plan, steps or a step.
"""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
LIBRARY = REPO / "_utils" / "lxdapi"
FOLDERS = ("http", "model", "plan")
FILES = [LIBRARY / "api.py", *(path for folder in FOLDERS for path in sorted(LIBRARY.glob(f"{folder}/*.py")))]


def test_mypy_reports_nothing(tmp_path):
    mypy = [sys.executable, "-m", "mypy", "--cache-dir", str(tmp_path)]
    done = subprocess.run(mypy, cwd=REPO, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr


def public_functions(node):
    """Yield the public functions, and the methods of public classes."""
    for each in node.body:
        if isinstance(each, ast.FunctionDef) and (each.name == "__init__" or not each.name.startswith("_")):
            yield each
        if isinstance(each, ast.ClassDef) and not each.name.startswith("_"):
            yield from public_functions(each)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(LIBRARY)))
def test_every_public_function_has_annotations(path):
    for function in public_functions(ast.parse(path.read_text(encoding="utf-8"))):
        arguments = function.args
        every = [*arguments.args, *arguments.kwonlyargs, *filter(None, [arguments.vararg, arguments.kwarg])]
        without = [each.arg for each in every if each.annotation is None and each.arg not in ("self", "cls")]
        assert function.returns is not None and not without, f"{function.name}: {', '.join(without) or 'return'}"


def all_functions(node):
    """Yield the functions and methods, without those inside of functions."""
    for each in node.body:
        if isinstance(each, ast.FunctionDef):
            yield each
        if isinstance(each, ast.ClassDef):
            yield from all_functions(each)


def test_every_plan_function_says_what_it_returns():
    paths = sorted(LIBRARY.glob("**/*.py"))
    functions = [(path, each) for path in paths for each in all_functions(ast.parse(path.read_text(encoding="utf-8")))]
    planning = [(path, each) for path, each in functions if re.fullmatch(r"_?plan(_\w+)?", each.name)]
    without = [f"{path.relative_to(LIBRARY)}: {each.name}" for path, each in planning if each.returns is None]
    assert len(planning) > 50 and without == []
