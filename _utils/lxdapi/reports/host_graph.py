"""
A host as a graph: servers, networks, storage pools, profiles and instances, and what uses what, as text for others
to draw (Mermaid, Graphviz), or drawn here (SVG).

Every name comes from the daemon: each is escaped for the language that it stands in.
"""

import os
import re

from lxdapi import atomic_file as staging
from lxdapi import concurrency as workers
from lxdapi.errors import InvalidError
from lxdapi.plan import converge
from lxdapi.reports import host_graph_svg as svg
from lxdapi.reports.host_graph_svg import COLUMNS, Node, label, place

_LISTS = {"network": "networks", "pool": "storage-pools", "profile": "profiles", "instance": "instances"}
# What is said of each beside its name, and which have a status that is more than whether they were made.
_NOTES = {"network": "{type} network", "pool": "{driver} pool", "profile": "", "instance": "{type}"}
_STATUS = {"instance": "status"}


def draw(api, form):
    """Return the text of the picture in ``svg``, ``mermaid`` or ``dot``; raises :class:`InvalidError` for another."""
    if not isinstance(form, str) or form not in FORMS:
        raise InvalidError(f"format {form!r} is not known; there are: {', '.join(FORMS)}")
    return FORMS[form](*read(api))


def write(path, text):
    """Return the path of a file, which has this text in one piece or stays what it was; its mode is 0600."""
    if not isinstance(path, str) or not os.path.isabs(path):
        raise InvalidError(f"path {path!r} is not absolute")
    try:
        _written(path, text)
    except OSError as exc:
        raise InvalidError(f"{path} cannot be written: {exc.strerror or exc}") from exc
    return path


def _written(path, text):
    if os.path.isdir(path):
        raise IsADirectoryError(None, "it is a folder")
    staged = staging.stage(os.path.dirname(path), text, 0o600)
    try:
        os.replace(staged, path)
    except OSError:
        os.unlink(staged)
        raise


def read(api):
    """Return (nodes, edges) of a host: nodes by their identity (kind, name), edges as pairs of those."""
    paths = {**_LISTS, **({"member": "cluster/members"} if api.clustered else {})}
    listed = lambda path: lambda: api.get(path, params={"recursion": 1})  # noqa: E731
    with workers.Workers(max_workers=len(paths)) as pool:
        asked = {kind: pool.begin(listed(path)) for kind, path in paths.items()}
    found = {kind: result.result().metadata or () for kind, result in asked.items()}
    if not found["instance"]:
        converge.require_project(api)
    return graph(api.server.get("environment") or {}, found)


def graph(environment, found):
    """Return (nodes, edges) of what the daemon listed."""
    used = {name for each in (*found["profile"], *found["instance"]) for _, name in _used(each)}
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
        yield from ((used, ("profile", each["name"])) for used in _used(each))
    for each in found["instance"]:
        this = ("instance", each["name"])
        yield from (((("profile", name), this) for name in each.get("profiles") or ()))
        yield from ((used, this) for used in _used(each))
        if len(hosts) > 1:
            yield ("host", each.get("location")), this


def _holders(found, hosts):
    """Return the hosts that something is on: those that it names, all of them if it names none."""
    places = {*(found.get("locations") or ()), *filter(None, [found.get("location")])}
    return [host for host in hosts if host[1] in places] or hosts


def _used(found):
    """Return the networks and pools that the devices of a profile or an instance are of."""
    for device in (found.get("devices") or {}).values():
        if device.get("type") == "nic":
            yield "network", device.get("network") or device.get("parent")
        elif device.get("pool"):
            yield "pool", device["pool"]


def _numbered(nodes):
    return {key: f"n{number}" for number, key in enumerate(nodes)}


def mermaid(nodes, edges):
    """Return the graph in Mermaid's language; a name is in quotes, and its special characters are entities."""
    ids, lines = _numbered(nodes), ["flowchart LR"]
    for column, title in enumerate(COLUMNS):
        inside = [(key, node) for key, node in nodes.items() if place(node) == column]
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
    ids = _numbered(nodes)
    lines = ["digraph lxdapi {", "  rankdir=LR;", '  node [shape=box, style=rounded, fontname="sans-serif"];']
    lines += [f'  {ids[key]} [label="{_quoted(label(node))}"];' for key, node in nodes.items()]
    lines += [f"  {ids[one]} -> {ids[other]};" for one, other in edges]
    return "\n".join([*lines, "}"]) + "\n"


def _quoted(texts):
    # a label reads entities of HTML and escapes of its own
    safe = (text.replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"') for text in texts if text)
    return "\\n".join(safe)


FORMS = {"svg": svg.drawn, "mermaid": mermaid, "dot": dot}
