"""
A host as a graph: in each language every name is plain text, and each node appears once.
"""

import os
import re
import stat

import pytest
from lxdapi.errors import InvalidError, LxdapiError
from lxdapi.reports import host_graph

from tests.support.fake_transport import Paper, sync

ENVIRONMENT = {"server": "incus", "server_version": "6.0.4", "server_name": "host1"}
HOSTILE = [
    '"]; evil["x',
    "</text><script>alert(1)</script>",
    "a\nclick n0 href x",
    "\\",
    "\\N\\l",
    "&quot;&#34;#quot;",
    "]]>",
    "`**x**`",
    "\x00\x1b[31m\ud800\uffff",
    "\u202egnp.exe",
    "%%{init: {}}%%",
    "end",
    "x" * 500,
]


def instance(name, *profiles, status="Running", devices=None, location="none"):
    return {
        **{"name": name, "type": "container", "status": status, "profiles": list(profiles)},
        **{"devices": devices or {}, "location": location},
    }


def listed(*instances, **more):
    """Return the lists of a daemon: a profile with a root disk and a network device, and these instances."""
    devices = {"root": {"type": "disk", "pool": "fast"}, "eth0": {"type": "nic", "network": "br0"}}
    return {
        "network": [
            {"name": "br0", "type": "bridge", "managed": True},
            {"name": "eth0", "type": "physical", "managed": False},
            {"name": "eth1", "type": "physical", "managed": False},
        ],
        "pool": [{"name": "fast", "driver": "zfs"}],
        "profile": [{"name": "default", "devices": devices}],
        "instance": list(instances),
        **more,
    }


def drawn(form, found):
    return host_graph.FORMS[form](*host_graph.graph(ENVIRONMENT, found))


def test_edges_connect_users_and_used():
    macvlan = {"eth0": {"type": "nic", "nictype": "macvlan", "parent": "eth1"}, "d": {"type": "disk", "pool": "fast"}}
    nodes, edges = host_graph.graph(ENVIRONMENT, listed(instance("c1", "default", devices=macvlan)))
    host, bridge, pool, profile = ("host", "host1"), ("network", "br0"), ("pool", "fast"), ("profile", "default")
    c1, card = ("instance", "c1"), ("network", "eth1")
    assert set(nodes) == {host, bridge, card, pool, profile, c1}
    expected = {(host, bridge), (host, card), (host, pool), (bridge, profile), (pool, profile), (profile, c1)}
    assert set(edges) == expected | {(card, c1), (pool, c1)}
    assert len(edges) == len(set(edges))


def test_members_of_a_cluster_have_their_objects():
    members = [{"server_name": "m1", "status": "Online"}, {"server_name": "m2", "status": "Offline"}]
    pools = [{"name": "fast", "driver": "zfs", "locations": ["m2"]}]
    found = listed(instance("c1", location="m2"), member=members, pool=pools)
    nodes, edges = host_graph.graph(ENVIRONMENT, found)
    assert nodes["host", "m2"].status == "Offline"
    assert {other for one, other in edges if one == ("host", "m2")} == {
        *(("network", "br0"), ("pool", "fast"), ("instance", "c1"))
    }
    assert {other for one, other in edges if one == ("host", "m1")} == {("network", "br0")}


def test_edge_to_unlisted_object_is_left_out():
    nodes, edges = host_graph.graph(ENVIRONMENT, listed(instance("c1", "gone", devices={"d": {"type": "nic"}})))
    assert {place for edge in edges for place in edge} <= set(nodes)


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_a_hostile_name_is_text_in_mermaid(name):
    text = drawn("mermaid", listed(instance(name)))
    box = r'    n\d+\["[\w .,:/@+()#;-]*(<br/>[\w .,:/@+()#;-]*)?"\]'
    line = re.compile(rf'{box}|  n\d+ --> n\d+|  subgraph c\d\["[\w ]+"\]|  end|flowchart LR')
    assert [each for each in text.splitlines() if not line.fullmatch(each)] == []
    assert text.splitlines() == text.rstrip("\n").split("\n")


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_a_hostile_name_is_text_in_dot(name):
    lines = drawn("dot", listed(instance(name))).splitlines()
    line = re.compile(r'  n\d+ \[label="([^"\\]|\\\\|\\"|\\n)*"\];|  n\d+ -> n\d+;')
    assert [each for each in lines[3:-1] if not line.fullmatch(each)] == []
    assert not set("\x00\x1b\u202e\ud800\uffff") & set("".join(lines))


