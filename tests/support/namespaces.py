"""
Hosts of their own for daemons: a network namespace with only a loopback, and a mount namespace with an empty /run.
"""

import subprocess
from pathlib import Path

from tests.support.cluster import Cluster
from tests.support.daemons import Daemon

# The addresses of the cable between two hosts.
NETWORK = "192.0.2.0/24"
ISOLATED = str(Path(__file__).resolve().parents[2] / "scripts" / "isolated")
# The namespaces exist as long as the last process in them.
_HOLD = "mount -t tmpfs tmpfs /run; echo; exec sleep infinity"


class Namespaces:
    """The namespaces of one host, held by a process that :meth:`end` ends."""

    def __init__(self):
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE}
        self._holder = subprocess.Popen([ISOLATED, "sh", "-euc", _HOLD], start_new_session=True, **pipes)
        if not self._holder.stdout.readline():
            raise OSError(f"no namespaces: {ISOLATED} ended with {self._holder.wait()}")

    def entered(self, command):
        """Return the command that runs in the namespaces."""
        namespaces = f"/proc/{self._holder.pid}/ns"
        return ["nsenter", f"--net={namespaces}/net", f"--mount={namespaces}/mnt", *command]

    def run(self, *command):
        """Run a command in the namespaces and return its output; raises CalledProcessError if it fails."""
        return subprocess.run(self.entered(command), stdout=subprocess.PIPE, text=True, timeout=60, check=True).stdout

    def link(self, other, own_address, other_address):
        """Connect two hosts by a cable, with an address at each end."""
        self.run(*"ip link add cable type veth peer name cable netns".split(), str(other._holder.pid))
        for host, address in ((self, own_address), (other, other_address)):
            host.run("ip", "address", "add", f"{address}/24", "dev", "cable")
            host.run("ip", "link", "set", "cable", "up")

    def end(self):
        """End the process that holds the namespaces."""
        self._holder.kill()
        self._holder.wait()
        self._holder.stdout.close()


class HostDaemon(Daemon):
    """A daemon on a host of its own, which exists from its start to its removal."""

    def __init__(self, kind, directory):
        super().__init__(kind, directory)
        self.namespaces = None

    def launch(self):
        """Start a process of the daemon without waiting for it."""
        self.namespaces = self.namespaces or Namespaces()
        return super().launch()

    def remove(self):
        """Remove the folder of the stopped daemon, and its host."""
        if self.namespaces:
            self.namespaces.end()
        super().remove()

    def _environment(self):
        return {**super()._environment(), "NO_PROXY": NETWORK}

    def _entered(self, command):
        return self.namespaces.entered(super()._entered(command))


class HostCluster(Cluster):
    """A cluster of two members, each on a host of its own, so that both can have the bridge of a network."""

    daemon = HostDaemon

    def __init__(self, kind):
        super().__init__(kind, 2)
        self.addresses = {"n1": "192.0.2.1:8443", "n2": "192.0.2.2:8443"}

    def start(self, without=()):
        """Start the hosts, the cable between them, and the cluster."""
        for member in self.members.values():
            member.namespaces = Namespaces()
        self["n1"].namespaces.link(self["n2"].namespaces, "192.0.2.1", "192.0.2.2")
        return super().start(without)
