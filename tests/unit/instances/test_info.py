"""
Metadata, templates, logs and metrics of an instance: lost replies, rejected names, missing measurements.
"""

import pytest
import requests
from lxdapi.errors import APIConnectionException, APIException, APIUndoneException, InvalidError
from lxdapi.instances import image_metadata, logs, metrics, rest_files

from tests.support.fake_transport import MISSING, Paper, failure, raw, sync
from tests.support.model_daemon import INSTANCE

LOST = requests.exceptions.ConnectionError("reset")
METADATA = {"architecture": "x86_64", "creation_date": 1, "expiry_date": 0, "properties": None, "templates": None}


class Metadata:
    """
    A daemon with the metadata of c1.

    lost
        Number of writes whose answers are lost.
    done
        False: a write with a lost answer was not done.
    heeds
        False: a write is accepted but not done.
    """

    def __init__(self, lost=0, done=True, heeds=True, **fields):
        self.found = {**METADATA, **fields}
        self._lost, self._done, self._heeds = lost, done, heeds

    def __call__(self, seen):
        if seen.method == "GET":
            return sync(self.found, ETag="e")
        lose = self._lost > 0
        self._lost -= 1
        if self._heeds and (self._done or not lose):
            old = {} if seen.method == "PUT" else self.found
            merged = {f: {**(old.get(f) or {}), **seen.json.get(f, {})} for f in ("properties", "templates")}
            self.found = {**old, **seen.json, **merged}
        return LOST if lose else sync()


@pytest.mark.parametrize("done, writes", [(True, 1), (False, 2)])
def test_metadata_write_with_lost_reply_is_verified(done, writes):
    paper = Paper(Metadata(lost=1, done=done), retry_timeout=5)
    changes = image_metadata.update_metadata(paper.api, "c1", {"properties": {"a": "1"}})
    assert changes == {"properties": {"a": {"old": None, "new": "1"}}}
    assert paper.writes == ["PATCH /1.0/instances/c1/metadata"] * writes


def test_removed_property_is_written_with_the_rest_and_etag():
    paper = Paper(Metadata(properties={"a": "1", "b": "2"}))
    changes = image_metadata.update_metadata(paper.api, "c1", {"properties": {"a": None}, "expiry_date": 5})
    assert changes == {"properties": {"a": {"old": "1", "new": None}}, "expiry_date": {"old": 0, "new": 5}}
    put = next(seen for seen in paper.seen if seen.method == "PUT")
    assert put.json == {**METADATA, "expiry_date": 5, "properties": {"b": "2"}, "templates": {}}
    assert put.headers["If-Match"] == "e"


def test_accepted_metadata_write_without_effect_is_a_failure():
    with pytest.raises(APIUndoneException, match="expiry_date did not become as declared"):
        image_metadata.update_metadata(Paper(Metadata(heeds=False)).api, "c1", {"expiry_date": 5})


def test_template_write_with_lost_reply_is_verified():
    paper = Paper(MISSING, sync(INSTANCE), LOST, raw(200, b"text"), retry_timeout=5)
    assert image_metadata.write_template(paper.api, "c1", "a.tpl", "text") == {
        "templates": {"a.tpl": {"old": None, "new": "text"}}
    }
    assert len(paper.writes) == 1


def test_too_large_template_is_not_read_completely():
    paper = Paper(raw(206, b"x" * (rest_files.LIMIT + 1)))
    with pytest.raises(InvalidError, match="has more than 1048576 bytes"):
        image_metadata.read_template(paper.api, "c1", "a.tpl")
    assert paper.seen[0].headers["Range"] == f"bytes=-{rest_files.LIMIT + 1}"


def test_delete_with_lost_reply_is_verified():
    paper = Paper(LOST, MISSING, retry_timeout=5)
    assert logs.delete_log(paper.api, "c1", "migration_1.log") == {"deleted": "migration_1.log"}


def test_end_is_returned_if_daemon_ignores_range():
    assert logs.read_log(Paper(raw(200, b"one\ntwo\n")).api, "c1", "lxc.log", limit=6) == "e\ntwo\n"[-6:]
    assert logs.read_console_log(Paper(raw(200, b"one\r\n")).api, "c1", limit=3) == "e\r\n"


def test_other_console_error_is_not_taken_for_empty():
    with pytest.raises(APIException, match="out of order"):
        logs.read_console_log(Paper(failure(500, "out of order")).api, "c1")
    with pytest.raises(APIException, match="Instance not found"):
        logs.read_console_log(Paper(failure(404, "Instance not found")).api, "c1")


@pytest.mark.parametrize("status", [404, 500])
def test_console_without_a_file_is_empty(status):
    assert logs.read_console_log(Paper(failure(status, "open : no such file or directory")).api, "c1") == ""


def test_temporarily_unreadable_log_is_not_reported_missing():
    with pytest.raises(APIConnectionException):
        logs.read_log(Paper(LOST).api, "c1", "lxc.log")
    with pytest.raises(APIException, match="^GET [^;]* out of order$"):
        paper = Paper(failure(500, "out of order"), sync(["/1.0/instances/c1/logs/lxc.log"]))
        logs.read_log(paper.api, "c1", "lxc.log")


def test_unmeasurable_instance_still_has_its_status():
    paper = Paper(sync([{"name": "c1", "status": "Error", "state": None}]))
    empty = dict.fromkeys(("cpu", "memory", "disk", "network"), {})
    assert metrics.read_metrics(paper.api) == {"c1": {"status": "Error", "pid": 0, "processes": 0, **empty}}
    assert paper.seen[0].query["recursion"] == "2"
    state = {"status": "Running", "processes": -1, "disk": {"root": {"usage": -1, "total": 0}}}
    found = metrics.read_metrics(Paper(sync(state)).api, "c1")
    assert (found["processes"], found["disk"]) == (0, {"root": {"usage": None, "total": 0}})
