"""
What is said of an instance that cannot be read: on which member it is, and whether that one answers.
"""

import pytest
from lxdapi.errors import APIException
from lxdapi.model import objects
from lxdapi.model.kinds import KINDS

from tests.support.fake_transport import Paper, failure, server, sync

DEAD = "Missing event connection with target cluster member"


class Daemon:
    """A member of a cluster of two, on the other of which there is c1."""

    def __init__(self, words=DEAD, status="Error", member="Online", clustered=True, code=500):
        self.words, self.status, self.member, self.clustered, self.code = words, status, member, clustered, code

    def __call__(self, seen):
        path = seen.line.partition("/1.0")[2].strip("/")
        if not path:
            return server(environment={"server": "incus", "server_clustered": self.clustered})
        if path == "instances":
            return sync([{"name": "c0", "location": "n1"}, {"name": "c1", "location": "n2", "status": self.status}])
        if path == "cluster/members":
            silent = {"server_name": "n2", "status": self.member, "message": "No heartbeat for 30s"}
            return sync([{"server_name": "n1", "status": "Online", "message": ""}, silent])
        return failure(self.code, self.words)


def told(daemon, word="instance", name="c1"):
    """Return (what is said of a failed read, the paper)."""
    paper = Paper(daemon)
    paper.api.retry_timeout = 0.2
    with pytest.raises(APIException) as raised:
        objects.read(paper.api, KINDS[word], name)
    return raised.value.explain(), paper


@pytest.mark.parametrize("word, name", [("instance", "c1"), ("instance_snapshot", "c1/s0")])
@pytest.mark.parametrize("words", [DEAD, "Server isn't ready yet", "Unable to connect to: 192.0.2.2:8443"])
def test_unreachable_member_is_named(word, name, words):
    said, _ = told(Daemon(words), word, name)
    assert said.startswith(f"{words}; it is on the cluster member n2, which does not answer (GET /1.0/instances/c1")
    said, _ = told(Daemon(words, member="Offline"), word, name)
    assert f"{words}; it is on the cluster member n2, which is offline: No heartbeat for 30s (GET" in said


def test_reachable_member_is_only_named():
    said, _ = told(Daemon("disk on fire", "Running"))
    assert said == "disk on fire; it is on the cluster member n2 (GET /1.0/instances/c1)"


@pytest.mark.parametrize(
    "member, name",
    [(Daemon(clustered=False), "c1"), (Daemon(), "c7"), (Daemon(code=403), "c1")],
    ids=["no cluster", "not in the list", "forbidden"],
)
def test_unknown_location_adds_nothing(member, name):
    said, paper = told(member, name=name)
    assert said == f"{DEAD} (GET /1.0/instances/{name})" and paper.lines[0] == f"GET /1.0/instances/{name}"
