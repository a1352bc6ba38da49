"""
The rebuild of an instance from an image.
"""

import pytest
from lxdapi.errors import APIOperationException, InvalidError
from lxdapi.instances import rebuild, sources

from tests.support.fake_transport import Paper, operation, server, started, sync
from tests.support.model_daemon import INSTANCE as MODEL

CONFIG = {"volatile.last_state.power": "STOPPED", "volatile.base_image": "1" * 64}
INSTANCE = {**MODEL, "name": "c1", "created_at": "2026-01-01T00:00:00Z", "config": CONFIG}


def rebuildable(*replies):
    """Return a fake daemon that can rebuild c1."""
    return Paper(server(api_extensions=["instances_rebuild", "etag"]), sync([]), *replies)


def test_failed_rebuild_has_the_words_of_the_daemon():
    paper = rebuildable(sync(INSTANCE), started(), sync(operation(400, "no space")))
    now = Paper(sync(INSTANCE)).api.get("instances/c1")
    (step,) = rebuild.plan_rebuild(paper.api, "c1", sources.NONE, result=now)
    assert step.changes == {"image": {"old": "1" * 64, "new": None}}
    with pytest.raises(APIOperationException, match="no space"):
        step.apply()
    assert paper.writes == ["POST /1.0/instances/c1/rebuild"]


def test_copy_cannot_be_rebuilt():
    now = Paper(sync(INSTANCE)).api.get("instances/c1")
    with pytest.raises(InvalidError, match="rebuilt from an image, or as an empty one"):
        rebuild.plan_rebuild(rebuildable().api, "c1", {"type": "copy", "source": "c2"}, result=now)
