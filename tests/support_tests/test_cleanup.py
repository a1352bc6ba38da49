"""
However a run ends, none of its daemons and containers keeps running, and no mounts or files stay.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.daemons import KINDS, until
from tests.support_tests.traces import heed_signals, traces

HERE = Path(__file__).parent
INTERFACES = Path("/sys/class/net")
ROOTS = [kind.root for kind in KINDS.values() if kind.root]


def pytest_generate_tests(metafunc):
    """Run each test for each kind of daemon, without a running one."""
    metafunc.parametrize("kind", metafunc.config.getoption("--daemon"))


class Inner:
    """Another pytest, in which a test of inner.py has launched a container."""

    def __init__(self, kind, test, folder):
        launched, self.begun = folder / "launched", folder / "begun"
        self.begun.touch()
        self.interfaces = set(os.listdir(INTERFACES))
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"{HERE}/inner.py::{test}"]
        self.process = subprocess.Popen(
            [*command, "--daemon", kind, "--basetemp", str(folder / "inner")],
            env={**os.environ, "LAUNCHED": str(launched)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=heed_signals,
        )
        assert until(lambda: launched.exists() or self.process.poll() is not None, 30)
        assert launched.exists(), self.process.stdout.read()
        self.directory = launched.read_text()

    def ended(self, status):
        """Check that it ends with this status and leaves nothing behind."""
        said, _ = self.process.communicate(timeout=120)
        assert self.process.returncode == status, said
        assert not Path(self.directory).exists()
        assert traces(self.directory) == []
        assert set(os.listdir(INTERFACES)) == self.interfaces
        for root in filter(os.path.exists, ROOTS):
            changed = subprocess.run(["find", root, "-newer", self.begun], capture_output=True, text=True, check=True)
            assert changed.stdout == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda each: each.name)
def test_after_an_interruption(kind, number, tmp_path):
    inner = Inner(kind, "test_that_waits_to_be_interrupted", tmp_path)
    assert traces(inner.directory) != []
    inner.process.send_signal(number)
    inner.ended(pytest.ExitCode.INTERRUPTED)


def test_after_many_interruptions(kind, tmp_path):
    inner = Inner(kind, "test_that_waits_to_be_interrupted", tmp_path)
    while inner.process.poll() is None:
        inner.process.send_signal(signal.SIGINT)
        inner.process.send_signal(signal.SIGTERM)
        until(lambda: inner.process.poll() is not None, 0.2)
    inner.ended(pytest.ExitCode.INTERRUPTED)


def test_after_an_interruption_during_teardown(kind, tmp_path):
    Inner(kind, "test_that_is_interrupted_at_its_end", tmp_path).ended(pytest.ExitCode.INTERRUPTED)


def test_after_a_failure_without_a_daemon(kind, tmp_path):
    Inner(kind, "test_that_kills_its_daemon_and_fails", tmp_path).ended(pytest.ExitCode.TESTS_FAILED)
