"""
Real clusters for the tests: members n1, n2, ... on loopback, each a daemon in its own folder.

All requests are REST requests over the unix sockets of the members, as those of ``init --preseed``. The members share
one network namespace, so there is no managed bridge: every member would create it under the same name. Networks that
create no interface work, such as a "macvlan" with the parent "lo".
"""

import base64
import json
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from urllib.parse import quote

from tests.support import wipe
from tests.support.daemons import Daemon, until
from tests.support.rest import Refused

# The roles that the daemons assign themselves.
AUTOMATIC_ROLES = {"database", "database-leader", "database-standby"}
MEMBER_FIELDS = ("roles", "failure_domain", "description", "config", "groups")


class Cluster:
    """The daemons by name, ``cluster["n2"]``, members or not; ``first`` is n1."""

    daemon = Daemon

    def __init__(self, kind, size=3):
        self.name = kind
        self.members = {f"n{number}": self.daemon.in_new_directory(kind) for number in range(1, size + 1)}
        self.addresses = dict(zip(self.members, free_addresses(size)))
        self.first = self.members["n1"]
        self.server = self.first.server
        self._documents = {}
        self._listed, self._default_group = [], {}

    def __getitem__(self, name):
        return self.members[name]

    def listed(self):
        """Return the cluster's data of each member, by name."""
        return sorted(self.first.ask("GET", "/1.0/cluster/members?recursion=1"), key=lambda each: each["server_name"])

    def joined(self):
        """Return the sorted names of the members."""
        return [member["server_name"] for member in self.listed()]

    def start(self, without=()):
        """Start all daemons, and form a cluster of all but those in ``without``, with a pool "default" (dir)."""
        self._start_daemons()
        self._bootstrap()
        for name in self.members:
            if name != "n1" and name not in without:
                self.join(name)
        self._remember()
        return self

    def apart(self):
        """Start all daemons without a cluster."""
        self._start_daemons()
        return self

    def join(self, name, config=None):
        """
        Make a standalone daemon a member; raises Refused if it cannot join.

        config
            Config that is specific to this member, ``{"mv0": {"parent": "lo"}}``; everything else is empty.
        """
        token = self.token(name)
        body = {
            "server_name": name,
            "enabled": True,
            "server_address": self.addresses[name],
            "cluster_address": token["addresses"][0],
            "cluster_certificate": self.first.ask("GET", "/1.0")["environment"]["certificate"],
            "member_config": self._member_config(config or {}),
            # LXD calls the token a password; Incus has a separate field.
            "cluster_password" if self.server == "lxd" else "cluster_token": encoded(token),
        }
        # A daemon that has just left a cluster restarts, and does not listen meanwhile.
        until(lambda: _ready(self[name]), 20)
        self[name].ask("PUT", "/1.0/cluster", body)

    def token(self, name):
        """Return the body of the request to join under this name."""
        status, reply = self.first.request("POST", "/1.0/cluster/members", {"server_name": name})
        if status != 202:
            raise Refused(f"no token for {name}: {reply}", status)
        names = {"serverName": "server_name", "expiresAt": "expires_at"}
        return {names.get(key, key): value for key, value in reply["metadata"]["metadata"].items()}

    def leave(self, name):
        """Remove the daemon from the cluster and reset it; raises Refused while it has instances or volumes."""
        self.first.ask("DELETE", f"/1.0/cluster/members/{quote(name, safe='')}")

    def wipe(self, timeout=60):
        """Restore the cluster to its original members and settings; raises Refused with what is left."""
        self._start_daemons()
        self._rename_back()
        left = []

        def swept():
            try:
                left[:] = ClusterSweep(self.first.rest, self._documents, self._listed, self._default_group).run()
            except Refused as refused:  # other members may not reach a member that has just started
                left[:] = [str(refused)]
            return not left

        if not until(swept, timeout):
            raise Refused("a test left what cannot be removed:\n" + "\n".join(left))
        self._regroup()

    def stop(self):
        """Shut down all daemons; after an error too, none of them is running."""
        with ExitStack() as stack:
            # Stop the first member last, because the others depend on it.
            for daemon in self.members.values():
                stack.callback(daemon.stop)

    def remove(self):
        """Remove the folders of all daemons."""
        for daemon in self.members.values():
            daemon.remove()

    def _start_daemons(self):
        with ThreadPoolExecutor() as together:
            list(together.map(Daemon.start, self.members.values()))

    def _bootstrap(self):
        self.first.preseed()
        self.first.ask("PATCH", "/1.0", {"config": {"core.https_address": self.addresses["n1"]}})
        self.first.ask("PUT", "/1.0/cluster", {"server_name": "n1", "enabled": True})
        # A member that has joined LXD shows a setting only after a change, so change it last.
        self.first.ask("PATCH", "/1.0", {"config": {"images.auto_update_interval": "1"}})

    def _remember(self):
        self.first.ask("PATCH", "/1.0", {"config": {"images.auto_update_interval": "0"}})
        self._listed = self.listed()
        self._default_group = self.first.ask("GET", "/1.0/cluster/groups/default")
        self._documents = wipe.remember(self.first.rest)
        for name in self.joined():
            path = f"/1.0?target={name}"
            self._documents[path] = {"config": self.first.ask("GET", path)["config"]}

    def _member_config(self, given):
        keys = self.first.ask("GET", "/1.0/cluster")["member_config"] or []
        return [{**key, "value": given.get(key["name"], {}).get(key["key"], "")} for key in keys]

    def _rename_back(self):
        names = {f"https://{address}": name for name, address in self.addresses.items()}
        for member in self.listed():
            if names[member["url"]] != member["server_name"]:
                path = f"/1.0/cluster/members/{quote(member['server_name'], safe='')}"
                self.first.ask("POST", path, {"server_name": names[member["url"]]})

    def _regroup(self):
        wanted, joined = {member["server_name"] for member in self._listed}, set(self.joined())
        for name in sorted(joined - wanted):
            self.leave(name)
        for name in sorted(wanted - joined):
            self.join(name)


