"""
The graph of a host: servers, networks, storage pools, profiles, instances and their uses, as Mermaid, as Graphviz'
dot language, or as the SVG of the program ``dot``.

Every name comes from the daemon and is escaped for the language of the output.
"""

import re
import shutil
import subprocess
from functools import partial
from typing import NamedTuple

from lxdapi import atomic_file, concurrency
from lxdapi.errors import InvalidError, LxdapiError
from lxdapi.model import objects

# The columns from left to right, and the column of each kind.
COLUMNS = ("Hosts", "Networks and pools", "Profiles", "Instances")
_COLUMN = {"host": 0, "network": 1, "pool": 1, "profile": 2, "instance": 3}
# Characters that XML 1.0 cannot hold, that break a line, or that change the direction of writing.
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff\ufffe\uffff]")
# dot draws a thousand instances in a quarter of a second.
DOT_SECONDS = 60
_LISTS = {"network": "networks", "pool": "storage-pools", "profile": "profiles", "instance": "instances"}
# The note of each kind beside the name, and the kinds whose status is shown.
_NOTES = {"network": "{type} network", "pool": "{driver} pool", "profile": "", "instance": "{type}"}
_STATUS = {"instance": "status"}


class Node(NamedTuple):
    """A box: its kind, its name, a note in small, and the status of an instance or a member."""

    kind: str
    name: str
    note: str = ""
    status: str = ""


def label(node):
    """Return the name and the note of a box, with '?' for invisible characters."""
    details = ", ".join(filter(None, [node.note, node.status]))
    return _UNSEEN.sub("?", node.name), _UNSEEN.sub("?", details)


def render(api, form):
    """Return the graph as text in ``mermaid``, ``dot`` or ``svg``; raises :class:`InvalidError` for another."""
    if not isinstance(form, str) or form not in FORMS:
        raise InvalidError(f"unknown format {form!r}; choose from: {', '.join(FORMS)}")
    return FORMS[form](*read(api))


def write(path, text):
    """Write the text atomically into a file with mode 0600, and return its path."""
    with atomic_file.replace(path) as file:
        file.write(text.encode("utf-8"))
    return path


def read(api):
    """Return (nodes, edges) of a host: nodes by their identity (kind, name), edges as pairs of those."""
    paths = {**_LISTS, **({"member": "cluster/members"} if api.clustered else {})}
    with concurrency.Workers(max_workers=len(paths)) as pool:
        futures = {kind: pool.begin(partial(api.get, path, params={"recursion": 1})) for kind, path in paths.items()}
    objects_by_kind = {kind: result.result().metadata or () for kind, result in futures.items()}
    if not objects_by_kind["instance"]:
        objects.require_project(api)
    return graph(api.server.get("environment") or {}, objects_by_kind)


def graph(environment, by_kind):
    """Return (nodes, edges) for the objects that the daemon listed."""
    used = {name for entry in (*by_kind["profile"], *by_kind["instance"]) for _, name in _used_by(entry)}
    # the daemon lists interfaces of the machine as networks: only used ones count
    networks = [entry for entry in by_kind["network"] if entry.get("managed") or entry["name"] in used]
    by_kind = {**by_kind, "network": networks}
    listed = [*_hosts(environment, by_kind), *(_node(kind, entry) for kind in _LISTS for entry in by_kind[kind])]
    nodes = {(node.kind, node.name): node for node in listed}
    edges = {pair: None for pair in _edges(by_kind, [key for key in nodes if key[0] == "host"])}
    return nodes, [(one, other) for one, other in edges if one in nodes and other in nodes]


def _hosts(environment, by_kind):
    version = f"{environment.get('server') or 'lxd'} {environment.get('server_version') or ''}".strip()
    members = by_kind.get("member")
    if not members:
        return [Node("host", environment.get("server_name") or "host", version)]
    return [Node("host", member["server_name"], version, member.get("status") or "") for member in members]


def _node(kind, metadata):
    note = _NOTES[kind].format(type=metadata.get("type") or "", driver=metadata.get("driver") or "").strip()
    return Node(kind, metadata["name"], note, metadata.get(_STATUS.get(kind)) or "")


def _edges(by_kind, hosts):
    """Yield (used or containing node, using or contained node)."""
    for kind in ("network", "pool"):
        for metadata in by_kind[kind]:
            yield from ((host, (kind, metadata["name"])) for host in _holders(metadata, hosts))
    for metadata in by_kind["profile"]:
        yield from ((used, ("profile", metadata["name"])) for used in _used_by(metadata))
    for metadata in by_kind["instance"]:
        instance = ("instance", metadata["name"])
        yield from (((("profile", name), instance) for name in metadata.get("profiles") or ()))
        yield from ((used, instance) for used in _used_by(metadata))
        if len(hosts) > 1:
            yield ("host", metadata.get("location")), instance


def _holders(metadata, hosts):
    """Return the hosts of an object: the ones that it names, or all if it names no host."""
    locations = {*(metadata.get("locations") or ()), *filter(None, [metadata.get("location")])}
    return [host for host in hosts if host[1] in locations] or hosts


def _used_by(metadata):
    """Yield the networks and pools that the devices of a profile or an instance use."""
    for device in (metadata.get("devices") or {}).values():
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
    """Return text with entities for everything but letters, digits and harmless characters."""
    return re.sub(r"[^\w .,:/@+()-]", lambda match: f"#{ord(match[0])};", text)


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
    """Return the picture that Graphviz' program ``dot`` draws; raises :class:`InvalidError` if dot is not installed."""
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
        reason = drawn.stderr.decode("utf-8", "replace").strip()
        raise LxdapiError(f"{program} -Tsvg failed with exit code {drawn.returncode}: {reason}")
    return drawn.stdout.decode("utf-8")


FORMS = {"mermaid": mermaid, "dot": dot, "svg": svg}
