"""
The outputters: an aligned table, colors if Salt wants them, plain text, and other data as Salt shows it.
"""

import importlib.util
import re
from pathlib import Path

import pytest
import salt.config
import salt.loader

REPO = Path(__file__).resolve().parents[3]
SERVER = {"server": "incus", "version": "6.0.4", "name": "host1", "clustered": False}
ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


def row(name, **more):
    start = {"name": name, "project": "default", "status": "Running", "type": "container", "location": None}
    return {**start, "created_at": "", "age": 90000, "addresses": [], "memory": None, "snapshots": 0, **more}


def shown(data, color=False, outputter="lxdapi_table"):
    """Return the text that Salt's loader makes of the data with the outputter."""
    opts = {**salt.config.DEFAULT_MINION_OPTS, "module_dirs": [str(REPO)], "color": color, "extension_modules": ""}
    return salt.loader.outputters(opts)[outputter](data)


def answer(*rows):
    return {"server": SERVER, "instances": list(rows)}


def test_host_is_a_headline_and_a_line_for_each_instance():
    rows = [
        row("web1", addresses=["10.0.0.1", "fd00::1"], memory=1536 * 1024**2, snapshots=3),
        row("db", status="Stopped", type="virtual-machine", age=59, drift="would change: config limits.cpu"),
        row("x", status="Error", age=None, drift="as declared"),
    ]
    assert shown({"local": answer(*rows)}).splitlines() == [
        "incus 6.0.4 on host1: 3 instances (1 Error, 1 Running, 1 Stopped, 1 not as declared, 1.5 GiB of memory)",
        "",
        "NAME  STATUS   TYPE       ADDRESSES           MEMORY  SNAPSHOTS   AGE  DRIFT",
        "web1  Running  container  10.0.0.1, fd00::1  1.5 GiB          3   1 d  -",
        "db    Stopped  vm         -                        -          0  59 s  would change: config limits.cpu",
        "x     Error    container  -                        -          0     -  as declared",
    ]


def test_empty_columns_are_left_out():
    bare = {"name": "web1", "project": "default", "status": "Running", "location": None}
    assert shown({"local": answer(bare)}).splitlines()[2:] == ["NAME  STATUS", "web1  Running"]
    two = [{**bare, "location": "n1"}, {**bare, "project": "team", "location": "n2"}]
    assert shown({"local": answer(*two)}).splitlines()[2:] == [
        "PROJECT  NAME  STATUS   LOCATION",
        "default  web1  Running  n1",
        "team     web1  Running  n2",
    ]


def test_colors_follow_salt_and_change_no_width():
    data = {
        "local": answer(row("web1"), row("x", status="Error"), row("y", status="Missing", drift="would be created"))
    }
    plain, colored = shown(data), shown(data, color=True)
    assert "\x1b" not in plain
    assert ESCAPE.sub("", colored).split() == plain.split()
    assert [ESCAPE.sub("", line).rstrip() for line in colored.splitlines()] == plain.splitlines()
    assert "\x1b[0;1;31mError" in colored and "\x1b[0;32mRunning" in colored


def test_an_empty_host_and_several_minions_have_a_headline_each():
    text = shown({"a": answer(), "b": answer(row("web1"))})
    assert text.splitlines()[0] == "a: incus 6.0.4 on host1: 0 instances"
    assert "b: incus 6.0.4 on host1: 1 instance (1 Running)" in text.splitlines()


def test_long_address_lists_are_shortened():
    addresses = [f"10.0.0.{number}" for number in range(9)]
    assert "10.0.0.0, 10.0.0.1, 10.0.0.2 +6 " in shown({"local": answer(row("web1", addresses=addresses))})


@pytest.mark.parametrize("text", ["\x1b[2J", "\x9b31m", "a\nb", "\u202eevil", "\ud800"], ids=ascii)
def test_control_characters_are_not_printed(text):
    found = answer(row(text, status=text, type=text, addresses=[text], location=text, drift=text, project=text))
    said = shown({text: {**found, "server": dict.fromkeys(SERVER, text)}, "b": found})
    assert text not in said
    assert len(said.splitlines()) == 9
    said.encode("utf-8")


@pytest.mark.parametrize(
    "data",
    [
        {"local": True},
        {"local": "The minion did not answer"},
        {"local": {"server": SERVER}},
        {"local": {"server": SERVER, "instances": [1]}},
        {"local": {"server": 1, "instances": []}},
        "text",
        [1, None],
        None,
        {},
    ],
    ids=repr,
)
def test_foreign_data_is_shown_as_salt_shows_it(data):
    opts = {**salt.config.DEFAULT_MINION_OPTS, "color": False, "extension_modules": ""}
    assert shown(data) == salt.loader.outputters(opts)["nested"](data)


def test_text_is_printed_alone_and_other_data_as_salt_does():
    assert shown({"local": "<svg>\n</svg>\n"}, outputter="lxdapi_text") == "<svg>\n</svg>"
    opts = {**salt.config.DEFAULT_MINION_OPTS, "color": False, "extension_modules": ""}
    for data in ({"local": 1}, {"a": "x", "b": None}, {}, None, [1], "text"):
        assert shown(data, outputter="lxdapi_text") == salt.loader.outputters(opts)["nested"](data)


def test_failed_minion_beside_another_is_shown():
    text = shown({"a": "Minion did not return", "b": answer(row("web1"))})
    assert "Minion did not return" in text and "b: incus 6.0.4" in text


def test_values_of_unexpected_types_are_shown():
    text = shown({"local": answer(row(7, status=None, memory="much", age="old", addresses="none", snapshots=[]))})
    assert "7" in text and "much" in text and "old" in text


def test_outputter_needs_no_library(tmp_path):
    path = tmp_path / "lxdapi_table.py"
    path.write_bytes((REPO / "_output" / "lxdapi_table.py").read_bytes())
    spec = importlib.util.spec_from_file_location("alone", path)
    alone = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(alone)
    alone.__opts__ = {"color": False}
    assert "web1" in alone.output(answer(row("web1")), out="lxdapi_table")
