"""
The deletion of the objects in a network that are not listed.
"""

import pytest
from lxdapi.errors import InvalidError
from lxdapi.plan import purge
from lxdapi.plan.state_result import run_state

from tests.support.fake_transport import Paper, failure, server, sync

FOUND = ["br0/192.0.2.1", "br0/2001:db8::1", "br0/192.0.2.9"]


def purged(keep):
    """Return the forwards that a purge deletes when these are kept."""
    facts = server(api_extensions=["network_forward"])
    listed = sync([{"listen_address": name.partition("/")[2]} for name in FOUND])
    paper = Paper(facts, sync({}), listed, *[sync({})] * 3)
    return [step.changes for step in purge.plan_purge(paper.api, "network_forward", "br0", keep)]


@pytest.mark.parametrize("keep", [["192.0.2.1", "2001:DB8:0::1"], ("192.0.2.1", "2001:db8::1", "192.0.2.77")])
def test_unkept_forwards_are_deleted_and_named(keep):
    assert purged(keep) == [{"br0/192.0.2.9": {"deleted": "br0/192.0.2.9"}}]


def test_empty_keep_deletes_all():
    assert [next(iter(change)) for change in purged([])] == FOUND


@pytest.mark.parametrize("extensions", [["network_forward"], ["etag"]])
def test_missing_network_or_forwards_need_no_purge(extensions):
    paper = Paper(
        lambda seen: failure(404, "not found") if "networks" in seen.path else server(api_extensions=extensions)
    )
    plan = lambda: purge.plan_purge(paper.api, "network_forward", "br0", [])  # noqa: E731
    ret = run_state("network_forward", "br0", plan)
    assert (ret["result"], ret["changes"], paper.writes) == (True, {}, [])


def test_purged_names_are_in_the_comment():
    facts, listed = server(api_extensions=["network_forward"]), sync([{"listen_address": "192.0.2.9"}])
    paper = Paper(facts, sync({}), listed, sync({}))
    plan = lambda: purge.plan_purge(paper.api, "network_forward", "br0", [])  # noqa: E731
    ret = run_state("network_forward", "br0", plan, test=True)
    assert ret["comment"] == "network forward br0 would be pruned of br0/192.0.2.9"


@pytest.mark.parametrize(
    "keep", [None, 5, "192.0.2.1", {"192.0.2.1": 1}, [5], ["a"], [None], ["br0/192.0.2.1"], [["192.0.2.1"]]]
)
def test_invalid_keep_is_refused(keep):
    with pytest.raises(InvalidError):
        purged(keep)
