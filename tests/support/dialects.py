"""
Dialects of daemons that the tests cannot run, played on the replies of another daemon.

.. code-block:: text

    with dialects.speaking("lxd-6.9") as seen:
        ...                                    # whatever uses the library, with a simulated or a real daemon

The rules come from the OpenAPI files and the release notes of those daemons; ``tests/support_tests/test_dialects.py``
compares them with the files. ``seen`` counts what the dialect changed, so that a test can check that it took part.
"""

import io
import json
import re
import uuid
from collections import Counter
from contextlib import contextmanager
from typing import NamedTuple
from unittest import mock
from urllib.parse import parse_qsl, quote, urlsplit

import requests
from lxdapi.http import transport

# The API extensions that the library asks for. A real daemon keeps its own list, because it has no others.
_COMMON = (
    *("cloud_init", "clustering_evacuation_mode", "clustering_groups", "container_backup", "custom_volume_backup"),
    *(
        "certificate_token",
        "instance_create_start",
        "instance_generation_id",
        "instance_pool_move",
        "instance_project_move",
        "instances",
    ),
    *("instances_rebuild", "network_acl", "network_dns", "network_dns_records", "network_forward", "network_peer"),
    *("network_load_balancer", "projects_force_delete", "storage_buckets", "storage_pool_loop_resize", "warnings"),
)
_INCUS = (
    *("certificate_description", "clustering_groups_config", "network_address_set", "network_forward_snat"),
    "network_integrations",
)
# LXD announces these since 6.8.
SIGNS = ("bulk_operations", "storage_and_network_operations")
# The writes that are operations only since LXD 6.8.
_ASYNCHRONOUS = re.compile(
    r"(POST|PUT|PATCH|DELETE) /1\.0/(networks|network-acls|network-zones|storage-pools)\b(?!.*/(files|state)\b)|"
    r"(PUT|PATCH) /1\.0/profiles/[^/]+$|DELETE /1\.0/projects/[^/]+$"
)
_PULL = "Migration in pull mode is not allowed in restricted projects"
_PUBLIC = "Images can be public only in the default project"


class Dialect(NamedTuple):
    """
    The differences of a daemon.

    server, version
        As in ``GET /1.0``.
    extensions
        Those of a simulated daemon.
    signs
        Those that a real daemon gets in addition to its own.
    since_6_8
        True for the changes of LXD 6.8.
    """

    server: str
    version: str
    extensions: tuple
    signs: tuple = ()
    since_6_8: bool = False


DIALECTS = {
    "lxd-5.21.7": Dialect("lxd", "5.21.7", (*_COMMON, "explicit_trust_token")),
    "lxd-6.9": Dialect(
        *("lxd", "6.9", (*_COMMON, *SIGNS, "clustering_evacuation_force", "explicit_trust_token")), SIGNS, True
    ),
    "incus-7.3.0": Dialect("incus", "7.3.0", (*_COMMON, *_INCUS)),
}


def is_asynchronous(method, path):
    """Return whether a write is an operation only since LXD 6.8."""
    return bool(_ASYNCHRONOUS.match(f"{method} {path}"))


@contextmanager
def speaking(name):
    """Play a dialect on all replies that the library receives within the block."""
    player = _Player(DIALECTS[name], transport.send)
    with mock.patch.object(transport, "send", player.send):
        yield player.seen


class _Request(NamedTuple):
    """A request: ``path`` is /1.0/profiles/web, ``params`` includes the query of the URL."""

    session: requests.Session
    method: str
    path: str
    params: dict
    url: str
    options: dict

    @classmethod
    def of(cls, session, method, url, options):
        """Return the request for the arguments of :func:`lxdapi.http.transport.send`."""
        parts = urlsplit(url)
        params = {**dict(parse_qsl(parts.query)), **dict(options.get("params") or {})}
        return cls(session, method, parts.path, params, url, options)

    @property
    def body(self):
        """Return the JSON body, {} without one."""
        body = self.options.get("json")
        return body if isinstance(body, dict) else {}

    def reply(self, data, status=200):
        """Return a reply to this request that no daemon sent."""
        made = requests.Response()
        known = {key: self.options.get(key) for key in ("params", "json", "headers")}
        made.request = self.session.prepare_request(requests.Request(self.method, self.url, **known))
        made.status_code, made.url, made.headers["Content-Type"] = status, made.request.url, "application/json"
        return _with_body(made, data)

    def refusal(self, status, words):
        """Return an error as the reply."""
        body = {"type": "error", "status": "", "status_code": 0, "operation": "", "metadata": None}
        return self.reply({**body, "error_code": status, "error": words}, status)


def _with_body(response, data):
    """Return a reply with this body, as if it had not been read yet: it may be streamed."""
    response.raw, response._content = io.BytesIO(json.dumps(data).encode()), False
    response._content_consumed = False
    return response


