"""
What snapshots need beyond the table: that an instance or a volume was restored from one.
"""

import lxdapi_converge as converge
import lxdapi_names as names
import lxdapi_retry as retry
from lxdapi_kinds import MARK, kind_of
from lxdapi_plan import Step

# A restore copies a whole disk on some pools.
RESTORE_SECONDS = 3600


def restored(api, word, name, timeout=None):
    """
    Return the steps to an instance or volume that was restored from this snapshot.

    word
        ``instance_snapshot`` or ``volume_snapshot``.
    timeout
        Seconds for the restore; 3600.

    A snapshot of that name that was made later counts as another one.
    """
    kind, timeout = kind_of(word), names.seconds(timeout)
    timeout = RESTORE_SECONDS if timeout is None else timeout
    snapshot = converge.read(api, kind, name)
    act = lambda: _restore(api, kind, name, timeout)  # noqa: E731
    if snapshot is None:
        return [Step("restored", {"restored": {"old": None, "new": name}}, act, "it does not exist yet")]
    old, new = _marks(api, kind, name, snapshot)
    return [] if old == new else [Step("restored", {"restored": {"old": old, "new": new}}, act)]


def _owner(kind, name):
    return kind_of(kind.parents[-1]), name.rpartition("/")[0]


def _marks(api, kind, name, snapshot):
    """Return (what was restored last as the config tells, what would be)."""
    current = api.get(converge.path_of(*_owner(kind, name))).metadata
    return current["config"].get(MARK), f"{name.rpartition('/')[2]} {snapshot.metadata['created_at']}"


def _restore(api, kind, name, timeout):
    """Restore, and mark what was restored; returns the changes. An earlier state may have made the snapshot."""
    snapshot = api.get(converge.path_of(kind, name))
    old, new = _marks(api, kind, name, snapshot)
    owner_kind, owner = _owner(kind, name)
    path = converge.path_of(owner_kind, owner)
    before = api.get(path).metadata
    body, patience = {"restore": snapshot.metadata["name"]}, {"timeout": max(timeout, api.timeout)}
    # a volume's is done before it is answered; where the answer is lost, doing it again leads to the same
    retry.settle(api, lambda: api.put(path, json=body, **patience).wait(timeout), lambda: None)
    wanted = {"config": {MARK: new}, **_description(before, snapshot.metadata, api, path)}
    converge.update(api, owner_kind, owner, wanted)
    return {"restored": {"old": old, "new": new}}


def _description(before, snapshot, api, path):
    """
    Return the description to be written back: a restore of an instance empties it, where snapshots have
    none (LXD 5.0.2, Incus 6.0.4).
    """
    lost = "description" not in snapshot and not api.get(path).metadata["description"]
    return {"description": before["description"]} if lost and before["description"] else {}
