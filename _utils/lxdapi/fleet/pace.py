"""
Calls for many instances: how many at a time, and the number of failures after which they stop.
"""

from typing import Any, NamedTuple, Optional

from lxdapi.fleet.batches import Batches
from lxdapi.fleet.runner import FleetRunner, parse_concurrency


class Pace(NamedTuple):
    """
    The declared pace; :meth:`parse` validates it.

    concurrency
        The number of simultaneous calls. Default: the fastest one.
    batch, max_failures
        See :class:`lxdapi.fleet.batches.Batches`; percentages of a number that is known later.
    """

    concurrency: Optional[int] = None
    batch: Any = None
    max_failures: Any = None

    @classmethod
    def parse(cls, concurrency=None, batch=None, max_failures=None):
        """Return the pace; raises :class:`lxdapi.errors.InvalidError`."""
        Batches.parse(batch, max_failures, 1)
        return cls(parse_concurrency(concurrency), batch, max_failures)

    def call_each(self, names, act, test=False, on_progress=None):
        """
        Call a function for each name, and return the :class:`lxdapi.fleet.runner.FleetRunner` with the answers.

        act
            See :meth:`lxdapi.fleet.runner.FleetRunner.run_each`.
        test
            True: the calls predict, so no failure stops the others.
        """
        batches = Batches() if test else Batches.parse(self.batch, self.max_failures, len(names))
        runner = FleetRunner(self.concurrency, batches.max_failures)
        runner.on_progress = on_progress
        for batch in batches.split(names):
            runner.run_each(batch, act)
        return runner
