"""
A restore from a snapshot, once: the mark, the description, the prediction.
"""

import pytest
import requests
from lxdapi.errors import InvalidError
from lxdapi.instances import snapshots
from lxdapi.model.kinds import RESTORED_FROM_KEY
from lxdapi.plan import converge, steps
from lxdapi.plan.state_result import run_state

from tests.support.fake_transport import Paper, failure, sync

pytestmark = pytest.mark.usefixtures("contract_kept")

MADE = "2030-01-31T10:00:00Z"
INSTANCE = {"config": {"user.a": "b"}, "description": "web", "devices": {}, "profiles": [], "type": "container"}
VOLUME = {"config": {}, "description": "data", "content_type": "filesystem"}
# kind: (name, its path, the path of the restored resource, its kind)
WORDS = {
    "instance_snapshot": ("web1/snap0", "instances/web1/snapshots/snap0", "instances/web1", INSTANCE),
    "volume_snapshot": (
        "default/data/snap0",
        "storage-pools/default/volumes/custom/data/snapshots/snap0",
        "storage-pools/default/volumes/custom/data",
        VOLUME,
    ),
}
words = pytest.mark.parametrize("word", WORDS)


class Daemon:
    """
    A resource with snapshots.

    empties
        True: a restore clears the description, as that of an instance does on LXD 5.0.2.
    """

    def __init__(self, word, made=MADE, empties=False, config=None, **snapshot):
        self.name, self.snapshot_path, self.path, owner = WORDS[word]
        self.owner = {**owner, "config": {**owner["config"], **(config or {})}}
        self.snapshot = None if made is None else {"name": "snap0", "created_at": made, **snapshot}
        self.empties = empties
        self.restored = []

    def __call__(self, seen):
        path = seen.line.partition("/1.0/")[2]
        if path == self.snapshot_path:
            return failure(404, "not found") if self.snapshot is None else sync(self.snapshot)
        assert path == self.path, seen.line
        if seen.method == "GET":
            return sync(self.owner, ETag=str(sorted(self.owner["config"].items())))
        if "restore" in (seen.json or {}):
            self.restored.append(seen.json)
            self.owner = {**self.owner, "description": "" if self.empties else self.owner["description"]}
            self.owner["config"] = {k: v for k, v in self.owner["config"].items() if k != RESTORED_FROM_KEY}
            return sync()
        self.owner = {**self.owner, **seen.json}
        return sync()


def applied(daemon, word, test=False):
    """Return (Salt's answer, the paper) for a restore of the snapshot."""
    paper = Paper(daemon)
    plan = lambda: snapshots.plan_restore(paper.api, word, WORDS[word][0])  # noqa: E731
    return run_state(word, WORDS[word][0], plan, test=test), paper


@words
def test_restore_is_predicted_done_once_and_then_silent(word):
    daemon = Daemon(word)
    change = {"restored": {"old": None, "new": f"snap0 {MADE}"}}
    predicted, paper = applied(daemon, word, test=True)
    assert (predicted["result"], predicted["changes"], paper.writes) == (None, change, [])
    ret, _ = applied(daemon, word)
    assert (ret["result"], ret["changes"]) == (True, change), ret["comment"]
    assert daemon.restored == [{"restore": "snap0"}]
    assert daemon.owner["config"][RESTORED_FROM_KEY] == f"snap0 {MADE}"
    for test in (True, False):
        again, paper = applied(daemon, word, test)
        assert (again["result"], again["changes"], paper.writes) == (True, {}, [])


@words
def test_newer_snapshot_of_same_name_is_another_one(word):
    daemon = Daemon(word, config={RESTORED_FROM_KEY: "snap0 2029-01-01T00:00:00Z"})
    change = {"restored": {"old": "snap0 2029-01-01T00:00:00Z", "new": f"snap0 {MADE}"}}
    assert applied(daemon, word, test=True)[0]["changes"] == change
    assert applied(daemon, word)[0]["changes"] == change
    assert daemon.restored == [{"restore": "snap0"}]


@words
def test_previously_restored_snapshot_is_in_changes(word):
    daemon = Daemon(word, config={RESTORED_FROM_KEY: f"other {MADE}"})
    assert applied(daemon, word)[0]["changes"]["restored"]["old"] == f"other {MADE}"


@words
@pytest.mark.parametrize("empties", [True, False])
def test_lost_description_is_restored(word, empties):
    daemon = Daemon(word, empties=empties)
    before = daemon.owner["description"]
    applied(daemon, word)
    assert daemon.owner["description"] == before != ""


