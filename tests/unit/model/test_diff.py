"""
Comparison by meaning: tables of equal and different values, of changes, and of errors.
"""

from datetime import date, datetime, timezone

import pytest
from lxdapi.errors import InvalidError
from lxdapi.model import diff, equality
from lxdapi.model.kinds import KINDS
from lxdapi.model.schema import FIELDS

INSTANCE, PROFILE, IMAGE, ALIAS = (KINDS[word] for word in ("instance", "profile", "image", "image_alias"))
# "Never expires" as LXD and as Incus write it; the first clears a time on both.
EPOCH, ZERO = "1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z"
NIC = {"type": "nic", "network": "br0", "limits.max": "10MB"}


def delta(kind, wanted, current):
    """Return the Delta of a declaration and an object."""
    return diff.compare(kind, diff.normalize(kind, wanted), current)


SAME = [
    ("limits.cpu", "2", "2"),
    ("limits.cpu", None, ""),
    ("limits.memory", "1GiB", "1024MiB"),
    ("limits.memory", "1GiB", "1073741824"),
    ("limits.memory", "1024B", "1KiB"),
    ("limits.memory", "1kB", "1000"),
    ("limits.memory", "1EB", "1000000000000000000B"),
    ("limits.memory", "2GB", "2000MB"),
    ("limits.memory", "1EiB", "1024PiB"),
    ("limits.ingress", "1Gbit", "1000Mbit"),
    ("limits.ingress", "1kbit", "1000bit"),
    ("limits.ingress", "1Kibit", "1024bit"),
    ("limits.ingress", "1Mibit", "1024Kibit"),
    ("boot.autostart", "true", "True"),
    ("boot.autostart", "1", "yes"),
    ("boot.autostart", "on", "TRUE"),
    ("boot.autostart", "false", "0"),
    ("boot.autostart", "no", "OFF"),
    ("security.nesting", "true", "yes"),
    ("readonly", "True", "true"),
    ("hwaddr", "00:16:3E:AA:BB:0C", "00:16:3e:aa:bb:0c"),
    ("bridge.hwaddr", "00:16:3E:AA:BB:0C", "00:16:3e:aa:bb:0c"),
]
DIFFERENT = [
    ("limits.cpu", "2", "3"),
    ("limits.cpu", "2", None),
    ("limits.memory", "2GB", "2GiB"),
    ("limits.memory", "50%", "50"),
    ("limits.ingress", "10Mbit", "10MB"),
    ("limits.ingress", "1bit", "1B"),
    ("limits.memory", "1gib", "1GiB"),
    ("limits.memory", "1XB", "1YB"),
    ("boot.autostart", "true", "false"),
    ("boot.autostart", "false", None),
    ("user.x", "true", "True"),
    ("hwaddr", "00:16:3e:aa:bb:0c", "00:16:3e:aa:bb:0d"),
    ("hwaddr", "00:16:3e:aa:bb:0c", None),
    ("user.x", "1GiB", "1024MiB"),
    ("user.x", "007", "7"),
    ("environment.A", "yes", "true"),
    ("raw.lxc", "1", "true"),
    ("cloud-init.user-data", "on", "true"),
    ("image.os", "1", "yes"),
    ("volatile.x", "1", "yes"),
    ("name", "1", "yes"),
    ("source", "1KiB", "1024"),
    ("path", "1", "on"),
    ("parent", "0", "no"),
    ("user.x", "a", "a "),
    ("raw.lxc", "a\n", "a"),
]


@pytest.mark.parametrize("key, one, other", SAME)
def test_two_spellings_of_one_value_are_equal(key, one, other):
    assert equality.equal(key, one, other) and equality.equal(key, other, one)


@pytest.mark.parametrize("key, one, other", DIFFERENT)
def test_two_values_are_not_equal(key, one, other):
    assert not equality.equal(key, one, other) and not equality.equal(key, other, one)


@pytest.mark.parametrize("key, one, other", SAME)
def test_another_spelling_in_an_object_is_no_change(key, one, other):
    assert not delta(PROFILE, {"config": {key: one}}, {"config": {key: other}})
    assert not delta(PROFILE, {"devices": {"d": {key: one}}}, {"devices": {"d": {key: other}}})


CURRENT = {
    "architecture": "x86_64",
    "config": {"limits.cpu": "2", "user.keep": "me", "volatile.uuid": "u", "image.os": "busybox"},
    "description": "text",
    "devices": {"eth0": NIC, "root": {"type": "disk", "path": "/", "pool": "p"}},
    "ephemeral": False,
    "profiles": ["default", "web"],
    "stateful": False,
    "type": "container",
}
OLD, OTHERS = CURRENT["config"], {k: v for k, v in CURRENT["config"].items() if k != "limits.cpu"}
ROOT = CURRENT["devices"]["root"]

