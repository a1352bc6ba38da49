"""
Reference pages and the code say the same: settings, the table of states, the names of other tools' replacements.
"""

import ast
import functools
import re
from pathlib import Path

import pytest
from lxdapi.api import REQUEST_SECONDS, WAIT_SECONDS
from lxdapi.concurrency import MOST
from lxdapi.http import endpoints, retry
from lxdapi.model.kinds import KINDS

from tests.support import fronts

REPO = Path(__file__).resolve().parents[2]
DOCS = REPO / "docs"
SETTINGS = DOCS / "reference" / "settings.rst"
OLD_SALT = DOCS / "how-to" / "from-salt-lxd.rst"
CODE = (
    *("_utils", "_modules", "_states", "_output"),
    *("_executors", "_proxy", "_resources", "_roster", "_runners"),
)
OLD_STATES = {
    "lxd": "init config_managed authenticate",
    "lxd_container": "present absent running frozen stopped migrated",
    "lxd_image": "present absent",
    "lxd_profile": "present absent",
}
OLD_FUNCTIONS = """
    version pylxd_version init config_set config_get pylxd_client_get pylxd_save_object authenticate
    normalize_input_values sync_config_devices
    container_list container_create container_get container_delete container_rename container_state container_start
    container_stop container_restart container_freeze container_unfreeze container_migrate container_config_get
    container_config_set container_config_delete container_device_get container_device_add container_device_delete
    container_file_put container_file_get container_execute
    profile_list profile_create profile_get profile_delete profile_config_get profile_config_set profile_config_delete
    profile_device_get profile_device_set profile_device_delete
    image_list image_get image_get_by_alias image_delete image_from_simplestreams image_from_url image_from_file
    image_copy_lxd image_alias_add image_alias_delete
    snapshots_all snapshots_create snapshots_delete snapshots_get
""".split()


@functools.cache
def code():
    """Return the nodes of all code of the library and the fronts."""
    paths = [path for folder in CODE for path in REPO.glob(f"{folder}/**/*.py")]
    return [node for path in paths for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))]


def first_texts(calls):
    """Return the first argument of each call that is text."""
    return {call.args[0].value for call in calls if call.args and isinstance(getattr(call.args[0], "value", None), str)}


@functools.cache
def settings_read():
    """Return what the code reads: settings, variables of the environment, options of Salt."""
    calls = [(ast.unparse(node.func), node) for node in code() if isinstance(node, ast.Call)]
    items = [node for node in code() if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant)]
    settings = {text for text in first_texts(call for name, call in calls if "config" in name) if "lxdapi:" in text}
    variables = first_texts(call for name, call in calls if name.endswith("environ.get"))
    options = first_texts(call for name, call in calls if name in ("__opts__.get", "opts.get"))
    options |= {item.slice.value for item in items if ast.unparse(item.value).endswith(("__opts__", "['__opts__']"))}
    named = {name for _, by_socket, by_dir, _ in endpoints.LOCAL for name in (by_socket, by_dir)}
    return settings, variables | named, options


