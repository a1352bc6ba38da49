"""
The limits and restrictions of a project: what it refuses, and that what counts against its limits happens in turn.
"""

import threading
import time

import pytest
from lxdapi.model import project_rules
from lxdapi.model.kinds import KINDS
from lxdapi.model.read_cache import ReadCache

from tests.support.fake_transport import MISSING, Paper, failure, sync


def rules(config):
    """Return the rules of a project with this config."""
    return project_rules.ProjectRules(("unix", "team"), config)


@pytest.mark.parametrize(
    "config, container, machine",
    [
        ({}, False, False),
        ({"features.images": "false"}, False, False),
        ({"restricted": "false", "restricted.backups": "block"}, False, False),
        ({"restricted": "true"}, True, True),
        ({"limits.cpu": "2"}, True, True),
        ({"limits.cpu": "2", "restricted.containers.lowlevel": "allow"}, False, True),
        ({"restricted": "true", "restricted.virtual-machines.lowlevel": "allow"}, True, False),
    ],
)
def test_rules_say_whether_volatile_keys_are_refused(config, container, machine):
    assert rules(config).refuses_volatile(None) is rules(config).refuses_volatile("container") is container
    assert rules(config).refuses_volatile("virtual-machine") is machine


@pytest.mark.parametrize("reply", [MISSING, failure(403, "not authorized"), sync({"config": None})])
def test_unreadable_project_has_no_rules(reply):
    assert project_rules.read(Paper(reply).api).config == {}


def test_project_is_read_again_after_a_write_to_a_project():
    paper = Paper(lambda seen: sync({"config": {"limits.cpu": str(len(paper.seen))}}))
    paper.api.cache = ReadCache()

    def limit():
        return project_rules.read(paper.api).config["limits.cpu"]

    assert (limit(), limit()) == ("1", "1")
    paper.api.put("instances/c1", json={})
    assert limit() == "1"
    paper.api.patch("projects/default", json={})
    assert limit() == "4"


def test_project_written_during_its_read_is_read_again():
    def reply(seen):
        with paper.api.cache.invalidating(paper.api, "/1.0/projects/default", {}):
            return sync({"config": {"limits.cpu": str(len(paper.seen))}})

    paper = Paper(reply)
    paper.api.cache = ReadCache()
    assert [project_rules.read(paper.api).config["limits.cpu"] for _ in range(2)] == ["1", "2"]


def most_at_once(config, changes):
    """Return how many of four changes run at once in a project with this config."""
    paper, lock, counts = Paper(lambda seen: sync({"config": config})), threading.Lock(), [0]

    def act():
        with lock:
            counts.append(counts[-1] + 1)
        time.sleep(0.05)
        with lock:
            counts.append(counts[-1] - 1)

    turn = project_rules.in_turn(paper.api, KINDS["instance"], changes, act)
    threads = [threading.Thread(target=turn) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return max(counts)


@pytest.mark.parametrize("changes", [{"config": {"limits.cpu": {}}}, {"devices": {}}, {"profiles": {}}])
def test_counted_changes_run_one_at_a_time(changes):
    assert most_at_once({"limits.cpu": "2"}, changes) == 1
    assert most_at_once({"restricted": "true"}, changes) > 1


def test_other_changes_run_at_once():
    assert most_at_once({"limits.cpu": "2"}, {"config": {"user.a": {}}}) > 1
