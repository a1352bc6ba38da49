"""
The contract check finds unknown parts of requests, and its tables contain no unnecessary exceptions.

The check is tested with two small files, its tables with the files of LXD and Incus if those are available.
"""

import gzip
import json
import re

import pytest
import yaml
from lxdapi.api import API
from lxdapi.model.kinds import KINDS

from tests.support import contract
from tests.support.contract import EXTENSIONS, GAPS, Request, Unknown
from tests.support.loader import Loaded

# The file of the daemon itself, or of its neighbor.
FILE_OF = {"lxd": "lxd-5.0.2", "incus": "incus-6.0.4", "incus7": "incus-7.0.1", "lxd13": "lxd-5.0.2"}
DEFINITIONS = {
    "Rule": {"type": "object", "properties": {"action": {"type": "string"}, "state": {"type": "string"}}},
    "Acl": {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "config": {"type": "object", "additionalProperties": {"type": "string"}},
            "devices": {"type": "object", "additionalProperties": {"$ref": "#/definitions/Rule"}},
            "ingress": {"type": "array", "items": {"$ref": "#/definitions/Rule"}},
            "more": {"type": "object"},
        },
    },
}
BODY = {"in": "body", "name": "acl", "schema": {"$ref": "#/definitions/Acl"}}
PROJECT = {"in": "query", "name": "project"}
PATHS = {
    "/1.0/acls": {"get": {}, "post": {"parameters": [BODY, PROJECT]}},
    "/1.0/acls?recursion=1": {"get": {}},
    "/1.0/acls/{name}": {"get": {"parameters": [PROJECT]}},
    "/1.0/acls/{aclName}": {"delete": {}},
    "/1.0/acls/names": {"get": {"parameters": [{"in": "query", "name": "sort"}]}},
    "/1.0/files": {"post": {"parameters": [{"in": "body", "name": "raw"}, {"in": "header", "name": "X-LXD-mode"}]}},
}
SETS = {"/1.0/network-address-sets": {"get": {}}}
NOWHERE = "lxd-1, incus-2"
RIGHT = [
    Request("GET", "/1.0/acls", ("recursion",)),
    Request("GET", "/1.0/acls/a%2Fb", ("project",)),
    Request("DELETE", "/1.0/acls/web"),
    Request("GET", "/1.0/acls/names", ("sort",)),
    Request("POST", "/1.0/acls", ("project",), {"name": "a", "config": {"x.y": "1"}, "more": {"any": {"thing": 1}}}),
    Request("POST", "/1.0/acls", body={"ingress": [{"action": "drop"}], "devices": {"d": {"state": "on"}}}),
    Request("POST", "/1.0/acls", body={"ingress": None}),
    Request("POST", "/1.0/files", headers=("x-lxd-mode",)),
    Request("GET", "/1.0/network-address-sets"),  # only one of the two files knows it
]
WRONG = {
    "GET /1.0/rules: the path is unknown to": Request("GET", "/1.0/rules"),
    "GET /2.0/acls: the path is unknown to": Request("GET", "/2.0/acls"),
    "GET /1.0/acls/a/b: the path is unknown to": Request("GET", "/1.0/acls/a/b"),
    "PUT /1.0/acls/{}: the method is unknown to": Request("PUT", "/1.0/acls/web"),
    "GET /1.0/acls/{}: the query key sort is unknown to": Request("GET", "/1.0/acls/web", ("sort",)),
    "POST /1.0/acls: the body field nme is unknown to": Request("POST", "/1.0/acls", body={"nme": "a"}),
    "POST /1.0/acls: the body field ingress[].acton is unknown to": Request(
        "POST", "/1.0/acls", body={"ingress": [{"state": "on"}, {"acton": "drop"}]}
    ),
    "POST /1.0/acls: the body field devices.d.typ is unknown to": Request(
        "POST", "/1.0/acls", body={"devices": {"d": {"typ": "nic"}}}
    ),
    "POST /1.0/acls: the body field config.a (is no string) is unknown to": Request(
        "POST", "/1.0/acls", body={"config": {"a": 1}}
    ),
    "POST /1.0/acls: the body field itself (is no object) is unknown to": Request("POST", "/1.0/acls", body=["a"]),
    "DELETE /1.0/acls/{}: the body field force is unknown to": Request("DELETE", "/1.0/acls/a", body={"force": True}),
    "POST /1.0/files: the body field mode is unknown to": Request("POST", "/1.0/files", body={"mode": 1}),
}


