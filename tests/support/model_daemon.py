"""
A model of the daemon's objects, as far as converge needs it, that answers for ``fake_transport.Paper``.

.. code-block:: text

    model = Model({"profiles/web": {"config": {}, "description": "", "devices": {}}})
    paper = Paper(model)

PATCH merges config by key and devices by device, PUT replaces the object, a stale If-Match is 412, and writes to
instances are operations. As on LXD 5.0.2 and Incus 6.0.4, the PATCH of an instance clears a description that it does
not repeat, that of an image drops expires_at, and that of an alias fails.
"""

import json
from hashlib import sha256
from urllib.parse import unquote

from tests.support.fake_transport import failure, finished, operation, server, started, sync

EMPTY = {
    **{"config": {}, "properties": {}, "devices": {}, "profiles": [], "description": "", "failure_domain": ""},
    **{"backends": [], "groups": [], "members": [], "ports": [], "roles": []},
}
PROFILE = {"config": {}, "description": "", "devices": {}}
INSTANCE = {
    "architecture": "x86_64",
    "config": {"volatile.uuid": "u", "volatile.apply_template": "create", "image.os": "busybox"},
    "description": "",
    "devices": {},
    "ephemeral": False,
    "profiles": ["default"],
    "stateful": False,
    "status": "Stopped",
    "type": "container",
}
IMAGE = {
    "auto_update": False,
    "expires_at": "1970-01-01T00:00:00Z",
    "profiles": ["default"],
    "properties": {"os": "busybox"},
    "public": False,
}
PLAIN = {"config": {}, "description": ""}
# The fields of a new object, by the path of its collection or the last part of it.
NEW = {
    **{"profiles": PROFILE, "instances": INSTANCE, "images": IMAGE, "images/aliases": {"description": ""}},
    **{"buckets": PLAIN, "groups": {**PLAIN, "members": []}, "keys": {"description": ""}, "peers": PLAIN},
    "load-balancers": {**PLAIN, "backends": [], "ports": []},
}
KEY = {"images": "fingerprint", "load-balancers": "listen_address", "members": "server_name"}
STATUS = {"start": "Running", "unfreeze": "Running", "stop": "Stopped", "freeze": "Frozen", "restart": "Running"}


def merged(old, new):
    """Return a config merged with another, as a PATCH does: "" and null remove a key."""
    return {key: value for key, value in {**old, **new}.items() if value not in (None, "")}


def patched(current, body):
    """Return the object after a PATCH."""
    after = {**current, **body}
    for field in set(body) & {"config", "properties"}:
        after[field] = merged(current[field], body[field])
    if "devices" in body:
        after["devices"] = {**current["devices"], **body["devices"]}
    return after


def replaced(current, body):
    """Return the object after a PUT, which clears the fields that the body omits."""
    return {**current, **{k: v for k, v in EMPTY.items() if k in current}, **body}


class Model:
    """
    Objects by their path below ``/1.0/``.

    meanwhile
        ``{"PATCH profiles/web": [functions]}``: each function is called once with the model before such a request, as
        if another client were faster.
    faults
        ``{"PATCH profiles/web": [replies]}``: each reply is sent once instead of the request's effect.
    ends
        The same for the ends of operations: ``{"DELETE instances/c1": [failed("words")]}``; the operation has no effect
        then.
    facts
        Additional content of ``GET /1.0``: ``{"api_extensions": [...]}``.
    """

    def __init__(self, objects=None, meanwhile=None, faults=None, ends=None, facts=None):
        self.objects = {path: dict(facts) for path, facts in (objects or {}).items()}
        self.meanwhile, self.faults, self.ends, self.facts = meanwhile or {}, faults or {}, ends or {}, facts or {}
        self._end = finished()

    def __call__(self, seen):
        path = unquote(seen.path).replace("/1.0", "", 1).strip("/")
        line = f"{seen.method} {path}"
        if self.meanwhile.get(line):
            self.meanwhile[line].pop(0)(self)
        if self.faults.get(line):
            return self.faults[line].pop(0)
        if not path:
            return server(**self.facts)
        if path == "operations":
            return sync({})
        if path.startswith("operations/"):
            return self._end
        if self.ends.get(line):
            self._end = self.ends[line].pop(0)
            return started()
        self._end = finished()
        return getattr(self, f"_{seen.method.lower()}")(path, seen)

    def etag(self, path):
        """Return the ETag of an object, which changes with its content."""
        return sha256(json.dumps(self.objects[path], sort_keys=True).encode()).hexdigest()

    def _missing(self):
        return failure(404, "not found")

    def _get(self, path, seen):
        if path not in self.objects:
            return self._missing()
        return sync(self.objects[path], ETag=self.etag(path))

    def _post(self, path, seen):
        if path in self.objects:
            return self._rename(path, seen.json)
        collection = path if path in NEW else path.rpartition("/")[2]
        if seen.headers.get("Content-Type") != "application/json":
            body = {"fingerprint": seen.headers["X-Incus-fingerprint"]}
        else:
            body = seen.json
        name = body[KEY.get(collection, "name")]
        self.objects[f"{path}/{name}"] = _created(NEW[collection], body)
        return started() if path in ("instances", "images") else sync(status=201)

    def _rename(self, path, body):
        above, _, _ = path.rpartition("/")
        key = KEY.get(above.rpartition("/")[2], "name")
        self.objects[f"{above}/{body[key]}"] = {**self.objects.pop(path), key: body[key]}
        return started() if path.startswith("instances/") else sync(status=201)

    def _put(self, path, seen):
        if path.endswith("/state"):
            return self._act(path.rpartition("/")[0], seen.json["action"])
        reply = self._write(path, seen, replaced)
        return started() if path.startswith("instances/") and reply.status == 200 else reply

    def _patch(self, path, seen):
        if path.startswith("images/aliases/"):
            return failure(500, "context deadline exceeded")
        body = {"description": "", **seen.json} if path.startswith("instances/") else seen.json
        if path.startswith("images/"):
            body.pop("expires_at", None)
        return self._write(path, seen, lambda current, _: patched(current, body))

    def _write(self, path, seen, change):
        if path not in self.objects:
            return self._missing()
        if seen.headers.get("If-Match", self.etag(path)) != self.etag(path):
            return failure(412, "ETag doesn't match")
        self.objects[path] = change(self.objects[path], seen.json)
        return sync()

    def _act(self, path, action):
        if path not in self.objects:
            return self._missing()
        self.objects[path]["status"] = STATUS[action]
        return started()

    def _delete(self, path, seen):
        if self.objects.pop(path, None) is None:
            return self._missing()
        return started() if path.startswith(("instances/", "images/")) else sync()


def _created(new, body):
    """Return a new object: the daemon's own keys in addition to those sent, overridden by those of the image."""
    made = {**new, **body}
    for field in ("config", "properties"):
        if field in new:
            sent = body.get(field) or {}
            made[field] = merged(new[field], {k: v for k, v in sent.items() if not k.startswith("image.")})
    return made


def failed(words, code=400):
    """Return the end of an operation that failed, in LXD's form."""
    return sync(operation(code, words))
