"""
Daemons with OVN: each has a host of its own, with Open vSwitch and OVN in its namespaces.

The datapath is in user space, so the kernel needs no module. The programs are in the root file system of the daemon,
because Incus 7 refuses the databases of an OVN as old as that of Debian 12.
"""

import subprocess
from contextlib import ExitStack

from tests.support.daemons import ENTER_ROOT, DaemonError, until
from tests.support.namespaces import HostDaemon, Namespaces

UPLINK = "br-ex"
SCHEMAS = {
    "switch": "/usr/share/openvswitch/vswitch.ovsschema",
    "north": "/usr/share/ovn/ovn-nb.ovsschema",
    "south": "/usr/share/ovn/ovn-sb.ovsschema",
}
# Where all programs, and the daemons, look for the sockets; /run is empty in the namespaces and in the root of Incus 7.
_LINKS = 'ln -sfn "$0" /run/openvswitch; ln -sfn "$0" /run/ovn; exec "$@"'


class Ovn:
    """
    Open vSwitch and OVN of one host.

    folder
        For the databases, sockets and logs; short, because it is part of the paths of sockets.
    root
        The root file system with the programs; empty for that of the machine.
    """

    def __init__(self, folder, root=""):
        self.folder = folder
        self._enter = [ENTER_ROOT, root] if root else []
        self.namespaces = None
        self._programs = []

    def start(self, namespaces):
        """Start everything in these namespaces, and create the bridge of the uplink."""
        self.folder.mkdir(exist_ok=True)
        self.namespaces = namespaces
        for name, schema in SCHEMAS.items():
            self.run("ovsdb-tool", "create", f"{self.folder}/{name}.db", schema)
        remotes = [f"--remote=punix:{self.folder}/{name}.sock" for name in ("db", "ovnnb_db", "ovnsb_db")]
        self._launch("ovsdb-server", *remotes, *(f"{self.folder}/{name}.db" for name in SCHEMAS))
        if not until(lambda: (self.folder / "db.sock").exists(), 30):
            raise DaemonError(f"no ovsdb-server\n{self.tail('ovsdb-server')}")
        self._configure()
        self._launch("ovs-vswitchd")
        self._launch("ovn-northd")
        self._launch("ovn-controller")
        self.run("ovs-vsctl", "add-br", UPLINK, "--", "set", "bridge", UPLINK, "datapath_type=netdev")
        return self

    def linked(self, command):
        """Return the command with the sockets at their usual places."""
        return ["sh", "-euc", _LINKS, str(self.folder), *command]

    def run(self, *command):
        """Run a command on the host and return its output."""
        return self.namespaces.run(*self._enter, *self.linked(command))

    def tail(self, name):
        """Return the last lines of a program's log."""
        return "\n".join((self.folder / f"{name}.log").read_text(errors="replace").splitlines()[-20:])

    def stop(self):
        """Ask each program to exit, the last one first; kill those that do not."""
        with ExitStack() as stack:
            for name, process in self._programs:
                stack.callback(self._exit, name, process)
            self._programs = []

    def _configure(self):
        ids = {
            "system-id": "host",
            "ovn-remote": f"unix:{self.folder}/ovnsb_db.sock",
            "ovn-encap-type": "geneve",
            "ovn-encap-ip": "127.0.0.1",
            "ovn-bridge-datapath-type": "netdev",
        }
        self.run("ovs-vsctl", "--no-wait", "init")
        settings = [f"external_ids:{key}={value}" for key, value in ids.items()]
        self.run("ovs-vsctl", "--no-wait", "set", "open_vswitch", ".", *settings)

    def _launch(self, name, *arguments):
        command = self.namespaces.entered([*self._enter, *self.linked([name, "--no-chdir", *arguments])])
        with open(self.folder / f"{name}.log", "ab") as log:
            streams = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log}
            self._programs.append((name, subprocess.Popen(command, start_new_session=True, **streams)))

    def _exit(self, name, process):
        control = self.folder / f"{name}.{process.pid}.ctl"
        if process.poll() is None and control.exists():
            self.run("ovs-appctl", "-T", "10", "-t", str(control), "exit")
        if not until(lambda: process.poll() is not None, 15):
            process.kill()
            process.wait()


class OvnDaemon(HostDaemon):
    """A daemon on a host of its own with OVN."""

    def __init__(self, kind, directory):
        super().__init__(kind, directory)
        self.ovn = Ovn(self.directory / "o", self.kind.root)

    def launch(self):
        """Start a process of the daemon without waiting for it, and OVN before the first one."""
        if self.namespaces is None:
            self.namespaces = Namespaces()
            self.ovn.start(self.namespaces)
        return super().launch()

    def wipe(self):
        """Reset the daemon: first the rules of ACLs and the peers, by which networks and ACLs need each other."""
        for acl in self.ask("GET", "/1.0/network-acls?recursion=1") or []:
            self.ask("PUT", f"/1.0/network-acls/{acl['name']}", {"egress": [], "ingress": []})
        for network in self.ask("GET", "/1.0/networks?recursion=1"):
            peers = f"/1.0/networks/{network['name']}/peers"
            for path in (self.ask("GET", peers) or []) if network["type"] == "ovn" else ():
                self.ask("DELETE", path)
        super().wipe()

    def remove(self):
        """Stop OVN, and remove the folder of the stopped daemon and its host."""
        self.ovn.stop()
        super().remove()

    def _entered(self, command):
        return super()._entered(self.ovn.linked(command))
