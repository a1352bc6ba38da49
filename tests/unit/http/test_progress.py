"""
Progress of long operations: its source in the metadata of an operation, and its receivers.
"""

import io

import pytest
from lxdapi.http import progress

from tests.support.fake_transport import Paper, finished, operation, started, sync


class Terminal(io.StringIO):
    """A standard error that is a terminal."""

    def isatty(self):
        """Return True."""
        return True


def going(**metadata):
    """Return the reply for a running operation with this metadata."""
    return sync({**operation(103), "description": "Creating instance", "metadata": metadata})


@pytest.mark.parametrize(
    "metadata, reported",
    [
        (None, {}),
        ({}, {}),
        ({"return": 0}, {}),
        ({"x_progress": None, "progress": {"percent": "3"}}, {}),
        ({"fs_progress": "12.5MB (2MB/s)"}, {"text": "12.5MB (2MB/s)"}),
        ({"unpack_progress": "Unpack: 45% (9GB/s)"}, {"text": "Unpack: 45% (9GB/s)", "percent": 45}),
    ],
)
def test_progress_is_read_from_operation_metadata(metadata, reported):
    assert progress.progress_of({"metadata": metadata}) == reported


def test_each_progress_event_is_reported_once_with_its_resource():
    paper, reported = (
        Paper(started(), going(a_progress="1%"), going(a_progress="1%"), going(a_progress="2%"), finished()),
        [],
    )
    paper.api.on_progress = lambda identity, data: reported.append((identity, data))
    paper.api.post("instances", json={}).wait(5)
    assert [data["percent"] for _, data in reported] == [1, 2]
    assert {data["description"] for _, data in reported} == {"Creating instance"}
    assert {identity for identity, _ in reported} == {paper.lines[1].split("/")[3]}


def test_wait_without_callback_polls_no_more_often(monkeypatch):
    paper = Paper(started(), finished())
    monkeypatch.setattr("sys.stderr", io.StringIO())
    paper.api.post("instances", json={}).wait(500)
    assert "timeout=30" in paper.seen[1].url
    paper = Paper(started(), finished())
    paper.api.on_progress = print
    paper.api.post("instances", json={}).wait(500)
    assert "timeout=1" in paper.seen[1].url


def test_terminal_shows_a_line_after_a_while(monkeypatch):
    shown = Terminal()
    monkeypatch.setattr("sys.stderr", shown)
    monkeypatch.setattr(progress, "AFTER", 0)
    watch = progress.Watch(Paper().api, "x")
    assert watch.is_observed
    watch.show({"description": "Creating instance", "metadata": {"a_progress": "Unpack: 45%"}})
    watch.close()
    assert "Creating instance: Unpack: 45%" in shown.getvalue()
    with progress.count_bytes("image", 100) as done:
        done(50)
    assert "image" in shown.getvalue()


def test_without_a_terminal_nothing_is_shown(monkeypatch):
    shown = io.StringIO()
    monkeypatch.setattr("sys.stderr", shown)
    monkeypatch.setattr(progress, "AFTER", 0)
    with progress.count_bytes("image", 100) as done:
        done(50)
    assert shown.getvalue() == ""


def test_transferred_bytes_are_reported_periodically(monkeypatch):
    paper, reported = Paper(), []
    paper.api.on_progress = lambda identity, data: reported.append((identity, data["text"], data.get("percent")))
    with progress.count_bytes("image", 200, paper.api, "f00") as moved:
        for _ in range(3):
            moved(50)
        monkeypatch.setattr(progress, "EVERY", 0)
        moved(50)
    assert reported == [("f00", "200 of 200 bytes", 100)] * 2
    reported.clear()
    with progress.count_bytes("backup", None, paper.api) as moved:
        moved(7)
    assert reported == [("backup", "7 bytes", None)] * 2


def test_fleet_progress_counts_finished_and_failed(monkeypatch):
    monkeypatch.setattr("sys.stderr", io.StringIO())
    monkeypatch.setattr(progress, "EVERY", 0)
    paper, reported = Paper(), []
    paper.api.on_progress = lambda identity, data: reported.append((identity, data["text"], data["percent"]))
    with progress.count("fleet shop", 4, paper.api, "shop") as ended:
        for good in (True, False, True):
            ended(good)
    assert reported[0] == ("shop", "1 of 4", 25)
    assert reported[-1] == ("shop", "3 of 4, 1 failed", 75)


def test_fleet_progress_is_one_line(monkeypatch):
    shown = Terminal()
    monkeypatch.setattr("sys.stderr", shown)
    monkeypatch.setattr(progress, "AFTER", 0)
    paper = Paper(started(), going(a_progress="1%"), finished())
    with progress.count("fleet shop", 2, paper.api, "shop") as ended:
        ended(False)
        paper.api.post("instances", json={}).wait(500)
    assert "timeout=30" in paper.seen[1].url, "each of them is not asked once a second"
    assert "fleet shop" in shown.getvalue() and "Creating instance" not in shown.getvalue()
