"""
The batches of a fleet.
"""

import pytest
from lxdapi.fleet import batches
from lxdapi.fleet.batches import Batches


@pytest.mark.parametrize(
    "given, total, least, number",
    [(None, 9, 1, None), (3, 9, 1, 3), ("3", 9, 1, 3), ("50%", 9, 1, 4), ("1%", 9, 1, 1), ("1%", 9, 0, 0)],
)
def test_batch_is_a_number_or_a_percentage(given, total, least, number):
    assert batches.parse_count("batch", given, total, least) == number


def test_batches_allow_no_failures_by_default():
    assert [Batches.parse(batch, None, 3).max_failures for batch in (None, 1)] == [None, 0]
    assert Batches.parse(1, 2, 3).max_failures == 2


def test_batches_keep_the_order():
    assert Batches(2).split(["c", "a", "b"]) == [["c", "a"], ["b"]]
    assert Batches().split(["c", "a", "b"]) == [["c", "a", "b"]]
    assert Batches(2).split([]) == Batches().split([]) == []
