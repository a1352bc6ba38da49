"""
The house rules, checked in the source without running it.
"""

import ast
import re
from functools import lru_cache
from pathlib import Path

import pytest
import salt
from lxdapi.model.kinds import KINDS
from lxdapi.version import VERSION

from tests.support import fronts

REPO = Path(__file__).resolve().parents[2]
LIBRARY = sorted(REPO.glob("_utils/lxdapi/**/*.py"))
MODULES, STATES = sorted(REPO.glob("_modules/*.py")), sorted(REPO.glob("_states/*.py"))
# The drop-in has the names and the signatures of Salt's own modules.
DROPIN_MODULES, DROPIN_STATES = sorted(REPO.glob("dropin/_modules/*.py")), sorted(REPO.glob("dropin/_states/*.py"))
DROPIN = DROPIN_MODULES + DROPIN_STATES
RUNNERS, ROSTERS = sorted(REPO.glob("_runners/*.py")), sorted(REPO.glob("_roster/*.py"))
FRONTS = MODULES + STATES + DROPIN + RUNNERS + ROSTERS
OUTPUTTERS = sorted(REPO.glob("_output/*.py"))
# Functions with the names and the arguments of Salt's own.
RESOURCES = sorted(REPO.glob("_resources/**/*.py"))
RESOURCE_MODULES = [path for path in RESOURCES if path.parent.name == "modules"]
PROXIES = sorted(REPO.glob("_proxy/*.py")) + sorted(REPO.glob("_executors/*.py"))
SYNCED = LIBRARY + FRONTS + OUTPUTTERS + RESOURCES + PROXIES
SALT_FOLDERS = ("executors", "modules", "output", "proxy", "resources", "roster", "runners", "states")
LONGEST_FILE, LONGEST_FUNCTION, LONGEST_TEST_NAME = 600, 40, 60
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
# Functions with arbitrary arguments: everything that requests accepts, for the contract of the earlier lxdapi; the
# parts of a template; methods that override those of requests or of API.
OPEN = {
    "lxdapi.api": {"factory", "request", "transact", "get", "head", "post", "put", "patch", "delete"},
    "lxdapi.validation": {"path"},
    "lxdapi.http.tls": {"init_poolmanager"},
}
OPEN_DROPIN = {"container_device_add", "profile_device_set"}
MAY_IMPORT = {
    "requests": {"lxdapi.http.requirements"},
    "requests_unixsocket": {"lxdapi.http.requirements"},
    "urllib3": {"lxdapi.http.requirements"},
    "websocket": {"lxdapi.http.websocket"},
}
# From the bottom up: a file imports nothing from a higher level. Only fronts import the folder minion.
LEVELS = (
    (
        *("concurrency", "errors", "masking", "validation", "version", "atomic_file", "local_files"),
        *("sent_values", "yaml_numbers", "yaml_text"),
    ),
    ("http", "api", "hashing"),
    ("model",),
    ("plan",),
    ("instances", "images", "files", "cluster", "trust"),
    ("salt_inside",),
    ("convert", "dropin", "fleet", "reports", "salt_minion", "salt_ssh"),
    ("minion", "shortcuts"),
)
UNDERSTOOD = {"name", "remote", "project", "remote_addr", "cert", "key", "verify_cert"}
# There is always exactly one server, and only the daemon creates warnings.
WITHOUT = {"server": {"absent"}, "warning": {"present"}}
# {kind: why no row of tests/functional/matrix/rows_*.py tests it}
WITHOUT_ROW = {
    "cluster_group": "only a clustered server has any: cluster/test_members.py",
    "cluster_member": "only a clustered server has any: cluster/test_members.py",
    "network_load_balancer": "needs an OVN network: test_ovn.py",
    "network_peer": "needs an OVN network: test_ovn.py",
    "server": "it neither begins nor ends: test_server.py",
    "warning": "only the daemon makes any: test_warning.py",
}
# Unit tests that reach what they test through the API, or through a helper.
INDIRECT = {"test_create", "test_debug", "test_result", "test_transport"}
# States about no kind of the table, by their names without "lxdapi_".
OF_NO_KIND = {"cluster", "file", "fleet", "salt", "snapshot", "trust"}
# Library files that import Salt: its exceptions, the Salt inside instances, and the master.
IMPORT_SALT = (
    *("lxdapi.dropin.errors", "lxdapi.errors", "lxdapi.local_files"),
    *("lxdapi.salt_inside.", "lxdapi.salt_minion."),
)


