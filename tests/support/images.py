"""
Images for the tests, built in a fraction of a second without an image server.

The root file system is Debian's static busybox, about 1 MB packed. The same arguments give the same bytes, so the
fingerprint of an image is stable. As a command: ``python3 images.py TARGET.tar.gz``
"""

import gzip
import io
import json
import platform
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

CREATED = 1700000000

# A shell as init, because busybox's init takes 2.6 s for a graceful stop; the container ends with PID 1. LXD and Incus
# request a stop by SIGPWR. `halt` and `poweroff` inside send USR1 and USR2, `reboot` TERM.
INIT = """#!/bin/sh
trap '{on_sigpwr}' PWR
trap 'exit 0' USR1 USR2
trap 'reboot -f' INT TERM
while :; do
    sleep 86400 &
    wait $!
done
"""
FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
    "etc/group": "root:x:0:\nnogroup:x:65534:\n",
    "etc/hosts": "127.0.0.1 localhost\n::1 localhost\n",
}
FOLDERS = "bin sbin usr usr/bin usr/sbin etc dev proc sys run root mnt var var/log".split()
PROPERTIES = {"os": "Busybox", "description": "busybox for tests"}


def busybox_image(target_path, ignore_sigpwr=False, files=0, programs=None, **properties):
    """
    Write a unified image, a tar.gz of metadata.yaml and rootfs, to the path and return it.

    ignore_sigpwr
        True for containers that do not react to a graceful stop.
    files
        Number of additional empty files: a small image that takes its time when it is unpacked, copied and deleted.
    programs
        ``{path: text}`` of additional executable files; one replaces a file of the image that has its path.
    properties
        Properties of the image, besides "os" and "description"; they change the fingerprint.
    """
    members = [_metadata(properties), _folder("rootfs"), *_rootfs("rootfs/", ignore_sigpwr)]
    members += [_file(f"rootfs/mnt/{number}", "") for number in range(files)]
    members += [_file(f"rootfs/{path}", text, mode=0o755) for path, text in (programs or {}).items()]
    return _write(target_path, gzip.compress(_tar(members), mtime=CREATED))


def split_image(directory, ignore_sigpwr=False, **properties):
    """
    Write the two files of a split image to this directory and return their paths: metadata.tar.gz and rootfs.squashfs.
    """
    metadata = Path(directory, "metadata.tar.gz")
    _write(metadata, gzip.compress(_tar([_metadata(properties)]), mtime=CREATED))
    return metadata, _squashfs(Path(directory, "rootfs.squashfs"), _tar(_rootfs("", ignore_sigpwr)))


def busybox_layer(files=None):
    """Return a tar of the root file system for an image of another kind, or of these files ({path: text}) only."""
    return _tar(_rootfs("", False) if files is None else [_file(path, text) for path, text in files.items()])


def _write(path, content):
    path = Path(path)
    path.write_bytes(content)
    return path


def _squashfs(path, tar):
    # One processor and fixed times, because otherwise the bytes differ from run to run.
    path.unlink(missing_ok=True)
    fixed = f"-processors 1 -mkfs-time {CREATED} -all-time {CREATED} -root-mode 755"
    command = ["mksquashfs", "-", str(path), "-tar", "-quiet", "-no-progress", *fixed.split()]
    subprocess.run(command, input=tar, check=True, stdout=subprocess.DEVNULL)
    return path


def _tar(members):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for member, content in members:
            tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def _metadata(properties):
    # JSON is valid YAML, and the standard library can write it.
    content = {
        "architecture": platform.machine(),
        "creation_date": CREATED,
        "properties": {**PROPERTIES, **properties},
    }
    return _file("metadata.yaml", json.dumps(content, indent=1, sort_keys=True))


def _rootfs(prefix, ignore_sigpwr):
    for name in FOLDERS:
        yield _folder(prefix + name)
    yield _folder(prefix + "tmp", mode=0o1777)
    yield _file(prefix + "bin/busybox", _busybox().read_bytes(), mode=0o755)
    for name in _applets():
        yield _link(f"{prefix}bin/{name}", "busybox")
    yield _file(prefix + "sbin/init", INIT.format(on_sigpwr="" if ignore_sigpwr else "exit 0"), mode=0o755)
    for name, content in FILES.items():
        yield _file(prefix + name, content)


def _busybox():
    found = shutil.which("busybox")
    if not found:
        raise FileNotFoundError("busybox is not installed (package busybox-static)")
    return Path(found)


def _applets():
    listed = subprocess.run([_busybox(), "--list"], check=True, capture_output=True, text=True).stdout.split()
    return sorted(set(listed) - {"busybox", "init"})


def _member(name, kind, mode):
    member = tarfile.TarInfo(name)
    member.type, member.mode, member.mtime = kind, mode, CREATED
    return member


def _folder(name, mode=0o755):
    return _member(name, tarfile.DIRTYPE, mode), b""


def _link(name, target):
    member = _member(name, tarfile.SYMTYPE, 0o777)
    member.linkname = target
    return member, b""


def _file(name, content, mode=0o644):
    content = content.encode() if isinstance(content, str) else content
    member = _member(name, tarfile.REGTYPE, mode)
    member.size = len(content)
    return member, content


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: images.py TARGET.tar.gz")
    print(busybox_image(sys.argv[1]))