def remote_keys():
    """Return the keys of a remote that the code knows."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in REPO.glob("_utils/lxdapi/minion/*.py")]
    return {key for tree in trees for key in fronts.constant(tree, "_OPTIONS") or ()}


def rows(heading):
    """Return {setting: the cells of its row} of the table below a heading of the page of settings."""
    text = SETTINGS.read_text(encoding="utf-8")
    table = re.search(rf"^{heading}\n-+\n(.*?)(?=^[^\n]+\n-+\n|\Z)", text, re.MULTILINE | re.DOTALL)[1]
    found = {}
    for row in re.split(r"^   \* - ", table, flags=re.MULTILINE)[2:]:
        first, *cells = re.split(r"^     - ", row, flags=re.MULTILINE)
        found.update(dict.fromkeys(re.findall(r"``([\w:]+)``", first), [" ".join(each.split()) for each in cells]))
    return found


@pytest.mark.parametrize("heading, number", [("General", 0), ("Environment", 1), ("Settings of Salt", 2)])
def test_page_of_settings_has_all_that_the_code_reads(heading, number):
    assert set(rows(heading)) == settings_read()[number]


def test_page_of_settings_has_each_key_of_a_remote():
    assert set(rows("Remotes")) == remote_keys()


def test_page_of_settings_shows_the_defaults_of_the_code():
    seconds = {"timeout": REQUEST_SECONDS, "wait_timeout": WAIT_SECONDS, "retry_timeout": retry.RETRY_SECONDS}
    assert {key: rows("Remotes")[key][1] for key in seconds} == {key: str(value) for key, value in seconds.items()}
    assert rows("General")["lxdapi:ahead"][1] == str(MOST)
    sockets = [path for *_, paths in endpoints.LOCAL for path in paths]
    assert [path for path in sockets if f"``{path}``" not in SETTINGS.read_text(encoding="utf-8")] == []


@functools.cache
def known_names():
    """Return each state and function of ours."""
    return {
        f"{front}.{name}"
        for folder in ("_states", "_modules", "_runners")
        for front in fronts.files(folder)
        for name in fronts.functions(folder, front)
    }


def old_names():
    """Return the names of the states and functions that Salt 3008 removed."""
    states = {f"{module}.{name}" for module, names in OLD_STATES.items() for name in names.split()}
    return states | {f"lxd.{name}" for name in OLD_FUNCTIONS}


def new_names(text):
    """Return each name of a state or function of ours in a text, without the modules for Python programs."""
    modules = {"lxdapi.api", "lxdapi.convert", "lxdapi.errors", "lxdapi.published", "lxdapi.shortcuts"}
    return set(re.findall(r"(?<![\w./])(lxdapi(?:_\w+)?\.\w+)\b", text)) - modules


def test_each_removed_name_of_salt_has_a_row():
    found = re.findall(r"^   \* - ``(lxd\w*\.\w+)``$", OLD_SALT.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(found) == 13 + 55
    assert set(found) == old_names()


@pytest.mark.parametrize("path", sorted(DOCS.glob("*/*.rst")), ids=lambda path: path.stem)
def test_named_states_and_functions_exist(path):
    text = path.read_text(encoding="utf-8")
    assert (
        new_names(re.sub(r"^ *(from|import) lxdapi.*$|\.py\b", "", text, flags=re.MULTILINE)) - known_names() == set()
    )


def test_page_of_extensions_names_those_of_the_code():
    text = (DOCS / "reference" / "api-extensions.rst").read_text(encoding="utf-8")
    named = re.findall(r"^     - ``(\w+)``$", text, re.MULTILINE)
    known = {node.value for node in code() if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    assert set(named) - known - {"instance_pool_move", "instance_project_move"} == set()
    assert not {kind.extension for kind in KINDS.values()} & set(named)


def test_page_of_targets_lists_the_functions_of_a_target():
    text = (DOCS / "how-to" / "targets.rst").read_text(encoding="utf-8")
    table = re.search(r"^module +functions\n=[= ]+\n(.+?)\n=", text, re.MULTILINE | re.DOTALL)[1]
    rows = [re.findall(r"``(\w+)``", row) for row in re.split(r"\n(?=`)", table)]
    paths = sorted((REPO / "_resources" / "lxdapi" / "modules").glob("*.py"))
    assert rows == [[path.stem, *sorted(functions_of_target(path))] for path in paths]


def functions_of_target(path):
    """Return the names of the functions of a module of the resource type, as Salt calls them."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    aliases = fronts.constant(tree, "__func_alias__") or {}
    return [aliases.get(node.name, node.name) for node in tree.body if isinstance(node, ast.FunctionDef)]


# Words that come from a daemon, from a program that it runs, or from Salt.
FOREIGN_WORDS = (
    "'lxdapi_file.managed' is not available",
    "State 'lxdapi_file.managed' was not found in SLS 'web'",
    "'confg' are invalid keyword arguments for 'lxdapi_profile.present'",
    "database is closed",
    "no available dqlite leader server found",
    "Failed to run: /usr/libexec/incus/incusd forkstart web1: exit status 1",
    "newuidmap: write to uid_map failed: Operation not permitted",
)


def sentences():
    """Return each text of the code but docstrings, with XX for what it says at run time, and the words of others."""
    docstrings = {id(node.value) for node in code() if isinstance(node, ast.Expr)}
    found = list(FOREIGN_WORDS)
    for node in code():
        if isinstance(node, ast.JoinedStr):
            found.append("".join(part.value if isinstance(part, ast.Constant) else "XX" for part in node.values))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            found.append(node.value)
    return found


def errors_on_the_page():
    """Return each error text of the page of troubleshooting."""
    text = (DOCS / "how-to" / "troubleshooting.rst").read_text(encoding="utf-8")
    entries = re.findall(r"^(``[^\n]+``)\n    \S", text, re.MULTILINE)
    return [quoted for entry in entries for quoted in re.findall(r"``(.+?)``(?:, |$)", entry)]


@pytest.mark.parametrize("quoted", errors_on_the_page())
def test_error_of_troubleshooting_can_occur(quoted):
    pattern = re.compile(".*".join(map(re.escape, quoted.split("..."))), re.DOTALL)
    assert [text for text in sentences() if pattern.search(text)]


def test_troubleshooting_has_entries():
    assert len(errors_on_the_page()) > 50
