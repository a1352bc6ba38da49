"""
Publications with a lost answer: lxdapi reads the outcome, and does none twice.
"""

import pytest
from lxdapi.errors import APIException, InvalidError
from lxdapi.images import publish
from requests.exceptions import ConnectionError as Broken

from tests.support.fake_transport import Paper, failure, finished, server, started, sync

pytestmark = pytest.mark.usefixtures("contract_kept")

CONFIG = {"volatile.last_state.power": "STOPPED", "volatile.base_image": "1" * 64}
INSTANCE = {"name": "c1", "status": "Stopped", "created_at": "2026-01-01T00:00:00Z", "config": CONFIG, "devices": {}}
INSTANCE = {**INSTANCE, "ephemeral": False, "type": "container"}


class Daemon:
    """A daemon that drops the connection at the POST of an image, after it was done or before."""

    def __init__(self, done):
        self.done, self.images, self.posts = done, [], 0

    def __call__(self, seen):
        path = seen.path.replace("/1.0", "", 1).strip("/")
        if seen.method == "POST" and path == "images":
            self.posts += 1
            if self.done or self.posts > 1:
                self.images.append({"fingerprint": "2" * 64, "properties": seen.json["properties"]})
            if self.posts == 1:
                raise Broken("reset")
            return started()
        known = {"": server(), "instances/c1": sync(INSTANCE), "images": sync(self.images)}
        if path.startswith("operations/"):
            return finished(metadata={"fingerprint": "2" * 64})
        return known.get(path) or (sync({}) if path == "operations" else failure(404, "not found"))


@pytest.mark.parametrize("done, posts", [(True, 1), (False, 2)])
def test_publication_with_lost_reply_is_found_by_mark_or_resent(done, posts):
    daemon = Daemon(done)
    assert publish.publish(Paper(daemon, retry_timeout=5).api, "c1", {"public": True}) == "2" * 64
    assert daemon.posts == posts and len(daemon.images) == 1
    assert publish.label_of(daemon.images[0]) == "c1 2026-01-01T00:00:00Z"


def test_foreign_image_is_not_taken_as_ours():
    daemon = Daemon(False)
    daemon.images = [{"fingerprint": "3" * 64, "properties": {"lxdapi.published": "c1 2026-01-01T00:00:00Z abc"}}]
    with pytest.raises(APIException, match="broke"):
        publish.publish(Paper(daemon, retry_timeout=0).api, "c1", {})
    assert daemon.posts == 1


@pytest.mark.parametrize("name", ["", "a b", "c1/..", "c1/a/b", "../x", 5, None])
def test_invalid_name_is_refused_before_any_request(name):
    paper = Paper()
    with pytest.raises(InvalidError):
        publish.plan_present(paper.api, "x", name, {})
    assert paper.seen == []


def test_reply_without_fingerprint_is_an_error():
    paper = Paper(sync(INSTANCE), started(), finished(metadata={"fingerprint": "x"}), sync({}), sync([]))
    with pytest.raises(APIException, match="expected the fingerprint of the published image"):
        publish.publish(paper.api, "c1", {})
