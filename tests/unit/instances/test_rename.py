"""
An instance is renamed while it is stopped, and has its power state again.
"""

import pytest
from lxdapi.errors import APIException, InvalidError
from lxdapi.instances import power, rename
from lxdapi.plan import steps as plans
from lxdapi.plan.state_result import run_state

from tests.support.fake_transport import Paper
from tests.support.model_daemon import INSTANCE, Model, failed


@pytest.mark.parametrize("here", ["Running", "Frozen"])
def test_failed_rename_restores_the_power_state(here):
    model = Model({"instances/c1": {**INSTANCE, "status": here}}, ends={"POST instances/c1": [failed("no such luck")]})
    paper = Paper(model)
    steps = rename.plan_rename(paper.api, "c1", "c2", stop=True)
    assert paper.writes == []
    with pytest.raises(APIException, match="no such luck"):
        plans.apply(steps)
    assert model.objects["instances/c1"]["status"] == here


def test_frozen_instance_is_frozen_after_rename():
    model = Model({"instances/c1": {**INSTANCE, "status": "Frozen"}})
    paper = Paper(model)
    assert plans.apply(rename.plan_rename(paper.api, "c1", "c2", force=True)) == {"name": {"old": "c1", "new": "c2"}}
    assert model.objects["instances/c2"]["status"] == "Frozen"


def test_rename_with_failed_restart_is_reported():
    name, stays = {"name": {"old": "c1", "new": "c2"}}, {"status": {"old": "Running", "new": "Stopped"}}
    running = {"instances/c1": {**INSTANCE, "status": "Running"}}
    paper = Paper(Model(running, ends={"PUT instances/c2/state": [failed("no memory")]}))
    ret = run_state("instance", "c1", lambda: rename.plan_rename(paper.api, "c1", "c2", stop=True))
    assert (ret["result"], ret["changes"]) == (False, {**name, **stays})
    assert (
        "the change was made, but the instance could not be brought back to Running" in ret["comment"]
        and "no memory" in ret["comment"]
    )

    def refused():
        model.ends["PUT instances/c1/state"] = [failed("no memory")]
        raise InvalidError("no")

    model = Model(running)
    with pytest.raises(InvalidError) as caught:
        power.while_stopped(Paper(model).api, "c1", refused)
    assert caught.value.changes == stays


def test_ephemeral_instance_is_not_stopped_for_rename():
    paper = Paper(Model({"instances/c1": {**INSTANCE, "status": "Running", "ephemeral": True}}))
    with pytest.raises(InvalidError, match="a stop would delete it"):
        rename.plan_rename(paper.api, "c1", "c2", stop=True)
    assert paper.writes == []
