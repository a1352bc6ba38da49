"""
A new instance that is declared running: one request creates and starts it, and a failure is reported.
"""

import pytest
from lxdapi.plan.state_result import run_state

from tests.support import declared
from tests.support.fake_transport import Paper
from tests.support.model_daemon import Model, failed

pytestmark = pytest.mark.usefixtures("contract_kept")
ABLE = {"api_extensions": ["instance_create_start"]}
STATE = "PUT /1.0/instances/c1/state"
STARTED = {"created": "c1", "status": {"old": "Stopped", "new": "Running"}}


def made(model, wanted, source, running=True, retry_timeout=0):
    """Return (Salt's answer, the paper) for an instance that does not exist."""
    paper = Paper(model, wait_timeout=5, retry_timeout=retry_timeout)
    return run_state("instance", "c1", lambda: declared.present(paper.api, "c1", wanted, source, running)), paper


@pytest.mark.parametrize(
    "source, wanted, at_once",
    [("busybox", {}, True), ("busybox", {"config": {"image.os": "mine"}}, False), ("none", {}, False)],
    ids=["an image", "with more to be written", "nothing"],
)
def test_create_request_starts_the_instance_where_supported(source, wanted, at_once):
    ret, paper = made(Model(facts=ABLE), wanted, source)
    assert (ret["result"], ret["changes"]) == (True, STARTED)
    assert ret["comment"].startswith("instance c1 was created and ")
    sent = next(seen for seen in paper.seen if seen.method == "POST").json
    assert sent.get("start", False) is at_once
    assert (STATE in paper.writes) is not at_once


@pytest.mark.parametrize("facts, running", [(None, True), (ABLE, None), (ABLE, False)])
def test_start_is_sent_only_when_supported_and_declared(facts, running):
    _, paper = made(Model(facts=facts), {}, "busybox", running)
    assert all("start" not in seen.json for seen in paper.seen if seen.method == "POST")


def test_failed_creation_has_no_changes_and_no_start():
    model = Model({"images/aliases/busybox": {"target": "1" * 64}}, ends={"POST instances": [failed("No root device")]})
    model.facts = ABLE
    ret, paper = made(model, {}, "busybox")
    assert (ret["result"], ret["changes"], paper.writes) == (False, {}, ["POST /1.0/instances"])
    assert ret["comment"] == "instance c1 could not be created: No root device (POST /1.0/instances, operation 'Doing')"


def test_start_refused_as_busy_is_retried_without_new_create():
    class Busy(Model):
        def _post(self, path, seen):
            reply = super()._post(path, seen)
            self._end = failed('Instance is busy running a "update" operation')
            return reply

    ret, paper = made(Busy(facts=ABLE), {}, "busybox", retry_timeout=5)
    assert (ret["result"], ret["changes"], paper.writes) == (True, STARTED, ["POST /1.0/instances", STATE])
