"""
Daemons that manage virtual machines on a kernel without vhost_vsock, with an emulated processor.

There is no agent inside, so exec, files and addresses do not work. ./test installs QEMU, the firmware and gcc.
"""

import os
import signal
import subprocess
from pathlib import Path

from tests.support.daemons import SCRIPTS, Daemon

HERE = Path(__file__).resolve().parent
# The script as text, because the root file system of a daemon does not have the file.
ENTER_VM_HOST = ("sh", "-c", (SCRIPTS / "enter-vm-host").read_text(), "enter-vm-host")
# The processor is emulated, and the device that needs vhost_vsock is omitted.
CONFIG = {
    "security.secureboot": "false",
    "limits.memory": "128MiB",
    "raw.qemu": "-cpu qemu64",
    "raw.qemu.conf": '[machine]\naccel = "tcg"\n[device "qemu_vsock"]\n',
}
ROOT = {"root": {"type": "disk", "path": "/", "pool": "default", "size": "64MiB"}}


class VmDaemon(Daemon):
    """One daemon with virtual machines."""

    @property
    def shim(self):
        """Return the program that starts the daemon, compiled on demand."""
        path = self.directory.with_name(f"{self.directory.name}.vmshim")
        if not path.exists():
            source = str(HERE / "vmshim.c")
            subprocess.run(["gcc", "-static", "-O2", "-Wall", "-Werror", "-o", str(path), source], check=True)
        return path

    def kill(self):
        """Kill the daemon by SIGKILL; its machines keep running."""
        # the process is the shim: if only the shim died, the daemon would hang in its next bind()
        for pid in self.processes():
            if os.path.basename(_exe(pid)) == os.path.basename(self.kind.command[0]):
                os.kill(pid, signal.SIGKILL)
        super().kill()

    def remove(self):
        """Remove the folder of a stopped daemon, and the shim."""
        super().remove()
        self.shim.unlink()

    def _entered(self, command):
        if command == self.kind.command:
            command = [*ENTER_VM_HOST, str(self.shim), *command]
        return super()._entered(command)


def _exe(pid):
    try:
        return os.readlink(f"/proc/{pid}/exe")
    except OSError:  # the process has ended
        return ""
