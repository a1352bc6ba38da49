"""
The file server for a sealed instance.
"""

import pytest
from lxdapi.errors import InvalidError
from lxdapi.salt_inside.sealed import SealedFiles

FILES = {"a.sls": "x: salt://conf/a", "conf/a": "hello", "conf/b": "secret", "db.sls": "secret"}
READS = ("_serve_file", "_file_hash", "_file_hash_and_stat", "_file_find")


class Server:
    """A file server with one environment."""

    def __init__(self):
        self.asked = []

    def __call__(self, load):
        """Answer a request."""
        self.asked.append(load)
        if load["cmd"] == "_serve_file":
            return {"data": FILES[load["path"]].encode()[load["loc"] :], "dest": load["path"]}
        if load["cmd"] == "_symlink_list":
            return {"conf/a": "x", "conf/b": "y"}
        return {"_file_list": list(FILES), "_dir_list": ["conf", "other"]}.get(load["cmd"], "reply")


@pytest.fixture
def server():
    """A file server that records the requests."""
    return Server()


@pytest.fixture
def ask(server):
    """Return a function that asks for something after a call of ``state.sls`` with the SLS file ``a``."""
    files = SealedFiles(server)
    files.begin("state.sls", [["a"]], {"test": False}, "base")
    server.asked.clear()
    return lambda command, path=None, saltenv="base", **more: files.answer(
        {"cmd": command, "path": path, "saltenv": saltenv, **more}
    )


def test_named_files_are_served(ask):
    assert ask("_serve_file", "conf/a", loc=0) == {"data": b"hello", "dest": "conf/a"}
    assert [ask(command, "a.sls") for command in READS[1:]] == ["reply"] * 3


@pytest.mark.parametrize("command", READS)
@pytest.mark.parametrize(
    "path, saltenv",
    [
        ("conf/b", "base"),
        ("db.sls", "base"),
        ("conf/../db.sls", "base"),
        ("a.sls?saltenv=dev", "base"),
        ("|a.sls", "base"),
        ("/a.sls", "base"),
        ("a.sls", "dev"),
        ("a.sls", ["base"]),
        (["a.sls"], "base"),
        (None, "base"),
    ],
    ids=str,
)
def test_other_files_do_not_exist(ask, server, command, path, saltenv):
    reply = ask(command, path, saltenv, loc=0)
    assert not reply or reply in ({"data": "", "dest": ""}, ("", None), {"path": "", "rel": ""})
    assert server.asked == []


def test_lists_have_only_named_files(ask):
    assert ask("_file_list") == ["a.sls", "conf/a"]
    assert ask("_dir_list") == ["conf"]
    assert ask("_symlink_list") == {"conf/a": "x"}
    assert ask("_file_list", saltenv="dev") == []
    assert ask("_file_envs") == ["base"]


def test_each_call_names_its_own_files(server):
    files = SealedFiles(server)
    files.begin("state.sls", ["db"], {}, "base")
    files.begin("cp.get_file_str", ["salt://conf/b"], {}, "base")
    assert files.answer({"cmd": "_file_list", "saltenv": "base"}) == ["conf/b"]


@pytest.mark.parametrize("function", ["state.highstate", "state.apply", "state.sls", "state.show_top", "state.top"])
def test_calls_that_need_the_top_file_are_refused(server, function):
    with pytest.raises(InvalidError, match="sealed: state.* needs the top file"):
        SealedFiles(server).begin(function, [], {}, "base")
    assert server.asked == []
