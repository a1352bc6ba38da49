"""
Instances and later states after a lost answer: the second part of the rule of http.retry.
"""

from types import SimpleNamespace

import pytest
from lxdapi.errors import (
    APIException,
    APITimeoutException,
    APIUnavailableException,
)
from lxdapi.instances import create, partial_creation, sources
from lxdapi.model import writes
from lxdapi.model.kinds import get_kind

from tests.support import declared
from tests.support.fake_transport import MISSING, failure, sync
from tests.unit.http.test_retry import BROKEN, TAKEN, WEB, patient

ABOUT = {"class": "task", "resources": {"instances": ["/1.0/instances/c1"]}}
UNLIMITED = sync({"config": {"features.images": "true"}})
PARTIAL = {"config": {partial_creation.CREATING_KEY: "x"}, "description": "", "status": "Stopped"}


def instance(mark=None):
    """Return the reply for a complete instance."""
    config = {"volatile.apply_template": "create", **({"volatile.uuid": mark} if mark else {})}
    return sync({"config": config, "description": "", "status": "Stopped"}, ETag="e")


def test_started_creation_is_awaited_and_not_repeated():
    ours = lambda seen: instance(paper.seen[1].json["config"]["volatile.uuid"])  # noqa: E731
    paper = patient(UNLIMITED, BROKEN, MISSING, sync({"running": [ABOUT]}), ours, ours, sync())
    create.create(paper.api, "c1", {}, sources.NONE)
    assert paper.writes == ["POST /1.0/instances"]


@pytest.mark.parametrize("mark", [None, "theirs"])
def test_instance_created_by_others_is_not_taken_as_ours(mark):
    paper = patient(UNLIMITED, BROKEN, instance(mark), TAKEN, instance(mark))
    with pytest.raises(APIException, match="already exists"):
        create.create(paper.api, "c1", {}, sources.NONE)
    assert paper.writes == ["POST /1.0/instances"] * 2


def test_instance_in_creation_at_deadline_is_not_deleted():
    def daemon(seen):
        return sync({"running": [ABOUT]}) if "operations" in seen.path else sync(PARTIAL)

    paper = patient(daemon, wait_timeout=0.2)
    with pytest.raises(APITimeoutException, match="still being created"):
        declared.present(paper.api, "c1", {})
    assert paper.writes == []


def test_replaced_instance_is_not_deleted_as_partial():
    paper = patient(instance("other"))
    assert partial_creation.delete_partial(paper.api, "c1", SimpleNamespace(metadata=PARTIAL)) == {}
    assert paper.writes == []


def test_degraded_endpoints_are_not_awaited_again():
    paper = patient(lambda seen: failure(503, "no") if len(paper.seen) < 40 else sync({}), retry_timeout=0.3)
    for _ in range(2):
        with pytest.raises(APIUnavailableException):
            paper.api.get("profiles")
    assert paper.api.endpoint_pool.degraded
    tried = len(paper.seen)
    with pytest.raises(APIUnavailableException):
        paper.api.get("profiles")
    assert len(paper.seen) == tried + 1


def test_accepted_write_is_reported_if_verification_fails():
    paper = patient(sync(WEB), sync(), failure(403, "not authorized"))
    kind = get_kind("profile")
    assert writes.update(paper.api, kind, "web", {"description": "y"}) == {"description": {"old": "x", "new": "y"}}
