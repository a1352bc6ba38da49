"""
A host as a graph: servers, networks, storage pools, profiles and instances, and what uses what, in Mermaid or in
Graphviz' language, or as the SVG that Graphviz' program ``dot`` makes of it.

Every name comes from the daemon: each is escaped for the language that it stands in.
"""

import re
import shutil
import subprocess
from functools import partial
from typing import NamedTuple

from lxdapi import atomic_file, concurrency
from lxdapi.errors import InvalidError, LxdapiError
from lxdapi.model import objects

# The columns from left to right, and in which each kind stands.
COLUMNS = ("Hosts", "Networks and pools", "Profiles", "Instances")
_COLUMN = {"host": 0, "network": 1, "pool": 1, "profile": 2, "instance": 3}
# What XML 1.0 cannot hold at all, and what would break a line or turn the direction of writing.
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff\ufffe\uffff]")
# dot draws a thousand instances in a quarter of a second.
DOT_SECONDS = 60
_LISTS = {"network": "networks", "pool": "storage-pools", "profile": "profiles", "instance": "instances"}
# What is said of each beside its name, and which have a status that is more than whether they were made.
_NOTES = {"network": "{type} network", "pool": "{driver} pool", "profile": "", "instance": "{type}"}
_STATUS = {"instance": "status"}


class Node(NamedTuple):
    """A box: its kind, its name, a note in small, and the status of an instance or a member."""

    kind: str
    name: str
    note: str = ""
    status: str = ""


def label(node):
    """Return the name and the note of a box, without what cannot be seen."""
    words = ", ".join(filter(None, [node.note, node.status]))
    return _UNSEEN.sub("?", node.name), _UNSEEN.sub("?", words)


def render(api, form):
    """Return the graph as text in ``mermaid``, ``dot`` or ``svg``; raises :class:`InvalidError` for another."""
    if not isinstance(form, str) or form not in FORMS:
        raise InvalidError(f"format {form!r} is not known; there are: {', '.join(FORMS)}")
    return FORMS[form](*read(api))


def write(path, text):
    """Return the path of a file, which has this text in one piece or stays what it was; its mode is 0600."""
    with atomic_file.replace(path) as file:
        file.write(text.encode("utf-8"))
    return path


def read(api):
    """Return (nodes, edges) of a host: nodes by their identity (kind, name), edges as pairs of those."""
    paths = {**_LISTS, **({"member": "cluster/members"} if api.clustered else {})}
    with concurrency.Workers(max_workers=len(paths)) as pool:
        asked = {kind: pool.begin(partial(api.get, path, params={"recursion": 1})) for kind, path in paths.items()}
    found = {kind: result.result().metadata or () for kind, result in asked.items()}
    if not found["instance"]:
        objects.require_project(api)
    return graph(api.server.get("environment") or {}, found)


def graph(environment, found):
    """Return (nodes, edges) of what the daemon listed."""
    used = {name for each in (*found["profile"], *found["instance"]) for _, name in _used_by(each)}
    # interfaces of the machine stand beside networks: those that something hangs on count
    networks = [each for each in found["network"] if each.get("managed") or each["name"] in used]
    found = {**found, "network": networks}
    listed = [*_hosts(environment, found), *(_node(kind, each) for kind in _LISTS for each in found[kind])]
    nodes = {(node.kind, node.name): node for node in listed}
    edges = {pair: None for pair in _edges(found, [key for key in nodes if key[0] == "host"])}
    return nodes, [(one, other) for one, other in edges if one in nodes and other in nodes]


def _hosts(environment, found):
    version = f"{environment.get('server') or 'lxd'} {environment.get('server_version') or ''}".strip()
    members = found.get("member")
    if not members:
        return [Node("host", environment.get("server_name") or "host", version)]
    return [Node("host", each["server_name"], version, each.get("status") or "") for each in members]


def _node(kind, found):
    note = _NOTES[kind].format(type=found.get("type") or "", driver=found.get("driver") or "").strip()
    return Node(kind, found["name"], note, found.get(_STATUS.get(kind)) or "")


