"""
The comment of a failed start: the reason in the instance's log, and nothing that differs from run to run.
"""

import re

import pytest
from salt.exceptions import CommandExecutionError

BROKEN = {"raw.lxc": "lxc.mount.entry=/nope mnt none bind 0 0"}
REASON = 'No such file or directory - Failed to mount "/nope" onto'
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-")


@pytest.mark.mainly("incus7")
def test_failed_start_has_the_reason_in_its_comment(apply, proxy, imported):
    ret = apply("lxdapi_instance.present", "c1", source="busybox", config=BROKEN, running=True)
    assert (ret["result"], ret["changes"]) == (False, {"created": "c1"}), ret
    assert REASON in ret["comment"] and not UUID.search(ret["comment"]), ret
    proxy.clear()
    first, second = (apply.failed("lxdapi_instance.running", "c1") for _ in range(2))
    assert first == second
    assert REASON in first and "(PUT /1.0/instances/c1/state, operation '" in first
    assert len([path for _, path, *_ in proxy.seen if "/logs/" in path]) == 2


@pytest.mark.mainly("incus")
@pytest.mark.parametrize("function", ["start", "restart"])
def test_function_that_fails_to_start_raises_the_reason(apply, salt, imported, function):
    apply("lxdapi_instance.present", "c1", source="busybox", config=BROKEN)
    with pytest.raises(CommandExecutionError) as caught:
        salt.modules[f"lxdapi_instance.{function}"]("c1")
    assert REASON in str(caught.value)


@pytest.mark.mainly("incus")
def test_fleet_that_fails_to_start_reports_the_reason(apply, imported):
    defaults = {"source": "busybox", "config": BROKEN, "running": True}
    ret = apply("lxdapi_fleet.managed", "f", instances={"c[1-2]": None}, defaults=defaults)
    assert ret["result"] is False and ret["comment"].count(REASON) >= 1, ret


def test_failed_creation_has_the_same_comment_in_each_run(apply, imported):
    declared = {"source": "busybox", "config": {"bogus": "1"}}
    first, second = (apply.failed("lxdapi_instance.present", "c1", **declared) for _ in range(2))
    assert first == second
    assert "(POST /1.0/instances" in first and not UUID.search(first)
