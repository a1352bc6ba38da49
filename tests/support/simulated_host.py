"""
A simulated Incus host: objects in memory, and the time that each action takes on a real host.

It supports what the states need: instances, profiles, images with their aliases, networks, pools and projects, with
ETags and operations. It rejects everything else with 501. HTTP is in ``simulated``.
"""

import asyncio
import json
import math
import uuid
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from hashlib import sha256
from typing import NamedTuple

ARCHITECTURE = "x86_64"
EXTENSIONS = (
    *("container_backup", "etag", "image_profiles", "instance_create_start", "instances", "instances_rebuild"),
    *("cloud_init", "network", "network_acl", "network_forward", "patch", "projects", "resources", "storage"),
)
CODES = {"Running": 103, "Stopped": 102, "Frozen": 110, "Success": 200, "Failure": 400}
# An operation that has ended is forgotten after so many seconds.
REMEMBERED = 5
ROOT_DISK = {"path": "/", "pool": "default", "type": "disk"}
PROFILE = {"config": {}, "description": "", "devices": {"root": ROOT_DISK}}


@dataclass(frozen=True)
class Times:
    """
    Seconds, as Incus 6.0.4 takes them on 2 processors: busybox on a dir pool, the unix socket.

    ``get`` one object, ``listed`` one more in a list, ``state`` one more in a list with recursion=2, ``write`` a PATCH
    or a PUT.
    """

    get: float = 0.0015
    listed: float = 0.0001
    state: float = 0.003
    create: float = 0.109
    start: float = 0.152
    stop: float = 0.642
    delete: float = 0.029
    write: float = 0.012


class Request(NamedTuple):
    """A request; ``parts`` are the unquoted parts of the path below /1.0."""

    method: str
    parts: tuple
    query: dict
    headers: dict
    body: bytes

    @property
    def json(self):
        """Return the decoded body."""
        try:
            return json.loads(self.body)
        except ValueError as exc:
            raise Refusal(400, str(exc)) from exc


class Reply(NamedTuple):
    """A reply."""

    data: dict
    status: int = 200
    etag: str = ""


class Refusal(Exception):
    """The host rejects a request; ``status`` is the HTTP status."""

    def __init__(self, status, words):
        super().__init__(words)
        self.status = status


class Collection(NamedTuple):
    """The objects of one kind: the field with the name, the fields of a new object, the writable fields."""

    key: str
    new: dict
    writable: tuple
    label: str
    of_server: bool = False


PLAIN = {"config": {}, "description": ""}
COLLECTIONS = {
    "profiles": Collection("name", {**PLAIN, "devices": {}}, ("config", "description", "devices"), "Profile"),
    "images": Collection("fingerprint", {}, ("auto_update", "expires_at", "profiles", "properties", "public"), "Image"),
    "images/aliases": Collection(
        "name", {"description": "", "type": "container"}, ("description", "target"), "Image alias"
    ),
    "networks": Collection(
        "name",
        {**PLAIN, "type": "bridge", "managed": True, "status": "Created", "locations": ["none"]},
        ("config", "description"),
        "Network",
        True,
    ),
    "projects": Collection("name", PLAIN, ("config", "description"), "Project", True),
    "storage-pools": Collection(
        "name", {**PLAIN, "status": "Created", "locations": ["none"]}, ("config", "description"), "Storage pool", True
    ),
}


def failure(status, words):
    """Return the envelope of a failure."""
    body = {"type": "error", "status": "", "status_code": 0, "operation": "", "metadata": None}
    return {**body, "error_code": status, "error": words}


def success(metadata, **more):
    """Return the envelope of a success."""
    body = {"type": "sync", "status": "Success", "status_code": 200, "operation": "", "error_code": 0, "error": ""}
    return {**body, "metadata": metadata, **more}


def tag(found, writable):
    """Return the ETag of an object."""
    return sha256(json.dumps([found.get(field) for field in writable], sort_keys=True).encode()).hexdigest()


def now():
    """Return the time in the format of the API."""
    return datetime.now(timezone.utc).isoformat().replace("+00:00", "Z")


