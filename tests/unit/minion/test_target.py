"""
Requests for one member of a cluster, and the identity of that member.
"""

import pytest
from lxdapi.errors import InvalidError
from lxdapi.minion import connection

from tests.support.fake_transport import OPERATION, Paper, failure, finished, server, started, sync


@pytest.mark.parametrize("method", ["get", "head", "post", "put", "patch", "delete"])
@pytest.mark.parametrize(
    "path", ["", "networks/br0", "/1.0/storage-pools/default", "profiles/operations", "networks/operations/forwards"]
)
def test_every_request_is_sent_to_the_member(method, path):
    paper = Paper(sync({}))
    getattr(paper.api.at("n2"), method)(path)
    assert paper.seen[0].query == {"target": "n2"}


def test_operations_are_asked_of_any_member():
    paper = Paper(started(), finished(), sync({}))
    api = paper.api.at("n2")
    api.post("networks", json={}).wait()
    api.get(OPERATION)
    assert [seen.query.get("target") for seen in paper.seen] == ["n2", None, None]


def test_explicit_target_parameter_wins():
    paper = Paper(sync({}))
    paper.api.at("n2").get("networks", params={"target": "n1"})
    assert paper.seen[0].query == {"target": "n1"}


def test_derived_api_does_not_change_the_original():
    paper = Paper(sync({}), sync({}), project="p")
    other = paper.api.at("n2")
    paper.api.get("networks")
    other.get("networks")
    assert [seen.query for seen in paper.seen] == [{"project": "p"}, {"project": "p", "target": "n2"}]
    assert (paper.api.target, other.target, other.session) == (None, "n2", paper.api.session)


def test_server_facts_and_secret_values_are_shared():
    paper = Paper(server(api_extensions=["x"]), sync({}))
    assert paper.api.has("x")
    other = paper.api.at("n2")
    assert other.has("x") and len(paper.seen) == 1
    other.put("networks/br0", json={"config": {"user.password": "hunter2"}})
    assert "hunter2" in paper.api.secret_values


@pytest.mark.parametrize("target", ["", "..", "a/b", "a b", "a\n", None, 5, ["n2"], True])
def test_unknown_member_is_refused(target):
    paper = Paper()
    with pytest.raises(InvalidError, match="cluster member name"):
        paper.api.at(target)


def connected(monkeypatch, paper, context, target):
    """Return the API of a member of the fake cluster."""
    monkeypatch.setattr(connection, "_create_api", lambda settings, project: paper.api)
    return connection.connect(
        {"__salt__": {"config.get": {"lxdapi:remotes": {"x": "/x"}}.get}, "__context__": context}, "x", target=target
    )


def test_member_is_looked_up_once_in_a_run(monkeypatch):
    paper, context = Paper(sync({})), {}
    first = connected(monkeypatch, paper, context, None)
    other = connected(monkeypatch, paper, context, "n2")
    assert (first, other.target, other.session) == (paper.api, "n2", first.session)
    assert connected(monkeypatch, paper, context, "n2") is other
    assert connected(monkeypatch, paper, context, None) is first
    with pytest.raises(InvalidError, match="cluster member name ''"):
        connected(monkeypatch, paper, context, "")
    assert paper.lines == ["GET /1.0/cluster/members/n2"]
    assert connected(monkeypatch, paper, context, "@group").target == "@group" and len(paper.seen) == 1


def test_missing_member_is_looked_up_again(monkeypatch):
    paper, context = Paper(failure(404, "not found"), failure(404, "not found")), {}
    for _ in range(2):
        with pytest.raises(InvalidError, match="cluster member 'n3' does not exist"):
            connected(monkeypatch, paper, context, "n3")
    assert len(paper.seen) == 2, "what is not there is asked for again"


@pytest.mark.parametrize("target", ["..", "a/b", 5, ["n2"], {"n2": 1}])
def test_invalid_target_is_refused_before_any_request(monkeypatch, target):
    paper = Paper()
    with pytest.raises(InvalidError, match="cluster member name"):
        connected(monkeypatch, paper, {}, target)
    assert paper.seen == []
