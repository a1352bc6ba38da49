"""
An image with a Python of its own: busybox, and the Python of the tests with everything that it needs.
"""

import gzip
import os
from pathlib import Path

from lxdapi.salt_inside import bundle
from lxdapi.salt_inside.start import Store

from tests.support import images

FOLDER, CACHE = "usr/lib/python", "var/cache/lxdapi"


def python_image(target_path, folder, with_salt=True):
    """
    Write the image to the path and return it.

    folder
        The folder of a :class:`lxdapi.salt_inside.start.Store`, which can be shared.
    with_salt
        Add Salt where lxdapi looks for it.
    """
    store = Store(str(folder))
    python = store.bundle_name()
    made = Path(store.carried_folder)
    command, environment = bundle.command(f"/{FOLDER}")
    variables = " ".join(f"{name}={value}" for name, value in environment.items())
    start = f'#!/bin/sh\n{variables} exec {" ".join(command)} "$@"\n'
    members = [images._metadata({"python": "yes"}), images._folder("rootfs"), *images._rootfs("rootfs/", False)]
    members += _members(made / python, FOLDER)
    if with_salt:
        salt = store.thin_name(store.thin())
        members += _members(made / salt, f"{CACHE}/{salt}")
    # the second path is what the interpreter takes for its own
    members += [images._file(f"rootfs/{path}/python3", start, mode=0o755) for path in ("usr/bin", f"{FOLDER}/bin")]
    return images._write(target_path, gzip.compress(images._tar(members), 1, mtime=images.CREATED))


def _members(made, target):
    for folder, _, names in os.walk(made):
        inside = os.path.normpath(os.path.join("rootfs", target, os.path.relpath(folder, made)))
        yield images._folder(inside)
        for name in names:
            path = Path(folder, name)
            member, content = images._file(f"{inside}/{name}", path.read_bytes(), mode=path.stat().st_mode & 0o777)
            member.mtime = int(path.stat().st_mtime)  # compiled files name it
            yield member, content
