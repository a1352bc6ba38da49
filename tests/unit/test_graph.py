"""
A host as a graph: in each of the languages every name is text and nothing else, and each thing is there once.
"""

import os
import re
import stat
from xml.etree import ElementTree

import pytest
from fake import Paper, sync
from lxdapi.errors import InvalidError
from lxdapi.reports import host_graph as graphs
from lxdapi.reports import host_graph_svg as svg

ENVIRONMENT = {"server": "incus", "server_version": "6.0.4", "server_name": "host1"}
SVG = "{http://www.w3.org/2000/svg}"
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
    """Return what a daemon lists: a profile with a root disk and a nic, and these instances."""
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
    return graphs.FORMS[form](*graphs.graph(ENVIRONMENT, found))


def titles(text):
    """Return what the boxes of an SVG say, in full; raises for what is no XML."""
    return [each.text for each in ElementTree.fromstring(text).iter(f"{SVG}title")]


def test_the_lines_of_a_graph_are_what_uses_what():
    macvlan = {"eth0": {"type": "nic", "nictype": "macvlan", "parent": "eth1"}, "d": {"type": "disk", "pool": "fast"}}
    nodes, edges = graphs.graph(ENVIRONMENT, listed(instance("c1", "default", devices=macvlan)))
    host, bridge, pool, profile = ("host", "host1"), ("network", "br0"), ("pool", "fast"), ("profile", "default")
    c1, card = ("instance", "c1"), ("network", "eth1")
    assert set(nodes) == {host, bridge, card, pool, profile, c1}
    expected = {(host, bridge), (host, card), (host, pool), (bridge, profile), (pool, profile), (profile, c1)}
    assert set(edges) == expected | {(card, c1), (pool, c1)}
    assert len(edges) == len(set(edges))


def test_in_a_cluster_each_member_has_what_is_on_it():
    members = [{"server_name": "m1", "status": "Online"}, {"server_name": "m2", "status": "Offline"}]
    pools = [{"name": "fast", "driver": "zfs", "locations": ["m2"]}]
    found = listed(instance("c1", location="m2"), member=members, pool=pools)
    nodes, edges = graphs.graph(ENVIRONMENT, found)
    assert nodes["host", "m2"].status == "Offline"
    assert {other for one, other in edges if one == ("host", "m2")} == {
        *(("network", "br0"), ("pool", "fast"), ("instance", "c1"))
    }
    assert {other for one, other in edges if one == ("host", "m1")} == {("network", "br0")}


def test_a_line_to_what_is_not_listed_is_left_out():
    nodes, edges = graphs.graph(ENVIRONMENT, listed(instance("c1", "gone", devices={"d": {"type": "nic"}})))
    assert {place for edge in edges for place in edge} <= set(nodes)


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_a_hostile_name_is_text_in_svg(name):
    text = drawn("svg", listed(instance(name, name), profile=[{"name": name, "devices": {}}]))
    shown = svg.label(svg.Node("instance", name, "container", "Running"))
    assert titles(text).count(" ".join(shown)) == 1
    kinds = {each.tag.replace(SVG, "") for each in ElementTree.fromstring(text).iter()}
    assert kinds <= {"svg", "style", "rect", "text", "tspan", "path", "g", "title"}
    assert "\x1b" not in text and "\u202e" not in text


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


@pytest.mark.parametrize("form", graphs.FORMS)
def test_a_host_without_anything_is_drawn(form):
    text = drawn(form, {"network": [], "pool": [], "profile": [], "instance": []})
    assert "host1" in text
    assert form != "svg" or titles(text) == ["host1 incus 6.0.4"]


def test_three_hundred_instances_are_drawn_once_each_and_no_box_hides_another():
    many = [instance(f"web{number}", "default", *(["web"] if number % 3 else [])) for number in range(300)]
    profiles = [*listed()["profile"], {"name": "web", "devices": {}}]
    found = listed(*many, profile=profiles)
    text = drawn("svg", found)
    assert sorted(titles(text))[-300:] == sorted(f"web{number} container, Running" for number in range(300))
    nodes, edges = graphs.graph(ENVIRONMENT, found)
    rows = svg.arranged(nodes, edges)
    for column in range(4):
        places = sorted(rows[key] for key, node in nodes.items() if svg.place(node) == column)
        assert all(later - earlier >= 1 for earlier, later in zip(places, places[1:]))
    assert [key[1] for key in sorted(nodes, key=rows.get) if key[0] == "instance"][:3] == ["web0", "web3", "web6"]
    for form in ("mermaid", "dot"):
        assert drawn(form, found).count("Running") == 300


def test_a_host_is_read_with_one_list_of_each_kind():
    server = sync({"auth": "trusted", "environment": ENVIRONMENT, "api_extensions": []})
    paper = Paper(server, *(sync([]) for _ in range(4)))
    assert "host1" in graphs.draw(paper.api, "dot")
    paths = sorted(seen.path for seen in paper.seen)
    assert paths == ["/1.0", *(f"/1.0/{each}" for each in ("instances", "networks", "profiles", "storage-pools"))]


def test_a_form_that_there_is_not_is_refused_before_anything_is_asked():
    paper = Paper()
    with pytest.raises(InvalidError, match="format 'png' is not known; there are: svg, mermaid, dot"):
        graphs.draw(paper.api, "png")
    assert paper.seen == []


def test_a_picture_is_its_owners_alone_and_replaces_what_was_there(tmp_path):
    path = tmp_path / "host.svg"
    path.write_text("before")
    assert graphs.write(str(path), "<svg/>") == str(path)
    assert path.read_text() == "<svg/>"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["host.svg"]


def test_a_picture_that_cannot_be_written_leaves_what_was_there(tmp_path):
    path = tmp_path / "host.svg"
    path.write_text("before")
    with pytest.raises(UnicodeEncodeError):
        graphs.write(str(path), "\ud800")
    assert (path.read_text(), os.listdir(tmp_path)) == ("before", ["host.svg"])
    for wrong, words in (
        ("relative.svg", "not absolute"),
        (str(tmp_path), "a folder"),
        (f"{tmp_path}/no/x", "No such"),
    ):
        with pytest.raises(InvalidError, match=words):
            graphs.write(wrong, "x")
