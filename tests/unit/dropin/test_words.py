"""
Changes in the words of the removed states.
"""

import pytest
from lxdapi.dropin import words

STARTED = {"old": "Stopped", "new": "Running"}
NAME = "web1"


def pair(old, new):
    """Return a change as lxdapi reports it."""
    return {"old": old, "new": new}


@pytest.mark.parametrize(
    "changes, keys",
    [
        ({"created": NAME}, {"created"}),
        ({"created": NAME, "status": STARTED}, {"created", "started"}),
        ({"status": STARTED}, {"running"}),
        ({"status": pair("Frozen", "Running")}, {"running"}),
        ({"status": pair("Running", "Stopped"), "forced": True}, {"stopped"}),
        ({"status": pair("Running", "Running"), "config": {"raw.lxc": pair("a", "b")}}, {"config", "restarted"}),
        ({"config": {"user.a": pair(None, "1")}, "restarted": NAME}, {"config", "restarted"}),
        ({"profiles": pair(["a"], ["b"])}, {"profiles"}),
        ({}, set()),
    ],
)
def test_container_has_the_keys_of_the_removed_state(changes, keys):
    for predicted in (True, False):
        found = words.of_container(NAME, changes, predicted)
        assert set(found) == keys
        assert all(text.startswith("Would ") == predicted for text in texts(found))


def texts(found):
    """Yield every sentence of changes."""
    for value in found.values() if isinstance(found, dict) else found:
        yield from [value] if isinstance(value, str) else texts(value)


@pytest.mark.parametrize(
    "old, new, sentence",
    [
        (None, "1", 'Added config key "k" = "1"'),
        ("1", None, 'Removed config key "k", its value was "1"'),
        ("1", "2", 'Changed config key "k" to "2", its value was "1"'),
    ],
)
def test_config_key_has_a_sentence(old, new, sentence):
    assert words.of_profile("web", {"config": {"k": pair(old, new)}}, False) == {"config": {"k": sentence}}


def test_profiles_are_removed_added_and_reordered():
    found = words.of_container(NAME, {"profiles": pair(["a", "b"], ["b", "c"])}, False)
    assert found == {"profiles": ['Removed profile "a"', 'Added profile "c"']}
    found = words.of_container(NAME, {"profiles": pair(["a", "b"], ["b", "a"])}, False)
    assert found == {"profiles": ["Reordered profiles to b, a"]}


@pytest.mark.parametrize(
    "old, new, keys",
    [
        ("Stopped", "Frozen", {"started", "frozen"}),
        ("Running", "Frozen", {"frozen"}),
        ("Stopped", "Running", {"started"}),
    ],
)
def test_freeze_that_starts_first_has_both_keys(old, new, keys):
    assert set(words.of_frozen(NAME, {"status": pair(old, new)}, False)) == keys


def test_deletion_is_predicted_under_another_key():
    changes = {"status": pair("Running", "Stopped"), "deleted": NAME}
    assert set(words.of_deletion(NAME, changes, True)) == {"removed"}
    assert set(words.of_deletion(NAME, changes, False)) == {"deleted"}
    assert set(words.of_deletion(NAME, {"status": pair("Running", "Stopped")}, False)) == {"stopped"}


def test_alias_of_a_new_image_is_no_change_of_its_own():
    aliases = {"box": pair(None, "f"), "b": pair("e", "f")}
    assert words.of_image("box", {"created": "f", "aliases": aliases}, False) == {
        "created": 'Created the image "box"',
        "aliases": ['Moved alias "b"'],
    }
    assert words.of_image("box", {"aliases": {"c": pair("f", None)}}, True) == {"aliases": ['Would remove alias "c"']}


def test_password_is_in_no_sentence():
    changes = {"config": {"core.trust_password": pair("***", "***")}}
    assert words.of_config("core.trust_password", changes, True) == {"password": "Would set the LXD password"}
    assert words.of_config("core.trust_password", changes, False) == {"core.trust_password": "Changed the password"}