class ClusterSweep(wipe.Sweep):
    """One attempt to remove everything from a cluster except the certificates of its members."""

    def __init__(self, rest, documents, members, default_group):
        super().__init__(rest, documents)
        self.members = {member["server_name"]: member for member in members}
        self.default_group = default_group

    def run(self):
        """Return the daemon's words for everything that could not be removed."""
        self.at_work()
        self.groups()
        self.restore_members()
        return super().run()

    def listed(self, *collection, project="default"):
        """Return the entries of a collection, without those that the members need to trust each other."""
        entries = super().listed(*collection, project=project)
        return [entry for entry in entries if (collection, entry.get("type")) != (("certificates",), "server")]

    def restore(self):
        """Restore the recorded documents of the cluster and of its members."""
        now = {member["server_name"] for member in self.listed("cluster", "members")}
        gone = [f"/1.0?target={name}" for name in self.members if name not in now]
        every = self.documents
        self.documents = {path: document for path, document in every.items() if path not in gone}
        super().restore()
        self.documents = every

    def volumes(self, project):
        """Remove all custom volumes and buckets of this project from all members."""
        for pool in self.listed("storage-pools"):
            base = f"/1.0/storage-pools/{quote(pool['name'], safe='')}/volumes/custom"
            for volume in self.listed("storage-pools", pool["name"], "volumes", project=project):
                if volume["type"] == "custom" and "/" not in volume["name"] and volume.get("location"):
                    query = f"project={quote(project, safe='')}&target={quote(volume['location'], safe='')}"
                    self.left += self.attempt("DELETE", f"{base}/{quote(volume['name'], safe='')}?{query}")
        super().volumes(project)

    def at_work(self):
        """Restore all evacuated members."""
        for member in self.listed("cluster", "members"):
            if member["status"] == "Evacuated":
                path = f"/1.0/cluster/members/{quote(member['server_name'], safe='')}/state"
                self.left += self.attempt("POST", path, {"action": "restore"})

    def groups(self):
        """Restore the groups: only "default", with all members."""
        everybody = [member["server_name"] for member in self.listed("cluster", "members")]
        # The default group first, because Incus keeps a member in its last group.
        self._set_group(self.default_group, everybody)
        for group in self.listed("cluster", "groups"):
            if group["name"] != "default":
                self._set_group(group, [])
                self.remove("cluster", "groups", group["name"])

    def _set_group(self, wanted, members):
        path = f"/1.0/cluster/groups/{quote(wanted['name'], safe='')}"
        _, reply = self.rest.request("GET", path)
        wanted = {**wanted, "members": members}
        if _settings(reply["metadata"]) != _settings(wanted):
            self.left += self.attempt("PUT", path, _settings(wanted))

    def restore_members(self):
        """Restore the recorded roles, groups, config and so on of the members."""
        for member in self.listed("cluster", "members"):
            wanted = self.members.get(member["server_name"])
            if wanted and _own(member) != _own(wanted):
                automatic = [role for role in member["roles"] if role in AUTOMATIC_ROLES]
                body = {**_own(wanted), "roles": sorted({*automatic, *_own(wanted)["roles"]})}
                path = f"/1.0/cluster/members/{quote(member['server_name'], safe='')}"
                self.left += self.attempt("PUT", path, body)


def _settings(group):
    """Return the settings of a group that users can change; LXD and Incus 6 have no config there."""
    config = group.get("config") or {}
    return {"description": group["description"], "config": config, "members": sorted(group["members"])}


def _own(member):
    """Return the settings of a member that users can change."""
    fields = {key: member[key] for key in MEMBER_FIELDS}
    return {**fields, "roles": sorted(set(member["roles"]) - AUTOMATIC_ROLES)}


def _ready(daemon):
    try:
        return daemon.request("GET", "/internal/ready")[0] == 200
    except OSError:
        return False


def encoded(token):
    """Return the token in the form that users get: one word."""
    return base64.b64encode(json.dumps(token).encode()).decode()


def free_addresses(count):
    """Return ``count`` loopback addresses, each with a free port."""
    with ExitStack() as stack:
        # Bind all of them first: the kernel may offer a released port again.
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [f"127.0.0.1:{probe.getsockname()[1]}" for probe in probes]
