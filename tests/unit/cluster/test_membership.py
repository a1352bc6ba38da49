"""
Members of a cluster with a fake daemon: daemons that the machine of the tests lacks, and faster clients.
"""

import pytest
from lxdapi.cluster import membership
from lxdapi.plan.state_result import run_state

from tests.support.fake_transport import Paper, failure, finished, operation, server, started, sync

pytestmark = pytest.mark.usefixtures("contract_kept")
FORCE, SKIP = "clustering_evacuation_force", "clustering_restore_skip_mode"


class Daemon:
    """A cluster with a member n2 in some status; ``lost``: another client is faster."""

    def __init__(self, status, *extensions, lost=False):
        self.status, self.extensions, self.lost, self.sent = status, list(extensions), lost, []

    def __call__(self, seen):
        path = seen.line.partition("/1.0")[2].strip("/")
        if not path:
            environment = {"server": "lxd", "server_clustered": True, "server_name": "n1"}
            return server(api_extensions=self.extensions, environment=environment)
        if path == "cluster/members/n2":
            return sync({"status": self.status, "message": "so it is"})
        if seen.method == "POST":
            self.sent.append(seen.json)
            self.status = {"evacuate": "Evacuated", "restore": "Online"}[seen.json["action"]]
            return started()
        if path.startswith("operations/"):
            words = f"Cluster member is already {self.status.lower()}"
            return sync(operation(400, err=words)) if self.lost else finished()
        return failure(404, "not found")


def applied(daemon, *arguments, **more):
    """Return the result of the state."""
    paper = Paper(daemon)
    return run_state("cluster_member", "n2", lambda: membership.plan_member_action(paper.api, "n2", *arguments, **more))


def test_newer_options_are_sent_to_newer_daemons():
    daemon = Daemon("Online", FORCE)
    assert applied(daemon, "evacuate", force=True)["result"] is True
    assert daemon.sent == [{"action": "evacuate", "force": True}]
    daemon = Daemon("Evacuated", SKIP)
    ret = applied(daemon, "restore", mode="skip")
    assert ret["changes"] == {"status": {"old": "Evacuated", "new": "Online"}}
    assert daemon.sent == [{"action": "restore", "mode": "skip"}]


@pytest.mark.parametrize("force", ["x", 5, ["true"]])
def test_invalid_force_is_refused(force):
    ret = applied(Daemon("Online", FORCE), "evacuate", force=force)
    assert (ret["result"], ret["changes"]) == (False, {}) and "force" in ret["comment"]


def test_change_made_first_by_others_is_no_failure():
    ret = applied(Daemon("Online", lost=True), "evacuate")
    assert (ret["result"], ret["changes"], ret["comment"]) == (True, {}, "cluster member n2 is as declared")


@pytest.mark.parametrize("action, before", [("evacuate", "Online"), ("restore", "Evacuated")])
def test_offline_member_is_a_failure(action, before):
    ret = applied(Daemon("Offline"), action)
    assert (ret["result"], ret["changes"]) == (False, {})
    assert ret["comment"] == f"cluster member n2: expected a member that is {before}, but it is Offline: so it is"
