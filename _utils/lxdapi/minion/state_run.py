"""
The state run around a state: its own chunk, the following ones, and the results so far.

Salt gives every state function ``__low__``, ``__lowstate__`` and ``__running__``, without any configuration (3006.28,
3007.15, 3008.3). This module imports nothing from Salt: the fronts pass their globals.
"""

import copy
import os
from contextlib import contextmanager
from contextvars import ContextVar

from lxdapi.minion import read_cache
from lxdapi.model.cached_reads import cached_reads

_RUN = ContextVar("lxdapi_run", default=None)
# Keys of a chunk that run something before or instead of our function, which can change objects of the daemon.
_FOREIGN = ("creates", "onlyif", "unless")
_KEY = "lxdapi:run:"
_SLOT = "__slot__:"


def current_run(names):
    """
    Return the :class:`Run` that a state function is called in.

    names
        The globals of its file.
    """
    run = _RUN.get()
    return run if run is not None else Run(names["__opts__"]["test"], names.get("__low__") or None, names)


def tag(chunk):
    """Return the tag of a chunk in Salt's results."""
    return f"{chunk['state']}_|-{chunk['__id__']}_|-{chunk['name']}_|-{chunk['fun']}"


class Run:
    """
    A state function's view of its run.

    test
        True: test mode.
    low
        The current chunk; None: the function was called without a run.
    names
        The globals of the function's file.
    lowstate
        The run's :class:`LowState`, for a chunk that is prefetched.

    ``upcoming``: how many chunks of the same state follow each other from this one on.
    """

    def __init__(self, test=False, low=None, names=None, lowstate=None):
        self.test, self.low, self.names = test, low, names or {}
        self.prefetched = lowstate is not None
        self.lowstate = lowstate or self._lowstate()
        if self.lowstate is not None:
            self.low = self.lowstate.plain_chunk(low)
            self.upcoming = self.lowstate.consecutive_from(self.low)

    def _lowstate(self):
        """Return the :class:`LowState` of this run, the same one for all of its states; None without a run."""
        chunks, instance = self.names.get("__lowstate__"), self.names.get("__instance_id__")
        if not self.low or not chunks:
            return None
        key = f"{_KEY}{os.getpid()}:{instance}"
        context = self.names["__context__"]
        if key not in context or not context[key].is_of(chunks):
            _drop_finished(context)
            if read_cache.KEY in context:
                context[read_cache.KEY].begin_run()
            context[key] = LowState(list(chunks))
        return context[key]

    @property
    def running(self):
        """Return the results so far, by tag."""
        return self.names.get("__running__") or {}

    @property
    def requests(self):
        """Return how many requests its states have sent."""
        cache = self.names["__context__"].get(read_cache.KEY)
        return 0 if cache is None else cache.requests

    def for_chunk(self, chunk):
        """Return the run from the view of a prefetched state, which reads at the same time as the others."""
        run = Run(self.test, chunk, self.names, self.lowstate)
        run.upcoming = self.upcoming
        return run

    @contextmanager
    def cached_reads(self, kind_name):
        """Allow the run's cache to answer reads of objects, within the block."""
        if self.lowstate is None or self.lowstate.parallel:
            yield
            return
        with cached_reads(kind_name, self.upcoming):
            yield

    def enter(self):
        """Record that the run is at this chunk, and clear the cache if other code may have run since the last one."""
        cache = self.names["__context__"].get(read_cache.KEY)
        if not self.lowstate.enter(self.low, len(self.running)) and cache is not None:
            cache.clear()

    def call_as(self, function):
        """Call a state function for the chunk of this run, in a thread."""
        before = _RUN.set(self)
        try:
            return function()
        finally:
            _RUN.reset(before)


def _drop_finished(context):
    """Drop finished runs: the context of a minion without processes lives as long as the minion."""
    for key in [key for key in context if str(key).startswith(_KEY)]:
        if not context[key].prefetched:
            del context[key]


class LowState:
    """
    The chunks of a run in their order.

    ``chunks``: plain dictionaries. ``places``: their positions, by tag. ``parallel``: whether something else runs at
    the same time, which can change anything. ``prefetched``: the batches of states started before their turn, by tag.
    """

    def __init__(self, chunks):
        self.chunks = chunks
        self.places = {tag(chunk): place for place, chunk in enumerate(chunks)}
        self.parallel = any(chunk.get("parallel") for chunk in chunks)
        self.prefetched = {}
        self._consecutive, self._results, self._passed = _consecutive(chunks), None, 0

    def is_of(self, chunks):
        """Return True if these are its chunks: Salt reuses its identity of a run, the id of an object."""
        return len(chunks) == len(self.chunks) and next(iter(chunks)) is self.chunks[0]

    def plain_chunk(self, low):
        """Return the plain chunk for Salt's frozen one; a copy if the run did not begin with it."""
        place = self.places.get(tag(low))
        return copy.deepcopy(low) if place is None else self.chunks[place]

    def consecutive_from(self, low):
        """Return how many chunks of the same state follow each other from this one on."""
        place = self.places.get(tag(low))
        return 1 if place is None else self._consecutive[place]

    def is_first(self, low):
        """Return True unless the chunk before this one has the same function."""
        place = self.places.get(tag(low), 0)
        before = self.chunks[place - 1] if place else {}
        return (low["state"], low["fun"]) != (before.get("state"), before.get("fun"))

    def enter(self, low, results):
        """Return True if nothing has run between the last chunk of ours and this one; results: their number so far."""
        unbroken = self._results is not None and results == self._results + 1
        # a prefetched one is plain
        unbroken = unbroken and (tag(low) in self.prefetched or not _runs_more(low))
        # None: Salt reloads its settings after this chunk
        self._results = None if any(key.startswith("reload_") for key in low) else results
        return unbroken

    def followers(self, low, running):
        """Return the chunks after this one; [] if an earlier chunk of the list has not run yet."""
        place = self.places.get(tag(low))
        if place is None:
            return []
        while self._passed < place and tag(self.chunks[self._passed]) in running:
            self._passed += 1
        return self.chunks[place + 1 :] if self._passed >= place else []


def _consecutive(chunks):
    """Return for each chunk how many of the same state follow each other from it on."""
    counts = []
    for place in reversed(range(len(chunks))):
        same = counts and chunks[place]["state"] == chunks[place + 1]["state"]
        counts.append(counts[-1] + 1 if same else 1)
    return counts[::-1]


def _runs_more(low):
    """Return True if Salt runs a command of the user before the function of this state."""
    return any(key in low for key in _FOREIGN) or has_slot(low)


def has_slot(chunk):
    """Return True if Salt puts something into an argument just before it calls the function, also inside mappings."""
    return _SLOT in repr(chunk)


def texts(value):
    """Yield each text in an argument, keys of mappings too."""
    left = [value]
    while left:
        each = left.pop()
        if isinstance(each, dict):
            left += [*each, *each.values()]
        elif isinstance(each, (list, tuple, set)):
            left += each
        elif isinstance(each, str):
            yield each
