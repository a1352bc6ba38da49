"""
A package of the minion for an instance of the tests: it starts the Salt of the tests, which the instance sees on
read-only devices.
"""

import ctypes.util
import subprocess
import sys
import sysconfig
from pathlib import Path

from tests.support.images import INIT

HOST = "/opt/host"
# Without programs such as ldconfig, Python finds no library by its short name.
_START = f"""
import ctypes.util
from salt.scripts import salt_minion

ctypes.util.find_library = {{"crypto": "{ctypes.util.find_library("crypto")}"}}.get
salt_minion()
"""
_PROGRAM = f"""#!/bin/sh
export LD_LIBRARY_PATH={HOST}/lib/{sysconfig.get_config_var("MULTIARCH")} PYTHONPATH={sysconfig.get_path("purelib")}
exec {HOST}/bin/python{sysconfig.get_python_version()} -c '{_START}' "$@"
"""
# Files of an instance whose package manager is the dpkg of busybox, and whose init does what a minion needs.
PROGRAMS = {
    "var/lib/dpkg/status": "",
    "var/lib/dpkg/info/none": "",
    "sbin/init": INIT.format(on_sigpwr="exit 0").replace("\n", "\nip link set lo up\nmkdir -m 1777 /dev/shm\n", 1),
}
_CONTROL = """Package: salt-minion
Version: 1
Architecture: all
Maintainer: nobody <nobody@example.com>
Description: the minion of the tests
"""


def build(folder):
    """Build the package in a folder and return its path."""
    tree = folder / "tree"
    (tree / "usr" / "bin").mkdir(parents=True)
    (tree / "DEBIAN").mkdir()
    program = tree / "usr" / "bin" / "salt-minion"
    program.write_text(_PROGRAM)
    program.chmod(0o755)
    (tree / "DEBIAN" / "control").write_text(_CONTROL)
    path = folder / "salt-minion.deb"
    subprocess.run(["dpkg-deb", "--build", "--root-owner-group", "-Zgzip", tree, path], check=True, capture_output=True)
    return path


def devices(daemon, *ports):
    """
    Return the devices of an instance of the daemon: the Python and the Salt of the tests, and these ports of this
    machine.
    """
    folders = {"/usr": HOST, "/usr/lib": "/lib", "/usr/lib64": "/lib64", sys.prefix: sys.prefix}
    disks = {
        f"disk{number}": {"type": "disk", "source": daemon.kind.machine + source, "path": path, "readonly": "true"}
        for number, (source, path) in enumerate(folders.items())
        if Path(source).is_dir()
    }
    proxies = {
        f"port{port}": {
            "type": "proxy",
            "bind": "instance",
            **dict.fromkeys(("listen", "connect"), f"tcp:127.0.0.1:{port}"),
        }
        for port in ports
    }
    return {**disks, **proxies}
