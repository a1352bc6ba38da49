"""
An sshd of the tests on 127.0.0.1, with its own keys.
"""

import shutil
import socket
import subprocess
import time
from pathlib import Path

CONFIG = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
PidFile none
AuthorizedKeysFile {folder}/client.pub
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
PrintMotd no
# A bare target, whatever this machine's root has in the files that a shell reads.
SetEnv HOME={folder}
# scp needs it; without it salt-ssh tries for ever.
Subsystem sftp internal-sftp
# Otherwise the keys are refused, because everybody may write to /tmp.
StrictModes no
"""
SECONDS = 10


class Sshd:
    """Run it within the block; ``port`` and ``key`` are for the client, ``folder`` is private."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.key = self.folder / "client"
        self.port = _free_port()
        self._process = None

    def __enter__(self):
        for name in ("host", "client"):
            command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.folder / name]
            subprocess.run(command, check=True, timeout=SECONDS)
        config = self.folder / "sshd_config"
        config.write_text(CONFIG.format(port=self.port, folder=self.folder))
        # The folder for sshd's privilege separation; the package's service, which does not run here, would create it.
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        with open(self.folder / "log", "wb") as log:
            # sshd requires an absolute path to itself.
            command = [shutil.which("sshd"), "-D", "-e", "-f", config]
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self._await()
        return self

    def __exit__(self, *_):
        self._process.terminate()
        try:
            self._process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def target(self, folder, remotes):
        """Return the roster entry of a target that stores Salt's files in this folder."""
        return {
            "host": "127.0.0.1",
            "port": self.port,
            "user": "root",
            "priv": str(self.key),
            "ssh_options": ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null"],
            "thin_dir": str(folder),
            # The system's own python3, whatever comes first on the PATH of this machine.
            "set_path": "/usr/sbin:/usr/bin:/sbin:/bin",
            "minion_opts": {"lxdapi": {"remotes": remotes}},
        }

    def _await(self):
        deadline = time.monotonic() + SECONDS
        while not _listens(self.port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self._process.kill()
                raise RuntimeError(f"sshd does not listen:\n{(self.folder / 'log').read_text()}")
            time.sleep(0.02)


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
