"""
The outcome of each test of a run, in a file with a line of JSON for each; run_parts.py counts them.
"""

import json
from pathlib import Path

# From best to worst: a test that passed can still fail when its fixtures end.
RANKS = ("passed", "skipped", "failed")


class Recorder:
    """A plugin of pytest that writes each outcome at once."""

    def __init__(self, path):
        self._path = Path(path)

    def pytest_runtest_logreport(self, report):
        """Record a finished phase of a test."""
        if report.when == "call" or not report.passed:
            self._write(report)

    def pytest_collectreport(self, report):
        """Record a file of tests that cannot be read."""
        if report.failed:
            self._write(report)

    def _write(self, report):
        with self._path.open("a", encoding="utf-8") as file:
            print(json.dumps([report.nodeid, report.outcome, _reason(report)]), file=file)


def _reason(report):
    """Return one line with the reason of a failure."""
    crash = getattr(report.longrepr, "reprcrash", None)
    lines = (crash.message if crash else str(report.longrepr)).strip().splitlines()
    return (lines[0] if crash else lines[-1]) if lines else ""


def read(path):
    """Return {test: (outcome, reason)}, the worst outcome of each test."""
    found = {}
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        test, outcome, reason = json.loads(line)
        if RANKS.index(outcome) >= RANKS.index(found.get(test, RANKS)[0]):
            found[test] = (outcome, reason)
    return found
