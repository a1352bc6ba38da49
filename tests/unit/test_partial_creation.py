"""
What shows that the creation of an instance ended, what shows that it did not, and what proves nothing.
"""

from types import SimpleNamespace

import pytest
from fake import Paper, failure, sync
from lxdapi.errors import InvalidError
from lxdapi.instances import partial_creation

MARK = partial_creation.with_mark({})[1]
BORN = "2026-01-02T00:00:00Z"
PARTIAL = {
    "config": {"volatile.uuid": MARK, "volatile.base_image": "f" * 64},
    "created_at": BORN,
    "last_used_at": "1970-01-01T00:00:00Z",
    "status": "Stopped",
    "type": "container",
}


def partial(config=None, **fields):
    """Return what a GET says of a partial creation, or of what differs from one in this."""
    return {**PARTIAL, **fields, "config": {**PARTIAL["config"], **(config or {})}}


def examined(found, snapshots=(), backups=(), root=None):
    """Return the finding about an instance; root: its entries (Default: none) or the reply."""
    reply = root if isinstance(root, tuple) else sync(root or [])
    answers = {"snapshots": sync(list(snapshots)), "backups": sync(list(backups)), "files": reply}
    paper = Paper(lambda seen: answers[seen.path.rpartition("/")[2]])
    return partial_creation.examine(paper.api, "c1", SimpleNamespace(metadata=found))


@pytest.mark.parametrize(
    "found",
    [
        partial({"volatile.apply_template": "create"}),
        partial({"volatile.last_state.power": "STOPPED"}),
        partial({"volatile.vsock_id": "42"}, type="virtual-machine"),
        partial(status="Running"),
        partial(status="Frozen"),
        partial(last_used_at="2026-01-02T00:00:01Z"),
    ],
)
def test_an_instance_with_any_trace_of_its_end_or_use_is_created(found):
    assert not partial_creation.looks_partial(SimpleNamespace(metadata=found))
    assert examined(found).created


def test_a_snapshot_of_its_own_or_a_backup_shows_that_it_is_created():
    assert examined(partial(), backups=["/1.0/instances/c1/backups/b"]).created
    assert examined(partial(), snapshots=[{"created_at": "2026-01-02T00:00:01Z"}]).created


def test_a_snapshot_that_a_copy_got_from_its_origin_proves_nothing():
    found = examined(partial(), snapshots=[{"created_at": "2026-01-01T00:00:00Z"}])
    assert found == partial_creation.Finding(words="it has snapshots of its origin")


def test_an_empty_root_proves_a_partial_creation_of_ours():
    assert examined(partial()).empty


@pytest.mark.parametrize(
    "found, root, words",
    [
        (partial(), ["bin"], "content"),
        (partial(), failure(404, "not found"), "cannot be read: not found"),
        (partial(), failure(500, "disk is on fire"), "cannot be read: disk is on fire"),
        (partial(), sync({}), "content"),
        (partial({"volatile.uuid": "53f20c6e-6b75-4a7e-8b4c-000000000000"}), [], "lxdapi did not create it"),
        (partial(type="virtual-machine"), [], "virtual machine"),
        ({**PARTIAL, "config": {"volatile.uuid": MARK}}, [], "it has no image"),
    ],
)
def test_anything_else_proves_nothing(found, root, words):
    finding = examined(found, root=root)
    assert (finding.created, finding.empty) == (False, False)
    assert words in finding.words


def test_what_this_process_saw_created_is_not_doubted_again():
    mark = partial_creation.with_mark({})[1]
    found = partial({"volatile.uuid": mark})
    assert partial_creation.looks_partial(SimpleNamespace(metadata=found))
    partial_creation.remember(mark)
    assert examined(found, root=["bin"]).created


def test_what_got_content_since_the_plan_is_not_deleted():
    answers = {"c1": sync(PARTIAL), "snapshots": sync([]), "backups": sync([]), "files": sync(["bin"])}
    paper = Paper(lambda seen: answers.get(seen.path.rpartition("/")[2], sync({})))
    with pytest.raises(InvalidError, match="replace_partial: true"):
        partial_creation.delete_partial(paper.api, "c1", SimpleNamespace(metadata=PARTIAL))
    assert paper.writes == []
