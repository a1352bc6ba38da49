"""
Any content of an SLS: each state returns a result, and its errors name the parameter.
"""

import importlib.util
import inspect
from datetime import date, datetime
from itertools import product
from pathlib import Path

import pytest
from lxdapi.minion import connection
from lxdapi.model.kinds import KINDS

from tests.support.examples import examples
from tests.support.fake_transport import Paper, failure, finished, server, started, sync

pytestmark = pytest.mark.usefixtures("without_builds")
STATES = sorted((Path(__file__).resolve().parents[2] / "_states").glob("lxdapi_*.py"))
DIGEST = "3ad0a4b37f2d7b4e8ab1ad3d1a4ae1b6c2d63dc4a4e1b6c2d63dc4a4e1b6c2d6"
# Parameters that select the daemon and do not belong to the kind.
WHERE = {"remote", "project", "target"}
# Values for parameters without a default that are not text.
GOOD = {"instances": {"b": None}}
# (whether every object exists, test mode)
CASES = list(product((True, False), repeat=2)) if examples(1) > 1 else [(True, False), (False, True)]
SELF = []
SELF.append(SELF)
WILD = {
    **{"an empty text": "", "a text": "x", "a number": 5, "a large number": 10**300, "a negative": -1, "a float": 1.5},
    **{"true": True, "false": False, "no number": float("nan"), "bytes": b"x", "a date": date(2030, 1, 31)},
    **{
        "a time": datetime(2030, 1, 31),
        "an empty list": [],
        "an empty mapping": {},
        "a list": ["x"],
        "twice": ["x", "x"],
    },
    **{
        "a list of numbers": [1],
        "a list of nothing": [None],
        "a list of lists": [["x"]],
        "a list of mappings": [{"x": 1}],
    },
    **{"a mapping": {"x": 1}, "a mapping of nothing": {"x": None}, "a mapping of lists": {"x": ["y"]}, "a set": {"x"}},
    **{
        "a mapping of mappings": {"x": {"y": {"z": 1}}},
        "numbers as keys": {5: 6},
        "no key": {None: "x"},
        "true as a key": {True: 1},
    },
    **{"a date within": {"x": date(2030, 1, 31)}, "a float within": {"x": 1.5}, "a tuple as a key": {("a",): 1}},
    **{"NUL": "a\x00b", "half a character": "\ud800", "a NUL as a key": {"a\x00": 1}, "in itself": SELF},
    **{"long": "x" * 10**6, "many digits": "9" * 5000, "up": "..", "a slash": "a/b", "an object": object()},
    **{"mixed keys": {5: 1, "x": 2}, "lines": "a\r\nb\tc"},
}


class Daemon:
    """
    A daemon that supports everything, and that has no object or an empty object of each kind.

    there
        True: every requested object exists.
    """

    def __init__(self, there):
        self.there = there
        extensions = [e for kind in KINDS.values() for e in (kind.extension, *kind.extensions.values()) if e]
        self.facts = {"api_extensions": extensions, "config": {}}

    def __call__(self, seen):
        path = seen.line.partition("/1.0")[2].strip("/")
        if not path:
            return server(**self.facts)
        if path.startswith("operations/"):
            return finished()
        if seen.query.get("recursion"):
            return sync([])
        if seen.method != "GET":
            return started() if path.startswith("instances") else sync()
        empty = {
            "config": {},
            "devices": {},
            "description": "",
            "status": "Stopped",
            "created_at": "x",
            "name": "x",
            "profiles": [],
            "type": "container",
        }
        return sync({**empty, "target": DIGEST, "fingerprint": DIGEST}) if self.there else failure(404, "not found")


def state_of(path, there, test, folder):
    """Return a state's file as Salt loads it, connected to such a daemon."""
    spec = importlib.util.spec_from_file_location(f"{path.stem}_of_the_tests", path)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    loaded.__opts__ = {"test": test, "cachedir": str(folder)}
    loaded.__salt__ = {"config.get": lambda *given: remotes(folder), "cp.cache_file": lambda *given, **more: ""}
    loaded.__salt__["saltutil.runner"] = lambda *given, **more: "no runner"
    loaded.__context__ = {}
    if "__states__" in path.read_text(encoding="utf-8"):
        others = {each.stem: state_of(each, there, test, folder) for each in STATES if each != path}
        loaded.__states__ = {
            f"{name}.present": each.present for name, each in others.items() if hasattr(each, "present")
        }
    return loaded


def remotes(folder):
    """Return the remotes: one without a listening server and without a client key."""
    return {"b": {"endpoint": "https://127.0.0.1:1", "cert": f"{folder}/a.crt", "key": f"{folder}/a.key"}}


def name_of(word):
    """Return a valid name for a kind, or the name of a remote."""
    if word not in KINDS:
        return "b"
    good = {"fingerprint": DIGEST, "address": "192.0.2.1"}
    return "/".join([*["a"] * len(KINDS[word].parents), good.get(KINDS[word].rule, "b")])


def functions():
    """Return (path, function, parameter) for everything that can be declared."""
    for path in STATES:
        loaded = state_of(path, True, True, "")
        for function, found in inspect.getmembers(loaded, inspect.isfunction):
            if function[0] == "_" or found.__module__ != loaded.__name__ or function == "mod_init":
                continue
            for parameter in inspect.signature(found).parameters:
                if parameter not in WHERE:
                    yield pytest.param(path, function, parameter, id=f"{path.stem}.{function}-{parameter}")


@pytest.mark.parametrize("path, function, parameter", list(functions()))
def test_each_state_survives_arbitrary_declarations(path, function, parameter, monkeypatch, tmp_path):
    word = (getattr(state_of(path, True, True, ""), "__virtualname__", None) or path.stem).partition("_")[2]
    for there, test in CASES:
        monkeypatch.setattr(connection, "connect", lambda *given, **more: Paper(Daemon(there)).api)  # noqa: B023
        act = getattr(state_of(path, there, test, tmp_path), function)
        for what, value in WILD.items():
            given = {"name": name_of(word), **needed(act), parameter: value}
            ret = act(**given)
            assert set(ret) == {"name", "changes", "result", "comment"}, what
            assert ret["result"] in (True, False, None) and isinstance(ret["comment"], str), what
            assert ret["result"] is not False or ret["comment"], what


def needed(act):
    """Return values for the parameters without a default, except the name."""
    found = inspect.signature(act).parameters.values()
    return {each.name: GOOD.get(each.name, "x") for each in found if each.default is each.empty and each.name != "name"}