# (declaration, changes, complete fields, body of the PATCH, whether something is removed)
CHANGES = {
    "a key is added": (
        {"config": {"user.new": "x"}},
        {"config": {"user.new": {"old": None, "new": "x"}}},
        {"config": {**OLD, "user.new": "x"}},
        {"config": {"user.new": "x"}},
        False,
    ),
    "a key changes, by a number": (
        {"config": {"limits.cpu": 4}},
        {"config": {"limits.cpu": {"old": "2", "new": "4"}}},
        {"config": {**OLD, "limits.cpu": "4"}},
        {"config": {"limits.cpu": "4"}},
        False,
    ),
    "null removes a key": (
        {"config": {"limits.cpu": None}},
        {"config": {"limits.cpu": {"old": "2", "new": None}}},
        {"config": OTHERS},
        {"config": {"limits.cpu": ""}},
        True,
    ),
    "an empty text removes a key": (
        {"config": {"limits.cpu": ""}},
        {"config": {"limits.cpu": {"old": "2", "new": None}}},
        {"config": OTHERS},
        {"config": {"limits.cpu": ""}},
        True,
    ),
    "an empty mapping clears, but for what the daemon keeps": (
        {"config": {}},
        {"config": {"limits.cpu": {"old": "2", "new": None}, "user.keep": {"old": "me", "new": None}}},
        {"config": {"volatile.uuid": "u", "image.os": "busybox"}},
        {"config": {"limits.cpu": "", "user.keep": ""}},
        True,
    ),
    "what the daemon keeps is compared where it is named": (
        {"config": {"image.os": "mine", "volatile.uuid": None}},
        {"config": {"image.os": {"old": "busybox", "new": "mine"}, "volatile.uuid": {"old": "u", "new": None}}},
        {"config": {"limits.cpu": "2", "user.keep": "me", "image.os": "mine"}},
        {"config": {"image.os": "mine", "volatile.uuid": ""}},
        True,
    ),
    "a device is added": (
        {"devices": {"d": {"type": "disk", "path": "/d", "readonly": True, "size": None}}},
        {"devices": {"d": {"old": None, "new": {"type": "disk", "path": "/d", "readonly": "true"}}}},
        {"devices": {**CURRENT["devices"], "d": {"type": "disk", "path": "/d", "readonly": "true"}}},
        {"devices": {"d": {"type": "disk", "path": "/d", "readonly": "true"}}},
        False,
    ),
    "a device's key changes, its others stay": (
        {"devices": {"eth0": {"limits.max": "20MB"}}},
        {"devices": {"eth0": {"old": {"limits.max": "10MB"}, "new": {"limits.max": "20MB"}}}},
        {"devices": {"eth0": {**NIC, "limits.max": "20MB"}, "root": ROOT}},
        {"devices": {"eth0": {**NIC, "limits.max": "20MB"}}},
        False,
    ),
    "a device's key goes, by a PATCH of the whole device": (
        {"devices": {"eth0": {"limits.max": None}}},
        {"devices": {"eth0": {"old": {"limits.max": "10MB"}, "new": {"limits.max": None}}}},
        {"devices": {"eth0": {"type": "nic", "network": "br0"}, "root": ROOT}},
        {"devices": {"eth0": {"type": "nic", "network": "br0"}}},
        False,
    ),
    "another type replaces the device": (
        {"devices": {"eth0": {"type": "none"}}},
        {"devices": {"eth0": {"old": NIC, "new": {"type": "none"}}}},
        {"devices": {"eth0": {"type": "none"}, "root": ROOT}},
        {"devices": {"eth0": {"type": "none"}}},
        False,
    ),
    "null removes a device": (
        {"devices": {"eth0": None}},
        {"devices": {"eth0": {"old": NIC, "new": None}}},
        {"devices": {"root": ROOT}},
        {"devices": {}},
        True,
    ),
    "an empty mapping removes all devices": (
        {"devices": {}},
        {"devices": {"eth0": {"old": NIC, "new": None}, "root": {"old": ROOT, "new": None}}},
        {"devices": {}},
        {"devices": {}},
        True,
    ),
    "the order of profiles counts": (
        {"profiles": ["web", "default"]},
        {"profiles": {"old": ["default", "web"], "new": ["web", "default"]}},
        {"profiles": ["web", "default"]},
        {"profiles": ["web", "default"]},
        False,
    ),
    "an empty list clears": (
        {"profiles": []},
        {"profiles": {"old": ["default", "web"], "new": []}},
        {"profiles": []},
        {"profiles": []},
        False,
    ),
    "an empty text clears": (
        {"description": ""},
        {"description": {"old": "text", "new": ""}},
        {"description": ""},
        {"description": ""},
        False,
    ),
    "a truth changes": (
        {"ephemeral": "yes"},
        {"ephemeral": {"old": False, "new": True}},
        {"ephemeral": True},
        {"ephemeral": True},
        False,
    ),
}


