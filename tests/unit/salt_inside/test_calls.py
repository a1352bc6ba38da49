"""
The arguments of functions that run inside.
"""

import pytest
from lxdapi.errors import InvalidError
from lxdapi.salt_inside import calls, start


@pytest.mark.parametrize(
    "given, args", [(None, []), ("a,b", ["a,b"]), (0, [0]), (["a", {"b": 1}], ["a", {"b": 1}]), ({"a": 1}, [{"a": 1}])]
)
def test_a_single_argument_needs_no_list(given, args):
    assert calls.parse_arguments(given, None) == (args, {})


@pytest.mark.parametrize("kwargs", ["a=1", [1], {1: 2}])
def test_named_arguments_are_a_mapping(kwargs):
    with pytest.raises(InvalidError, match="kwargs"):
        calls.parse_arguments(None, kwargs)


def test_mods_are_a_list_or_text_with_commas():
    assert calls.apply_arguments("a, b.c", False, None, None, None) == ("state.sls", [["a", "b.c"]], {"test": False})
    assert calls.apply_arguments(["a"], True, None, None, None) == ("state.sls", [["a"]], {"test": True})


def test_without_mods_the_top_file_decides():
    expected = ("state.highstate", [], {"test": False, "pillar": {"a": 1}, "saltenv": "dev", "exclude": ["x"]})
    assert calls.apply_arguments(None, "no", {"a": 1}, "dev", "x") == expected


@pytest.mark.parametrize("names", ["", ",", [], [""], [1], 5, {"a": 1}])
def test_invalid_names_are_refused(names):
    with pytest.raises(InvalidError, match="mods"):
        calls.apply_arguments(names, False, None, None, None)


@pytest.mark.parametrize("python", [None, "", "3.11", "python3", ["auto"]])
def test_unknown_python_is_refused(python):
    with pytest.raises(InvalidError, match="expected auto, inside, carried for python"):
        start.parse_python(python)
