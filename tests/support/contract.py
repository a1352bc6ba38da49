"""
Compare the requests that a test makes the library send with the OpenAPI files of LXD and Incus.

.. code-block:: python

    with contract.recording() as sent:
        ...                                    # whatever uses the library
    assert contract.violations(sent) == []     # each in words: files, method, path, field

The files belong to the daemons and are never copied here. Without them, ``missing()`` returns the reason and there are
no violations. The check compares names, and whether a value is a list, a mapping, a text or a number.
"""

import copy
import gzip
import json
import os
import re
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock
from urllib.parse import parse_qsl, urlsplit

import yaml
from lxdapi.http import transport

FILES = ("lxd-5.0.2", "lxd-5.21.7", "lxd-6.9", "incus-6.0.4", "incus-7.0.1", "incus-7.3.0")
BESIDE = Path(__file__).resolve().parents[3] / "shared" / "api"
# Paths and fields that not every daemon supports, by the API extension that the library requires before it sends them:
# a path with everything below it, or a path and a field of its body or a ?key. {} is a name in a path, [] an item of a
# list.
EXTENSIONS = {
    "certificates description": "certificate_description",
    "certificates password": "macaroon_authentication",
    "cluster/groups config": "clustering_groups_config",
    "cluster/members/{}/state force": "clustering_evacuation_force",
    "instances start": "instance_create_start",
    "instances/{}/rebuild": "instances_rebuild",
    "metadata/configuration": "metadata_configuration",
    "network-address-sets": "network_address_set",
    "network-integrations": "network_integrations",
    "networks/{}/forwards ports[].snat": "network_forward_snat",
    "networks/{}/load-balancers": "network_load_balancer",
    "networks/{}/peers target_integration": "network_integrations",
    "networks/{}/peers type": "network_integrations",
    "projects/{} ?force": "projects_force_delete",
    "storage-pools/{}/buckets": "storage_buckets",
}
_IGNORED = "it goes with each request of a connection that has a project; ignored: run on LXD 5.0.2 and Incus 6.0.4"
_RECORD = "the daemon says that it recorded there: run on LXD 5.0.2, Incus 6.0.4 and Incus 7.0.2"
_IMPORTED = "what is imported has the name and is in the pool: run on LXD 5.0.2, Incus 6.0.4 and Incus 7.0.2"
_MEMBER = "it is the member with the forward: run on LXD 5.0.2, Incus 6.0.4 and Incus 7.0.2"
# Names that files lack although the daemons accept them: method, path and the name of a ?key, field or X-header, with
# the proof.
GAPS = {
    "DELETE instances/{}/logs/{} ": _RECORD,
    "DELETE cluster/members/{} ?force": "a dead member goes by it alone: run on LXD 5.0.2, Incus 6.0.4 and Incus 7.0.2",
    "GET operations ?project": "the list is of the operations of that project: run on LXD 5.0.2",
    "GET operations/{} ?project": _IGNORED,
    "GET operations/{}/wait ?project": _IGNORED,
    "POST instances/{} ?target": "it is the member to move to: run on LXD 5.0.2, Incus 6.0.4 and Incus 7.0.2",
    "POST instances X-Incus-name": _IMPORTED,
    "POST instances X-Incus-pool": _IMPORTED,
    "POST instances X-LXD-name": _IMPORTED,
    "POST instances X-LXD-pool": _IMPORTED,
    "POST networks/{}/forwards ?target": _MEMBER,
    "GET networks/{}/forwards/{} ?target": _MEMBER,
    "PUT networks/{}/forwards/{} ?target": _MEMBER,
    "DELETE networks/{}/forwards/{} ?target": _MEMBER,
    "POST storage-pools/{}/volumes/{} X-Incus-name": _IMPORTED,
    "POST storage-pools/{}/volumes/{} X-Incus-type": "an iso file becomes an iso volume: run on Incus 6.0.4 and 7.0.2",
    "POST storage-pools/{}/volumes/{} X-LXD-name": _IMPORTED,
    "PUT cluster cluster_password": "LXD before explicit_trust_token takes the token there: run on LXD 5.0.2",
    "PUT cluster cluster_token": "the others take it there: run on Incus 6.0.4 and Incus 7.0.2",
    "POST certificates trust_token": "LXD 5.0.2 takes a token as the password, and is sent it so: run",
    "POST images X-LXD-filename": "the name is in the image's filename afterwards: run on LXD 5.0.2",
    "POST images X-LXD-public": "the image is public afterwards: run on LXD 5.0.2",
}
# In no file: 503 until the daemon has finished its start, then 200 (LXD 5.0.2, Incus 6.0.4, 7.0.2).
UNDOCUMENTED = ("/internal/ready",)
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_TYPES = {"array": list, "boolean": bool, "integer": int, "object": dict, "string": str}
_DIALECT = re.compile(r"x-(lxd|incus)-", re.IGNORECASE)


class Request(NamedTuple):
    """A request as it was sent, without a body that is not JSON."""

    method: str
    path: str  # /1.0/profiles/web, its parts quoted
    query: tuple = ()
    body: Any = None
    headers: tuple = ()