def scripts():
    """Return the Python files below scripts/, by suffix or by their first line."""
    for path in sorted(REPO.glob("scripts/**/*")):
        if path.suffix == ".py" or path.is_file() and b"python" in path.open("rb").readline():
            yield path


TESTS = sorted(REPO.glob("tests/**/*.py"))
EVERYTHING = SYNCED + TESTS + sorted(REPO.glob("bench/**/*.py")) + list(scripts())


def dotted(path):
    """Return the dotted name of a file of the library."""
    parts = path.relative_to(REPO / "_utils").with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def called(path):
    """Return the path of a file from the top of the repository, for the ids of tests."""
    return str(path.relative_to(REPO))


@lru_cache(maxsize=None)
def tree(path):
    """Return the parsed file."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def functions(path):
    """Return every function of the file, nested ones too."""
    return [node for node in ast.walk(tree(path)) if isinstance(node, FUNCTIONS)]


def public(path):
    """Return the functions that the file offers to Salt."""
    return [node for node in tree(path).body if isinstance(node, FUNCTIONS) and node.name[0] != "_"]


def constant(path, name):
    """Return a constant of the file, None if it does not exist."""
    for node in tree(path).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == name:
            return ast.literal_eval(node.value)
    return None


def front_of(path):
    """Return the name of the front that the file belongs to; a front can have several files."""
    return constant(path, "__virtualname__") or path.stem


def word_of(path, function):
    """Return the name of the function in an SLS or on the command line."""
    alias = (constant(path, "__func_alias__") or {}).get(function.name, function.name)
    return f"{front_of(path)}.{alias}"


def parameters(function):
    """Return the names of the function's parameters."""
    found = function.args
    return [each.arg for each in found.posonlyargs + found.args + found.kwonlyargs]


def imported(path):
    """Return the top-level names of the imports that run."""
    names = set()
    running = [
        each for each in tree(path).body if not isinstance(each, ast.If) or "TYPE_CHECKING" not in ast.dump(each)
    ]
    for node in (node for each in running for node in ast.walk(each)):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").partition(".")[0])
    return names


def members_imported(path):
    """Return the names that the file imports from modules, not packages, of the library."""
    found = [node for node in tree(path).body if isinstance(node, ast.ImportFrom) and node.module.startswith("lxdapi")]
    files = {dotted(each) for each in LIBRARY if each.stem != "__init__"}
    return {alias.name for node in found if node.module in files for alias in node.names}


def library_imports(path):
    """Return the dotted names of the library files that the file imports, inside functions too."""
    files = {dotted(each) for each in LIBRARY if each.stem != "__init__"}
    found = [node for node in ast.walk(tree(path)) if isinstance(node, ast.ImportFrom)]
    named = {(node.module, f"{node.module}.{alias.name}") for node in found for alias in node.names}
    return {whole if whole in files else module for module, whole in named if {whole, module} & files}


def level(name):
    """Return the level of a library file, by its dotted name."""
    folder = name.split(".")[1]
    return next(place for place, folders in enumerate(LEVELS) if folder in folders)


def offered(paths):
    """Return a parameter for each public function of the files."""
    return [pytest.param(path, each, id=word_of(path, each)) for path in paths for each in public(path)]


def code_lines(function):
    """Return the number of lines of the function without its docstring."""
    lines = function.end_lineno - function.lineno + 1
    if ast.get_docstring(function) is None:
        return lines
    text = function.body[0]
    return lines - (text.end_lineno - text.lineno + 1)


