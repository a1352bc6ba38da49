"""
Reads of objects: missing API extensions, and the member of an instance that cannot be read.
"""

import pytest
from lxdapi.errors import APIException, InvalidError
from lxdapi.model import objects
from lxdapi.model.kinds import KINDS

from tests.support.fake_transport import Paper, failure, server, sync

DEAD = "Missing event connection with target cluster member"


class Daemon:
    """A member of a cluster of two; the other member has c1."""

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
    """Return (the error of a failed read, the paper)."""
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


SIBLINGS = [
    ("profile", "web", "old", "old"),
    ("profile", "web", "a/b", "a/b"),
    ("storage_volume", "default/new", "old", "default/old"),
    ("storage_volume", "default/new", "other/old", "other/old"),
    ("volume_snapshot", "p/v/s", "t", "p/v/t"),
    ("volume_snapshot", "p/v/s", "q/w/t", "q/w/t"),
    ("volume_snapshot", "p/v/s", "w/t", "w/t"),
]


@pytest.mark.parametrize("word, name, other, whole", SIBLINGS)
def test_sibling_name_may_omit_common_parents(word, name, other, whole):
    assert objects.with_parents_of(KINDS[word], name, other) == whole


def daemon(*extensions, clustered=False):
    """Return the API of a daemon with these extensions."""
    facts = {"environment": {"server": "lxd", "server_version": "5.0.2", "server_clustered": clustered}}
    return Paper(server(api_extensions=list(extensions), **facts)).api


FORWARD, PEER = KINDS["network_forward"], KINDS["network_peer"]


def test_unsupported_field_is_refused_only_if_declared():
    for fields in ({}, {"description": "x"}, {"ports": []}, {"ports": [{"protocol": "tcp"}]}, {"snat": 1}):
        objects.require_fields(daemon(), FORWARD, fields)
    with pytest.raises(InvalidError) as caught:
        objects.require_fields(daemon(), FORWARD, {"ports": [{"protocol": "udp"}, {"snat": False}]})
    reason = "it lacks the API extension network_forward_snat"
    words = f"lxd 5.0.2 does not support ports.snat of the kind network forward: {reason}"
    assert str(caught.value) == words
    objects.require_fields(daemon("network_forward_snat"), FORWARD, {"ports": [{"snat": True}]})


@pytest.mark.parametrize("field", ["type", "target_integration"])
def test_each_field_has_its_extension(field):
    with pytest.raises(InvalidError, match=f"does not support {field} of the kind network peer"):
        objects.require_fields(daemon("network_peer"), PEER, {field: "x"})
    objects.require_fields(daemon("network_integrations"), PEER, {field: "x"})


@pytest.mark.parametrize(
    "word, api, words",
    [
        ("cluster_member", daemon(), "the server is not clustered, so it has no cluster member"),
        ("cluster_member", daemon(clustered=True), ""),
        ("cluster_group", daemon("clustering_groups"), "the server is not clustered, so it has no cluster group"),
        (
            "cluster_group",
            daemon(clustered=True),
            "lxd 5.0.2 does not support the kind cluster group: it lacks the API extension",
        ),
        ("cluster_group", daemon("clustering_groups", clustered=True), ""),
        (
            "network_acl",
            daemon(),
            "lxd 5.0.2 does not support the kind network ACL: it lacks the API extension network_acl",
        ),
        ("network_acl", daemon("network_acl"), ""),
        ("profile", daemon(), ""),
    ],
)
def test_unsupported_kind_has_a_reason(word, api, words):
    found = objects.unsupported_reason(api, KINDS[word])
    assert found.startswith(words) and bool(found) is bool(words)


def test_server_without_environment_is_not_clustered():
    for facts in ({"environment": None}, {"environment": {}}):
        assert "not clustered" in objects.unsupported_reason(Paper(server(**facts)).api, KINDS["cluster_member"])


def test_unmanaged_interface_is_no_network():
    assert objects.read(Paper(sync({"managed": False})).api, KINDS["network"], "lo") is None
    assert objects.read(Paper(sync({"managed": True})).api, KINDS["network"], "br0") is not None
