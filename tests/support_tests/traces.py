"""
Traces in /proc that a finished run must not leave, and a process that is interrupted as from a terminal.
"""

import signal
from pathlib import Path


def traces(directory):
    """Return the files of /proc that name the folder of a daemon: in an environment, or in a list of mounts."""
    files = [path for name in ("environ", "mountinfo", "cmdline") for path in Path("/proc").glob(f"[0-9]*/{name}")]
    return [path for path in files if str(directory).encode() in content(path)]


def content(path):
    """Return the bytes of a file, empty if its process has just ended."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


def heed_signals():
    """Restore the signals that nohup, or a script that runs the tests in the background, has made them ignore."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