class _Player:
    """A dialect and what it must remember: the operations that the real daemon does not have, and their objects."""

    def __init__(self, dialect, send):
        self._dialect, self._send = dialect, send
        self._operations, self._entities = {}, {}
        self.seen = Counter()

    def send(self, session, method, url, options):
        """Return the response of the dialect; see :func:`lxdapi.http.transport.send`."""
        request = _Request.of(session, method, url, options)
        operation = self._operations.get(request.path.replace("/wait", ""))
        if operation:
            return request.reply(_envelope("sync", 200, operation))
        refusal = self._refusal(request) if self._dialect.since_6_8 else None
        return refusal or self._translated(request, self._pass_on(request))

    def _pass_on(self, request):
        return self._send(request.session, request.method, request.url, request.options)

    def _read(self, request, path):
        """Return the metadata of a GET past the library, None for an error."""
        url = request.url.replace(request.path, path, 1).partition("?")[0]
        response = self._send(request.session, "GET", url, {"timeout": 60})
        return response.json()["metadata"] if response.status_code == 200 else None

    def _refusal(self, request):
        """Return the refusal of LXD since 6.8, None if it accepts the request."""
        project, source = request.params.get("project", "default"), request.body.get("source") or {}
        if source.get("type") == "migration" and source.get("mode") == "pull":
            config = (self._read(request, f"/1.0/projects/{project}") or {}).get("config") or {}
            if config.get("restricted") == "true":
                return self._counted("refused", request.refusal(403, _PULL))
        if request.path.startswith("/1.0/images") and request.body.get("public") and project != "default":
            return self._counted("refused", request.refusal(400, _PUBLIC))
        return None

    def _counted(self, what, result):
        self.seen[what] += 1
        return result

    def _translated(self, request, response):
        if request.options.get("stream") or "json" not in response.headers.get("Content-Type", ""):
            return response
        data = response.json()
        if request.path == "/1.0" and request.method == "GET":
            self._introduce(data["metadata"])
        elif request.path.endswith("/wait") and data["type"] == "error":
            # the other form of a failure: all daemons but Incus 6.0.4 return the operation itself
            found = self._read(request, request.path.replace("/wait", ""))
            data = _envelope("sync", 200, found) if found else data
        if self._dialect.since_6_8:
            done = data["type"] == "sync" or data.get("error_code") == 500
            if done and is_asynchronous(request.method, request.path):
                return self._started(request, data)
            self._name_entities(request, data)
        return _with_body(response, data)

    def _introduce(self, server):
        dialect, environment = self._dialect, server["environment"]
        environment.update(server=dialect.server, server_version=dialect.version)
        own = dialect.extensions if "simulated" in environment else (*server["api_extensions"], *dialect.signs)
        server["api_extensions"] = list(own)
        self.seen["introduced"] += 1

    def _started(self, request, data):
        """Return an operation for a write that the real daemon has already done or refused."""
        self.seen["started"] += 1
        identity, failed = str(uuid.uuid4()), data["type"] == "error"
        facts = {"id": identity, "class": "task", "description": "Working", "resources": {}, "may_cancel": False}
        facts["metadata"] = {**_mapping(data.get("metadata")), **_entities_of(request)}
        ended = {"status": "Failure" if failed else "Success", "status_code": 400 if failed else 200}
        path = f"/1.0/operations/{identity}"
        self._operations[path] = {**facts, **ended, "err": data.get("error") or ""}
        running = {**facts, "status": "Running", "status_code": 103, "err": ""}
        return self._counted(
            "started", request.reply({**_envelope("async", 100, running), "operation": path, "error": ""}, 202)
        )

    def _name_entities(self, request, data):
        """Move the objects of all operations in a reply from their resources to their metadata."""
        metadata = data.get("metadata")
        if request.path.startswith("/1.0/operations"):
            groups = metadata.values() if isinstance(metadata, dict) and "class" not in metadata else [[metadata]]
            recursion = str(request.params.get("recursion", ""))
            for operation in (each for group in groups for each in group if isinstance(each, dict)):
                self._name_entity(operation, None, recursion)
        elif data.get("type") == "async":
            self._name_entity(metadata, request, "")

    def _name_entity(self, operation, request, recursion):
        paths = [path for group in (operation.get("resources") or {}).values() for path in group or ()]
        if request is not None:
            self._entities[operation["id"]] = _entities_of(request)
        about = self._entities.get(operation["id"]) or ({"entity_url": paths[0]} if paths else {})
        operation.update(resources={}, metadata={**_mapping(operation.get("metadata")), **about})
        if about.get("entity_url", "").partition("?")[0] == "/1.0/instances":
            children = [{**operation, "metadata": {"entity_url": path}} for path in paths]
            operation["metadata"]["entity_url"] = "/1.0/projects/default"
            operation.update({"children": children} if recursion == "2" else {})
        self.seen["named"] += 1


def _entities_of(request):
    """Return the metadata with the URL of the object that a request is about; for a rename also the former URL."""
    name, query = (
        request.body.get("name"),
        f"?project={request.params['project']}" if "project" in request.params else "",
    )
    if request.method != "POST" or not isinstance(name, str):
        return {"entity_url": request.path + query}
    # a POST to a collection creates, a POST to an object renames
    parts = [part for part in request.path.split("/")[2:] if part not in ("aliases", "custom")]
    parent = request.path if len(parts) % 2 else request.path.rpartition("/")[0]
    entities = {"entity_url": f"{parent}/{quote(name, safe='')}{query}"}
    return entities if len(parts) % 2 else {**entities, "original_entity_url": request.path + query}


def _mapping(value):
    return value if isinstance(value, dict) else {}


def _envelope(kind, code, metadata):
    body = {"type": kind, "status": "Success" if code == 200 else "Operation created", "status_code": code}
    return {**body, "operation": "", "error_code": 0, "error": "", "metadata": metadata}
