"""
scripts/isolated hides the parts of the machine that would keep containers from starting.
"""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ISOLATED = HERE.parents[1] / "scripts" / "isolated"
# The ID ranges of root if the LXD package was installed after the Incus package.
TWO_RANGES = "root:1000000:1000000000\nroot:1001000000:10000001\n"
BOUND = 'mount --bind "$1" /etc/subuid; mount --bind "$1" /etc/subgid; shift; exec "$@"'


def pytest_generate_tests(metafunc):
    """Run each test for each kind of daemon."""
    metafunc.parametrize("kind", metafunc.config.getoption("--daemon"))


def test_container_starts_with_two_id_ranges_of_root(kind, tmp_path):
    ranges = tmp_path / "ranges"
    ranges.write_text(TWO_RANGES)
    on_such_a_machine = ["unshare", "--mount", "--propagation", "private", "sh", "-euc", BOUND, "sh", str(ranges)]
    inner = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"{HERE}/inner.py::test_that_launches"]
    command = [*on_such_a_machine, str(ISOLATED), *inner, "--daemon", kind, "--basetemp", str(tmp_path / "inner")]
    environment = {**os.environ, "LAUNCHED": str(tmp_path / "launched")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stdout + done.stderr