def write(path, paths):
    """Return a file in the format of the daemons."""
    with gzip.open(path, "wt") as file:
        yaml.safe_dump({"definitions": DEFINITIONS, "paths": paths}, file)


@pytest.fixture
def small(tmp_path, monkeypatch):
    """Use two small files; only one of them knows a guarded path."""
    write(tmp_path / "lxd-1.yaml.gz", PATHS)
    write(tmp_path / "incus-2.yaml.gz", {**PATHS, **SETS})
    monkeypatch.setenv("LXDAPI_OPENAPI", str(tmp_path))
    monkeypatch.setattr(contract, "FILES", ("lxd-1", "incus-2"))


@pytest.fixture
def files():
    """The files of LXD and Incus, by name."""
    if contract.missing():
        pytest.skip(contract.missing())
    return {file.name: file for file in contract.specs()}


@pytest.mark.parametrize("request_", RIGHT, ids=lambda each: f"{each.method} {each.path} {each.body}")
def test_known_request_is_no_violation(small, request_):
    assert contract.violations([request_]) == []


@pytest.mark.parametrize("words", WRONG)
def test_violation_names_file_method_path_and_name(small, words):
    assert contract.violations([WRONG[words]] * 2) == [f"{words} {NOWHERE}"]


def test_request_unknown_to_one_file_needs_a_guard(small, monkeypatch):
    monkeypatch.setattr(contract, "EXTENSIONS", {})
    words = "GET /1.0/network-address-sets: the path is unknown to lxd-1"
    assert contract.violations([Request("GET", "/1.0/network-address-sets")]) == [words]


def test_guard_excuses_neither_unknown_path_nor_key(small):
    requests = [Request("GET", "/1.0/network-address-sets/a"), Request("GET", "/1.0/network-address-sets", ("x",))]
    first, second = contract.violations(requests)
    assert first == f"GET /1.0/network-address-sets/a: the path is unknown to {NOWHERE}"
    assert second == "GET /1.0/network-address-sets: the query key x is unknown to incus-2"


def test_gap_excuses_only_its_method_and_path(small, monkeypatch):
    monkeypatch.setattr(contract, "GAPS", {"GET acls/{} ?x": "run"})
    assert contract.violations([Request("GET", "/1.0/acls/a", ("x",))]) == []
    assert (
        len(contract.violations([Request("DELETE", "/1.0/acls/a", ("x",)), Request("GET", "/1.0/acls", ("x",))])) == 2
    )


def test_a_header_is_known_to_its_own_daemon_or_not(small):
    request = Request("POST", "/1.0/files", headers=("X-LXD-mode", "X-LXD-uid", "X-Incus-mode", "Content-Type"))
    request = contract.recorded("POST", f"x://y{request.path}", {"headers": dict.fromkeys(request.headers, "1")})
    words = ["the header X-Incus-mode is unknown to incus-2", "the header X-LXD-uid is unknown to lxd-1"]
    assert contract.violations([request]) == [f"POST /1.0/files: {each}" for each in words]


def test_missing_files_mean_no_check_and_a_message(tmp_path, monkeypatch):
    monkeypatch.setenv("LXDAPI_OPENAPI", str(tmp_path))
    (tmp_path / "lxd-6.9.yaml.gz").touch()
    assert re.search(r"no contract check, .* lacks lxd-5\.0\.2, lxd-5\.21\.7, incus-", contract.missing())
    assert str(tmp_path) in contract.missing() and "LXDAPI_OPENAPI" in contract.missing()
    assert contract.violations([Request("GET", "/nonsense")]) == []


