"""
Every kind through its whole life: create, edit, describe, remove a key, clear, rename, absent, and each of them again.

Test mode first predicts each change exactly; test mode and second runs send only GET requests; the outcome is read past
the code under test.
"""

import hashlib

import pytest
from lxdapi.model.kinds import KINDS

from tests.functional.matrix import rows_core as matrix_rows_core
from tests.functional.matrix import rows_network as matrix_rows_network
from tests.functional.matrix import rows_storage as matrix_rows_storage
from tests.support import client_certificates as certificates
from tests.support import dialects

ROWS = {**matrix_rows_core.ROWS, **matrix_rows_network.ROWS, **matrix_rows_storage.ROWS}


class Life:
    """The life of a row on one daemon."""

    def __init__(self, row, apply, raw, daemon, values):
        self.row, self._apply, self._raw, self._daemon = row, apply, raw, daemon
        self._values = values
        self._extensions = daemon.ask("GET", "/1.0")["api_extensions"]
        self.kind = KINDS[row.state.replace("lxdapi_", "", 1)]
        self.name, self.path = self.filled(row.name), self.filled(row.path)
        self.identity = self.filled(row.identity) or self.name

    def filled(self, value):
        """Return the value with the values of the run filled in."""
        if isinstance(value, dict):
            return {key: self.filled(inner) for key, inner in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.filled(inner) for inner in value]
        return value.format(**self._values) if isinstance(value, str) else value

    def has(self, extension):
        """Return whether the daemon has this API extension; None is always available."""
        return extension is None or extension in self._extensions

    def has_fields(self):
        """Return the fields that this daemon supports."""
        return {field for field in self.kind.fields if self.has(self.kind.extensions.get(field))}

    def refused(self):
        """Check that a missing kind is reported after a read of the server data alone, and that ``absent`` succeeds."""
        for answer in (self._apply.predicted, self._apply.failed):
            self._apply.clear()
            ret = answer(f"{self.row.state}.present", self.name, **self._declared(self.row.create))
            assert f"it lacks the API extension {self.row.extension}" in str(ret)
            assert self._apply.seen() <= {"/1.0"}
        self._apply.unchanged(f"{self.row.state}.absent", self.name, **self.filled(self.row.absent))

    def failing(self, words):
        """Check that a failure has the daemon's words and leaves nothing behind."""
        assert words in self._apply.failed(f"{self.row.state}.present", self.name, **self._declared(self.row.create))
        assert self.read() is None
        self._apply.unchanged(f"{self.row.state}.absent", self.name, **self.filled(self.row.absent))

    def prepared(self):
        """Create the prerequisites, but not the object."""
        for method, path, body in self.row.needs:
            self._daemon.ask(method, f"/1.0/{path}", body)
        assert self.read() is None

    def read(self):
        """Return the object on the daemon, None if it does not exist."""
        return self._raw(self.path)

    def _declared(self, more):
        return {**self.filled(self.row.always), **self.filled(more)}

    def stage(self, declared, holds, **more):
        """Return the changes of one stage after a check of the resulting object."""
        changes = self._apply.changed(f"{self.row.state}.present", self.name, **self._declared(declared), **more)
        found, expected = self.read(), self.filled(holds)
        assert {key: self._comparable(found, key) for key in expected} == {
            key: self._comparable(expected, key) for key in expected
        }
        return changes

    def _comparable(self, found, field):
        value = found.get(field)
        if field == "config":  # some replies omit it when it is empty
            return {key: inner for key, inner in (value or {}).items() if not key.startswith(self.row.foreign)}
        if self.kind.items.get(field):
            # the daemons add different keys to an empty config
            return sorted(sorted((key, inner) for key, inner in item.items() if inner) for item in value or ())
        return value

    def alike(self):
        """Check that the object is as declared, with other spellings and with undeclared fields."""
        self._apply.unchanged(f"{self.row.state}.present", self.name, **self._declared(self.row.alike))
        self._apply.unchanged(f"{self.row.state}.present", self.name, **self._declared({}))

    def described(self):
        """Check that a description of several lines is kept, unchanged if undeclared, and cleared."""
        if "description" not in self.has_fields():
            return
        before = self.read()["description"]
        lines = self.row.description
        changes = self.stage({"description": lines}, {"description": lines})
        assert changes == {"description": {"old": before, "new": lines}}
        self._apply.unchanged(f"{self.row.state}.present", self.name, **self._declared({"description": lines}))
        self._apply.unchanged(f"{self.row.state}.present", self.name, **self._declared({}))
        changes = self.stage({"description": ""}, {"description": ""})
        assert changes == {"description": {"old": lines, "new": ""}}

    def fixed(self):
        """Check that a change of an immutable field fails with both values, and changes nothing else."""
        before = self.read()
        more = {"description": "other"} if "description" in self.has_fields() else {}
        for field, (value, words) in self.row.create_only.items():
            declared = self._declared({field: value, **more})
            predicted = self._apply.predicted(f"{self.row.state}.present", self.name, **declared)
            assert (predicted["result"], predicted["changes"]) == (False, {})
            comment = self._apply.failed(f"{self.row.state}.present", self.name, **declared)
            assert self.filled(words) in comment and predicted["comment"] == comment
        assert self.read() == before

    def renamed(self):
        """Check that a rename with a change at the same time works, and that the new name is in effect."""
        if not self.row.rename:
            return
        old, name = self.name, self.row.rename[0]
        full = f"{old.rpartition('/')[0]}/{name}" if self.kind.parents and "/" not in name else name
        before, self.name, old_path = self.read(), full, self.path
        self.path = self.row.rename[1]
        more = {"description": "renamed"} if "description" in self.has_fields() else {}
        changes = self.stage(more, more, renamed_from=old)
        words = {"description": {"old": before["description"], "new": "renamed"}} if more else {}
        assert changes == {"name": {"old": old, "new": full}, **words}
        assert self._raw(old_path) is None
        self.identity = full

    def end(self):
        """Return the changes of ``absent``."""
        changes = self._apply.changed(f"{self.row.state}.absent", self.name, **self.filled(self.row.absent))
        assert self.read() is None
        return changes


