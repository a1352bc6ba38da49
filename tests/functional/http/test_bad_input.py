"""
Input that lxdapi rejects before it sends any request: names, values, types.
"""

import pytest

SNAPSHOTS = "instances/c1/snapshots/"
NAMES = ["", "a b", "a/b", "..", ".", "a?b", "a\nb", "a\x00b", "-a", "a-", "a" * 64, "1234", "é", None]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("function", ["present", "absent", "running"])
def test_a_bad_instance_name_is_refused_before_any_request(apply, function, name):
    comment = apply.refused(f"lxdapi_instance.{function}", name)
    assert "1 to 63 letters, digits or '-'" in comment


@pytest.mark.parametrize("name", ["", "a/b", "..", ".", "a\nb", "\ud800"])
def test_a_bad_profile_name_is_refused_before_any_request(apply, name):
    assert "no '/', not '.' or '..'" in apply.refused("lxdapi_profile.present", name)


@pytest.mark.parametrize("name", ["", "..", ".", "a\nb"])
def test_a_bad_alias_is_refused_before_any_request(apply, name):
    assert "not '.' or '..'" in apply.refused("lxdapi_image_alias.present", name, target="0" * 64)


@pytest.mark.parametrize("name", ["", "..", ".", "a b", "%2e%2e", "a%41b", "a\tb"])
def test_a_bad_snapshot_name_is_refused_before_any_request(apply, name):
    """All three daemons decode the name twice: %2e%2e is the folder of all snapshots."""
    assert "no '/' or '%', no white space" in apply.refused("lxdapi_instance_snapshot.present", f"c1/{name}")


@pytest.mark.parametrize("target", ["%", "abc", "0" * 63, "0" * 65, "g" * 64, None, 1])
def test_short_or_invalid_fingerprint_is_refused(apply, target):
    assert "64 hexadecimal digits" in apply.refused("lxdapi_image_alias.present", "box", target=target)


@pytest.mark.parametrize("value", [[1], {"a": 1}, 1.5, "a\x00b", "\ud800", b"bytes"])
def test_non_text_config_value_is_refused_before_any_request(apply, value):
    comment = apply.refused("lxdapi_profile.present", "web", config={"user.a": value})
    assert comment.startswith(("profile web: expected text (", "profile web: config user.a")) and "user.a" in comment


@pytest.mark.parametrize(
    "declared, words",
    [
        ({"config": "limits.cpu=2"}, "expected a mapping for config"),
        ({"devices": ["eth0"]}, "expected a mapping of names to devices for devices, got a list"),
        ({"devices": {"eth0": "nic"}}, "expected a mapping for devices eth0"),
        ({"profiles": "default"}, "expected a list of names for profiles, got 'default'"),
        ({"profiles": ["a", "a"]}, "duplicate name in profiles"),
        ({"ephemeral": "maybe"}, "expected true or false for ephemeral"),
        ({"type": "jail"}, "expected container or virtual-machine (or vm) for type"),
        ({"running": "maybe"}, "expected true or false for running"),
    ],
)
def test_wrong_argument_type_is_refused_before_any_request(apply, declared, words):
    assert words in apply.refused("lxdapi_instance.present", "c1", **declared)


def test_an_unknown_argument_stops_the_state_and_names_it(apply, daemon):
    with pytest.raises(TypeError, match="confg"):
        apply("lxdapi_profile.present", "web", confg={})


@pytest.mark.parametrize(
    "path", ["../1.0", "instances/../profiles", "a#b", "a\nb", "%2e%2e/x", SNAPSHOTS + "%252e%252e", "a\\b"]
)
def test_a_raw_path_that_would_reach_something_else_is_refused(salt, proxy, path):
    for method in ("get", "delete"):
        with pytest.raises(ValueError, match="REST path"):
            salt.modules[f"lxdapi.{method}"](path)
    assert proxy.seen == []


def test_an_unknown_remote_and_an_unknown_setting_are_named(salt, tmp_path):
    with pytest.raises(ValueError, match=r"unknown remote 'nope' \(lxdapi:remotes\); choose from: local"):
        salt.modules["lxdapi.server"](remote="nope")