class Unknown(NamedTuple):
    """A part of a request that a file does not know: its path, its method or the name of something in it."""

    what: str  # path, method, query key, body field, header
    name: str = ""


class Spec:
    """One OpenAPI file."""

    def __init__(self, path):
        self.name = path.name[: -len(".yaml.gz")]
        with gzip.open(path) as file:
            self._document = yaml.load(file, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
        self._operations, self._replies, self._statuses = {}, {}, {}
        for template, methods in self._document["paths"].items():
            self._learn(template, methods)

    def _learn(self, template, methods):
        """Return whether the file has a path; ``/x?recursion=1`` is /x with a query key, {a} in it is {b}."""
        parts = urlsplit(template)
        known = self._operations.setdefault(_segments(re.sub(r"\{[^}]*\}", "{}", parts.path)), {})
        named = [{"in": "query", "name": key} for key, _ in parse_qsl(parts.query, keep_blank_values=True)]
        if not parts.query and "get" in methods:
            reply = methods["get"].get("responses", {}).get("200", {}).get("schema", {})
            self._replies[_segments(re.sub(r"\{[^}]*\}", "{}", parts.path))] = reply.get("properties", {}).get(
                "metadata", {}
            )
        for method, operation in methods.items():
            if not parts.query:
                shape = re.sub(r"\{[^}]*\}", "{}", parts.path)
                self._statuses[method.upper(), shape] = set(operation.get("responses", ()))
            known.setdefault(method.upper(), []).extend(operation.get("parameters", []) + named)

    def writes(self):
        """Return (method, path) of each write, with {} for each name."""
        return [each for each in self._statuses if each[0] != "GET"]

    def statuses(self, method, path):
        """Return the HTTP statuses of the replies, as text; path: with {} for each name."""
        return self._statuses.get((method, path), set())

    def unknown(self, request):
        """Return what the file does not know of the request: a set of :class:`Unknown`."""
        methods = self._methods(_segments(request.path))
        if methods is None:
            return {Unknown("path")}
        if request.method not in methods:
            return {Unknown("method")}
        parameters = methods[request.method]
        return {
            *(Unknown("query key", key) for key in set(request.query) - _names(parameters, "query")),
            *(Unknown("body field", name) for name in self._fields(parameters, request.body)),
            *(Unknown("header", name) for name in self._headers(parameters, request.headers)),
        }

    def _methods(self, segments):
        """Return the methods of a path, from its most literal template; None for an unknown path."""
        fitting = self.fitting(segments)
        return self._operations[min(fitting, key=_names_in)] if fitting else None

    def fitting(self, segments):
        """Return the templates that match a path."""
        return [template for template in self._operations if _fits(template, segments)]

    def _headers(self, parameters, names):
        """Return the unknown headers of this file's daemon, without those of the other daemon."""
        known = {name.lower() for name in _names(parameters, "header")}
        own = (name for name in names if _DIALECT.match(name)[1].lower() == self.name.partition("-")[0])
        return [name for name in own if name.lower() not in known]

    def _fields(self, parameters, body):
        """Return the names of the fields that every possible body at this path lacks."""
        if body is None:
            return set()
        schemas = [each["schema"] for each in parameters if each["in"] == "body" and "schema" in each]
        found = [set(self._strange(schema, body, "")) for schema in schemas or [{"properties": {}}]]
        return set.intersection(*found)

    def writable(self, path):
        """Return the fields of the body of a PUT to this path; empty without a PUT."""
        parameters = (self._methods(_segments(path)) or {}).get("PUT", ())
        schemas = [each["schema"] for each in parameters if each["in"] == "body" and "schema" in each]
        return {name for schema in schemas for name in self._resolved(schema).get("properties", ())}

    def readable(self, path):
        """Return the fields of the reply to a GET of this path; empty without a GET."""
        fitting = [template for template in self.fitting(_segments(path)) if template in self._replies]
        found = self._replies[min(fitting, key=_names_in)] if fitting else {}
        return set(self._resolved(found).get("properties", ()))

    def _resolved(self, schema):
        while "$ref" in schema:
            schema = self._document["definitions"][schema["$ref"].rpartition("/")[2]]
        return schema

    def _strange(self, schema, value, where):
        """Yield the names below ``where`` that the schema lacks, and those whose value has another type."""
        schema = self._resolved(schema)
        wanted = schema.get("type")
        if value is not None and not isinstance(value, _TYPES.get(wanted, object)):
            yield f"{where or 'itself'} (is no {wanted})"
        elif isinstance(value, list):
            for item in value:
                yield from self._strange(schema.get("items", {}), item, f"{where}[]")
        elif isinstance(value, dict):
            yield from self._strange_keys(schema, value, f"{where}." if where else "")

    def _strange_keys(self, schema, value, where):
        named, others = schema.get("properties"), schema.get("additionalProperties")
        for key, inner in value.items():
            if named and key in named:
                yield from self._strange(named[key], inner, where + key)
            elif isinstance(others, dict):
                yield from self._strange(others, inner, where + key)
            elif named is not None:
                yield where + key


def _segments(path):
    return tuple(path.rstrip("/").split("/"))


def _fits(template, segments):
    """Return whether the path matches the template; the template itself matches, too."""
    pairs = zip(template, segments)
    return len(template) == len(segments) and all(a == b or (a == "{}" and b) for a, b in pairs)


def _names_in(template):
    return template.count("{}")


def _names(parameters, place):
    return {each["name"] for each in parameters if each["in"] == place}


def folder():
    """Return the folder of the files."""
    return Path(os.environ.get("LXDAPI_OPENAPI") or BESIDE)


def missing():
    """Return why the check is impossible, "" if it is possible."""
    absent = [name for name in FILES if not (folder() / f"{name}.yaml.gz").is_file()]
    words = f"no contract check, {folder()} (or LXDAPI_OPENAPI) lacks {', '.join(absent)}"
    return f"{words} (.yaml.gz)" if absent else ""


def specs():
    """Return all files."""
    return [spec(name) for name in FILES]


def spec(name):
    """Return one of the files, read once."""
    return _read(folder() / f"{name}.yaml.gz")


@lru_cache(maxsize=None)
def _read(path):
    return Spec(path)


@contextmanager
def recording():
    """Collect a :class:`Request` for each request that the library sends within the block."""
    sent, real = [], transport.send

    def send(session, method, url, options):
        sent.append(recorded(method, url, options))
        return real(session, method, url, options)

    with mock.patch.object(transport, "send", send):
        yield sent


def recorded(method, url, options):
    """Return the :class:`Request` for the arguments of :func:`lxdapi.http.transport.send`."""
    parts, params = urlsplit(url), dict(options.get("params") or {})
    keys = [key for key, _ in parse_qsl(parts.query, keep_blank_values=True)]
    keys += [key for key, value in params.items() if value is not None]
    headers = tuple(name for name in options.get("headers") or {} if _DIALECT.match(name))
    return Request(method.upper(), parts.path, tuple(keys), _body(options), headers)


def _body(options):
    """Return a copy of the decoded body, None if it is not JSON."""
    data = options.get("data")
    if not isinstance(data, (str, bytes)):
        return copy.deepcopy(options.get("json"))
    try:
        return json.loads(data)
    except ValueError:
        return None


def violations(requests, names=None):
    """
    Return messages about the parts of requests that not every file knows, without duplicates; empty without the files.

    names
        The files, all by default. With a single one, no API extension excuses a part: its daemon must know all of them.
    """
    files = [] if missing() else [spec(name) for name in names or FILES]
    documented = [request for request in requests if request.path not in UNDOCUMENTED]
    return list(dict.fromkeys(words for request in documented for words in _violations(request, files)))


def _violations(request, files):
    """Yield messages about the parts of a request that a file does not know and that nothing excuses."""
    lacking = {}
    for file in files:
        for unknown in file.unknown(request):
            lacking.setdefault(unknown, []).append(file.name)
    line = f"{request.method} {shape(request.path, files)}" if lacking else ""
    for unknown, names in sorted(lacking.items()):
        path = line.partition(" /1.0/")[2]
        known_gap = f"{request.method} {path} {sign(unknown)}" in GAPS
        if not known_gap and not (len(names) < len(files) and guard(path, unknown)):
            yield f"{line}: the {unknown.what} {unknown.name}".rstrip() + f" is unknown to {', '.join(names)}"


def shape(path, files):
    """Return a path with {} for each name in it; a path that no file knows is returned unchanged."""
    segments = _segments(path)
    fitting = {template for file in files for template in file.fitting(segments)}
    return "/".join(min(fitting, key=_names_in, default=segments))


def sign(unknown):
    """Return the name of an unknown part in the form of the tables."""
    return f"?{unknown.name}" if unknown.what == "query key" else unknown.name


def guard(path, unknown):
    """Return the API extension that excuses a file for not knowing a part, None without one; path: below /1.0."""
    for entry, extension in EXTENSIONS.items():
        prefix, _, name = entry.partition(" ")
        within = _fits(tuple(prefix.split("/")), tuple(path.split("/"))[: prefix.count("/") + 1])
        if within and sign(unknown) == name and unknown.what != "method":
            return extension
    return None


def knows(file, entry):
    """Return whether the file knows the subject of an entry of the tables."""
    return any(not file.unknown(request) for request in examples(entry))


def examples(entry):
    """Return minimal requests for an entry of the tables."""
    first, _, rest = entry.partition(" ")
    methods, about = ((first,), rest) if first in _METHODS else (_METHODS, entry)
    path, _, name = about.partition(" ")
    for method in methods:
        yield _example(Request(method, f"/1.0/{path}"), name)


def _example(request, name):
    if _DIALECT.match(name):
        return request._replace(headers=(name,))
    if name.startswith("?"):
        return request._replace(query=(name[1:],))
    return request._replace(body=_nested(name)) if name else request


def _nested(field):
    """Return a body with only this field: ``ports[].snat`` is ``{"ports": [{"snat": None}]}``."""
    name, _, rest = field.partition(".")
    inner = _nested(rest) if rest else None
    return {name[:-2]: [inner]} if name.endswith("[]") else {name: inner}