@pytest.mark.parametrize("wanted, changes, fields, touched, removes", CHANGES.values(), ids=CHANGES)
def test_only_differences_are_reported_and_written(wanted, changes, fields, touched, removes):
    found = delta(INSTANCE, wanted, CURRENT)
    assert found.changes == changes
    assert found.fields == fields
    assert found.touched == touched
    assert found.removes is removes
    assert found


SILENT = {
    "nothing is declared": {},
    "everything is undeclared": dict.fromkeys(INSTANCE.fields),
    "a key is as it is": {"config": {"limits.cpu": 2}},
    "what is not there is removed": {"config": {"user.gone": None}, "devices": {"gone": None}},
    "a list of one-key mappings is a mapping": {"config": [{"limits.cpu": 2}, {"user.keep": "me"}]},
    "a device is named only": {"devices": {"eth0": {}}},
    "a key of a device is as it is": {"devices": {"eth0": {"limits.max": "10000kB", "mtu": None}}},
    "profiles in their order": {"profiles": ["default", "web"]},
    "profiles in a tuple": {"profiles": ("default", "web")},
    "texts and truths": {"description": "text", "ephemeral": "no", "architecture": "x86_64"},
    "a create-only field": {"type": "virtual-machine"},
}


@pytest.mark.parametrize("wanted", SILENT.values(), ids=SILENT)
def test_object_as_declared_is_no_change(wanted):
    assert not delta(INSTANCE, wanted, CURRENT)


@pytest.mark.parametrize("empty", [None, {}])
def test_missing_map_equals_an_empty_map(empty):
    assert not delta(INSTANCE, {"config": {}, "devices": {}}, {"config": empty, "devices": empty})
    found = delta(INSTANCE, {"config": {"a.b": "c"}}, {"config": empty})
    assert found.fields == {"config": {"a.b": "c"}}


@pytest.mark.parametrize("field, empty", [("description", ""), ("profiles", []), ("ephemeral", False)])
def test_field_left_out_by_daemon_is_empty(field, empty):
    assert not delta(INSTANCE, {field: empty}, {})


def test_profile_config_has_no_daemon_keys():
    found = delta(PROFILE, {"config": {}}, {"config": {"image.os": "x", "user.a": "b"}})
    assert found.fields == {"config": {}}


def test_compared_objects_are_not_modified():
    before = repr(CURRENT)
    for wanted, *_ in CHANGES.values():
        delta(INSTANCE, wanted, CURRENT)
    assert repr(CURRENT) == before


@pytest.mark.parametrize("field", ["config", "devices"])
def test_secrets_are_masked_in_changes_and_sent_in_full(field):
    keys = {"user.password": "old-one"} if field == "config" else {"d": {"user.password": "old-one"}}
    new = {"user.password": "new-one"} if field == "config" else {"d": {"user.password": "new-one"}}
    found = delta(PROFILE, {field: new}, {field: keys})
    assert "one" not in repr(found.changes) and "(hidden)" in repr(found.changes)
    assert found.touched == {field: new}


def test_added_or_removed_secret_is_visible():
    come = delta(PROFILE, {"config": {"user.password": "x"}}, {"config": {}})
    gone = delta(PROFILE, {"config": {"user.password": None}}, {"config": {"user.password": "x"}})
    assert come.changes == {"config": {"user.password": {"old": None, "new": "(hidden)"}}}
    assert gone.changes == {"config": {"user.password": {"old": "(hidden)", "new": None}}}


def test_device_with_secret_is_masked_when_added_or_removed():
    device = {"d": {"type": "x", "token": "s3cret"}}
    gone = delta(PROFILE, {"devices": {"d": None}}, {"devices": device})
    come = delta(PROFILE, {"devices": device}, {"devices": {}})
    assert "s3cret" not in repr(gone.changes) + repr(come.changes)
    assert gone.changes and come.fields == {"devices": device}


