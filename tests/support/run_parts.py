"""
Run the tests for ./test: the named files, or everything in parallel parts.

.. code-block:: text

    python -m tests.support.run_parts [ARGUMENT OF PYTEST]...

The output of the parts is shown one part after the other. At the end, the failed tests are listed again, and the last
line has the numbers: "12 passed, 1 failed". SIGINT, SIGTERM and SIGHUP end the parts at once; each shuts its daemons
down.
"""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support import outcomes
from tests.support.daemons import INTERRUPTIONS

# Time for a part to end after an interruption: it shuts down its daemons.
LAST_SECONDS = 300
# Exit code of pytest for no tests.
EMPTY = 5
# The folders of the first part; the second has all other functional tests.
FIRST = ("cluster", "files", "images", "instances")


class Part:
    """A process, its output, and the outcomes of its tests."""

    def __init__(self, name, command, folder, shown_at_once=False):
        self.name, self._command = name, command
        self._log, self._outcomes = folder / f"{name}.log", folder / f"{name}.outcomes"
        self._outcomes.touch()
        self._shown_at_once = shown_at_once
        self.process = None

    @classmethod
    def of_tests(cls, name, arguments, folder, **options):
        """Return a part that runs pytest in its own network."""
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
        """Show the output of the process until it ends."""
        if not self._shown_at_once:
            step(self.name)
            with self._log.open("rb") as log:
                while self.ended_within(0.2) is None:
                    _print(log.read())
                _print(log.read())
            step(f"{self.name}: ended with {self.process.returncode}")
        self.process.wait()

    def ended_within(self, seconds):
        """Return the exit code, None if the process is still running after ``seconds``."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def outcomes(self, interrupted):
        """Return {test: (outcome, reason)}; a process that failed without a failed test counts as one."""
        found = outcomes.read(self._outcomes)
        named = any(outcome == "failed" for outcome, _ in found.values())
        if not interrupted and not named and self.process.returncode not in (0, EMPTY):
            found[self.name] = ("failed", f"ended with {self.process.returncode}")
        return found


class Run:
    """Parallel parts that end by themselves or by a signal."""

    def __init__(self, parts):
        self.parts = parts
        self.number = None
        for number in INTERRUPTIONS:
            if signal.getsignal(number) != signal.SIG_IGN:  # as with nohup
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
            step(f"{part.name}: still running after {LAST_SECONDS} s, so it is killed")
            part.process.kill()

    def wait(self):
        """Start the parts, show them, and return when all have ended."""
        for part in self.parts:
            if not self.number:
                part.start()
        if self.number:  # a part was starting when the signal arrived
            self._interrupt(self.number, None)
        for part in self.parts:
            if part.process and self.number:
                part.process.wait()
            elif part.process:
                part.show()

    def status(self):
        """Return the exit code: 128 + the number of the signal, or the first one that is a failure."""
        statuses = [part.process.returncode for part in self.parts if part.process]
        if self.number:
            return 128 + self.number
        bad = [status for status in statuses if status not in (0, EMPTY)]
        return abs(bad[0]) if bad else min(statuses)

    def summary(self):
        """Return the lines that list the failures, and the last one with the numbers."""
        found = {test: end for part in self.parts for test, end in part.outcomes(self.number).items()}
        ends = [outcome for outcome, _ in found.values()]
        failed = [f"FAILED {test} - {reason}" for test, (outcome, reason) in found.items() if outcome == "failed"]
        skipped = f", {ends.count('skipped')} skipped" if "skipped" in ends else ""
        return [*failed, f"{ends.count('passed')} passed, {ends.count('failed')} failed{skipped}"]


def _print(data):
    sys.stdout.buffer.write(data)
    sys.stdout.flush()


def step(text):
    """Print the next step on stderr, as common.sh does."""
    print(f"==> {text}", file=sys.stderr, flush=True)


def names_a_path(arguments):
    """Return whether one of the arguments is a file, a folder or a test."""
    return any(os.path.exists(each.partition("::")[0]) for each in arguments)


def all_parts(arguments, folder):
    """Return the parts of everything: three for two cores, because the tests wait for daemons half of the time."""
    functional = "tests/functional"
    first = [f"{functional}/{name}" for name in FIRST]
    second = [functional, *(f"--ignore={each}" for each in first)]
    rest = ["tests/unit", "tests/support_tests", "tests/integration"]
    files = {"functional, first": first, "functional, second": second, "the rest": rest}
    parts = [Part.of_tests(name, [*paths, *arguments], folder) for name, paths in files.items()]
    if "--long" in arguments:
        parts.append(Part("a bare root", ["scripts/check-bare-root"], folder))
        parts.append(Part("the formula", ["scripts/check-formula"], folder))
    return parts


def main(arguments):
    """Run the parts and return the exit code."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if names_a_path(arguments):
            parts = [Part.of_tests("pytest", arguments, folder, shown_at_once=True)]
        else:
            step("running pytest in parallel parts; the output of one follows that of the other")
            parts = all_parts(arguments, folder)
        run = Run(parts)
        run.wait()
        print(*run.summary(), sep="\n", flush=True)
        return run.status()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
