"""
The time to import lxdapi in a process that has already imported Salt.
"""

import json
import os
import subprocess
import sys

from measure import REPO, line

PROGRAM = """
import json, sys, time
import salt.cli.call, salt.config, salt.loader, salt.minion, salt.state, salt.utils.http
sys.path.append(sys.argv[1])
before, began = set(sys.modules), time.perf_counter()
from lxdapi.minion import state
from lxdapi.instances import plan
from lxdapi.instances import on_watch
seconds = time.perf_counter() - began
new = set(sys.modules) - before
own = {name for name in new if name.startswith("lxdapi")}
print(json.dumps([seconds, len(new - own), len(own), sorted(new - own)]))
"""


def rows(rounds):
    """Print the time, and the number of imported modules of lxdapi and of others."""
    found = [_loaded() for _ in range(max(rounds, 5))]
    line("import.wall", [each[0] * 1000 for each in found], "ms")
    line("import.modules_of_others", found[0][1], "modules")
    line("import.modules_of_ours", found[0][2], "modules")
    print(f"# import: {', '.join(found[0][3])}")


def _loaded():
    command = [sys.executable, "-c", PROGRAM, str(REPO / "_utils")]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ)
    return json.loads(done.stdout)
