"""
The instances of a simulated host: creation, power states and changes, each with its duration.
"""

import asyncio
import uuid

from tests.support.simulated_host import ARCHITECTURE, CODES, Host, Refusal, Reply, now, success, tag, written

WRITABLE = ("architecture", "config", "description", "devices", "ephemeral", "profiles")
# action: (from, to, description of the operation, error for any other power state)
ACTIONS = {
    "start": (("Stopped",), "Running", "Starting instance", "The instance is already running"),
    "stop": (("Running", "Frozen"), "Stopped", "Stopping instance", "The instance is already stopped"),
    "restart": (("Running",), "Running", "Restarting instance", "The instance is already stopped"),
    "freeze": (("Running",), "Frozen", "Freezing instance", "The instance isn't running"),
    "unfreeze": (("Frozen",), "Running", "Unfreezing instance", "The container is already running"),
}
IDMAP = '[{"Isuid":true,"Isgid":false,"Hostid":1000000,"Nsid":0,"Maprange":1000000000}]'


class SimulatedHost(Host):
    """A host with its instances."""

    def __init__(self, times=None, speed=1.0, cores=2):
        super().__init__(times, speed, cores)
        self._busy = {}

    async def answer(self, request):
        """Return the :class:`Reply` to a request."""
        if request.parts[:1] != ("instances",):
            return await super().answer(request)
        found = self.objects("instances", request.query.get("project", "default"))
        if len(request.parts) == 1:
            act = {"GET": self._list, "POST": self._post, "PUT": self._put_all}.get(request.method)
        else:
            await self.spend(self.times.get)
            act = self._of_one(request, found)
        if act is None:
            raise Refusal(501, f"not simulated: {request.method} {'/'.join(request.parts)}")
        return await act(request, found)

    def _of_one(self, request, found):
        """Return the answer to a request about one instance."""
        name, *rest = request.parts[1:]
        if name not in found:
            words = f'Failed to fetch instance "{name}" in project "default": Instance not found'
            raise Refusal(404, words)
        ways = {
            "": {
                "GET": self._get,
                "PUT": self._put,
                "PATCH": self._patch,
                "POST": self._rename,
                "DELETE": self._delete,
            },
            "state": {"GET": self._get_state, "PUT": self._put_state},
            "snapshots": {"GET": self._snapshots},
        }
        return ways.get("/".join(rest), {}).get(request.method)

    def fill(self, count, image="busybox"):
        """Add instances, ``i0`` and so on, as if each had been created from the image and started."""
        for number in range(count):
            made = self._new({}, "default", self._image_of({"type": "image", "alias": image}, "default"))
            self._finished(made)
            self._entered(made, "Running")
            self.objects("instances")[f"i{number}"] = made

    def add_image(self, alias, fingerprint="b" * 64):
        """Add an image with this alias."""
        times = dict.fromkeys(("created_at", "uploaded_at", "last_used_at"), now())
        facts = {"architecture": ARCHITECTURE, "auto_update": False, "expires_at": "0001-01-01T00:00:00Z"}
        facts.update(profiles=["default"], properties={"os": "Busybox"}, public=False, type="container", **times)
        self.objects("images")[fingerprint] = facts
        self.objects("images/aliases")[alias] = {"description": "", "target": fingerprint, "type": "container"}

    async def _list(self, request, found):
        recursion = int(request.query.get("recursion", "0"))
        if "filter" in request.query or "all-projects" in request.query:
            raise Refusal(501, "not simulated: a filter")
        await self.spend(self.times.get + len(found) * (self.times.state if recursion > 1 else self.times.listed))
        project = request.query.get("project", "default")
        if not recursion:
            more = "" if project == "default" else f"?project={project}"
            return Reply(success([f"/1.0/instances/{name}{more}" for name in found]))
        return Reply(success([self._whole(name, each, project, recursion > 1) for name, each in found.items()]))

    async def _get(self, request, found):
        name, project = request.parts[1], request.query.get("project", "default")
        whole = self._whole(name, found[name], project, request.query.get("recursion") == "1")
        return Reply(success(whole), etag=tag(found[name], WRITABLE))

    def _whole(self, name, found, project, with_state=False):
        """Return an instance in the form of a reply, with the config and devices of its profiles."""
        profiles = self.objects("profiles", project)
        expanded = {"config": {}, "devices": {}}
        for given in [*(profiles[each] for each in found["profiles"] if each in profiles), found]:
            for field, into in expanded.items():
                into.update(given[field])
        shown = {"name": name, **found, "status_code": CODES[found["status"]], "project": project, "location": "none"}
        shown.update(expanded_config=expanded["config"], expanded_devices=expanded["devices"])
        if with_state:
            shown.update(state=self._state(found), snapshots=None, backups=None)
        return shown

    @staticmethod
    def _state(found):
        network = {"lo": {"addresses": [{"family": "inet", "address": "127.0.0.1", "netmask": "8", "scope": "local"}]}}
        facts = {"status": found["status"], "status_code": CODES[found["status"]], "pid": 1, "processes": 1}
        facts.update(memory={"usage": 1 << 20}, cpu={"usage": 1}, disk={}, network=network)
        return facts

    async def _get_state(self, request, found):
        await self.spend(self.times.state)
        return Reply(success(self._state(found[request.parts[1]])))

    async def _snapshots(self, request, found):
        return Reply(success([]))

    def _image_of(self, source, project):
        """Return (fingerprint, image) of a source, None for an empty one."""
        if source.get("type") == "none":
            return None
        if source.get("type") != "image" or source.get("server"):
            raise Refusal(501, f"not simulated: the source {source.get('type')}")
        aliases, images = self.objects("images/aliases", project), self.objects("images", project)
        fingerprint = source.get("fingerprint") or aliases.get(source.get("alias"), {}).get("target")
        if fingerprint not in images:
            raise Refusal(500, "Image not provided for instance creation")
        return fingerprint, images[fingerprint]

    def _new(self, body, project, image):
        """Return an instance whose creation has not ended."""
        fields = {"architecture": ARCHITECTURE, "config": {}, "description": "", "devices": {}, "ephemeral": False}
        made = {**fields, "profiles": ["default"], **{key: body[key] for key in WRITABLE if body.get(key) is not None}}
        made.update(type=body.get("type") or "container", status="Stopped", stateful=False)
        made.update(created_at=now(), last_used_at="1970-01-01T00:00:00Z")
        made["config"] = dict(made["config"])
        if image:
            fingerprint, facts = image
            made["config"].update({f"image.{key}": value for key, value in facts["properties"].items()})
            made["config"]["volatile.base_image"] = fingerprint
        return made

    @staticmethod
    def _finished(made):
        """Return the keys that the end of a creation writes."""
        identity = str(uuid.uuid4())
        made["config"].update({"volatile.apply_template": "create", "volatile.cloud-init.instance-id": identity})
        made["config"].update({"volatile.idmap.base": "0", "volatile.idmap.current": IDMAP})
        made["config"].update({"volatile.idmap.next": IDMAP, "volatile.last_state.idmap": "[]"})
        made["config"].setdefault("volatile.uuid", identity)
        made["config"].setdefault("volatile.uuid.generation", identity)

    async def _post(self, request, found):
        body, project = request.json, request.query.get("project", "default")
        await self.spend(self.times.get)
        if not isinstance(body, dict) or not body.get("source"):
            raise Refusal(400, "Unknown source type ")
        for profile in body.get("profiles") or ():
            if profile not in self.objects("profiles", project):
                raise Refusal(500, f'Requested profile "{profile}" doesn\'t exist')
        name = body["name"]
        work = self._create(name, body, found, project)
        return self.operations.begin("Creating instance", [f"/1.0/instances/{name}"], work)

    async def _create(self, name, body, found, project):
        image = self._image_of(body["source"], project)
        if name in found:
            raise Refusal(500, "UNIQUE constraint failed: instances.project_id, instances.name")
        found[name] = made = self._new(body, project, image)
        await self.spend(self.times.create if image else self.times.write)
        self._finished(made)
        if body.get("start"):
            await self._act(name, found, "start")

    async def _put_state(self, request, found):
        name, action = request.parts[1], request.json.get("action")
        if action not in ACTIONS:
            raise Refusal(400, f'Unknown action "{action}"')
        return self.operations.begin(ACTIONS[action][2], [f"/1.0/instances/{name}"], self._act(name, found, action))

    async def _put_all(self, request, found):
        action = (request.json.get("state") or {}).get("action")
        if action not in ACTIONS:
            raise Refusal(400, f'Unknown action "{action}"')
        names = [name for name, each in found.items() if each["status"] in ACTIONS[action][0]]
        paths = [f"/1.0/instances/{name}" for name in names]
        return self.operations.begin("Updating instances", paths, self._act_on_all(names, found, action))

    async def _act_on_all(self, names, found, action):
        await asyncio.gather(*(self._act(name, found, action) for name in names))

    async def _act(self, name, found, action):
        """Change the power state of an instance, unless it is busy or in another state than expected."""
        origins, goal, _, words = ACTIONS[action]
        if name in self._busy:
            raise Refusal(500, f'Instance is busy running a "{self._busy[name]}" operation')
        if found[name]["status"] not in origins:
            raise Refusal(500, words)
        self._busy[name] = action
        try:
            if action in ("stop", "restart"):
                await self.spend(self.times.stop, computing=False)
            if action in ("start", "restart"):
                await self.spend(self.times.start)
        finally:
            del self._busy[name]
        # a PATCH meanwhile has replaced the object
        self._entered(found[name], goal)
        if goal == "Stopped" and found[name]["ephemeral"]:
            del found[name]

    @staticmethod
    def _entered(current, status):
        current["status"] = status
        current["config"].pop("volatile.apply_template", None)
        current["config"]["volatile.last_state.power"] = "STOPPED" if status == "Stopped" else "RUNNING"

    async def _patch(self, request, found):
        name = request.parts[1]
        after = written(request, found[name], WRITABLE)
        # a PATCH without a description clears it on Incus 6.0.4
        after["description"] = request.json.get("description", "")
        await self.spend(self.times.write)
        found[name] = after
        return Reply(success(None))

    async def _put(self, request, found):
        name = request.parts[1]
        after = written(request, found[name], WRITABLE)
        return self.operations.begin("Updating instance", [f"/1.0/instances/{name}"], self._replace(name, found, after))

    async def _replace(self, name, found, after):
        await self.spend(self.times.write)
        found[name] = after

    async def _rename(self, request, found):
        name, other = request.parts[1], request.json.get("name")
        if found[name]["status"] != "Stopped":
            raise Refusal(400, "Renaming of running instance not allowed")
        if other in found:
            raise Refusal(409, f'Name "{other}" already in use')
        work = self._renamed(name, other, found)
        return self.operations.begin("Renaming instance", [f"/1.0/instances/{name}"], work)

    async def _renamed(self, name, other, found):
        await self.spend(self.times.write)
        found[other] = found.pop(name)

    async def _delete(self, request, found):
        name = request.parts[1]
        if found[name]["status"] != "Stopped":
            raise Refusal(400, "Instance is running")
        return self.operations.begin("Deleting instance", [f"/1.0/instances/{name}"], self._remove(name, found))

    async def _remove(self, name, found):
        await self.spend(self.times.delete)
        found.pop(name, None)
