"""
Signs that the creation of an instance ended, signs that it did not, and signs that prove nothing.
"""

from types import SimpleNamespace

import pytest
from lxdapi.errors import InvalidError
from lxdapi.instances import partial_creation

from tests.support.fake_transport import Paper, failure, sync

MARK = partial_creation.with_mark({})[1]
BORN = "2026-01-02T00:00:00Z"
PARTIAL = {
    "config": {"volatile.uuid": MARK, "volatile.base_image": "f" * 64},
    "created_at": BORN,
    "expanded_devices": {"root": {"type": "disk", "path": "/", "pool": "default"}},
    "last_used_at": "1970-01-01T00:00:00Z",
    "name": "c1",
    "status": "Stopped",
    "type": "container",
}


def partial(config=None, **fields):
    """Return the reply for a partial creation, with these differences."""
    return {**PARTIAL, **fields, "config": {**PARTIAL["config"], **(config or {})}}


MISSING = failure(500, "open /var/lib/x/containers/c1/rootfs: no such file or directory")
NO_VOLUME = failure(500, "Failed getting instance pool: Instance storage pool not found")


def names(*names):
    """Return the reply of a list with these names."""
    return sync([{"name": name} for name in names])


def examined(found, snapshots=(), backups=(), root=MISSING, volumes=("c1", "c1/s0")):
    """Return the finding about an instance; root: the reply to the request for its root folder."""
    answers = {"snapshots": sync(list(snapshots)), "backups": sync(list(backups)), "files": root}
    answers.update(container=names(*volumes), instances=names("c1", "c2"))
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
def test_instance_with_any_mark_or_use_is_complete(found):
    assert not partial_creation.looks_partial(SimpleNamespace(metadata=found))
    assert examined(found).created


@pytest.mark.parametrize("entries", [[], ["bin"]])
def test_instance_with_readable_root_is_complete(entries):
    assert examined(partial(), root=sync(entries)).created


@pytest.mark.parametrize("reply, volumes", [(MISSING, ["c1", "c3"]), (NO_VOLUME, ["c2", "c2/s0"]), (NO_VOLUME, [])])
def test_empty_root_proves_our_partial_creation(reply, volumes):
    assert examined(partial(), root=reply, volumes=volumes).is_replaceable


@pytest.mark.parametrize("reply", [MISSING, NO_VOLUME])
def test_volume_without_instance_may_have_the_data(reply):
    finding = examined(partial(), root=reply, volumes=["c2", "c3"])
    assert (finding.created, finding.is_empty) == (False, False)
    assert "in volume c3 of pool default, which belongs to no instance" in finding.evidence


@pytest.mark.parametrize(
    "found, reply, words",
    [
        (partial(), failure(404, "not found"), "cannot read its root file system: not found"),
        (partial(), failure(500, "disk is on fire"), "cannot read its root file system: disk is on fire"),
        (partial(), failure(500, "open /x/rootfs: permission denied"), "permission denied"),
        (partial({"volatile.uuid": "53f20c6e-6b75-4a7e-8b4c-000000000000"}), MISSING, "lxdapi did not create it"),
        (partial(type="virtual-machine"), MISSING, "virtual machine"),
        (partial(expanded_devices={}, devices={}), MISSING, "no root disk shows its storage pool"),
        ({**PARTIAL, "config": {"volatile.uuid": MARK}}, MISSING, "cannot read its root file system"),
    ],
)
def test_other_evidence_proves_nothing(found, reply, words):
    finding = examined(found, root=reply)
    assert (finding.created, finding.is_replaceable) == (False, False)
    assert words in finding.evidence + finding.objection


LATER, EARLIER = ([{"created_at": f"{day}T00:00:01Z"}] for day in ("2026-01-02", "2026-01-01"))


@pytest.mark.parametrize("kept", [{"backups": ["/1.0/instances/c1/backups/b"]}, {"snapshots": LATER}])
def test_machine_with_backup_or_own_snapshot_is_complete(kept):
    assert examined(partial(type="virtual-machine"), **kept).created
    assert not examined(partial(), **kept).is_replaceable


@pytest.mark.parametrize("kind", ["container", "virtual-machine"])
def test_snapshots_copied_from_the_source_prove_nothing(kind):
    finding = examined(partial(type=kind), snapshots=EARLIER)
    assert (finding.created, finding.is_replaceable) == (False, False)
    assert "snapshots of its origin" in finding.objection


def test_instance_created_in_this_process_is_not_examined_again():
    mark = partial_creation.with_mark({})[1]
    found = partial({"volatile.uuid": mark})
    assert partial_creation.looks_partial(SimpleNamespace(metadata=found))
    partial_creation.remember(mark)
    assert examined(found).created


def test_mark_avoids_keys_that_a_project_refuses():
    config, mark = partial_creation.with_mark({"user.a": "1"}, refuses_volatile=True)
    assert config == {"user.a": "1", "volatile.lxdapi.creation.hwaddr": mark}
    assert partial_creation.mark_of(SimpleNamespace(metadata={"config": {**config, "volatile.uuid": "x"}})) == mark
    foreign = {"volatile.lxdapi.creation.hwaddr": "00:16:3e:00:00:01"}
    assert partial_creation.mark_of(SimpleNamespace(metadata={"config": foreign})) is None


def test_instance_readable_since_the_plan_is_not_deleted():
    answers = {"c1": sync(PARTIAL), "files": sync(["bin"])}
    paper = Paper(lambda seen: answers.get(seen.path.rpartition("/")[2], sync({})))
    assert partial_creation.delete_partial(paper.api, "c1", SimpleNamespace(metadata=PARTIAL), unproven=True) == {}
    assert paper.writes == []


def test_unproven_partial_creation_is_deleted_only_on_request():
    answers = {"c1": sync(PARTIAL), "snapshots": sync([]), "backups": sync([]), "files": failure(500, "on fire")}
    paper = Paper(lambda seen: answers.get(seen.path.rpartition("/")[2], sync({})))
    with pytest.raises(InvalidError, match="on fire.*replace_partial: true"):
        partial_creation.delete_partial(paper.api, "c1", SimpleNamespace(metadata=PARTIAL))
    assert paper.writes == []
    partial_creation.delete_partial(paper.api, "c1", SimpleNamespace(metadata=PARTIAL), unproven=True)
    assert paper.writes == ["DELETE /1.0/instances/c1"]
