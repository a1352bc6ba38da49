"""
The forms of arguments that the removed states accepted.
"""

import pytest
from lxdapi.dropin import inputs, server
from salt.exceptions import SaltInvocationError

DISK = {"type": "disk", "source": "/a", "path": "/b"}


@pytest.mark.parametrize(
    "config, expected",
    [
        ([{"key": "user.a", "value": 1}, {"key": "user.b", "value": None}], {"user.a": "1", "user.b": None}),
        ([{"user.a": True}], {"user.a": "true"}),
        ({"user.a": "x"}, {"user.a": "x"}),
        ({}, {}),
        ([], {}),
    ],
)
def test_config_is_a_mapping_or_a_list(config, expected):
    assert inputs.fields("profile", config, None) == {"config": expected}


@pytest.mark.parametrize("arguments", [("user.a=1", None), (None, "eth0")])
def test_text_is_neither_config_nor_devices(arguments):
    with pytest.raises(SaltInvocationError, match="must not be text"):
        inputs.fields("profile", *arguments)


def test_whole_set_removes_what_is_not_declared():
    actual = {
        "config": {"user.a": "1", "user.b": "1", "volatile.x": "1", "image.os": "x", "user.lxdapi.creating": "1"},
        "devices": {
            "root": {"type": "disk", "path": "/"},
            "disk": {"path": "/"},
            "d": {**DISK, "readonly": "true"},
            "e": DISK,
        },
    }
    declared = {"config": {"user.b": "2"}, "devices": {"d": DISK}, "description": "x"}
    assert inputs.whole(declared, actual) == {
        "config": {"user.a": None, "user.b": "2"},
        "devices": {"d": {**DISK, "readonly": None}, "e": None},
        "description": "x",
    }


def test_undeclared_field_is_not_completed():
    assert inputs.whole({"description": "x"}, {"config": {"user.a": "1"}}) == {"description": "x"}


def test_empty_declaration_clears_nothing_that_is_kept():
    assert inputs.whole({"config": {}}, {"config": {"volatile.x": "1"}}) == {"config": None}


def test_container_has_the_defaults_of_the_removed_state():
    found = inputs.container_fields(None, None, None, "x86_64", False)
    assert found == {"profiles": ["default"], "ephemeral": False, "type": "container"}
    with pytest.raises(SaltInvocationError, match="must be a list"):
        inputs.container_fields(None, None, "web", "x86_64", False)
    with pytest.raises(SaltInvocationError, match="Unknown architecture 'vax'"):
        inputs.container_fields(None, None, None, "vax", False)


def test_keywords_of_salt_are_no_keys_of_a_device():
    assert inputs.device("nic", {"parent": "br0", "__pub_jid": "1"}) == {"parent": "br0", "type": "nic"}


@pytest.mark.parametrize(
    "address, port, expected",
    [
        (None, None, None),
        (None, 8444, ":8444"),
        ("127.0.0.1", None, "127.0.0.1:8443"),
        ("127.0.0.1", 8444, "127.0.0.1:8444"),
        ("127.0.0.1:9", None, "127.0.0.1:9"),
        ("[::]", None, "[::]:8443"),
        ("[::]", 8444, "[::]:8444"),
        ("::1", None, "[::1]:8443"),
        ("[::1]:9", None, "[::1]:9"),
    ],
)
def test_address_gets_a_port(address, port, expected):
    setup = server.Setup(network_address=address, network_port=port)
    assert server.https_address(setup) == expected