@pytest.mark.parametrize(
    "declared, there",
    [
        ("2030-01-31T00:00:00Z", "2030-01-31T00:00:00Z"),
        ("2030-01-31", "2030-01-31T00:00:00Z"),
        ("2030-01-31 01:00:00+01:00", "2030-01-31T00:00:00Z"),
        ("2030-01-31T00:00:00.000Z", "2030-01-31T00:00:00Z"),
        ("2030-01-31T00:00:00Z", "2030-01-31T00:00:00.123456789Z"),
        (date(2030, 1, 31), "2030-01-31T00:00:00Z"),
        (datetime(2030, 1, 31, tzinfo=timezone.utc), "2030-01-31T00:00:00Z"),
        ("", ZERO),
        ("", EPOCH),
        (ZERO, EPOCH),
        (EPOCH, ZERO),
    ],
)
def test_times_are_compared_by_meaning_and_zero_means_never(declared, there):
    assert not delta(IMAGE, {"expires_at": declared}, {"expires_at": there})


def test_another_time_is_a_change_in_the_format_of_the_daemon():
    found = delta(IMAGE, {"expires_at": "2031-01-31T02:00:00+02:00"}, {"expires_at": ZERO})
    assert found.touched == {"expires_at": "2031-01-31T00:00:00Z"}


@pytest.mark.parametrize("declared", ["", ZERO, EPOCH])
def test_time_is_cleared_by_the_epoch(declared):
    found = delta(IMAGE, {"expires_at": declared}, {"expires_at": "2031-01-31T00:00:00Z"})
    assert found.touched == {"expires_at": EPOCH}


REFUSED = [
    (PROFILE, {"bogus": 1}, "bogus"),
    (PROFILE, {"bogus": None}, "bogus"),
    (PROFILE, {"profiles": ["x"]}, "profiles"),
    (ALIAS, {"config": {}}, "config"),
    (PROFILE, {"config": "text"}, "mapping"),
    (PROFILE, {"config": 5}, "mapping"),
    (PROFILE, {"config": ["a"]}, "mapping"),
    (PROFILE, {"config": {"limits.cpu": 1.5}}, "limits.cpu"),
    (PROFILE, {"config": {"limits.cpu": [1]}}, "limits.cpu"),
    (PROFILE, {"config": {"limits.cpu": {"a": 1}}}, "limits.cpu"),
    (PROFILE, {"config": {"user.x": "a\x00b"}}, "user.x"),
    (PROFILE, {"config": {"user.x": "\ud800"}}, "user.x"),
    (PROFILE, {"config": {5: "x"}}, "config"),
    (PROFILE, {"config": {"": "x"}}, "config"),
    (PROFILE, {"config": {"a\n": "x"}}, "config"),
    (PROFILE, {"config": {None: "x"}}, "config"),
    (PROFILE, {"devices": ["d"]}, "devices"),
    (PROFILE, {"devices": {"d": "disk"}}, "d"),
    (PROFILE, {"devices": {"d": {"size": 1.5}}}, "size"),
    (PROFILE, {"devices": {"": {}}}, "devices"),
    (PROFILE, {"description": 1.5}, "description"),
    (PROFILE, {"description": ["x"]}, "description"),
    (PROFILE, {"description": "a\x00"}, "description"),
    (INSTANCE, {"profiles": "web"}, "profiles"),
    (INSTANCE, {"profiles": [1]}, "profiles"),
    (INSTANCE, {"profiles": ["a", "a"]}, "duplicate name in profiles"),
    (INSTANCE, {"profiles": {"a": 1}}, "profiles"),
    (INSTANCE, {"ephemeral": "maybe"}, "maybe"),
    (INSTANCE, {"ephemeral": 2}, "2"),
    (INSTANCE, {"ephemeral": []}, "ephemeral"),
    (IMAGE, {"expires_at": "tomorrow"}, "tomorrow"),
    (IMAGE, {"expires_at": "2030-13-01"}, "expires_at"),
    (IMAGE, {"expires_at": True}, "expires_at"),
    (IMAGE, {"expires_at": "9999-12-31T23:59:59-12:00"}, "expires_at"),
]


@pytest.mark.parametrize("kind, wanted, word", REFUSED, ids=lambda value: ascii(value) if type(value) is dict else "")
def test_invalid_declaration_is_refused_and_named(kind, wanted, word):
    with pytest.raises(InvalidError, match=word):
        diff.normalize(kind, wanted)


def test_unknown_field_error_lists_fields():
    with pytest.raises(InvalidError, match="profile: unknown field confg; choose from: config, description, devices"):
        diff.normalize(PROFILE, {"confg": {}})


def test_changed_immutable_field_is_reported():
    assert diff.immutable_differences(INSTANCE, {"type": "container"}, CURRENT) == []
    assert diff.immutable_differences(INSTANCE, {}, CURRENT) == []
    (words,) = diff.immutable_differences(INSTANCE, {"type": "virtual-machine"}, CURRENT)
    assert "type" in words and "container" in words and "virtual-machine" in words


def test_every_field_has_a_type():
    for kind in KINDS.values():
        assert set(kind.fields + kind.create_only) <= set(FIELDS)
