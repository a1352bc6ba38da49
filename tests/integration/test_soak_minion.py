"""
A minion that applies states for ten minutes: its open files and its memory stay constant.
"""

import time

import psutil
import pytest

from tests.support.daemons import until
from tests.support.web_server_life import arguments

# Salt itself grows during the first thirty lives or so: measured as 20 MB.
SECONDS, WARM_UP = 600, 30
MIB = 1024 * 1024


@pytest.fixture
def soaked(master, roots, remotes, tmp_path):
    """A minion that runs its jobs in its own process, where leaks accumulate."""
    options = {
        "extension_modules": str(tmp_path / "extmods"),
        "file_roots": {"base": [str(root) for root in roots]},
        "enable_fqdns_grains": False,
        "multiprocessing": False,
        "lxdapi": {"remotes": remotes},
    }
    minion = master.salt_minion_daemon("soaked", overrides=options)
    with minion.started():
        yield minion


def weight(pid):
    """Return (open files, bytes of memory) of a process and its children."""
    first = psutil.Process(pid)
    tree = [first, *first.children(recursive=True)]
    return sum(each.num_fds() for each in tree), sum(each.memory_info().rss for each in tree)


@pytest.mark.long
@pytest.mark.timeout(SECONDS + 300)
def test_minion_memory_is_stable_over_ten_minutes(master, soaked, daemon):
    command = master.salt_cli(timeout=180)

    def run(*words):
        answer = command.run(*words, minion_tgt=soaked.id)
        assert answer.returncode == 0, answer

    def live():
        run(*arguments("web", daemon.name))
        run(*arguments("web", daemon.name))
        run(*arguments("gone", daemon.name))

    run("saltutil.sync_all")
    for _ in range(WARM_UP):
        live()
    files, memory = weight(soaked.pid)
    end, lives = time.monotonic() + SECONDS, 0
    while time.monotonic() < end:
        live()
        lives += 1
    files_then, memory_then = weight(soaked.pid)
    print(f"{lives} lives: {files_then - files} files, {(memory_then - memory) // 1024} KiB more")
    # the sockets of a job stay open a little longer than the job
    assert until(lambda: weight(soaked.pid)[0] <= files, 30)
    assert memory_then < memory + 20 * MIB
    assert daemon.ask("GET", "/1.0/instances") == []
