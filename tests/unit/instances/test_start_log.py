"""
The reason of a failed start: the useful lines of the right log, within limits.
"""

import pytest
from lxdapi.errors import APIOperationException
from lxdapi.instances import start_log

from tests.support.fake_transport import Paper, failure, raw

FORKSTART = "Failed to run: /usr/bin/lxd forkstart c1 /x/containers /x/c1/lxc.conf: exit status 1"
QEMU = "Failed to run: forklimits fd=3 -- /usr/bin/qemu-system-x86_64 -S -name v1: exit status 1"
LXC = """\
lxc c1 20261130075252.491 WARN     cgfsng - ../src/lxc/cgroups/cgfsng.c:cgroup_tree_create:808 - File exists - Failed
lxc c1 20261130075252.563 ERROR    utils - ../src/lxc/utils.c:safe_mount:1220 - No such file - Failed to mount "/nope"
lxc c1 20261130075252.563 ERROR    conf - ../src/lxc/conf.c:lxc_setup:4419 - Failed to setup mount entries
lxc c1 20261130075252.563 ERROR    conf - ../src/lxc/conf.c:lxc_setup:4420 - Failed to setup mount entries
lxc c1 20261130075252.565 ERROR    sync - ../src/lxc/sync.c:sync_wait:34 - An error occurred in another process
lxc c1 20261130075252.565 ERROR    start - ../src/lxc/start.c:__lxc_start:2107 - Failed to spawn container "c1"
lxc 20261130075330.102 ERROR    af_unix - ../src/lxc/af_unix.c:lxc_abstract_unix_recv_fds_iov:218 - Connection reset
"""


def reason(error, *replies):
    """Return the hint of a failed start, and the requests for it."""
    paper = Paper(*replies)
    paper.api.secret_values = {"pa55word"}
    exc = APIOperationException(error=error, method="GET", url="/1.0/operations/x")
    start_log.add_reason(paper.api, "c1", exc)
    return exc, paper.lines


def log(text):
    return raw(200, text.encode(), Content_Type="application/octet-stream")


def test_errors_of_lxc_are_named_once_and_without_times():
    exc, lines = reason(FORKSTART, log(LXC))
    expected = 'lxc.log: No such file - Failed to mount "/nope"; Failed to setup mount entries'
    assert (exc.hint, lines) == (expected, ["GET /1.0/instances/c1/logs/lxc.log"])
    assert str(exc).endswith(f"; {expected}") and exc.explain().endswith(f"; {expected}")


def test_vague_lines_are_named_if_there_are_no_others():
    vague = "".join(line for line in LXC.splitlines(keepends=True) if "sync" in line)
    assert reason(FORKSTART, log(vague))[0].hint == "lxc.log: An error occurred in another process"


def test_reason_of_a_virtual_machine_is_in_the_log_of_qemu():
    text = "qemu-system-x86_64: warning: slow\nqemu-system-x86_64: unable to find CPU model 'nope'\n"
    exc, lines = reason(QEMU, log(text))
    assert exc.hint == "qemu.log: qemu-system-x86_64: unable to find CPU model 'nope'"
    assert lines == ["GET /1.0/instances/c1/logs/qemu.log"]


@pytest.mark.parametrize("reply", [failure(404, "not found"), failure(500, "open: no such file"), log(""), log(" \n")])
def test_missing_or_empty_log_adds_nothing(reply):
    exc, _ = reason(FORKSTART, reply)
    assert exc.hint == "" and str(exc) == f"GET /1.0/operations/x {FORKSTART}"


@pytest.mark.parametrize("error", ["Failed to start device", "The instance is already running", ""])
def test_failure_before_the_command_reads_no_log(error):
    assert reason(error)[0].hint == ""


def test_reason_is_short_printable_and_without_secrets():
    text = "".join(f"line {number} \x1b[1m{'x' * 300} pa55word\n" for number in range(20))
    hint = reason(QEMU, log(text))[0].hint
    assert hint.startswith("qemu.log: line 15 ") and hint.isprintable()
    assert len(hint) <= start_log.MOST_CHARACTERS + len("qemu.log: ") and "pa55word" not in hint
