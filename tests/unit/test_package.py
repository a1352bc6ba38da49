"""
The library as a package that Salt's loader accepts as one of its own: synced, installed by pip, and in a checkout.
"""

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest
import salt.loader

REPO = Path(__file__).resolve().parents[2]
PACKAGES = sorted(REPO.glob("_utils/lxdapi/**/__init__.py"))
# If the library is not on the path, Python finds the front of the same name instead.
WITHOUT_LIBRARY = """
import sys

sys.path[:0] = [{modules!r}]
try:
    import lxdapi
except ModuleNotFoundError as exc:
    assert str(exc).startswith("No module named 'lxdapi' (the library, _utils/lxdapi): over salt-ssh add lxdapi"), exc
else:
    raise AssertionError("the front was taken for the library")
# A sync brings the library later on in the same process.
sys.path[:0] = [{utils!r}]
from lxdapi.api import API, APIException, APINotFoundException, APIResult
from lxdapi.shortcuts import container_get
"""


@pytest.mark.parametrize("path", PACKAGES, ids=lambda path: str(path.parent.relative_to(REPO)))
def test_a_package_imports_nothing_by_itself(path):
    # Salt loads it in long-running processes, which would keep the old code after an update.
    statements = ast.parse(path.read_text(encoding="utf-8")).body
    assert [type(each) for each in statements] == [ast.Expr] and ast.literal_eval(statements[0].value)


def test_no_folder_is_named_like_a_loader_of_salt():
    text = Path(salt.loader.__file__).read_text(encoding="utf-8")
    loaders = set(re.findall(r'_module_dirs\(\s*opts,\s*"(\w+)"', text))
    assert {"modules", "pillar", "states", "utils"} <= loaders, "Salt's loaders are known to compare with"
    folders = {path.name for path in REPO.glob("_utils/lxdapi/**/") if path != REPO / "_utils" / "lxdapi"}
    assert "http" in folders and folders.isdisjoint(loaders)


def test_the_front_of_the_same_name_is_not_taken_for_the_library():
    program = WITHOUT_LIBRARY.format(modules=str(REPO / "_modules"), utils=str(REPO / "_utils"))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_imports_in_the_changelog_exist():
    text = (REPO / "CHANGELOG.rst").read_text(encoding="utf-8")
    places = re.findall(r"^ +``lxdapi_\w+`` +``(lxdapi\.[\w.]+)``$", text, re.MULTILINE)
    assert "lxdapi.api" in places
    for place in places:
        importlib.import_module(place)
