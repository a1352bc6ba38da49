"""
Daemons with OVN: each has a host of its own, with Open vSwitch and OVN in its namespaces.

The datapath is in user space, so the kernel needs no module. The programs are in the root file system of the daemon,
because Incus 7 refuses the databases of an OVN as old as that of Debian 12.
"""

import subprocess
from contextlib import ExitStack

from tests.support.daemons import ENTER_ROOT, DaemonError, until
from tests.support.namespaces import HostCluster, HostDaemon, Namespaces

UPLINK = "br-ex"
# The databases of each host, and those of the central one; the last two are for OVN interconnection.
SWITCH = {"db": "/usr/share/openvswitch/vswitch.ovsschema"}
CENTRAL = {
    "ovnnb_db": "/usr/share/ovn/ovn-nb.ovsschema",
    "ovnsb_db": "/usr/share/ovn/ovn-sb.ovsschema",
    "ovn_ic_nb_db": "/usr/share/ovn/ovn-ic-nb.ovsschema",
    "ovn_ic_sb_db": "/usr/share/ovn/ovn-ic-sb.ovsschema",
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
    address
        The address of the host for the tunnels to other hosts.
    central
        The :class:`Ovn` of the central host. Default: this one.
    """

    def __init__(self, folder, root="", address="127.0.0.1", central=None):
        self.folder = folder
        self._enter = [ENTER_ROOT, root] if root else []
        self._address, self._central = address, central
        self.namespaces = None
        self._programs = []

    def start(self, namespaces):
        """Start everything in these namespaces, and create the bridge of the uplink."""
        self.folder.mkdir(exist_ok=True)
        self.namespaces = namespaces
        self._serve(SWITCH if self._central else {**SWITCH, **CENTRAL})
        self._configure()
        for name in ("ovs-vswitchd", *(() if self._central else ("ovn-northd", "ovn-ic")), "ovn-controller"):
            self._launch(name)
        self.run("ovs-vsctl", "add-br", UPLINK, "--", "set", "bridge", UPLINK, "datapath_type=netdev")
        return self

    def socket(self, name):
        """Return the address of a database: ``ovnnb_db``."""
        return f"unix:{(self._central or self).folder}/{name}.sock"

    def linked(self, command):
        """Return the command with the sockets at their usual places."""
        return ["sh", "-euc", _LINKS, str(self.folder), *command]

    def entered(self, command):
        """Return the command that runs on the host."""
        return self.namespaces.entered([*self._enter, *self.linked(command)])

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

    def _serve(self, databases):
        for name, schema in databases.items():
            self.run("ovsdb-tool", "create", f"{self.folder}/{name}.db", schema)
        remotes = [f"--remote=punix:{self.folder}/{name}.sock" for name in databases]
        self._launch("ovsdb-server", *remotes, *(f"{self.folder}/{name}.db" for name in databases))
        if not until(lambda: all((self.folder / f"{name}.sock").exists() for name in databases), 30):
            raise DaemonError(f"no ovsdb-server\n{self.tail('ovsdb-server')}")

    def _configure(self):
        ids = {
            "system-id": self.folder.parent.name,
            "ovn-remote": self.socket("ovnsb_db"),
            "ovn-encap-type": "geneve",
            "ovn-encap-ip": self._address,
            "ovn-bridge-datapath-type": "netdev",
            "ovn-is-interconn": "true",
        }
        self.run("ovs-vsctl", "--no-wait", "init")
        settings = [f"external_ids:{key}={value}" for key, value in ids.items()]
        self.run("ovs-vsctl", "--no-wait", "set", "open_vswitch", ".", *settings)
        if not self._central:
            # the name of the zone, for the interconnection
            self.run("ovn-nbctl", "init", "--", "set", "NB_Global", ".", "name=here")

    def _launch(self, name, *arguments):
        command = self.entered([name, "--no-chdir", *arguments])
        with open(self.folder / f"{name}.log", "ab") as log:
            streams = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log}
            self._programs.append((name, subprocess.Popen(command, start_new_session=True, **streams)))

    def _exit(self, name, process):
        control = self.folder / f"{name}.{process.pid}.ctl"
        if process.poll() is None and control.exists():
            # without --restart, ovn-controller waits for the central host, which may have ended
            options = ["--restart"] if name == "ovn-controller" else []
            command = ["ovs-appctl", "-T", "10", "-t", str(control), "exit", *options]
            subprocess.run(self.namespaces.entered([*self._enter, *command]), timeout=60, check=False)
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
        self.namespaces = self.namespaces or Namespaces()
        if self.ovn.namespaces is None:
            self.ovn.start(self.namespaces)
        return super().launch()

    def wipe(self):
        """Reset the daemon."""
        untangle(self)
        super().wipe()

    def remove(self):
        """Stop OVN, and remove the folder of the stopped daemon and its host."""
        self.ovn.stop()
        super().remove()

    def _entered(self, command):
        return super()._entered(self.ovn.linked(command))


class OvnCluster(HostCluster):
    """A cluster of two members with OVN; that of n1 is the central one."""

    daemon = OvnDaemon

    def __init__(self, kind):
        super().__init__(kind)
        first, second = self["n1"], self["n2"]
        first.ovn = Ovn(first.ovn.folder, first.kind.root, "192.0.2.1")
        second.ovn = Ovn(second.ovn.folder, second.kind.root, "192.0.2.2", first.ovn)

    def wipe(self, timeout=60):
        """Restore the cluster."""
        untangle(self.first)
        super().wipe(timeout)

    def _bootstrap(self):
        super()._bootstrap()
        key = "network.ovn.northbound_connection"
        self.first.ask("PATCH", "/1.0", {"config": {key: self.first.ovn.socket("ovnnb_db")}})


def untangle(daemon):
    """Remove the rules of ACLs and the peers, by which networks and ACLs need each other."""
    for acl in daemon.ask("GET", "/1.0/network-acls?recursion=1") or []:
        daemon.ask("PUT", f"/1.0/network-acls/{acl['name']}", {"egress": [], "ingress": []})
    for network in daemon.ask("GET", "/1.0/networks?recursion=1"):
        peers = f"/1.0/networks/{network['name']}/peers"
        for path in (daemon.ask("GET", peers) or []) if network["type"] == "ovn" else ():
            daemon.ask("DELETE", path)
