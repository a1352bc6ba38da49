"""
The end of ./test: the failed tests and their number, or at once and cleanly after a signal.
"""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import run_parts
from tests.support.daemons import until
from tests.support_tests.traces import heed_signals, traces

HERE = Path(__file__).parent
REPO = HERE.parents[1]
WAITS = """
import time

def test_that_waits_to_be_interrupted():
    time.sleep(60)
"""
FIRST = """
def test_good():
    pass

def test_bad():
    assert 1 == 2, "not so"
"""
SECOND = """
import pytest

@pytest.fixture
def ends_badly():
    yield
    raise ValueError("at its end")

def test_good(ends_badly):
    pass

def test_skipped():
    pytest.skip("not today")
"""
DEAF = """
import signal, time

def test_deaf():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    print("deaf", flush=True)
    time.sleep(60)
"""
IMPATIENT = """
import sys
from tests.support import run_parts
run_parts.LAST_SECONDS = 1
sys.exit(run_parts.main(sys.argv[1:]))
"""


@pytest.fixture
def checkout(tmp_path):
    """Make a repository like this one, with the given tests only."""

    def make(tests):
        folders = (
            "unit",
            "support_tests",
            "integration",
            *(f"functional/{name}" for name in run_parts.FIRST),
        )
        for name in folders:
            (tmp_path / "tests" / name).mkdir(parents=True)
        for path in ("_utils", "scripts", "tests/support"):
            (tmp_path / path).symlink_to(REPO / path)
        for path in ("setup.cfg", "tests/__init__.py", "tests/conftest.py"):
            shutil.copy(REPO / path, tmp_path / path)
        for folder, text in tests.items():
            (tmp_path / "tests" / folder / f"test_{folder.rpartition('/')[2]}.py").write_text(text)
        return tmp_path

    return make


def started(folder, *arguments, program=("-m", "tests.support.run_parts"), **environment):
    """Return a process that runs the tests in a folder as ./test does."""
    return subprocess.Popen(
        [sys.executable, *program, *arguments, "-p", "no:cacheprovider"],
        cwd=folder,
        env={**os.environ, "PYTEST_DEBUG_TEMPROOT": str(folder), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=heed_signals,
    )


def ended(process):
    """Return (exit code, printed lines)."""
    said, _ = process.communicate(timeout=120)
    return process.returncode, said.splitlines()


def test_failed_tests_are_named_again_and_counted(checkout):
    status, lines = ended(started(checkout({"functional/instances": FIRST, "functional": SECOND, "unit": FIRST})))
    assert status == 1
    assert lines[-4:] == [
        "FAILED tests/functional/instances/test_instances.py::test_bad - AssertionError: not so",
        "FAILED tests/functional/test_functional.py::test_good - ValueError: at its end",
        "FAILED tests/unit/test_unit.py::test_bad - AssertionError: not so",
        "2 passed, 3 failed, 1 skipped",
    ]


@pytest.mark.parametrize(
    "arguments, status, last",
    [
        (["tests/unit/test_unit.py::test_good"], 0, ["1 passed, 0 failed"]),
        (["-k", "nothing"], 5, ["0 passed, 0 failed"]),
        (["-k", "good"], 0, ["1 passed, 0 failed"]),
        (["tests/unit", "--no-such-option"], 4, ["FAILED pytest - ended with 4", "0 passed, 1 failed"]),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, list) else "",
)
def test_a_run_with_arguments_ends_the_same_way(checkout, arguments, status, last):
    found, lines = ended(started(checkout({"unit": FIRST}), *arguments))
    assert (found, lines[-len(last) :]) == (status, last)


def test_a_file_that_cannot_be_read_is_named(checkout):
    status, lines = ended(started(checkout({"unit": "import nothing_of_that_name"}), "tests/unit"))
    assert status == 2
    assert lines[-2].startswith("FAILED tests/unit/test_unit.py - ") and "nothing_of_that_name" in lines[-2]
    assert lines[-1] == "0 passed, 1 failed"


PARTS, FILE = [], ["tests/functional/instances/test_instances.py"]
LONG = pytest.mark.long


@pytest.mark.parametrize(
    "number, arguments",
    [
        pytest.param(signal.SIGTERM, PARTS, id="SIGTERM-parts"),
        pytest.param(signal.SIGINT, FILE, id="SIGINT-a file"),
        pytest.param(signal.SIGINT, PARTS, id="SIGINT-parts", marks=LONG),
        pytest.param(signal.SIGTERM, FILE, id="SIGTERM-a file", marks=LONG),
    ],
)
def test_a_signal_ends_all_parts_and_their_daemons(checkout, number, arguments, tmp_path, pytestconfig):
    inner = (HERE / "inner.py").read_text()
    folder, launched = (
        checkout({"functional/instances": inner, "functional": WAITS, "unit": WAITS}),
        tmp_path / "launched",
    )
    options = ["-k", "waits", "--daemon", pytestconfig.option.daemon[0]]
    process = started(folder, *arguments, *options, LAUNCHED=str(launched))
    assert until(lambda: launched.exists() or process.poll() is not None, 60)
    assert launched.exists(), process.stdout.read()
    directory = launched.read_text()
    assert traces(directory) != []
    process.send_signal(number)
    status, lines = ended(process)
    assert (status, lines[-1]) == (128 + number, "0 passed, 0 failed")
    assert traces(directory) == [] and not Path(directory).exists()


def test_a_part_that_does_not_end_is_killed(checkout):
    process = started(checkout({"unit": DEAF}), "-s", "tests/unit", program=("-c", IMPATIENT), PYTHONPATH=".")
    assert any("deaf" in line for line in process.stdout)
    process.send_signal(signal.SIGTERM)
    status, lines = ended(process)
    assert (status, lines[-1]) == (143, "0 passed, 0 failed") and "is killed" in lines[-2]


@pytest.mark.parametrize("command", ["demo", "test"])
def test_help_is_printed_without_a_run(command):
    done = subprocess.run([REPO / command, "--help"], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stderr) == (0, "") and f"./{command} --daemon" in done.stdout
