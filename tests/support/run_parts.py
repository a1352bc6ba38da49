"""
Runs the tests for ./test: the files that were named, or else everything, in parts side by side.

.. code-block:: text

    python -m tests.support.run_parts [ARGUMENT OF PYTEST]...

The parts are shown one after the other. In the end the tests that failed are named again, and the last line says how
many there are: "12 passed, 1 failed". SIGINT, SIGTERM and SIGHUP end the parts at once; each shuts its daemons down.
"""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support import outcomes
from tests.support.daemons import INTERRUPTIONS

# So long a part may take to end after an interruption: it shuts down its daemons.
LAST_SECONDS = 300
# No test is in it; see pytest's exit codes.
EMPTY = 5
# The folders of the first part and of the last one; what else is functional is the second one.
FIRST = ("files", "images", "instances")
LAST = ("cluster",)


class Part:
    """A process, what it prints, and how its tests end."""

    def __init__(self, name, command, folder, shown_at_once=False):
        self.name, self._command = name, command
        self._log, self._outcomes = folder / f"{name}.log", folder / f"{name}.outcomes"
        self._outcomes.touch()
        self._shown_at_once = shown_at_once
        self.process = None

    @classmethod
    def of_tests(cls, name, arguments, folder, **options):
        """Return one that runs pytest in a network of its own."""
        pytest = [sys.executable, "-m", "pytest", f"--outcomes={folder / name}.outcomes"]
        return cls(name, ["scripts/isolated", *pytest, *arguments], folder, **options)

    def start(self):
        """Start the process."""
        if self._shown_at_once:
            self.process = subprocess.Popen(self._command)
            return
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(self._command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def show(self):
        """Show what the process prints, until it ends."""
        if not self._shown_at_once:
            step(self.name)
            with self._log.open("rb") as log:
                while self.ended_within(0.2) is None:
                    _print(log.read())
                _print(log.read())
            step(f"{self.name}: ended with {self.process.returncode}")
        self.process.wait()

    def ended_within(self, seconds):
        """Return the exit code, None if the process still runs after so many seconds."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def outcomes(self, interrupted):
        """Return {test: (outcome, reason)}; a process that failed by itself, and no test in it, counts as one."""
        found = outcomes.read(self._outcomes)
        named = any(outcome == "failed" for outcome, _ in found.values())
        if not interrupted and not named and self.process.returncode not in (0, EMPTY):
            found[self.name] = ("failed", f"ended with {self.process.returncode}")
        return found


class Run:
    """Several parts side by side, ended by a signal or by themselves."""

    def __init__(self, parts):
        self.parts = parts
        self.number = None
        for number in INTERRUPTIONS:
            if signal.getsignal(number) != signal.SIG_IGN:  # as nohup wants it
                signal.signal(number, self._interrupt)
        signal.signal(signal.SIGALRM, self._kill)

    def _running(self):
        return [part for part in self.parts if part.process and part.process.poll() is None]

    def _interrupt(self, number, frame):
        if not self.number:
            self.number = number
            signal.alarm(LAST_SECONDS)
        for part in self._running():
            part.process.terminate()

    def _kill(self, number, frame):
        for part in self._running():
            step(f"{part.name}: it has not ended after {LAST_SECONDS} s, and is killed")
            part.process.kill()

    def wait(self):
        """Start the parts, show them, and return when all have ended."""
        for part in self.parts:
            if not self.number:
                part.start()
        if self.number:  # a part was just being started when the signal came
            self._interrupt(self.number, None)
        for part in self.parts:
            if part.process and self.number:
                part.process.wait()
            elif part.process:
                part.show()

    def status(self):
        """Return the exit code: 128 + the number of the signal, or the first that is not 0 or for nothing to do."""
        statuses = [part.process.returncode for part in self.parts if part.process]
        if self.number:
            return 128 + self.number
        bad = [status for status in statuses if status not in (0, EMPTY)]
        return abs(bad[0]) if bad else min(statuses)

    def summary(self):
        """Return the lines that name what failed, and the last one, that counts."""
        found = {test: end for part in self.parts for test, end in part.outcomes(self.number).items()}
        ends = [outcome for outcome, _ in found.values()]
        failed = [f"FAILED {test} - {reason}" for test, (outcome, reason) in found.items() if outcome == "failed"]
        skipped = f", {ends.count('skipped')} skipped" if "skipped" in ends else ""
        return [*failed, f"{ends.count('passed')} passed, {ends.count('failed')} failed{skipped}"]


def _print(data):
    sys.stdout.buffer.write(data)
    sys.stdout.flush()


def step(text):
    """Say on stderr what begins now, as common.sh does."""
    print(f"==> {text}", file=sys.stderr, flush=True)


def names_a_path(arguments):
    """Return True if one of the arguments is a file or a folder, or a test in a file."""
    return any(os.path.exists(each.partition("::")[0]) for each in arguments)


def all_parts(arguments, folder):
    """Return the parts of everything: three for two cores, as the tests wait for daemons half of their time."""
    functional = "tests/functional"
    first, last = ([f"{functional}/{name}" for name in names] for names in (FIRST, LAST))
    rest = ["tests/unit", "tests/support_tests", "tests/integration", *last]
    second = [functional, *(f"--ignore={each}" for each in [*first, *last])]
    files = {"functional, first": first, "functional, second": second, "clusters and the rest": rest}
    parts = [Part.of_tests(name, [*paths, *arguments], folder) for name, paths in files.items()]
    if "--long" in arguments:
        parts.append(Part("a bare root", ["scripts/check-bare-root"], folder))
    return parts


def main(arguments):
    """Run the parts and return the exit code."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if names_a_path(arguments):
            parts = [Part.of_tests("pytest", arguments, folder, shown_at_once=True)]
        else:
            step("pytest in parts, side by side; shown one after the other")
            parts = all_parts(arguments, folder)
        run = Run(parts)
        run.wait()
        print(*run.summary(), sep="\n", flush=True)
        return run.status()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