def merged(old, new):
    """Return a mapping merged with another, as a PATCH does; "" and null remove a key."""
    return {key: value for key, value in {**old, **(new or {})}.items() if value not in (None, "")}


class Operations:
    """The running operations, and those that have just ended."""

    def __init__(self):
        self._known, self._ended, self._tasks = {}, {}, set()

    def begin(self, description, paths, work):
        """Return the reply to a request whose work, a coroutine, continues."""
        identity = str(uuid.uuid4())
        facts = {"id": identity, "class": "task", "description": description, "created_at": now(), "updated_at": now()}
        found = {**facts, "status": "Running", "status_code": 103, "resources": {"instances": paths}, "metadata": None}
        self._known[identity] = {**found, "may_cancel": False, "err": "", "location": "none"}
        self._ended[identity] = asyncio.Event()
        task = asyncio.get_running_loop().create_task(self._run(identity, work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        body = success(self._known[identity], type="async", status="Operation created", status_code=100)
        return Reply({**body, "operation": f"/1.0/operations/{identity}"}, 202)

    async def _run(self, identity, work):
        found = self._known[identity]
        try:
            await work
            status = "Success"
        except Refusal as exc:
            status, found["err"] = "Failure", str(exc)
        found.update(status=status, status_code=CODES[status], updated_at=now())
        self._ended[identity].set()
        asyncio.get_running_loop().call_later(REMEMBERED, self._forget, identity)

    def _forget(self, identity):
        del self._known[identity], self._ended[identity]

    async def answer(self, request):
        """Answer a GET of the operations, of one operation, or of its end."""
        if request.method != "GET":
            raise Refusal(400, "This operation can't be cancelled")
        if len(request.parts) == 1:
            return Reply(success(self._listed(request.query.get("recursion"))))
        identity = request.parts[1]
        if identity not in self._known:
            raise Refusal(404, "Operation not found")
        found = self._known[identity]
        if request.parts[2:] == ("wait",):
            return await self._waited(identity, found, float(request.query.get("timeout", -1)))
        return Reply(success(found))

    def _listed(self, recursion):
        listed = {}
        for identity, found in self._known.items():
            each = found if recursion else f"/1.0/operations/{identity}"
            listed.setdefault(found["status"].lower(), []).append(each)
        return listed

    async def _waited(self, identity, found, seconds):
        try:
            await asyncio.wait_for(self._ended[identity].wait(), None if seconds < 0 else seconds)
        except asyncio.TimeoutError:
            return Reply(failure(500, "context deadline exceeded"))
        # Incus 6.0.4 returns only this for a failed operation, with HTTP 200
        return Reply(failure(500, found["err"]) if found["err"] else success(found))


class Host:
    """
    One host.

    times
        :class:`Times`.
    speed
        Factor by which everything is faster; ``math.inf``: no delay.
    cores
        Maximum number of parallel computations; others wait for their turn. A stop only waits.
    """

    def __init__(self, times=None, speed=1.0, cores=2):
        self.times, self.speed = times or Times(), speed
        self._cores = asyncio.Semaphore(cores)
        self.operations = Operations()
        self._shared = {"networks": {}, "storage-pools": {"default": {**PLAIN, "driver": "dir", "status": "Created"}}}
        self._shared["projects"] = {"default": {**PLAIN}}
        self._of_project = {"default": self._emptied()}

    @staticmethod
    def _emptied():
        return {"profiles": {"default": {**PROFILE}}, "images": {}, "images/aliases": {}, "instances": {}}

    def objects(self, collection, project="default"):
        """Return {name: object} of a collection."""
        if collection in self._shared:
            return self._shared[collection]
        if project not in self._of_project:
            raise Refusal(404, "Project not found")
        return self._of_project[project][collection]

    async def spend(self, seconds, computing=True):
        """Wait as long as an action takes."""
        if seconds <= 0 or math.isinf(self.speed):
            return
        if not computing:
            await asyncio.sleep(seconds / self.speed)
            return
        async with self._cores:
            await asyncio.sleep(seconds / self.speed)

    async def answer(self, request):
        """Return the :class:`Reply` to any request that is not about instances."""
        if request.parts[:1] == ("operations",):
            return await self.operations.answer(request)
        await self.spend(self.times.get)
        if not request.parts:
            return self._server(request)
        word = "images/aliases" if request.parts[:2] == ("images", "aliases") else request.parts[0]
        names = request.parts[word.count("/") + 1 :]
        if word not in COLLECTIONS or len(names) > 1:
            raise Refusal(501, f"not simulated: {request.method} {'/'.join(request.parts)}")
        if not names:
            return await self._collection(word, request)
        return await self._object(word, names[0], request)

    def _server(self, request):
        if request.method != "GET":
            raise Refusal(501, "not simulated: a change of the server")
        environment = {"server": "incus", "server_version": "6.0.4", "server_pid": 1, "server_clustered": False}
        environment.update(architectures=[ARCHITECTURE], simulated=asdict(self.times))
        facts = {"api_status": "stable", "api_version": "1.0", "auth": "trusted", "api_extensions": list(EXTENSIONS)}
        return Reply(success({**facts, "config": {}, "environment": environment}))

    async def _collection(self, word, request):
        found, collection = self.objects(word, request.query.get("project", "default")), COLLECTIONS[word]
        if request.method == "GET":
            await self.spend(self.times.listed * len(found))
            if request.query.get("recursion", "0") == "0":
                return Reply(success([f"/1.0/{word}/{name}" for name in found]))
            return Reply(success([self._reply_fields(word, name, each) for name, each in found.items()]))
        if request.method != "POST" or word == "images":
            raise Refusal(501, f"not simulated: {request.method} {word}")
        body = request.json
        name = body.pop(collection.key)
        if name in found:
            raise Refusal(409, f"The {collection.label.lower()} already exists")
        await self.spend(self.times.write)
        found[name] = {**collection.new, **body}
        if word == "projects":
            self._of_project[name] = self._emptied()
        return Reply(success(None), 201)

    async def _object(self, word, name, request):
        project = request.query.get("project", "default")
        found, collection = self.objects(word, project), COLLECTIONS[word]
        if name not in found:
            raise Refusal(404, f"{collection.label} not found")
        current = found[name]
        if request.method == "GET":
            return Reply(success(self._reply_fields(word, name, current)), etag=tag(current, collection.writable))
        await self.spend(self.times.write)
        if request.method == "DELETE":
            return self._deleted(word, name, project)
        if request.method in ("PUT", "PATCH"):
            found[name] = written(request, current, collection.writable)
            return Reply(success(None))
        if request.method != "POST":
            raise Refusal(501, "not implemented")
        found[request.json[collection.key]] = found.pop(name)
        return Reply(success(None), 201)

    def _deleted(self, word, name, project):
        if self.users(word, name, project):
            raise Refusal(500, f"{COLLECTIONS[word].label} is currently in use")
        del self.objects(word, project)[name]
        if word == "projects":
            del self._of_project[name]
        return Reply(success(None))

    def users(self, word, name, project="default"):
        """Return the paths of the instances that use a profile."""
        if word != "profiles":
            return []
        instances = self.objects("instances", project)
        return [f"/1.0/instances/{each}" for each, found in instances.items() if name in found["profiles"]]

    def _reply_fields(self, word, name, found):
        shown = {COLLECTIONS[word].key: name, **found}
        if word in ("images", "images/aliases"):
            return shown
        return {**shown, "used_by": self.users(word, name)}


def written(request, current, writable):
    """Return the object after a PUT or a PATCH; raises if another client has changed it meanwhile."""
    expected, body = request.headers.get("if-match"), request.json
    if expected not in (None, tag(current, writable)):
        raise Refusal(412, f"ETag doesn't match: {tag(current, writable)} vs {expected}")
    given = {field: body[field] for field in writable if field in body}
    if request.method == "PATCH":
        for field in {"config", "devices", "properties"} & set(given):
            given[field] = merged(current[field], given[field])
        return {**current, **given}
    empty = {field: type(current[field])() for field in writable if field in current}
    return {**current, **empty, **given}
