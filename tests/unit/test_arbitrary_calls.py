"""
Any input: each function of a module returns, or raises one of its own errors with a message.
"""

import importlib.util
import inspect

import pytest
from lxdapi.minion import connection
from salt.exceptions import SaltException

from tests.support import fronts
from tests.support.fake_transport import Paper
from tests.unit.test_arbitrary_declarations import DIGEST, WHERE, WILD, Daemon, remotes

pytestmark = pytest.mark.usefixtures("without_builds")
MODULES = [(name, path) for name, files in sorted(fronts.files("_modules").items()) for path, _ in files]


# {(function, parameter): why it is not called}
NOT_ON_PAPER = {
    ("lxdapi.status", "sls"): "Salt's own functions run it",
    ("lxdapi_salt.clean", "name"): "no files on paper",
    ("lxdapi_cluster.join_token", "name"): "the operation on paper holds no token",
}
# Values for parameters without a default, if not the text "x".
GOOD = {"kind": "profile", "fingerprint": DIGEST, "path": "x", "remote": "b"}


def demanded(act):
    """Return valid values for the parameters without a default."""
    found = inspect.signature(act).parameters.values()
    return {each.name: GOOD.get(each.name, "x") for each in found if each.default is each.empty}


def module_of(path, folder):
    """Return a module's file as Salt loads it."""
    spec = importlib.util.spec_from_file_location(f"{path.stem}_called_by_the_tests", path)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    loaded.__opts__ = {"cachedir": str(folder), "id": "m"}
    loaded.__salt__ = {"config.get": lambda *given: remotes(folder), "cp.cache_file": lambda *given, **more: ""}
    loaded.__context__, loaded.__pillar__, loaded.__env__ = {}, {}, "base"
    return loaded


def functions():
    """Return (path, function, parameter) for everything that can be called."""
    for name, path in MODULES:
        loaded = module_of(path, "")
        for function, found in inspect.getmembers(loaded, inspect.isfunction):
            if function[0] == "_" or found.__module__ != loaded.__name__:
                continue
            for parameter in inspect.signature(found).parameters:
                if parameter not in WHERE and (f"{name}.{function}", parameter) not in NOT_ON_PAPER:
                    yield pytest.param(path, function, parameter, id=f"{name}.{function}-{parameter}")


@pytest.mark.parametrize("path, function, parameter", list(functions()))
def test_each_function_survives_arbitrary_arguments(path, function, parameter, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for there in (True, False):
        monkeypatch.setattr(connection, "connect", lambda *given, **more: Paper(Daemon(there)).api)  # noqa: B023
        act = getattr(module_of(path, tmp_path), function)
        for what, value in WILD.items():
            given = {**demanded(act), parameter: value}
            try:
                act(**given)
            except SaltException as exc:
                assert str(exc), what
            except Exception as exc:  # noqa: BLE001
                pytest.fail(f"{what}: {type(exc).__name__}: {exc}")
