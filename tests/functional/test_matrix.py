"""
Every kind through its whole life: create, again, edit, again, drop a key, again, absent, again.

Each change is first predicted by the test mode, to the letter; test mode and second runs send only
GETs; what came of it is read past the code under test.
"""

import hashlib
from dataclasses import dataclass, field

import pytest


@dataclass(frozen=True)
class Row:
    """
    One kind's life: what is declared at each stage, and what the object then holds.

    ``path`` takes the fingerprint of the session's image as ``{image}``, as does every value.
    """

    state: str
    name: str
    path: str
    create: dict
    created: dict
    edit: dict
    edited: dict
    edit_changes: dict
    drop: dict
    dropped: dict
    absent: dict = field(default_factory=dict)
    extension: str = None


ROWS = {
    "profile": Row(
        "lxdapi_profile",
        "web",
        "profiles/web",
        create={"description": "web", "config": {"limits.cpu": 2, "user.keep": "me", "user.drop": "x"}},
        created={
            "description": "web",
            "config": {"limits.cpu": "2", "user.keep": "me", "user.drop": "x"},
            "devices": {},
        },
        edit={"config": {"limits.cpu": 4}, "devices": {"tmp": {"type": "disk", "path": "/t", "source": "/tmp"}}},
        edited={
            "description": "web",
            "config": {"limits.cpu": "4", "user.keep": "me", "user.drop": "x"},
            "devices": {"tmp": {"type": "disk", "path": "/t", "source": "/tmp"}},
        },
        edit_changes={
            "config": {"limits.cpu": {"old": "2", "new": "4"}},
            "devices": {"tmp": {"old": None, "new": {"type": "disk", "path": "/t", "source": "/tmp"}}},
        },
        drop={"config": {"user.drop": None}, "devices": {"tmp": None}},
        dropped={"description": "web", "config": {"limits.cpu": "4", "user.keep": "me"}, "devices": {}},
    ),
    "network_address_set": Row(
        "lxdapi_network_address_set",
        "web",
        "network-address-sets/web",
        create={"addresses": ["192.0.2.1", "2001:db8::1"], "config": {"user.keep": "me", "user.drop": "x"}},
        created={"config": {"user.keep": "me", "user.drop": "x"}, "description": ""},
        edit={"description": "web", "addresses": ["2001:DB8::1", "198.51.100.0/24"]},
        edited={"description": "web", "config": {"user.keep": "me", "user.drop": "x"}},
        edit_changes={
            "description": {"old": "", "new": "web"},
            "addresses": {"new": ["198.51.100.0/24", "2001:db8::1"]},
        },
        drop={"config": {"user.drop": None}, "addresses": []},
        dropped={"description": "web", "config": {"user.keep": "me"}, "addresses": []},
        extension="network_address_set",
    ),
    "image_alias": Row(
        "lxdapi_image_alias",
        "team/box:1.36",
        "images/aliases/team%2Fbox%3A1.36",
        create={"target": "{image}", "description": "one"},
        created={"target": "{image}", "description": "one"},
        edit={"target": "{image}", "description": "two\nlines"},
        edited={"target": "{image}", "description": "two\nlines"},
        edit_changes={"description": {"old": "one", "new": "two\nlines"}},
        drop={"target": "{image}", "description": ""},
        dropped={"target": "{image}", "description": ""},
    ),
    "image": Row(
        "lxdapi_image",
        "{image}",
        "images/{image}",
        create={"source": "{file}", "properties": {"owner": "me", "drop": "x"}},
        created={"public": False, "auto_update": False},
        edit={
            "public": True,
            "auto_update": True,
            "properties": {"owner": "you"},
            "expires_at": "2031-01-31T12:00:00Z",
        },
        edited={"public": True, "auto_update": True, "expires_at": "2031-01-31T12:00:00Z"},
        edit_changes={
            "public": {"old": False, "new": True},
            "auto_update": {"old": False, "new": True},
            "properties": {"owner": {"old": "me", "new": "you"}},
            "expires_at": {"new": "2031-01-31T12:00:00Z"},
        },
        drop={"properties": {"drop": None}, "expires_at": ""},
        dropped={"public": True},
    ),
    "instance": Row(
        "lxdapi_instance",
        "c1",
        "instances/c1",
        create={
            "source": "{image}",
            "description": "one",
            "config": {"limits.memory": "64MiB", "boot.autostart": False, "user.drop": "x"},
        },
        created={"description": "one", "status": "Stopped", "profiles": ["default"], "ephemeral": False},
        edit={
            "config": {"limits.memory": "128MiB"},
            "devices": {"tmp": {"type": "disk", "path": "/t", "source": "/tmp"}},
        },
        edited={"devices": {"tmp": {"type": "disk", "path": "/t", "source": "/tmp"}}, "description": "one"},
        edit_changes={
            "config": {"limits.memory": {"old": "64MiB", "new": "128MiB"}},
            "devices": {"tmp": {"old": None, "new": {"type": "disk", "path": "/t", "source": "/tmp"}}},
        },
        drop={"config": {"user.drop": None}, "devices": {}},
        dropped={"devices": {}, "description": "one"},
    ),
}