@words
def test_description_stored_in_snapshot_wins(word):
    daemon = Daemon(word, empties=True, description="")
    applied(daemon, word)
    assert daemon.owner["description"] == "", "it was empty when the snapshot was made"


@words
def test_an_empty_description_is_not_written_back(word):
    daemon = Daemon(word, empties=True)
    daemon.owner["description"] = ""
    assert applied(daemon, word)[0]["result"] is True
    assert daemon.owner["description"] == ""


@words
def test_missing_snapshot_is_predicted(word):
    daemon = Daemon(word, made=None)
    predicted, _ = applied(daemon, word, test=True)
    assert (predicted["result"], predicted["changes"]) == (None, {"restored": {"old": None, "new": daemon.name}})
    assert "it does not exist yet" in predicted["comment"]
    ret, paper = applied(daemon, word)
    assert (ret["result"], ret["changes"], paper.writes) == (False, {}, [])
    assert "not found" in ret["comment"] and "it does not exist yet" in ret["comment"]


@words
def test_snapshot_created_after_plan_is_restored(word):
    daemon = Daemon(word, made=None)
    (step,) = snapshots.plan_restore(Paper(daemon).api, word, daemon.name)
    daemon.snapshot = {"name": "snap0", "created_at": MADE}
    assert step.apply() == {"restored": {"old": None, "new": f"snap0 {MADE}"}}
    assert daemon.restored == [{"restore": "snap0"}]
    assert applied(daemon, word)[0]["changes"] == {}


@words
@pytest.mark.parametrize("name", ["snap0", "", "a/b/c/d", "web1/..", "default/data/..", "/", None, 5, ["a/b"], b"a/b"])
def test_invalid_name_is_refused_before_any_request(word, name):
    paper = Paper()
    with pytest.raises(InvalidError, match="snapshot name"):
        snapshots.plan_restore(paper.api, word, name)
    assert paper.seen == []


@pytest.mark.parametrize("word, name", [("instance", "web1"), ("storage_volume", "default/data")])
def test_empty_config_keeps_the_restore_mark(word, name):
    path = {"instance": "instances/web1", "storage_volume": "storage-pools/default/volumes/custom/data"}[word]
    owner = {"config": {RESTORED_FROM_KEY: "snap0 x", "user.a": "b"}, "description": ""}
    paper = Paper(lambda seen: sync(owner) if seen.line == f"GET /1.0/{path}" else failure(404, "not found"))
    (step,) = converge.plan_present(paper.api, word, name, {"config": {}})
    assert step.changes == {"config": {"user.a": {"old": "b", "new": None}}}
    (step,) = converge.plan_present(paper.api, word, name, {"config": {RESTORED_FROM_KEY: None}})
    assert step.changes == {"config": {RESTORED_FROM_KEY: {"old": "snap0 x", "new": None}}}, "who names it means it"


@words
@pytest.mark.parametrize("given, seconds", [(None, 3600), (7200, 7200), (4000.5, 4000.5)])
def test_restore_has_its_timeout(word, given, seconds):
    paper = Paper(Daemon(word), timeout=60)
    steps.apply(snapshots.plan_restore(paper.api, word, WORDS[word][0], given))
    (restore,) = [seen for seen in paper.seen if seen.method == "PUT" and "restore" in seen.json]
    assert restore.timeout == seconds


@words
def test_restore_with_lost_reply_is_awaited_before_retry(word):
    daemon = Daemon(word)
    reset, running = [requests.exceptions.ConnectionError(ConnectionResetError(104, "reset"))], ["running"]

    def replying(seen):
        if "/1.0/operations" in seen.line:
            busy = {"class": "task", "resources": {"instances": [f"/1.0/{daemon.path}"]}}
            return sync({"running": [busy]} if running and running.pop() else {})
        if seen.method == "PUT" and reset:
            return reset.pop()
        return daemon(seen)

    paper = Paper(replying, retry_timeout=5)
    snapshots.restore(paper.api, daemon.name)
    sent = [line for line in paper.lines if "PUT" in line or "operations" in line]
    assert [line.split()[0] for line in sent][:4] == ["PUT", "GET", "GET", "PUT"], sent
    assert daemon.restored == [{"restore": "snap0"}]


@words
@pytest.mark.parametrize("timeout", ["soon", -1, [5], True])
def test_invalid_timeout_is_refused_before_any_request(word, timeout):
    paper = Paper()
    with pytest.raises(InvalidError):
        snapshots.plan_restore(paper.api, word, WORDS[word][0], timeout)
    assert paper.seen == []
