"""
Writes the programs ``ssh`` and ``scp`` that reach instances: two short scripts that call :mod:`lxdapi.salt_ssh.front`.
"""

import os
import shlex
import shutil
import sys

import lxdapi
from lxdapi import atomic_file
from lxdapi.errors import InvalidError

NAMES = ("ssh", "scp")


def write(folder):
    """Write the programs to a folder of this machine, which is created if it is missing, unless they are up to date."""
    library = os.path.dirname(os.path.dirname(os.path.abspath(lxdapi.__file__)))
    start = f"import sys; sys.path.insert(0, {library!r}); from lxdapi.salt_ssh import front; front.main()"
    script = f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -c {shlex.quote(start)} "$0" "$@"\n'.encode()
    os.makedirs(folder, 0o755, exist_ok=True)
    for name in NAMES:
        path = os.path.join(folder, name)
        if not _has(path, script):
            with atomic_file.replace(path) as file:
                file.write(script)
                os.fchmod(file.fileno(), 0o755)


def _has(path, content):
    try:
        with open(path, "rb") as file:
            return file.read() == content
    except OSError:
        return False


def require_first(folder):
    """Raise :class:`InvalidError` unless the folder is the first on PATH with these programs."""
    for name in NAMES:
        path = os.path.join(folder, name)
        if os.path.realpath(shutil.which(name) or "") != os.path.realpath(path):
            raise InvalidError(
                f"salt-ssh does not find {path}: start it with this folder as the first of PATH, as in "
                f"PATH={shlex.quote(folder)}:$PATH salt-ssh ..."
            )