class Life:
    """A row's life on one daemon."""

    def __init__(self, row, apply, raw, values):
        self.row, self._apply, self._raw = row, apply, raw
        self._values = values
        self.name = self.filled(row.name)

    def filled(self, value):
        if isinstance(value, dict):
            return {key: self.filled(inner) for key, inner in value.items()}
        return value.format(**self._values) if isinstance(value, str) else value

    def lacking(self, daemon):
        """Return True if the daemon does not know the kind."""
        extensions = daemon.request("GET", "/1.0")[1]["metadata"]["api_extensions"]
        return bool(self.row.extension) and self.row.extension not in extensions

    def refused(self):
        """Prove that the daemon's lack is said having read nothing but who it is, and is an absence."""
        declared = self.filled(self.row.create)
        for answer in (self._apply.predicted, self._apply.failed):
            self._apply.clear()
            ret = answer(f"{self.row.state}.present", self.name, **declared)
            assert f"it lacks the API extension {self.row.extension}" in str(ret)
            assert self._apply.seen() <= {"/1.0"}
        self._apply.unchanged(f"{self.row.state}.absent", self.name)

    def read(self):
        """Return the object as the daemon has it."""
        return self._raw(self.filled(self.row.path))

    def stage(self, declared, holds):
        """Return the changes of one stage, having compared what the daemon then holds."""
        changes = self._apply.changed(f"{self.row.state}.present", self.name, **self.filled(declared))
        found = self.read()
        expected = self.filled(holds)
        assert {key: found[key] for key in expected} == expected
        return changes

    def end(self):
        """Return the changes of the absence."""
        changes = self._apply.changed(f"{self.row.state}.absent", self.name, **self.row.absent)
        assert self.read() is None
        return changes


@pytest.fixture(params=sorted(ROWS))
def life(request, apply, raw, image):
    """The life of each kind; only the image's own begins without the image."""
    row = ROWS[request.param]
    values = {"file": str(image)}
    if request.param == "image":
        values["image"] = hashlib.sha256(image.read_bytes()).hexdigest()
    else:
        values["image"] = request.getfixturevalue("imported")
    return Life(row, apply, raw, values)


def subset(part, whole):
    """Return True if every key of part is in whole with that value, maps likewise."""
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(key in whole and subset(value, whole[key]) for key, value in part.items())
    return part == whole


def test_a_resource_lives_as_declared_from_creation_to_absence(life, daemon):
    row, name = life.row, life.name
    if life.lacking(daemon):
        return life.refused()
    assert life.read() is None
    assert life.stage(row.create, row.created) == {"created": name}
    before = life.read()
    changes = life.stage(row.edit, row.edited)
    assert subset(life.filled(row.edit_changes), changes)
    assert set(changes) == set(row.edit_changes)
    life.stage(row.drop, row.dropped)
    kept = {k: v for k, v in (before.get("config") or {}).items() if k.startswith("volatile.")}
    assert subset(kept, life.read().get("config") or {})
    assert life.end() == {"deleted": name}
    return None