def test_repository_has_files_to_check():
    assert len(LIBRARY) > 10 and len(MODULES) > 1 and len(STATES) > 3
    assert len(offered(MODULES)) > 15 and len(offered(STATES)) > 9


@pytest.mark.parametrize("word", KINDS)
def test_each_kind_has_its_state(word):
    path = REPO / "_states" / f"lxdapi_{word}.py"
    assert path in STATES
    missing = {"present", "absent"} - {function.name for function in public(path)}
    assert missing == WITHOUT.get(word, set())


def test_each_kind_has_a_matrix_row_or_an_excuse():
    calls = [node for path in REPO.glob("tests/functional/matrix/rows_*.py") for node in ast.walk(tree(path))]
    calls = [node for node in calls if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Row"]
    rows = {node.args[0].value.replace("lxdapi_", "", 1) for node in calls}
    assert set(KINDS) - rows == set(WITHOUT_ROW)


@pytest.mark.parametrize("path", STATES, ids=called)
def test_each_state_belongs_to_a_kind(path):
    assert front_of(path).replace("lxdapi_", "", 1) in {*KINDS, *OF_NO_KIND}


@pytest.mark.parametrize("path, function", offered(MODULES + DROPIN_MODULES + RUNNERS))
def test_each_module_function_has_a_cli_example(path, function):
    text = ast.get_docstring(function) or ""
    example = re.search(r"^CLI Example:\n\n\.\. code-block:: bash\n\n((?:    .*\n?)+)", text, re.MULTILINE)
    assert example, "no CLI Example"
    command = "salt-run" if path in RUNNERS else "salt-call"
    assert re.search(rf"^    {command} {re.escape(word_of(path, function))}( |$)", example[1], re.MULTILINE)


@pytest.mark.parametrize(
    "path, function",
    [each for each in offered(STATES + DROPIN_STATES) if each.values[1].name not in fronts.HOOKS],
)
def test_each_state_function_has_an_sls_example(path, function):
    text = ast.get_docstring(function) or ""
    blocks = re.findall(r"^\.\. code-block:: yaml\n\n((?:    .*\n|\n)+)", text, re.MULTILINE)
    assert any(re.search(rf"^ +{re.escape(word_of(path, function))}:?$", b, re.MULTILINE) for b in blocks)


def explanation(function):
    """Return the docstring without its example, followed by the docstrings that it refers to."""
    text = (ast.get_docstring(function) or "").partition("CLI Example:")[0]
    known = {word_of(path, each): each for path in FRONTS for each in public(path)}
    others = re.findall(r"See\s+:py:func:`~?([\w.]+)`", text)
    return "\n".join([text, *(explanation(known[word]) for word in others)])


@pytest.mark.parametrize("path, function", offered(FRONTS))
def test_each_parameter_is_documented(path, function):
    text = explanation(function)
    named = set(parameters(function)) - UNDERSTOOD
    assert {name for name in named if not re.search(rf"\b{name}\b", text)} == set()


@pytest.mark.parametrize(
    "path, function", [each for each in offered(FRONTS) if each.values[1].name not in fronts.HOOKS]
)
def test_each_optional_parameter_has_its_default(path, function):
    defaults = function.args.defaults
    optional = dict(zip(parameters(function)[-len(defaults) :], map(ast.literal_eval, defaults))) if defaults else {}
    entries = re.findall(r"^(\w+(?:, \w+)*)\n((?:    .+\n?)+)", ast.get_docstring(function) or "", re.MULTILINE)
    described = {name: " ".join(text.split()) for names, text in entries for name in names.split(", ")}
    for name in optional.keys() & described.keys():
        assert re.search(r"[Dd]efault|Required|See ", described[name]), name
        if isinstance(optional[name], bool) and "See " not in described[name]:
            assert f"Default: {str(optional[name]).lower()}" in described[name], name


def test_fronts_have_the_version_of_the_library():
    assert {path: constant(path, "__version__") for path in FRONTS} == dict.fromkeys(FRONTS, VERSION)


@pytest.mark.parametrize("path", FRONTS, ids=called)
def test_each_front_imports_only_the_library(path):
    assert imported(path) - {"functools", "salt"} <= {"lxdapi"}
    assert not [node for node in tree(path).body if isinstance(node, ast.Try)], "a failing import is Salt's to report"
    # Salt would offer an imported function as one of the front's own functions
    assert {name for name in members_imported(path) if not name[0].isupper()} == set()


@pytest.mark.parametrize("path", SYNCED, ids=called)
def test_http_is_imported_only_where_allowed(path):
    for library, where in MAY_IMPORT.items():
        assert library not in imported(path) or (path in LIBRARY and dotted(path) in where), library


@pytest.mark.parametrize("path", [each for each in LIBRARY if each.stem != "__init__"], ids=called)
def test_no_file_imports_from_a_higher_level(path):
    own = level(dotted(path))
    assert {name for name in library_imports(path) if level(name) > own} == set()


def test_only_fronts_import_the_minion_folder():
    inside = {path for path in LIBRARY if path.parent.name == "minion"}
    users = {path for path in LIBRARY if any(name.startswith("lxdapi.minion.") for name in library_imports(path))}
    assert users <= inside and len(inside) > 3


@pytest.mark.parametrize("path", LIBRARY, ids=called)
def test_the_library_knows_no_dunder_of_salt(path):
    own = {"__name__", "__file__", "__doc__", "__all__", "__init__", "__bool__", "__len__"}
    names = {node.id for node in ast.walk(tree(path)) if isinstance(node, ast.Name)}
    assert {name for name in names if re.fullmatch(r"__\w+__", name)} <= own
    assert imported(path).isdisjoint({"salt"}) or dotted(path).startswith(IMPORT_SALT)


@pytest.mark.parametrize("path", LIBRARY, ids=called)
def test_library_does_not_branch_on_kinds(path):
    def is_kind(node):
        return getattr(node, "id", getattr(node, "attr", "")) in ("kind", "word", "label")

    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            literal = any(isinstance(side, (ast.Constant, ast.Tuple, ast.Set, ast.List)) for side in sides)
            nothing = any(isinstance(side, ast.Constant) and side.value is None for side in sides)
            assert not (any(map(is_kind, sides)) and literal and not nothing), f"line {node.lineno}"


@pytest.mark.parametrize("path", FRONTS, ids=called)
def test_second_file_of_a_front_has_its_name(path):
    name = constant(path, "__virtualname__")
    loading = [function for function in functions(path) if function.name == "__virtual__"]
    if name is None:
        assert loading == []
        return
    assert path.stem.startswith(f"{name}_") and path.with_name(f"{name}.py") in FRONTS
    assert [ast.unparse(function.body[-1]) for function in loading] == ["return __virtualname__"]


@pytest.mark.parametrize("paths", [MODULES + DROPIN_MODULES, STATES + DROPIN_STATES], ids=["modules", "states"])
def test_no_front_function_is_defined_twice(paths):
    words = [word_of(path, function) for path in paths for function in public(path)]
    assert len(words) == len(set(words))


@pytest.mark.parametrize("path", [each for each in SYNCED if each not in DROPIN + RESOURCE_MODULES], ids=called)
def test_no_file_is_named_like_one_of_salt(path):
    core = Path(salt.__path__[0])
    parts = ("executors", "modules", "output", "proxy", "roster", "runners", "states", "utils")
    theirs = {each.stem for part in parts for each in (core / part).glob("*")}
    assert {"state", "network"} <= theirs, "Salt's own files are there to compare with"
    word = path.relative_to(REPO).parts[1].partition(".")[0]
    assert word not in theirs
    assert word == "lxdapi" or word.startswith("lxdapi_")


@pytest.mark.parametrize("path", SYNCED, ids=called)
def test_no_public_function_takes_arbitrary_arguments(path):
    loose = {f.name for f in functions(path) if f.name[0] != "_" and (f.args.vararg or f.args.kwarg)}
    loose -= fronts.HOOKS if path in STATES else set()
    loose -= {"output"} if path in OUTPUTTERS else set()  # Salt passes it the arguments of every outputter
    loose -= OPEN_DROPIN if path in DROPIN else set()
    loose = loose if path not in RESOURCE_MODULES else set()
    assert loose - OPEN.get(dotted(path) if path in LIBRARY else "", set()) == set()


@pytest.mark.parametrize("path", SYNCED, ids=called)
def test_no_public_function_is_generated(path):
    names = {node.id for node in ast.walk(tree(path)) if isinstance(node, ast.Name)}
    # Salt's dunders are passed on; nothing is generated from them
    text = ast.unparse(tree(path))
    calls = (
        r"(?:state\.(?:run|run_plan|present|absent|saltenv_of|run_for_dropin)|salt_sessions\.(?:call|close)|salt_(?:states|fleet)\.apply|salt_builds\.build"
        r"|targets\.(?:call|grains|ping)|(?:salt_minions|minion_runner)\.\w+)\("
        r"|connection\.connect(?:_to)?(?:\(|, )|ssh_roster\.read_targets\("
    )
    handed = re.findall(rf"\b(?:{calls})globals\(\)[,)]", text)
    if path in FRONTS and len(handed) == text.count("globals()"):
        names -= {"globals"}
    assert names.isdisjoint({"setattr", "globals", "exec", "eval", "type.__new__", "__getattr__"})
    special = [f.name for f in functions(path) if f.name in ("__getattr__", "__getattribute__")]
    # the program inside postpones the code of some modules of Salt
    assert special == (["__getattr__"] if path.name == "agent.py" else [])


def test_outputters_belong_to_functions():
    for path in MODULES:
        # Salt looks for the name in the code, not for the one in __func_alias__
        assert set(constant(path, "__outputter__") or {}) <= {function.name for function in functions(path)}


@pytest.mark.parametrize("path", SYNCED, ids=called)
def test_each_file_and_public_function_has_a_docstring(path):
    assert ast.get_docstring(tree(path))
    assert [f.name for f in public(path) if not ast.get_docstring(f)] == []


@pytest.mark.parametrize("path", EVERYTHING, ids=called)
def test_files_and_functions_are_short(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) < LONGEST_FILE
    long = {f"{f.name}: {code_lines(f)}" for f in functions(path) if code_lines(f) > LONGEST_FUNCTION}
    assert not long


def test_names_of_tests_are_short():
    names = [node.name for path in TESTS for node in functions(path) if node.name.startswith("test_")]
    assert names and [name for name in names if len(name) > LONGEST_TEST_NAME] == []


def test_the_package_holds_every_folder_of_the_library():
    text = (REPO / "setup.cfg").read_text(encoding="utf-8")
    listed = re.search(r"^packages =\n((?:    [\w.]+\n)+)", text, re.MULTILINE)[1].split()
    assert [each for each in listed if each.split(".")[1:2] == [] or each.split(".")[1] not in SALT_FOLDERS] == sorted(
        dotted(path) for path in LIBRARY if path.stem == "__init__"
    )


@pytest.mark.parametrize("path", sorted(REPO.glob("tests/unit/*/test_*.py")), ids=called)
def test_unit_tests_are_in_the_folder_of_what_they_test(path):
    folders = {name.split(".")[1] for name in library_imports(path)}
    assert path.parent.name in folders | {"fronts"} or path.stem in INDIRECT


@pytest.mark.parametrize("path", RESOURCE_MODULES, ids=called)
def test_function_of_a_target_runs_the_one_of_its_name(path):
    calls = [node for node in ast.walk(tree(path)) if isinstance(node, ast.Call) and node.args]
    passed = [node.args[0].value for node in calls if isinstance(node.args[0], ast.Constant)]
    own = {"test.ping", "lxdapi_salt.call", "sys.list_functions"}
    assert {each for each in passed if each not in (None, ".")} == {
        word_of(path, function) for function in public(path)
    } - own


@pytest.mark.parametrize("path", RESOURCES + PROXIES, ids=called)
def test_files_for_living_processes_import_no_library(path):
    assert imported(path) <= {"logging", "pathlib", "salt", "sys"}