@pytest.mark.parametrize("form", ["mermaid", "dot"])
def test_a_host_without_anything_is_drawn(form):
    assert "host1" in drawn(form, {"network": [], "pool": [], "profile": [], "instance": []})


@pytest.mark.parametrize("form", ["mermaid", "dot"])
def test_three_hundred_instances_are_drawn_once_each(form):
    assert drawn(form, listed(*(instance(f"web{number}") for number in range(300)))).count("Running") == 300


@pytest.fixture
def dot(tmp_path, monkeypatch):
    """Put a shell script ``dot`` with these lines on the PATH, and nothing else."""

    def install(*lines):
        program = tmp_path / "dot"
        program.write_text("\n".join(["#!/bin/sh", f"PATH={os.environ['PATH']}", f"cd {tmp_path}", *lines]))
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))

    return install


def test_svg_is_the_output_of_dot(dot, tmp_path):
    found = listed(instance("$(touch evil)"), instance("wéb"))
    dot("echo $# $1 > arguments; cat > input; echo '<svg>é</svg>'")
    assert drawn("svg", found) == "<svg>é</svg>\n"
    assert (tmp_path / "input").read_text() == drawn("dot", found)
    assert (tmp_path / "arguments").read_text() == "1 -Tsvg\n"
    assert sorted(os.listdir(tmp_path)) == ["arguments", "dot", "input"]


def test_svg_without_dot_names_the_package(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InvalidError, match="format svg needs the program dot: install graphviz"):
        drawn("svg", listed())


@pytest.mark.parametrize(
    "line, words",
    [
        ("echo no font >&2; exit 3", r"/dot -Tsvg failed with exit code 3: no font$"),
        ("exec sleep 60", r"/dot -Tsvg did not end within 0\.2 s"),
        ("kill -9 $$", r"/dot -Tsvg failed with exit code -9"),
    ],
)
def test_failing_dot_is_an_error_with_its_words(dot, monkeypatch, line, words):
    monkeypatch.setattr(host_graph, "DOT_SECONDS", 0.2 if "sleep" in line else 20)
    dot(line)
    with pytest.raises(LxdapiError, match=words):
        drawn("svg", listed())


def test_host_is_read_with_one_list_of_each_kind():
    server = sync({"auth": "trusted", "environment": ENVIRONMENT, "api_extensions": []})
    paper = Paper(server, *(sync([]) for _ in range(4)))
    assert "host1" in host_graph.render(paper.api, "dot")
    paths = sorted(seen.path for seen in paper.seen)
    assert paths == ["/1.0", *(f"/1.0/{each}" for each in ("instances", "networks", "profiles", "storage-pools"))]


def test_unknown_format_is_refused_before_any_request():
    paper = Paper()
    with pytest.raises(InvalidError, match="unknown format 'png'; choose from: mermaid, dot, svg"):
        host_graph.render(paper.api, "png")
    assert paper.seen == []


def test_picture_is_private_and_replaces_the_old_file(tmp_path):
    path = tmp_path / "host.svg"
    path.write_text("before")
    assert host_graph.write(str(path), "<svg/>") == str(path)
    assert path.read_text() == "<svg/>"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["host.svg"]


def test_failed_write_keeps_the_old_picture(tmp_path):
    path = tmp_path / "host.svg"
    path.write_text("before")
    with pytest.raises(UnicodeEncodeError):
        host_graph.write(str(path), "\ud800")
    assert (path.read_text(), os.listdir(tmp_path)) == ("before", ["host.svg"])
    for wrong, words in (
        ("relative.svg", "expected an absolute path"),
        (str(tmp_path), "got the directory"),
        (f"{tmp_path}/no/x", "No such"),
    ):
        with pytest.raises(InvalidError, match=words):
            host_graph.write(wrong, "x")
