"""
Laws of the comparison, for any declaration and any object.
"""

import copy
from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st
from lxdapi.errors import InvalidError
from lxdapi.model import diff, equality
from lxdapi.model.kinds import KINDS

from tests.support.model_daemon import patched, replaced

INSTANCE, IMAGE = KINDS["instance"], KINDS["image"]

KEYS = st.sampled_from(
    ["limits.cpu", "limits.memory", "boot.autostart", "user.a", "raw.lxc", "volatile.x", "image.os", "path", "type"]
)
TEXTS = st.sampled_from(["1", "true", "Yes", "off", "0", "1GiB", "1024MiB", "1073741824", "x", " x ", "é", "1B"])
VALUES = TEXTS | st.booleans() | st.integers(-2, 1024) | st.none() | st.just("")
NAMES = st.sampled_from(["eth0", "root", "d"])
TIMES = st.sampled_from(["", "2030-01-31", "1970-01-01T00:00:00Z", "2030-01-31T01:00:00+01:00"])

DECLARED = st.fixed_dictionaries(
    {},
    optional={
        "config": st.none() | st.dictionaries(KEYS, VALUES, max_size=4),
        "devices": st.dictionaries(NAMES, st.none() | st.dictionaries(KEYS, VALUES, max_size=3), max_size=3),
        "description": TEXTS | st.just(""),
        "profiles": st.lists(st.sampled_from("abc"), unique=True),
        "ephemeral": st.sampled_from([True, False, "yes", "0"]),
    },
)
PRESENT = st.fixed_dictionaries(
    {
        "config": st.dictionaries(KEYS, TEXTS, max_size=5),
        "devices": st.dictionaries(NAMES, st.dictionaries(KEYS, TEXTS, max_size=3), max_size=3),
        "description": TEXTS | st.just(""),
        "profiles": st.lists(st.sampled_from("abc"), unique=True),
        "ephemeral": st.booleans(),
    }
)


def written(wanted, current):
    """Return (the Delta, the object after a write as converge does it)."""
    found = diff.compare(INSTANCE, wanted, current)
    if found.removes:
        return found, replaced(current, {**current, **found.fields})
    return found, patched(current, found.touched)


@given(DECLARED, PRESENT)
def test_second_apply_is_silent(declared, current):
    wanted = diff.normalize(INSTANCE, declared)
    found, after = written(wanted, copy.deepcopy(current))
    assert not diff.compare(INSTANCE, wanted, after)
    assert bool(found) is bool(found.changes) is bool(found.fields)


@given(DECLARED, PRESENT)
def test_patch_and_put_have_the_same_result(declared, current):
    found = diff.compare(INSTANCE, diff.normalize(INSTANCE, declared), current)
    if not found.removes:
        assert patched(current, found.touched) == {**current, **found.fields}


@given(DECLARED, PRESENT)
def test_undeclared_values_survive(declared, current):
    wanted = diff.normalize(INSTANCE, declared)
    _, after = written(wanted, current)
    for field, old in current.items():
        if field not in wanted:
            assert after[field] == old
        elif field == "config":
            kept = {k: v for k, v in old.items() if k not in wanted[field] and (wanted[field] or _daemons(k))}
            assert kept.items() <= after[field].items()
        elif field == "devices" and wanted[field]:
            assert {n: d for n, d in old.items() if n not in wanted[field]}.items() <= after[field].items()


def _daemons(key):
    return key.startswith(("volatile.", "image."))


@given(DECLARED, PRESENT)
def test_declared_values_are_stored_as_text(declared, current):
    wanted = diff.normalize(INSTANCE, declared)
    _, after = written(wanted, current)
    for key, value in (wanted.get("config") or {}).items():
        assert equality.equal(key, after["config"].get(key), value)
    texts = [*after["config"].values(), *(v for device in after["devices"].values() for v in device.values())]
    assert all(isinstance(text, str) and text for text in texts)


@given(DECLARED, PRESENT)
def test_changes_list_exactly_what_changed(declared, current):
    found, after = written(diff.normalize(INSTANCE, declared), current)
    assert {field for field in after if after[field] != current[field]} == set(found.changes)
    for key, pair in found.changes.get("config", {}).items():
        assert pair == {"old": current["config"].get(key), "new": after["config"].get(key)}


@given(DECLARED)
def test_normalization_is_idempotent(declared):
    wanted = diff.normalize(INSTANCE, declared)
    assert diff.normalize(INSTANCE, wanted) == wanted


@given(TEXTS | st.none() | st.just(""), TEXTS | st.none() | st.just(""), KEYS)
def test_equality_is_symmetric(one, other, key):
    assert equality.equal(key, one, other) is equality.equal(key, other, one)
    assert equality.equal(key, one, one)


@given(TIMES, TIMES)
def test_second_apply_of_a_time_is_silent(declared, there):
    wanted = diff.normalize(IMAGE, {"expires_at": declared})
    current = diff.normalize(IMAGE, {"expires_at": there})
    found = diff.compare(IMAGE, wanted, current)
    assert not diff.compare(IMAGE, wanted, {**current, **found.touched})


WILD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.datetimes()
    | st.binary(max_size=2),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=2),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(INSTANCE.fields + IMAGE.fields), WILD, max_size=3))
def test_any_sls_value_is_normalized_or_refused(declared):
    for kind in (INSTANCE, IMAGE):
        try:
            wanted = diff.normalize(kind, declared)
        except InvalidError:
            continue
        assert diff.normalize(kind, wanted) == wanted


@given(st.datetimes(min_value=datetime(1900, 1, 1), timezones=st.timezones()))
def test_any_time_is_normalized_or_refused(moment):
    for given_time in (moment, moment.isoformat()):
        try:
            wanted = diff.normalize(IMAGE, {"expires_at": given_time})
        except InvalidError:
            continue
        assert diff.normalize(IMAGE, wanted) == wanted
