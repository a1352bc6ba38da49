"""
The files that lxdapi writes to a disk, their modes, and operations that it never does.
"""

import ast
import os
import re
import ssl
import stat
import tempfile

import pytest
from lxdapi import validation
from lxdapi.errors import EndpointError, InvalidError
from lxdapi.http.session import create_session

from tests.support.fake_transport import Paper
from tests.unit.test_layout import FUNCTIONS, SYNCED, called, imported, tree

PEM = "-----BEGIN PRIVATE KEY-----\ncAnaRy\n-----END PRIVATE KEY-----\n"
# The functions that write a file. The mode of each is tested: below, in test_atomic_file.py, trust/test_keypair.py and
# files/test_content.py, and for a tree in tests/functional/files/test_trees.py.
WRITERS = {
    "tls._pem_file",
    "content.render",
    "sftp_trees._fetch_file",
    "atomic_file._open_locked",
    "atomic_file.stage",
    # The code of Salt and a Python, for everybody on the machine and for root in an instance:
    # salt_inside/test_bundle.py, salt_inside/test_agent.py and tests/functional/salt_inside.
    "agent.unpack",
    "agent.make_run_folder",
    "bundle._build",
    "bundle.build_folder",
    "carried.attach",
    "salt_builds._alone",  # an empty lock
    "start._copy",
    "thin._build",
}
DANGEROUS = {"eval", "exec", "compile", "system", "popen", "mktemp", "NamedTemporaryFile", "chmod", "umask"}
# The agent makes its folder private; a bundle is readable for everybody.
CHANGES_MODES = {"agent": {"chmod", "umask"}, "bundle": {"chmod"}}
# Graphviz' dot and ldd, with constant commands; the program of this very Python; the modules that Salt names, and those
# that it postpones
MAY_IMPORT = {
    "agent": {"importlib"},
    "bundle": {"subprocess"},
    "host_graph": {"subprocess"},
    "thin": {"importlib"},
}
DANGEROUS_MODULES = {"subprocess", "pickle", "marshal", "shelve", "pty", "ctypes", "importlib"}


def writes(call):
    """Return whether a call opens a file for writing, or with an unknown mode."""
    name = getattr(call.func, "id", None) or getattr(call.func, "attr", None)
    if name == "copy" and not call.args:  # the copy is a mapping
        return False
    if name in ("write_text", "write_bytes", "mkstemp", "copy", "copyfile") and ast.unparse(call.func) != "copy.copy":
        return True
    if name != "open" or ast.unparse(call.func) == "os.open":
        return False
    modes = [each for each in [*call.args[1:2], *(k.value for k in call.keywords if k.arg == "mode")]]
    return any(not isinstance(mode, ast.Constant) or set(mode.value) & set("wax+") for mode in modes)


def test_only_known_functions_write_files():
    found = {
        f"{path.stem}.{function.name}"
        for path in SYNCED
        for function in ast.walk(tree(path))
        if isinstance(function, FUNCTIONS)
        and any(isinstance(node, ast.Call) and writes(node) for node in ast.walk(function))
    }
    assert found == WRITERS


@pytest.mark.parametrize("path", SYNCED, ids=called)
def test_no_shell_no_pickle_no_eval(path):
    calls = [node.func for node in ast.walk(tree(path)) if isinstance(node, ast.Call)]
    names_of = {getattr(each, "id", getattr(each, "attr", "")) for each in calls} - {"compile"}
    compiled = {ast.unparse(each) for each in calls if getattr(each, "attr", getattr(each, "id", "")) == "compile"}
    assert names_of & DANGEROUS == CHANGES_MODES.get(path.stem, set()) and compiled <= {"re.compile"}
    # tests for a library without loading it
    allowed = {"importlib"} if "from importlib.util import find_spec" in ast.unparse(tree(path)) else set()
    assert imported(path) & DANGEROUS_MODULES == allowed | MAY_IMPORT.get(path.stem, set())
    assert "shell=" not in ast.unparse(tree(path))


@pytest.mark.parametrize("path", SYNCED, ids=called)
def test_no_security_rule_is_disabled(path):
    assert re.findall(r"# noqa.*", path.read_text()) == []


@pytest.mark.parametrize("breaks", [False, True])
def test_inline_key_file_is_private_and_removed(monkeypatch, tmp_path, breaks):
    seen = []

    def look(context, cert, key, password):
        for path in (cert, key, os.path.dirname(key)):
            seen.append((path, stat.S_IMODE(os.stat(path).st_mode)))
        if breaks:
            raise ValueError("no key")

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", look)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = os.umask(0)
    try:
        create_session("https://127.0.0.1:9", cert=PEM, key=PEM, verify=False)
    except EndpointError as exc:
        assert breaks and "cAnaRy" not in str(exc)
    finally:
        os.umask(before)
    assert [mode for _, mode in seen] == [0o600, 0o600, 0o700]
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("key", ["cAnaRyMIGkAgEBBDDm", "cAnaRy\nMIGk", PEM])
def test_invalid_key_is_not_in_the_error(tmp_path, key):
    cert = tmp_path / "client.crt"
    cert.write_text("none")
    with pytest.raises(EndpointError, match="cannot use .*client.crt") as caught:
        create_session("https://127.0.0.1:9", cert=str(cert), key=key)
    assert "cAnaRy" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["operations/x\n?secret=cAnaRy", "http://192.0.2.1/1.0/x?secret=cAnaRy", "x?a=1&token=cAnaRy#"]
)
def test_refused_path_error_masks_secrets_of_its_query(url):
    with pytest.raises(InvalidError) as caught:
        Paper().api.get(url)
    assert "cAnaRy" not in str(caught.value) + repr(caught.value) and "(hidden)" in str(caught.value)


def test_invalid_parameters_are_not_in_the_error():
    with pytest.raises(InvalidError, match="expected a mapping for params, got text"):
        Paper().api.get("images/x/export", params="secret=cAnaRy")


@pytest.mark.parametrize("value", [["cAnaRy"], {"a": "cAnaRy"}, "cAnaRy\x00", b"cAnaRy"])
def test_refused_config_value_is_not_in_the_error(value):
    with pytest.raises(InvalidError) as caught:
        validation.config_value("config user.password", value)
    assert "cAnaRy" not in str(caught.value)
