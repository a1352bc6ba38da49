"""
The batches of a fleet: the number of instances at a time, and the number of failures after which it stops.
"""

import math
import re
from dataclasses import dataclass
from typing import Optional

from lxdapi.errors import InvalidError


@dataclass(frozen=True)
class Batches:
    """
    The declared batches; :meth:`parse` validates them.

    size
        The number of instances in a batch. Default: one batch for all.
    max_failures
        The number of failures after which no further instance is changed. Default: no limit.
    """

    size: Optional[int] = None
    max_failures: Optional[int] = None

    @classmethod
    def parse(cls, batch, max_failures, total):
        """Return the batches of ``total`` instances; without ``max_failures`` the first failure ends them."""
        size = parse_count("batch", batch, total, 1)
        limit = parse_count("max_failures", max_failures, total, 0)
        return cls(size, 0 if limit is None and size is not None else limit)

    def split(self, names):
        """Return the names as a list of batches, in order."""
        size = self.size or max(1, len(names))
        return [names[start : start + size] for start in range(0, len(names), size)]


def parse_count(parameter, value, total, least):
    """
    Return a number, or a percentage of ``total`` as a number; None for None.

    least
        The smallest valid number; a percentage gives at least this.
    """
    if value is None:
        return None
    percent = re.fullmatch(r"(\d{1,3})%", value) if isinstance(value, str) else None
    if percent and int(percent[1]) <= 100:
        return max(least, math.floor(total * int(percent[1]) / 100))
    if isinstance(value, str) and re.fullmatch(r"\d{1,6}", value):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise InvalidError.of_value(parameter, f"a number of at least {least} or a percentage (10%)", value)
    return value
