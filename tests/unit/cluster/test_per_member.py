"""
The parts of a network on the members of a cluster, with a fake daemon: which parts lxdapi creates, and which the
daemon.
"""

import pytest
from lxdapi.cluster import per_member
from lxdapi.errors import InvalidError
from lxdapi.plan import steps

from tests.support.fake_transport import Paper, failure, server, sync

pytestmark = pytest.mark.usefixtures("contract_kept")

MEMBERS = [{"server_name": "n2"}, {"server_name": "n1"}]


def daemon(seen):
    """Answer as a member of a cluster of two without networks."""
    path = seen.line.partition("/1.0")[2].strip("/")
    if not path:
        return server(environment={"server": "incus", "server_clustered": True})
    if path == "cluster/members":
        return sync(MEMBERS)
    return sync(status=201) if seen.method == "POST" else failure(404, "not found")


def made(kind, members=None):
    """Return (member or None, body) of each POST for a new network of this type, and the changes."""
    paper = Paper(daemon)
    wanted = {"type": kind, "description": "", "config": {"network": "up0"}}
    changes = steps.apply(per_member.plan_present(paper.api, "network", "net0", wanted, members))
    return [(seen.query.get("target"), seen.json) for seen in paper.seen if seen.method == "POST"], changes


def test_network_gets_a_part_on_each_member_first():
    posted, changes = made("macvlan", {"n2": {"parent": "eth1"}})
    assert [member for member, _ in posted] == ["n1", "n2", None]
    assert posted[1][1]["config"] == {"parent": "eth1"}
    assert posted[2][1]["config"] == {"network": "up0"}
    assert changes == {"members": {"n1": {"old": None, "new": {}}, "n2": {"old": None, "new": {"parent": "eth1"}}}} | {
        "created": "net0"
    }


def test_ovn_network_parts_are_left_to_the_daemon():
    posted, changes = made("ovn")
    assert [(member, body["type"], body["config"]) for member, body in posted] == [(None, "ovn", {"network": "up0"})]
    assert changes == {"created": "net0"}


def test_ovn_network_refuses_member_config():
    with pytest.raises(InvalidError, match="members: a network of type ovn has no config per member"):
        made("ovn", {"n1": {"parent": "eth1"}})


@pytest.mark.parametrize("declared", [{"ipv6.address": None, "user.x": "1"}, {}])
def test_key_filled_in_by_daemon_is_removed_after_create(declared):
    def filling(seen):
        if seen.line == "GET /1.0/networks/net0" and any(line == "POST /1.0/networks" for line in paper.lines):
            there = {"ipv6.address": "auto", "user.x": "1"}
            for put in (each for each in paper.seen if each.method == "PUT"):
                there = put.json["config"]
            return sync({"config": there, "description": "", "status": "Created"})
        return sync() if seen.method == "PUT" else daemon(seen)

    paper = Paper(filling)
    changes = steps.apply(per_member.plan_present(paper.api, "network", "net0", {"type": "bridge", "config": declared}))
    (put,) = [seen for seen in paper.seen if seen.method == "PUT"]
    assert put.json["config"] == {key: value for key, value in declared.items() if value}
    assert changes["created"] == "net0" and "config" not in changes