# Rows that are enough to see whether a newer daemon's answers are understood; the others with --long.
FEW = ("network", "network_acl", "profile", "project", "storage_volume")
NEWEST = {"incus": "incus-7.3.0", "lxd": "lxd-6.9"}


@pytest.fixture
def answering(request, daemon):
    """Let the daemon answer in its own dialect, or in that of the newest daemon of its family."""
    if request.param == "own":
        yield
        return
    with dialects.speaking(NEWEST[daemon.server]) as seen:
        yield
    assert seen


def lives():
    """Yield a parameter for each row, with the daemon's own answers and with those of a newer daemon."""
    for name in sorted(ROWS):
        yield pytest.param("own", name, id=name)
        marks = [pytest.mark.mainly("lxd"), *([] if name in FEW else [pytest.mark.long])]
        yield pytest.param("newest", name, id=f"{name}-newest", marks=marks)


@pytest.fixture
def life(request, apply, raw, daemon, image, tmp_path):
    """The life of each row; the image is imported if the row uses it, except for the row of images."""
    row = ROWS[request.param]
    pem, digest = certificates.made()
    values = {"file": str(image), "pem": pem, "digest": digest, "folder": str(tmp_path / "pool")}
    (tmp_path / "pool").mkdir()
    if request.param == "image":
        values["image"] = hashlib.sha256(image.read_bytes()).hexdigest()
    elif "{image}" in repr(row):
        values["image"] = request.getfixturevalue("imported")
    return Life(row, apply, raw, daemon, values)


def subset(part, whole):
    """Return whether ``whole`` contains every key of ``part`` with the same value, in nested mappings too."""
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(key in whole and subset(value, whole[key]) for key, value in part.items())
    return part == whole


@pytest.mark.parametrize("answering, life", lives(), indirect=True)
@pytest.mark.usefixtures("answering")
def test_a_resource_lives_as_declared_from_creation_to_absence(life, daemon):
    row = life.row
    if not life.has(row.extension):
        return life.refused()
    if daemon.name in row.fails:
        return life.failing(row.fails[daemon.name])
    life.prepared()
    assert life.stage(row.create, row.created) == {"created": life.identity}
    before = life.read()
    changes = life.stage(row.edit, row.edited)
    assert subset(life.filled(row.edit_changes), changes)
    assert set(changes) == set(row.edit_changes)
    life.alike()
    life.fixed()
    life.stage(row.drop, row.dropped)
    if row.clear:
        life.stage(row.clear, row.cleared)
    kept = {k: v for k, v in (before.get("config") or {}).items() if k.startswith("volatile.")}
    assert subset(kept, life.read().get("config") or {})
    life.described()
    life.renamed()
    assert life.end() == {"deleted": life.identity}
    return None
