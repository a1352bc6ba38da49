"""
The list of what can go wrong, by number: each case has a test that bears its number, or it is said why it has none.
"""

import ast
import re
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
OPERATIONS = {*range(1, 5), *range(6, 14), 15, 16, 17, 19, 20}
FAULTS = {*range(21, 27), 28, 29, 30, 32, 34, 35, 37, 38, 40, 41, 42, 44}
BAD_INPUT = {45, 47, 48, *range(50, 60)}
IDEMPOTENCE = {*range(61, 66), 67, 68, 69, 70, *range(72, 77)}
RACES = {77, 79, *range(81, 86)}
SECURITY = {86, 89, 90, 91, 93, 94, *range(96, 101)}
CLUSTERS_FILES_EVENTS = set(range(101, 113))
CASES = OPERATIONS | FAULTS | BAD_INPUT | IDEMPOTENCE | RACES | SECURITY | CLUSTERS_FILES_EVENTS
WITHOUT = {
    110: "there are no events yet",
}


def numbers():
    """Return the numbers in the names of all tests: ``test_case_7_8_...`` has two."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in TESTS.glob("*/test_*.py")]
    names = {node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    found = [re.match(r"test_case((?:_\d+)+)_", name) for name in names]
    return {int(number) for each in found if each for number in each[1].strip("_").split("_")}


def test_each_case_has_a_test_or_a_reason():
    assert CASES - numbers() == set(WITHOUT)


def test_no_test_bears_a_number_that_is_none():
    assert numbers() <= CASES - set(WITHOUT)
