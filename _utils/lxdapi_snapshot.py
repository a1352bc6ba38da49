"""
What snapshots need beyond the table: that an instance or a volume was restored from one.
"""

import lxdapi_converge as converge
from lxdapi_kinds import MARK, kind_of
from lxdapi_plan import Step


def restored(api, word, name):
    """
    Return the steps to an instance or volume that was restored from this snapshot.

    word
        ``instance_snapshot`` or ``volume_snapshot``.

    A snapshot of that name that was made later counts as another one.
    """
    kind = kind_of(word)
    snapshot = converge.read(api, kind, name)
    owner_kind, owner = kind_of(kind.parents[-1]), name.rpartition("/")[0]
    if snapshot is None:
        return [Step("restored", {"restored": {"old": None, "new": name}}, lambda: _late(api, kind, name), _MISSING)]
    current = api.get(converge.path_of(owner_kind, owner))
    old, new = current.metadata["config"].get(MARK), _mark(name, snapshot)
    if old == new:
        return []
    change = {"restored": {"old": old, "new": new}}
    return [Step("restored", change, lambda: _restore(api, owner_kind, owner, snapshot, new))]


_MISSING = "it does not exist yet"


def _late(api, kind, name):
    """Restore from a snapshot that an earlier state of the run has made; raises if there is none."""
    snapshot = api.get(converge.path_of(kind, name))
    owner_kind, owner = kind_of(kind.parents[-1]), name.rpartition("/")[0]
    new = _mark(name, snapshot)
    _restore(api, owner_kind, owner, snapshot, new)
    return {"restored": {"old": None, "new": new}}


def _mark(name, snapshot):
    return f"{name.rpartition('/')[2]} {snapshot.metadata['created_at']}"


def _restore(api, kind, name, snapshot, mark):
    path = converge.path_of(kind, name)
    before = api.get(path).metadata
    api.put(path, json={"restore": snapshot.metadata["name"]}).wait()
    converge.update(api, kind, name, {"config": {MARK: mark}, **_description(before, snapshot.metadata, api, path)})


def _description(before, snapshot, api, path):
    """
    Return the description to be written back: a restore of an instance empties it, where snapshots have
    none (LXD 5.0.2, Incus 6.0.4).
    """
    lost = "description" not in snapshot and not api.get(path).metadata["description"]
    return {"description": before["description"]} if lost and before["description"] else {}
