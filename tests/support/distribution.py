"""
The source distribution and the wheel, built as for a release but without a network.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
# Files in a working folder that do not belong to the repository.
IGNORED = (".*", "__pycache__", "*.pyc", "*.egg-info", "build", "dist")
SECONDS = 120


def copy_sources(folder, version=None):
    """
    Copy the repository to a folder, because setuptools builds in place.

    version
        Another version than that of this repository, in every file that contains it, and in the comments of states.
    """
    shutil.copytree(REPO, folder, ignore=shutil.ignore_patterns(*IGNORED))
    if version:
        current = read_version(folder)
        for path in folder.glob("_*/**/*.py"):
            path.write_text(path.read_text().replace(f'"{current}"', f'"{version}"'))
        assert read_version(folder) == version
        comments = folder / "_utils" / "lxdapi" / "plan" / "state_result.py"
        comments.write_text(comments.read_text().replace("subject = ", f'subject = "{version}: " + '))


def build(folder, version=None):
    """Build the source distribution in a new folder, then the wheel from it, and return both."""
    copy_sources(folder / "source", version)
    run("build", "--no-isolation", "--outdir", folder / "dist", folder / "source")
    (sdist,), (wheel,) = folder.glob("dist/*.tar.gz"), folder.glob("dist/*.whl")
    return sdist, wheel


def run(module, *words, **environment):
    """Run a Python module, which must succeed."""
    command = [sys.executable, "-m", module, *map(str, words)]
    done = subprocess.run(command, env=environment or None, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr


def read_version(folder):
    """Return the version of the sources in a folder."""
    return re.search(r'VERSION = "(.+)"', (folder / "_utils" / "lxdapi" / "version.py").read_text())[1]
