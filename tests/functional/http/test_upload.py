"""
Uploads in a separate process: memory, and the progress line on a terminal.
"""

import os
import pty
import subprocess
import sys
import tarfile
import termios

import pytest

from tests.support.loader import REPO

MIB = 1024 * 1024
UPLOAD = """
import re, sys
from lxdapi.api import API
from lxdapi.images import image
from lxdapi.http import progress
progress.AFTER = 0
# ru_maxrss would begin with the peak of the process that started this one
peak = lambda: int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) // 1024
api = API.factory(sys.argv[1])
api.server
before = peak()
image.upload(api, sys.argv[2])
print(peak() - before)
"""


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """An image of 128 MiB that cannot be compressed."""
    folder = tmp_path_factory.mktemp("large")
    (folder / "metadata.yaml").write_text("architecture: x86_64\ncreation_date: 1700000000\n")
    (folder / "blob").write_bytes(os.urandom(MIB) * 128)
    with tarfile.open(folder / "large.tar", "w") as tar:
        tar.add(folder / "metadata.yaml", "metadata.yaml")
        tar.add(folder / "blob", "rootfs/blob")
    return folder / "large.tar"


def upload(daemon, path, stderr):
    """Return the output of a process that uploads an image."""
    command = [sys.executable, "-c", UPLOAD, str(daemon.socket), str(path)]
    environment = {**os.environ, "PYTHONPATH": str(REPO / "_utils")}
    return subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, stderr=stderr, timeout=120, check=True
    ).stdout


def test_large_image_upload_uses_little_memory(daemon, large):
    assert int(upload(daemon, large, subprocess.DEVNULL)) <= 4


def test_on_a_terminal_an_upload_shows_its_progress(daemon, large):
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    os.set_blocking(ours, False)
    upload(daemon, large, theirs)
    shown = os.read(ours, 65536).decode()
    os.close(ours)
    os.close(theirs)
    assert "image:" in shown
    assert "B/s" in shown


def test_upload_without_terminal_is_silent(daemon, image, tmp_path):
    with open(tmp_path / "stderr", "wb") as stderr:
        upload(daemon, image, stderr)
    assert (tmp_path / "stderr").read_bytes() == b""
