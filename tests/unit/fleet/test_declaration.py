"""
The declaration of a fleet, and declarations that are rejected before any request.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxdapi.errors import InvalidError
from lxdapi.fleet import declaration

from tests.support.examples import examples


def test_definition_overrides_the_defaults():
    defaults = {
        "source": {"server": "https://a", "alias": "x"},
        "config": {"user.a": "1", "user.b": "2"},
        "devices": {"d": {"type": "disk", "path": "/a"}},
        "profiles": ["default"],
        "running": True,
        "wait_for": {"ready": True, "timeout": 5},
    }
    own = {
        "source": {"alias": "y"},
        "config": {"user.b": None, "user.c": "3"},
        "devices": {"d": {"path": "/b"}},
        "profiles": ["web"],
        "running": None,
        "wait_for": {"ready": None, "port": 80},
    }
    assert declaration.without_removed(declaration.merge(defaults, {})) == defaults
    assert declaration.without_removed(declaration.merge(defaults, own)) == {
        "source": {"server": "https://a", "alias": "y"},
        "config": {"user.a": "1", "user.b": None, "user.c": "3"},
        "devices": {"d": {"type": "disk", "path": "/b"}},
        "profiles": ["web"],
        "wait_for": {"port": 80, "timeout": 5},
    }


@pytest.mark.parametrize(
    "instances, more, words",
    [
        (["web1"], {}, "expected a mapping of names to definitions for instances"),
        ({"web1": ["x"]}, {}, "expected a mapping for web1"),
        ({"web1": {"sauce": "x"}}, {}, "web1: unknown key sauce; choose from: absent, architecture, cloud_init"),
        ({"web1": None}, {"defaults": {"remote": "x"}}, "defaults: unknown key remote"),
        ({"web[1-2]": {"config": ["x"]}}, {}, "expected a mapping for web[1-2] config"),
        ({"web1": {"config": {"a": 1.5}}}, {}, "web1: expected text (quote the value) for config a, got a float"),
        ({"web1": {"type": "box"}}, {}, "web1: expected container or virtual-machine (or vm) for type, got 'box'"),
        ({"web1": {"running": "perhaps"}}, {}, "web1: expected true or false for running"),
        ({"web1": {"absent": "perhaps"}}, {}, "web1: expected true or false for absent"),
        ({"web1": {"timeout": "long"}}, {}, "web1: expected a number of seconds from 0 to 100000000 for timeout"),
        ({"web1": {"wait_for": {"luck": True}}}, {}, "web1: wait_for: unknown condition luck"),
        ({"web1": {"image_changed": "weep"}}, {}, "web1: expected one of ignore, report, rebuild for image_changed"),
        ({"web1": {"source": 7}}, {}, "web1: expected an alias, a fingerprint or a mapping"),
        ({"web1": None}, {"concurrency": 0}, "expected a number from 1 to 32 for concurrency"),
        ({"web1": None}, {"concurrency": True}, "expected a number from 1 to 32 for concurrency"),
        ({"web1": None}, {"purge": True}, "expected false, stopped or report for purge, got True"),
        ({}, {"purge": "stopped"}, "purge: no instance is declared"),
        ({"web1": {"absent": True}}, {"purge": "stopped"}, "purge: no instance is declared"),
        ({"web1": None}, {"batch": 0}, "expected a number of at least 1 or a percentage (10%) for batch"),
        ({"web1": None}, {"batch": "101%"}, "expected a number of at least 1 or a percentage (10%) for batch"),
        (
            {"web1": None},
            {"max_failures": -1},
            "expected a number of at least 0 or a percentage (10%) for max_failures",
        ),
        (
            {"web1": None},
            {"max_failures": "few"},
            "expected a number of at least 0 or a percentage (10%) for max_failures",
        ),
        ({"web1": None}, {"sensitive": "x"}, "expected a list of keys or patterns (user.db_*) for sensitive, got 'x'"),
    ],
)
def test_invalid_declaration_is_refused(instances, more, words):
    with pytest.raises(InvalidError) as caught:
        declaration.FleetSpec.parse(instances, **more)
    assert words in str(caught.value)


def copy_of(name):
    """Return the definition of a copy."""
    return {"source": {"type": "copy", "source": name}}


def test_source_of_a_copy_comes_before_the_copy():
    given = {"c": copy_of("b/snap"), "b": copy_of("a"), "a": None, "d": copy_of("elsewhere")}
    assert list(declaration.parse_definitions(given)) == ["a", "b", "c", "d"]


def test_a_circle_of_copies_is_refused():
    with pytest.raises(InvalidError, match="a is copied from b is copied from a: this is a circle"):
        declaration.parse_definitions({"a": copy_of("b"), "b": copy_of("a")})


LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=3), st.lists(st.integers(), max_size=2))
TREES = st.recursive(
    st.dictionaries(st.sampled_from("abc"), LEAVES, max_size=3),
    lambda inner: st.dictionaries(st.sampled_from("abc"), st.one_of(LEAVES, inner), max_size=3),
    max_leaves=12,
)


@settings(max_examples=examples(100), deadline=None)
@given(TREES, TREES)
def test_later_declaration_overrides_earlier(old, new):
    def holds(part, whole):
        return all(
            holds(each, whole[key]) if isinstance(each, dict) and isinstance(whole[key], dict) else whole[key] == each
            for key, each in part.items()
        )

    both = declaration.merge(old, new)
    assert holds(new, both) and set(both) == set(old) | set(new)
    assert all(both[key] == old[key] for key in set(old) - set(new))
    assert declaration.merge(both, new) == both
