"""
The modules and states of LXD that Salt 3007 still has, with pylxd, in a process of their own.

The process reads a line of JSON, ``[FUNCTION, ARGUMENTS, KEYWORD ARGUMENTS]``, calls the function, and writes the
answer as a line.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.support.salt_commands import FOREIGN, REPO, VENVS, this_environment

VERSION = "3007.15"
# The folder with pylxd that scripts/common.sh makes.
PYLXD = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lxdapi" / "pylxd"


class RemovedLxd:
    """
    The modules and states of Salt 3007 in a process; ``ask`` calls a function there.

    daemon
        The local LXD of that process.
    tree
        The folder behind ``salt://``.
    folder
        For caches; the folder ``pillar`` in it has the pillar.
    """

    def __init__(self, daemon, tree, folder):
        kept = {key: value for key, value in os.environ.items() if key not in FOREIGN}
        kept.update(LXD_DIR=str(daemon.directory), PYTHONPATH=f"{REPO}:{PYLXD}")
        self._process = subprocess.Popen(
            [str(venv() / "bin" / "python"), "-m", "tests.support.removed_lxd", str(tree), str(folder)],
            env=kept,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, function, *args, **kwargs):
        """Return what an execution function returns."""
        self._process.stdin.write(json.dumps([function, args, kwargs]) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def close(self):
        """End the process."""
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()


def venv():
    """Return the virtual environment with Salt 3007."""
    own = this_environment()
    return own if own.name.startswith(f"salt-{VERSION}") else Path(VENVS[VERSION])


def functions_of_salt(name):
    """Return the path of a file of Salt 3007, such as ``states/lxd``."""
    (folder,) = venv().glob("lib/python*/site-packages/salt")
    return folder / f"{name}.py"


def main(tree, folder):
    """Call what each line of standard input says."""
    import salt.config
    import salt.loader

    opts = salt.config.DEFAULT_MINION_OPTS.copy()
    opts.update(id="removed", file_client="local", file_roots={"base": [tree]}, grains={}, pillar={})
    opts.update(pillar_roots={"base": [f"{folder}/pillar"]})
    opts.update(root_dir=folder, cachedir=f"{folder}/cache", extension_modules=f"{folder}/extmods", test=False)
    modules = salt.loader.minion_mods(opts, utils=salt.loader.utils(opts))
    for line in sys.stdin:
        function, args, kwargs = json.loads(line)
        print(json.dumps(modules[function](*args, **kwargs), default=repr), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
