"""
Reset a daemon between tests: remove what a test created, restore what it changed.

Users of other objects are removed first: instances, then profiles, networks and so on.
"""

import time
from urllib.parse import quote

from tests.support.rest import Refused

# Documents that are recorded after the preseed and restored after a test.
DOCUMENTS = ("/1.0", "/1.0/projects/default", "/1.0/profiles/default", "/1.0/storage-pools/default")
WRITABLE = ("config", "description", "devices")
# (collection, field with the name of an entry); a daemon may lack a collection.
OF_PROJECTS = (
    ("images", "fingerprint"),
    ("profiles", "name"),
    ("networks", "name"),
    ("network-acls", "name"),
    ("network-address-sets", "name"),
    ("network-zones", "name"),
)
OF_SERVER = (("network-integrations", "name"), ("certificates", "fingerprint"))


def remember(rest):
    """Return the current content of the documents that every daemon has."""
    return {path: _writable(rest.ask("GET", path)) for path in DOCUMENTS}


def wipe(rest, documents, timeout=60):
    """Remove everything but the recorded documents; raises Refused with what cannot be removed."""
    deadline = time.monotonic() + timeout
    while True:
        left = Sweep(rest, documents).run()
        if not left:
            return
        if time.monotonic() > deadline:
            raise Refused("a test left what cannot be removed:\n" + "\n".join(left))
        # A busy instance or a running operation ends by itself; no event covers all of them.
        time.sleep(0.1)


class Sweep:
    """One attempt to remove everything; ``left`` has the failures."""

    def __init__(self, rest, documents):
        self.rest = rest
        self.documents = documents
        self.left = []

    def run(self):
        """Return the daemon's words for everything that could not be removed."""
        projects = self.listed("projects")
        for project in projects:
            self.instances(project["name"])
        self.restore()
        for project in projects:
            self.volumes(project["name"])
            self.of_project(project)
        for kind, key in OF_SERVER:
            for entry in self.listed(kind):
                self.remove(kind, entry[key])
        for kind in ("projects", "storage-pools"):
            for entry in self.listed(kind):
                if entry["name"] != "default":
                    self.remove(kind, entry["name"])
        self.operations()
        return self.left

    def instances(self, project):
        """Remove all instances of this project, in any power state, protected or not."""
        for instance in self.listed("instances", project=project):
            path = _path("instances", instance["name"], project=project)
            if instance["status"] != "Stopped":
                stop = {"action": "stop", "force": True, "timeout": 30}
                self.attempt("PUT", _path("instances", instance["name"], "state", project=project), stop)
            # in a cluster, the entry for a member that has just started has only a name
            if instance.get("expanded_config", {}).get("security.protection.delete"):
                self.attempt("PATCH", path, {"config": {"security.protection.delete": "false"}})
            self.remove("instances", instance["name"], project=project)

    def restore(self):
        """Restore the recorded documents."""
        for path, wanted in self.documents.items():
            now = _writable(self.rest.ask("GET", path))
            if now != wanted:
                if path == "/1.0":
                    # The server keeps a user.* key that a PUT omits; an empty value removes it. For other keys an empty
                    # value can mean false (core.metrics_authentication on LXD).
                    own = [key for key in now["config"] if key.startswith("user.")]
                    wanted = {"config": {**dict.fromkeys(own, ""), **wanted["config"]}}
                self.left += self.attempt("PUT", path, wanted)

    def volumes(self, project):
        """Remove all custom volumes and buckets of this project from all pools."""
        for pool in self.listed("storage-pools"):
            base = "storage-pools", pool["name"]
            for volume in self.listed(*base, "volumes", project=project):
                # A snapshot is listed as "volume/snapshot" and is deleted with its volume.
                if volume["type"] == "custom" and "/" not in volume["name"]:
                    self.remove(*base, "volumes", "custom", volume["name"], project=project)
            for bucket in self.listed(*base, "buckets", project=project):
                self.remove(*base, "buckets", bucket["name"], project=project)

    def of_project(self, project):
        """Remove everything but an empty default profile from this project."""
        name = project["name"]
        if name != "default" and project["config"].get("features.profiles") == "true":
            self.attempt("PUT", _path("profiles", "default", project=name), {"config": {}, "devices": {}})
        for kind, key in OF_PROJECTS:
            for entry in self.listed(kind, project=name):
                if _removable(kind, entry):
                    self.remove(kind, entry[key], project=name)

    def operations(self):
        """End all operations: cancel tokens, wait for tasks."""
        _, reply = self.rest.request("GET", "/1.0/operations?recursion=1&all-projects=true")
        for operation in reply["metadata"].get("running", []):
            if operation["may_cancel"]:
                self.remove("operations", operation["id"])
            else:
                self.left.append(f"operation {operation['description']!r} is running")

    def listed(self, *collection, project="default"):
        """Return the entries of the collection; empty if the daemon does not support it."""
        path = _path(*collection, project=project) + "&recursion=1"
        status, reply = self.rest.request("GET", path)
        if status == 200:
            return reply["metadata"] or []
        if status not in (400, 404):
            self.left.append(f"GET {path}: HTTP {status}: {reply}")
        return []

    def remove(self, *segments, project="default"):
        """Remove the entry, or record the reason in ``left``."""
        self.left += self.attempt("DELETE", _path(*segments, project=project))

    def attempt(self, method, path, body=None):
        """Return the daemon's errors; empty if the request succeeded or the entry does not exist."""
        try:
            self.rest.ask(method, path, body)
        except Refused as refused:
            return [] if refused.status == 404 else [str(refused)]
        return []


def _path(*segments, project):
    quoted = "/".join(quote(segment, safe="") for segment in segments)
    return f"/1.0/{quoted}?project={quote(project, safe='')}"


def _removable(kind, entry):
    # The networks of the machine are listed too, and a default profile can only be deleted with its project.
    return entry.get("managed", True) and (kind, entry.get("name")) != ("profiles", "default")


def _writable(document):
    return {key: document[key] for key in WRITABLE if key in document}
