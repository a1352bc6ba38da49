"""
Warnings by type or UUID: the selection, the writes, the report.
"""

import pytest
from lxdapi.plan import warning as warnings
from lxdapi.plan.state_result import run_state

from tests.support.fake_transport import Paper, failure, server, sync

pytestmark = pytest.mark.usefixtures("contract_kept")

ONE, TWO, OTHER = (f"00000000-0000-4000-8000-00000000000{number}" for number in (1, 2, 3))
TYPE = "Couldn't find the CGroup"


class Daemon:
    """A daemon with warnings: two of one type, the second already acknowledged, and another one."""

    def __init__(self, extensions=("warnings",)):
        self.extensions = list(extensions)
        self.found = {ONE: self.warning(ONE, TYPE, "new"), TWO: self.warning(TWO, TYPE, "acknowledged")}
        self.found[OTHER] = self.warning(OTHER, "Offline cluster member", "new")

    def warning(self, uuid, type_, status):
        """Return a warning."""
        return {"uuid": uuid, "type": type_, "status": status, "project": "", "count": 1}

    def __call__(self, seen):
        path = seen.line.partition("/1.0")[2].strip("/")
        if not path:
            return server(api_extensions=self.extensions)
        if path == "warnings":
            assert "project" not in seen.query, "with a project the server's own are not listed"
            return sync(list(self.found.values()) if seen.query == {"recursion": "1"} else None)
        uuid = path.partition("/")[2]
        if uuid not in self.found:
            return failure(404, "Warning not found")
        if seen.method == "PUT":
            self.found[uuid].update(seen.json)
        elif seen.method == "DELETE":
            del self.found[uuid]
        return sync(self.found.get(uuid))


def applied(daemon, act, name, test=False, project=None):
    """Return (Salt's answer, the paper)."""
    paper = Paper(daemon, project=project)
    return run_state("warning", name, lambda: act(paper.api, name), test=test), paper


@pytest.mark.parametrize("name, uuid", [(TYPE, ONE), (ONE, ONE), (OTHER, OTHER), ("Offline cluster member", OTHER)])
@pytest.mark.parametrize("project", [None, "p"])
def test_new_warnings_are_acknowledged_in_any_project(name, uuid, project):
    daemon = Daemon()
    change = {uuid: {"status": {"old": "new", "new": "acknowledged"}}}
    predicted, paper = applied(daemon, warnings.plan_acknowledge, name, True, project)
    assert (predicted["result"], predicted["changes"], paper.writes) == (None, change, [])
    assert predicted["comment"] == f"warning {name} would be acknowledged"
    ret, paper = applied(daemon, warnings.plan_acknowledge, name, False, project)
    assert (ret["result"], ret["changes"]) == (True, change)
    assert ret["comment"] == f"warning {name} was acknowledged"
    (written,) = [seen for seen in paper.seen if seen.method != "GET"]
    assert (written.line, written.json) == (f"PUT /1.0/warnings/{uuid}", {"status": "acknowledged"})
    for test in (True, False):
        again, paper = applied(daemon, warnings.plan_acknowledge, name, test, project)
        assert (again["result"], again["changes"], paper.writes) == (True, {}, [])


def test_all_warnings_of_a_type_are_deleted():
    daemon = Daemon()
    change = {uuid: {"deleted": uuid} for uuid in (ONE, TWO)}
    predicted, paper = applied(daemon, warnings.plan_absent, TYPE, test=True)
    assert (predicted["result"], predicted["changes"], paper.writes) == (None, change, [])
    ret, paper = applied(daemon, warnings.plan_absent, TYPE)
    assert (ret["result"], ret["changes"]) == (True, change)
    assert paper.writes == [f"DELETE /1.0/warnings/{uuid}" for uuid in (ONE, TWO)]
    assert list(daemon.found) == [OTHER]
    ret = applied(daemon, warnings.plan_absent, TYPE)[0]
    assert ret["changes"] == {} and ret["comment"].endswith(f"{TYPE} is absent")


@pytest.mark.parametrize("act", [warnings.plan_acknowledge, warnings.plan_absent])
@pytest.mark.parametrize("name", ["no such type", "", None, 5, [ONE], "..", "new"])
def test_missing_warning_is_no_failure(act, name):
    ret, paper = applied(Daemon(), act, name)
    assert (ret["result"], ret["changes"], paper.writes) == (True, {}, [])


@pytest.mark.parametrize("act", [warnings.plan_acknowledge, warnings.plan_absent])
def test_daemon_without_warnings_has_none(act):
    ret, paper = applied(Daemon(extensions=()), act, TYPE)
    assert (ret["result"], ret["changes"], paper.lines) == (True, {}, ["GET /1.0"])


@pytest.mark.parametrize("act", [warnings.plan_acknowledge, warnings.plan_absent])
def test_empty_list_means_no_warnings(act):
    daemon = Daemon()
    daemon.found.clear()
    assert applied(daemon, act, TYPE)[0]["changes"] == {}


def test_change_made_first_by_others_is_no_change():
    daemon = Daemon()
    (step,) = warnings.plan_acknowledge(Paper(daemon).api, TYPE)
    (gone,) = warnings.plan_absent(Paper(daemon).api, ONE)
    del daemon.found[ONE]
    assert gone.apply() == {}
    daemon.found[ONE] = daemon.warning(ONE, TYPE, "new")
    assert step.apply() is None and daemon.found[ONE]["status"] == "acknowledged"
