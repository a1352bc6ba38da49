"""
Which instances are sealed: as declared, or by the setting.
"""

import pytest
from lxdapi.errors import InvalidError
from lxdapi.minion import salt_sessions


@pytest.mark.parametrize(
    "setting, declared, sealed",
    [
        (False, None, False),
        (None, None, False),
        (True, None, True),
        (["db*", "web1"], None, True),
        (["db*", "web2"], None, False),
        ([], None, False),
        (True, False, False),
        (["db*"], True, True),
        ("yes", None, True),
    ],
)
def test_setting_counts_unless_the_call_declares_it(setting, declared, sealed):
    names = {"__salt__": {"config.get": lambda key, default: setting}}
    assert salt_sessions.is_sealed(names, "web1", declared) is sealed


@pytest.mark.parametrize("setting, declared", [("web*", None), ({"web1": True}, None), (False, "perhaps")])
def test_anything_else_is_refused(setting, declared):
    with pytest.raises(InvalidError, match="sealed"):
        salt_sessions.is_sealed({"__salt__": {"config.get": lambda key, default: setting}}, "web1", declared)
