"""
The package installed by pip, from a copy of the repository, without any network.
"""

import re
import shutil
from pathlib import Path

from salt_commands import REPO, run

PARTS = ("_utils", "_modules", "_output", "_states", "setup.cfg", "pyproject.toml", "README.rst", "LICENSE")
SECONDS = 120


def sources(folder, version=None):
    """
    Return the folder, made a copy of what the package is built from: setuptools builds in place.

    version
        Another one than this repository's, in every file that names it.
    """
    folder.mkdir(parents=True)
    for part in PARTS:
        if (REPO / part).is_dir():
            shutil.copytree(REPO / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(REPO / part, folder)
    if version:
        _rename(folder, version)
    return folder


def environment(folder, venv, source):
    """
    Return the interpreter of a new virtual environment that has what another one has and the package,
    built and installed by pip.
    """
    run([Path(venv) / "bin" / "python", "-m", "venv", "--without-pip", folder], SECONDS).succeeded()
    (packages,) = folder.glob("lib/python*/site-packages")
    (borrowed,) = Path(venv).glob("lib/python*/site-packages")
    (packages / "borrowed.pth").write_text(f"{borrowed}\n")
    python = folder / "bin" / "python"
    options = ["--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    command = [python, "-m", "pip", "install", *options, source]
    run(command, SECONDS, PIP_ROOT_USER_ACTION="ignore").succeeded()
    return python


def _rename(folder, version):
    current = _version(folder)
    for path in folder.glob("_*/**/*.py"):
        path.write_text(path.read_text().replace(f'"{current}"', f'"{version}"'))
    assert _version(folder) == version


def _version(folder):
    return re.search(r'VERSION = "(.+)"', (folder / "_utils" / "lxdapi" / "version.py").read_text())[1]
