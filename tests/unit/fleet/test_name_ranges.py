"""
Ranges of names, and short texts for many names.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxdapi.errors import InvalidError
from lxdapi.fleet import name_ranges

from tests.support.examples import examples


@pytest.mark.parametrize(
    "entry, names",
    [
        ("web", ["web"]),
        ("web[01-03]", ["web01", "web02", "web03"]),
        ("web[8-11]", ["web8", "web9", "web10", "web11"]),
        ("web[1-3,7]", ["web1", "web2", "web3", "web7"]),
        ("web[08-10]x", ["web08x", "web09x", "web10x"]),
        ("r[1-2]n[1-2]", ["r1n1", "r1n2", "r2n1", "r2n2"]),
        ("web[7]", ["web7"]),
        ("web[0-1]", ["web0", "web1"]),
    ],
)
def test_a_range_gives_names_in_order(entry, names):
    assert name_ranges.expand(entry) == names


@pytest.mark.parametrize(
    "entry, words",
    [
        ("web[3-1]", "3 is greater than 1"),
        ("web[01-100]", "expected the same number of digits in 01 and 100"),
        ("web[1-10001]", "expected at most 10000 names"),
        ("a[1-999]b[1-999]", "expected at most 10000 names"),
        ("web[0-999999999]", "expected at most 10000 names"),
        ("web[1-2,2]", "a name is duplicate"),
        ("web[a-b]", "is not valid"),
        ("web[]", "is not valid"),
        ("web[1-2", "is not valid"),
        ("[1-2]", "is not valid"),
        (7, "expected text for instance name, got 7"),
        (None, "expected text for instance name, got null"),
    ],
)
def test_invalid_range_is_refused(entry, words):
    with pytest.raises(InvalidError, match=words):
        name_ranges.expand(entry)


def test_duplicate_name_is_refused_with_both_entries():
    with pytest.raises(InvalidError, match=r"duplicate name web05: in web\[01-20\] and in web05"):
        name_ranges.expand_keys({"web[01-20]": None, "web05": None})
    assert name_ranges.expand_keys({"b": 1, "a[1-2]": 2}) == {"b": 1, "a1": 2, "a2": 2}


@pytest.mark.parametrize(
    "names, words",
    [
        ([], ""),
        (["b", "a"], "a, b"),
        (["web1", "web2"], "web1, web2"),
        (["web10", "web9", "web8"], "web[8-10]"),
        (["web08", "web09", "web10", "db"], "db, web[08-10]"),
        (["web9", "web10", "web099", "web100"], "web9, web10, web099, web100"),
        (["a1x", "a2x", "a3x", "a5x"], "a[1-3]x, a5x"),
        ([f"n{number}" for number in range(0, 40, 2)], "n0, n2, n4, n6, n8, n10, n12, n14, n16, n18 and 10 more"),
    ],
)
def test_many_names_are_shortened(names, words):
    assert name_ranges.fold(names) == words


NAMES = st.sets(st.from_regex(r"[a-c]{1,2}[0-9]{0,3}([ab][0-9]{0,2})?", fullmatch=True), max_size=40)


@settings(max_examples=examples(100), deadline=None)
@given(NAMES)
def test_folded_names_expand_to_the_same_names(names):
    words = name_ranges.fold(names, None)
    expanded = [name for word in words.split(", ") if word for name in name_ranges.expand(word)]
    assert sorted(expanded) == sorted(names)