def _edges(found, hosts):
    """Yield (what is used or holds, what uses it or is in it)."""
    for kind in ("network", "pool"):
        for each in found[kind]:
            yield from ((host, (kind, each["name"])) for host in _holders(each, hosts))
    for each in found["profile"]:
        yield from ((used, ("profile", each["name"])) for used in _used_by(each))
    for each in found["instance"]:
        this = ("instance", each["name"])
        yield from (((("profile", name), this) for name in each.get("profiles") or ()))
        yield from ((used, this) for used in _used_by(each))
        if len(hosts) > 1:
            yield ("host", each.get("location")), this


def _holders(found, hosts):
    """Return the hosts that something is on: those that it names, all of them if it names none."""
    places = {*(found.get("locations") or ()), *filter(None, [found.get("location")])}
    return [host for host in hosts if host[1] in places] or hosts


def _used_by(found):
    """Return the networks and pools that the devices of a profile or an instance are of."""
    for device in (found.get("devices") or {}).values():
        if device.get("type") == "nic":
            yield "network", device.get("network") or device.get("parent")
        elif device.get("pool"):
            yield "pool", device["pool"]


def _with_ids(nodes):
    return {key: f"n{number}" for number, key in enumerate(nodes)}


def mermaid(nodes, edges):
    """Return the graph in Mermaid's language; a name is in quotes, and its special characters are entities."""
    ids, lines = _with_ids(nodes), ["flowchart LR"]
    for column, title in enumerate(COLUMNS):
        inside = [(key, node) for key, node in nodes.items() if _COLUMN[node.kind] == column]
        if inside:
            boxes = [
                f'    {ids[key]}["{"<br/>".join(map(_entities, filter(None, label(node))))}"]' for key, node in inside
            ]
            lines += [f'  subgraph c{column}["{title}"]', *boxes, "  end"]
    return "\n".join([*lines, *(f"  {ids[one]} --> {ids[other]}" for one, other in edges)]) + "\n"


def _entities(text):
    """Return text in which nothing but letters, digits and harmless marks stands for itself."""
    return re.sub(r"[^\w .,:/@+()-]", lambda found: f"#{ord(found[0])};", text)


def dot(nodes, edges):
    """Return the graph in Graphviz' language."""
    ids = _with_ids(nodes)
    lines = ["digraph lxdapi {", "  rankdir=LR;", '  node [shape=box, style=rounded, fontname="sans-serif"];']
    lines += [f'  {ids[key]} [label="{_quote(label(node))}"];' for key, node in nodes.items()]
    lines += [f"  {ids[one]} -> {ids[other]};" for one, other in edges]
    return "\n".join([*lines, "}"]) + "\n"


def _quote(texts):
    # a label reads entities of HTML and escapes of its own
    safe = (text.replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"') for text in texts if text)
    return "\\n".join(safe)


def svg(nodes, edges):
    """Return the picture that Graphviz' program ``dot`` draws; raises :class:`InvalidError` where there is no dot."""
    program = shutil.which("dot")
    if program is None:
        raise InvalidError("format svg needs the program dot: install graphviz, or choose mermaid or dot")
    text = dot(nodes, edges).encode("utf-8")
    try:
        drawn = subprocess.run([program, "-Tsvg"], input=text, capture_output=True, timeout=DOT_SECONDS)
    except subprocess.TimeoutExpired:
        raise LxdapiError(f"{program} -Tsvg did not end within {DOT_SECONDS} s; choose mermaid or dot") from None
    except OSError as exc:
        raise LxdapiError(f"{program} -Tsvg: {exc.strerror}") from exc
    if drawn.returncode:
        words = drawn.stderr.decode("utf-8", "replace").strip()
        raise LxdapiError(f"{program} -Tsvg failed with exit code {drawn.returncode}: {words}")
    return drawn.stdout.decode("utf-8")


FORMS = {"mermaid": mermaid, "dot": dot, "svg": svg}