@pytest.mark.parametrize(
    "options, query, body",
    [
        ({"params": {"a": 1, "b": None}, "json": {"name": "x"}}, ("z", "a"), {"name": "x"}),
        ({"params": [("a", 1)], "data": json.dumps({"name": "x"})}, ("z", "a"), {"name": "x"}),
        ({"data": b"not JSON"}, ("z",), None),
        ({"data": object()}, ("z",), None),
    ],
)
def test_names_of_a_request_are_recorded(options, query, body):
    request = contract.recorded("post", "http+unix://%2Fa/1.0/acls?z=", options)
    assert request == Request("POST", "/1.0/acls", query, body)


def test_requests_of_library_are_recorded_within_context(daemon):
    with contract.recording() as sent:
        API.factory(daemon.socket).get("profiles", params={"recursion": 1})
    API.factory(daemon.socket).get("profiles")
    assert sent == [Request("GET", "/1.0/profiles", ("recursion",))]


def test_requests_from_salt_loader_are_recorded(daemon, tmp_path):
    salt = Loaded(tmp_path, {"local": {"endpoint": str(daemon.socket)}})
    with contract.recording() as sent:
        salt.states["lxdapi_profile.present"](name="web", config={"user.a": "1"})
    assert [each.body for each in sent if each.method == "POST"] == [{"name": "web", "config": {"user.a": "1"}}]


@pytest.mark.parametrize("entry", EXTENSIONS)
def test_an_extension_excuses_some_files_and_not_all(files, entry):
    knowing = [name for name, file in files.items() if contract.knows(file, entry)]
    assert 0 < len(knowing) < len(files), f"{knowing} know {entry}"


@pytest.mark.parametrize("entry", EXTENSIONS)
def test_daemon_extension_matches_its_file(files, daemon, entry):
    has = EXTENSIONS[entry] in daemon.ask("GET", "/1.0")["api_extensions"]
    assert contract.knows(files[FILE_OF[daemon.name]], entry) == has


@pytest.mark.parametrize("entry", GAPS)
def test_a_gap_is_one_and_has_a_reason(files, entry):
    assert not all(contract.knows(file, entry) for file in files.values())
    assert re.search(r"\b(LXD|Incus) \d", GAPS[entry])


def guarded():
    """Yield (path below /1.0, field, extension) for each extension in the table of kinds."""
    for kind in KINDS.values():
        path = re.sub(r"\{\w+\}", "{}", kind.path)
        if kind.extension:
            yield path.rpartition("/")[0], Unknown("path"), kind.extension
        for field, extension in getattr(kind, "extensions", {}).items():
            name, dot, inner = field.partition(".")
            if dot and name not in kind.items:  # a value, which no file lists
                continue
            listed = f"{name}[]" if name in getattr(kind, "items", {}) else name
            what = Unknown("query key", name) if field == "force" else Unknown("body field", listed + dot + inner)
            yield path, what, extension


@pytest.mark.parametrize("path, what, extension", list(guarded()))
def test_library_requires_the_extension_of_the_table(files, path, what, extension):
    entry = f"{path} {contract.sign(what)}".rstrip()
    if not all(contract.knows(file, entry) for file in files.values()):
        assert contract.guard(path, what) == extension


# Parts of a PUT that are not settings: actions, values copied from the object, and ignored fields.
ACTS = {"certificate", "disk_only", "restore", "restore_disk_volumes_mode", "stateful"}


@pytest.mark.parametrize("word", sorted(set(KINDS) - {"server"}))
def test_put_repeats_every_writable_field(files, word):
    kind = KINDS[word]
    path = "/1.0/" + re.sub(r"\{\w+\}", "{}", kind.path)
    lacking = {name: file.writable(path) - set(kind.fields) - ACTS for name, file in files.items()}
    assert {name: fields for name, fields in lacking.items() if fields} == {}
    assert any(file.writable(path) for file in files.values())


@pytest.mark.parametrize("word", sorted(set(KINDS) - {"server"}))
def test_put_repeats_no_field_unknown_to_all_daemons(files, word):
    kind = KINDS[word]
    path = "/1.0/" + re.sub(r"\{\w+\}", "{}", kind.path)
    read = {name: file.readable(path) for name, file in files.items()}
    repeated = {name: set(kind.put_fields(fields)) - set(kind.fields) for name, fields in read.items()}
    assert {name: fields for name, fields in repeated.items() if fields} == {}
    assert any(read.values())
