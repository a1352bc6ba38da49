"""
One set of SLS, applied by the modules of Salt 3007 with pylxd and by the drop-in, on the same LXD: results, keys of
changes and the state of the daemon are the same, but for the differences that the documentation names.
"""

import ast
import shutil
from pathlib import Path

import pytest

from tests.support.loader import DROPIN, Loaded
from tests.support.removed_lxd import functions_of_salt

TREE = Path(__file__).parent / "tree"
MANAGED = ("volatile.", "image.")
# The order: each SLS in test mode and applied, and whether it is applied once more.
STEPS = [("made", True), ("changed", False), ("gone", False)]
# {(SLS, run, id): ((result, keys of changes) of Salt 3007, those of the drop-in)}
DIFFERENT = {
    ("made", "predicted", "busybox"): ((None, ["created"]), (None, ["aliases", "created"])),
    ("made", "applied", "busybox"): ((True, ["aliases"]), (True, ["aliases", "created"])),
    ("made", "predicted", "web1"): ((None, ["created"]), (None, ["created", "started"])),
    ("made", "applied", "web1"): ((True, ["started"]), (True, ["created", "started"])),
    ("changed", "predicted", "web1"): (
        (None, ["config", "devices", "profiles"]),
        (None, ["config", "devices", "profiles", "restarted"]),
    ),
    ("changed", "applied", "web1"): (
        (True, ["config", "devices", "profiles"]),
        (True, ["config", "devices", "profiles", "restarted"]),
    ),
    ("changed", "predicted", "web2 frozen"): ((None, ["started"]), (None, ["frozen", "started"])),
    ("changed", "predicted", "web3 started and frozen"): ((None, ["started"]), (None, ["frozen", "started"])),
    ("changed", "predicted", "nope stopped"): ((False, []), (None, ["stopped"])),
    ("gone", "predicted", "bare"): ((True, ["removed"]), (None, ["removed"])),
    ("gone", "predicted", "box2"): ((True, ["removed"]), (None, ["removed"])),
    ("gone", "predicted", "default"): ((True, ["removed"]), (False, [])),
}


@pytest.fixture
def tree(image, tmp_path):
    """The SLS, and the image beside them."""
    folder = Path(shutil.copytree(TREE, tmp_path / "tree"))
    shutil.copy(image, folder / "busybox.tar.gz")
    return folder


def own(config):
    """Return the config keys that neither a daemon nor an image sets."""
    return {key: value for key, value in config.items() if not key.startswith(MANAGED)}


def found(daemon):
    """Return what the daemon has: containers, profiles, images and its own config."""
    containers = daemon.ask("GET", "/1.0/instances?recursion=1")
    profiles = daemon.ask("GET", "/1.0/profiles?recursion=1")
    images = daemon.ask("GET", "/1.0/images?recursion=1")
    fields = ("architecture", "devices", "ephemeral", "profiles", "status")
    return {
        "containers": {each["name"]: [own(each["config"]), *(each[field] for field in fields)] for each in containers},
        "profiles": {
            each["name"]: [each[field] for field in ("config", "description", "devices")] for each in profiles
        },
        "images": [(sorted(alias["name"] for alias in each["aliases"]), each["public"]) for each in images],
        "config": daemon.ask("GET", "/1.0")["config"],
    }


def essence(answers):
    """Return {id: (result, keys of changes, keys of their config and devices)}."""
    return {
        each["__id__"]: (
            (each["result"], sorted(each["changes"])),
            {key: sorted(each["changes"].get(key) or ()) for key in ("config", "devices")},
        )
        for each in answers.values()
    }


def outcomes(daemon, apply, other=None):
    """
    Return {(SLS, run): (answers, what the daemon has)} of all steps.

    other
        Applies the same SLS after the first one; that must change nothing.
    """
    all_of_them = {}
    for name, again in STEPS:
        for run in ["predicted", "applied", *(["again"] if again else [])]:
            all_of_them[name, run] = (essence(apply(name, run == "predicted")), found(daemon))
        if again and other:
            assert {
                label: short for label, (short, _) in essence(other(name, False)).items() if short != (True, [])
            } == {}
            assert found(daemon) == all_of_them[name, "again"][1]
    return all_of_them


def test_sls_have_the_same_effect_as_with_salt_3007(lxd, removed, tree, tmp_path):
    salt = Loaded(tmp_path / "ours", {"local": lxd.socket}, [str(tree)], dropin=True)

    def apply(name, test):
        return salt.modules["state.apply"](name, test=test)

    theirs = outcomes(lxd, lambda name, test: removed.ask("state.apply", name, test=test), apply)
    lxd.wipe()
    ours = outcomes(lxd, apply)
    different = {}
    for step, (answers, state) in theirs.items():
        assert ours[step][1] == state, step
        for label, (short, parts) in answers.items():
            assert ours[step][0][label][1] == parts or (*step, label) in DIFFERENT, (step, label)
            if ours[step][0][label][0] != short:
                different[(*step, label)] = (short, ours[step][0][label][0])
    assert different == DIFFERENT


def signatures(path):
    """Return {function: its parameters and defaults} of the public functions of a file."""
    nodes = ast.parse(path.read_text(encoding="utf-8")).body
    return {
        node.name: ast.unparse(node.args)
        for node in nodes
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    }


@pytest.mark.parametrize(
    "name", ["modules/lxd", *(f"states/lxd{each}" for each in ("", "_container", "_image", "_profile"))]
)
def test_functions_have_the_parameters_of_salt_3007(name):
    folder, stem = name.split("/")
    paths = DROPIN.glob(f"_modules/{stem}*.py") if folder == "modules" else [DROPIN / "_states" / f"{stem}.py"]
    ours = {function: parameters for path in paths for function, parameters in signatures(path).items()}
    ours.pop("__virtual__", None)
    assert ours == signatures(functions_of_salt(name))
