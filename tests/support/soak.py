"""
Many states in a row in one process: ``python -m tests.support.soak SOCKET FOLDER LIVES``.

It prints the number of open files and the memory after a warm-up and at the end.
"""

import json
import os
import sys
from pathlib import Path

from tests.support.loader import Loaded

WARM_UP = 6  # the logs of this number of lives have the same size as those of any multiple
STATES = 10  # in each life


def life(state, number):
    """Apply ten states: the life of a profile and an instance with a snapshot; every sixth instance runs."""
    profile, name = f"p{number % 3}", f"c{number % 3}"
    for edit in range(4):
        state("lxdapi_profile.present", profile, config={"user.n": str(number), f"user.{edit}": "1"})
    state("lxdapi_profile.present", profile, config={"user.n": str(number), "user.0": None})
    state("lxdapi_instance.present", name, source="busybox", profiles=["default", profile])
    state("lxdapi_instance.present", name, config={"user.n": str(number)}, running=number % 6 == 0)
    state("lxdapi_instance_snapshot.present", f"{name}/snap")
    state("lxdapi_instance.absent", name, force=True)
    state("lxdapi_profile.absent", profile)


def open_files(pid):
    """Return the number of open files and sockets of a process."""
    return len(os.listdir(f"/proc/{pid}/fd"))


def weight():
    """Return the open files and the KiB of memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return {"files": open_files("self"), "KiB": pages * os.sysconf("SC_PAGE_SIZE") // 1024}


def main(socket, folder, lives):
    """Live the given number of lives, and print the resources before and after."""
    salt = Loaded(Path(folder), {"local": {"endpoint": socket}})

    def state(function, name, **arguments):
        ret = salt.states[function](name=name, **arguments)
        assert ret["result"] is True and ret["changes"], ret

    for number in range(WARM_UP):
        life(state, number)
    before = weight()
    for number in range(int(lives)):
        life(state, number)
    print(json.dumps([before, weight()]))


if __name__ == "__main__":
    main(*sys.argv[1:])
