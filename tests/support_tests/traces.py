"""What a run that has ended may not have left in /proc; and a process that is interrupted as from a terminal."""

import signal
from pathlib import Path


def traces(directory):
    """Return the files of /proc that name a daemon's folder: who has it in its environment, or sees a mount there."""
    files = [path for name in ("environ", "mountinfo", "cmdline") for path in Path("/proc").glob(f"[0-9]*/{name}")]
    return [path for path in files if str(directory).encode() in content(path)]


def content(path):
    """Return the bytes of a file, none where its process has ended just now."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


def heed_signals():
    """Undo that a script which runs us in the background, or nohup, has made us ignore what the tests are about."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
