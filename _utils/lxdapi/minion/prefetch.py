"""
Prefetch: consecutive plain states without dependencies run at the same time; each reports its own result.

The first of them that changes something starts the following ones in threads; when Salt calls each, its result is
ready, or lxdapi waits for it. States that change nothing run one after the other while one list answers all of their
reads: threads would only take memory and time. lxdapi prefetches only states that Salt certainly calls next, and whose
order does not matter:

- directly following chunks of the same state and function, without requisites, conditions, ``retry``, ``check_cmd``,
  ``parallel``, slots or any other option of Salt;
- no chunk that names another one of them (the source of a copy), is about the same object, or waits for something;
- not in test mode, not with ``failhard``, and not if ``lxdapi:ahead`` is 0.

A ``present`` that failed without a change is repeated at its turn, because it may depend on another state. The updates
of up to two hundred of these states are verified together: see :mod:`lxdapi.model.verification`.
"""

import contextvars
import inspect
import re
import threading
import time
from collections import deque
from contextlib import suppress
from functools import lru_cache, partial
from itertools import islice
from typing import Any, NamedTuple

from lxdapi import concurrency
from lxdapi.errors import InvalidError
from lxdapi.minion import state_run
from lxdapi.model import verification
from lxdapi.plan.state_result import apply_directly

# Functions that may be prefetched, and how many at once.
_FEW, _MANY = concurrency.worker_count, lambda: concurrency.STOPS
FUNCTIONS = {
    ("lxdapi_instance", "present"): _FEW,
    ("lxdapi_instance", "running"): _FEW,
    ("lxdapi_instance", "frozen"): _FEW,
    ("lxdapi_instance", "stopped"): _MANY,
    ("lxdapi_instance", "absent"): _MANY,
    ("lxdapi_salt", "applied"): _FEW,
    ("lxdapi_salt", "highstate"): _FEW,
    ("lxdapi_instance_snapshot", "present"): _FEW,
    ("lxdapi_instance_snapshot", "absent"): _FEW,
    ("lxdapi_storage_volume", "present"): _FEW,
    ("lxdapi_storage_volume", "absent"): _FEW,
    ("lxdapi_volume_snapshot", "present"): _FEW,
    ("lxdapi_volume_snapshot", "absent"): _FEW,
}
# Functions that may depend on another state, which frees an address or a port.
_RETRIED = (("lxdapi_instance", "present"),)
# The snapshots of one instance or volume are created one after the other.
_SNAPSHOT_STATES = ("lxdapi_instance_snapshot", "lxdapi_volume_snapshot")
_SALT_KEYS = frozenset(
    ("state", "fun", "name", "order", "__id__", "__sls__", "__env__", "__sls_included_from__")
    + ("onchanges_in", "onfail_in", "require_in", "watch_in", "__orchestration_jid__")
)
# Requisites, which are fulfilled when Salt calls the first chunk.
_REQUISITES = frozenset(f"{word}{end}" for word in ("onchanges", "onfail", "require", "watch") for end in ("", "_any"))
# The seconds for which a thread continues with the next state: a submit costs more than a state without changes.
_MOMENT = 0.02
# How many states are verified together: those that wait for it take memory.
_TOGETHER = 200
_SEPARATORS = re.compile(r"[\s/:@,]+")


def run_or_collect(run, run_state):
    """
    Run a state, or return its prefetched answer.

    run
        See :class:`lxdapi.minion.state_run.Run`.
    run_state
        Runs the state and returns its answer. It is called with a function that gets the part that changes something,
        and returns the answer of that.
    """
    if run.lowstate is None or run.prefetched:
        return run_state(apply_directly)
    run.enter()
    batch = run.lowstate.prefetched.pop(state_run.tag(run.low), None)
    return _Turn(run).answer(run_state) if batch is None else _collect(batch, run, run_state)


def _collect(batch, run, run_state):
    """Return the answer of a state from its batch; run the state again if it never started, or may depend on others."""
    ret = batch.answer(state_run.tag(run.low))
    retried = (run.low["state"], run.low["fun"]) in _RETRIED and ret and ret["result"] is False and not ret["changes"]
    return run_state(apply_directly) if ret is None or retried else ret


class _Turn:
    """
    A state that runs at its turn. It starts the following ones before it changes something, after it failed, and after
    it sent requests, unless it is the first of its function: that one reads the list.
    """

    def __init__(self, run):
        self._run, self._decided = run, False
        # Salt's dunders and the secret patterns, without those of this state
        self._context = contextvars.copy_context()

    def answer(self, run_state):
        """Run the state and return its answer."""
        before = self._run.requests
        ret = run_state(partial(self._apply, run_state))
        asked = self._run.requests > before and not self._run.lowstate.is_first(self._run.low)
        if not self._decided and (asked or ret["result"] is False):
            self._start()
        return ret

    def _apply(self, run_state, act):
        """Call the function that changes something, as one of those that run at the same time."""
        batch = self._start(act)
        return act() if batch is None else _collect(batch, self._run, run_state)

    def _start(self, own=None):
        """Start the states that may run at the same time, with ``own`` for this one; returns the batch or None."""
        self._decided = True
        limit = _thread_limit(self._run) if _may_prefetch(self._run) else 0
        group = _followers(self._run) if limit > 0 else []
        if not group:
            return None
        batch = PrefetchBatch(limit)
        if own is not None:
            batch.add(self._run.low, own, contextvars.copy_context())
        for chunk in group:
            batch.add(chunk, partial(_run_chunk, self._run, chunk), self._context)
        batch.start(FUNCTIONS[self._run.low["state"], self._run.low["fun"]]())
        self._run.lowstate.prefetched.update((state_run.tag(chunk), batch) for chunk in group)
        return batch


def _may_prefetch(run):
    """Return True for a plain chunk of these functions, unless an option can make Salt stop the run or skip a chunk."""
    opts = run.names["__opts__"]
    if run.test or opts.get("failhard") or opts.get("global_state_conditions") or run.lowstate.parallel:
        return False
    return (run.low["state"], run.low["fun"]) in FUNCTIONS and _is_plain(run, run.low, _REQUISITES)


def _thread_limit(run):
    """Return the largest number of threads that the setting allows."""
    limit = run.names["__salt__"]["config.get"]("lxdapi:ahead", None)
    if limit is None:
        return concurrency.MOST
    if isinstance(limit, int) and not isinstance(limit, bool) and limit >= 0:
        return limit
    raise InvalidError.of_value("lxdapi:ahead", "a number of threads (0 for none)", limit)


def _followers(run):
    """Return the following chunks that may run at the same time as the run's own."""
    first, group = run.low, []
    mentioned, names, claimed = _mentions(first), _names_of(first), {}
    _claims_new_object(first, claimed)
    for chunk in run.lowstate.followers(first, run.running):
        if state_run.tag(chunk) in run.running or (chunk["state"], chunk["fun"]) != (first["state"], first["fun"]):
            break
        if not _is_plain(run, chunk) or not _claims_new_object(chunk, claimed):
            break
        mentions, own_names = _mentions(chunk), _names_of(chunk)
        if mentions & names or mentioned & own_names:
            break
        group.append(chunk)
        mentioned |= mentions
        names |= own_names
    return group


def _is_plain(run, chunk, allowed=frozenset()):
    """Return True for a chunk that Salt just calls; ``allowed``: other keys that it may have."""
    known = _parameters(run.names[chunk["fun"]])
    if not chunk.keys() - known <= _SALT_KEYS | allowed | {key for key in chunk if key.startswith("__pub_")}:
        return False
    return isinstance(chunk["name"], str) and not state_run.has_slot(chunk) and not chunk.get("wait_for")


@lru_cache(maxsize=32)
def _parameters(function):
    return frozenset(inspect.signature(function).parameters)


def _claims_new_object(chunk, claimed):
    """
    Claim the object of a chunk, and return True unless an earlier chunk can be about the same object: two chunks
    never change one object at the same time. A chunk without a project can be about any project.

    claimed
        ``{(name, remote): projects}``.
    """
    object_name = chunk["name"].rpartition("/")[0] if chunk["state"] in _SNAPSHOT_STATES else chunk["name"]
    projects = claimed.setdefault((object_name, chunk.get("remote") or "local"), set())
    project = chunk.get("project")
    new = not projects or (None not in projects and project is not None and project not in projects)
    projects.add(project)
    return new


def _names_of(chunk):
    """Return the names that other chunks can use for the object of a chunk."""
    return {chunk["name"], chunk["name"].rpartition("/")[2]}


def _mentions(chunk):
    """Return each text in the arguments of a chunk, and its words."""
    arguments = (value for key, value in chunk.items() if key not in _SALT_KEYS and key not in _REQUISITES)
    return {word for value in arguments for each in state_run.texts(value) for word in (each, *_SEPARATORS.split(each))}


def _run_chunk(run, chunk):
    """Call the function of a chunk as Salt would."""
    function = run.names[chunk["fun"]]
    arguments = {key: chunk[key] for key in _parameters(function) if key in chunk}
    return run.for_chunk(chunk).call_as(partial(function, **arguments))


class _Ended(NamedTuple):
    """
    How a state ended.

    ``answer``: its answer; None: it was never started. ``deferral``: what it deferred. ``error``: its exception.
    """

    answer: Any = None
    deferral: Any = None
    error: Any = None


class PrefetchBatch:
    """
    States that run at the same time; those of one daemon start in their order.

    most
        The largest number of threads.

    ``tags``: the states whose answer was not taken yet, in their order.
    """

    def __init__(self, most):
        self.tags, self._queues = {}, {}
        self._most, self._ended, self._changed = most, {}, threading.Condition()

    def add(self, chunk, call, context):
        """
        Add a state.

        chunk
            The chunk of the state.
        call, context
            Runs the state, in a copy of this context.
        """
        self.tags[state_run.tag(chunk)] = None
        self._queues.setdefault(repr(chunk.get("remote")), deque()).append((state_run.tag(chunk), call, context))

    def start(self, count):
        """Start the threads: this number for each daemon."""
        widths = [(queue, min(count, len(queue))) for queue in self._queues.values()]
        self._pool = concurrency.Workers(min(self._most, sum(width for _, width in widths)))
        for queue, width in widths:
            for _ in range(width):
                self._pool.submit(self._run_next, queue)

    def _run_next(self, queue):
        """Run states for a moment, and submit the following ones; a process that ends refuses that."""
        end = time.monotonic() + _MOMENT
        while self._run_one(queue):
            if time.monotonic() >= end:
                with suppress(RuntimeError):
                    self._pool.submit(self._run_next, queue)
                return

    def _run_one(self, queue):
        """Run the next state; False if none is left."""
        with self._changed:
            if not queue:
                return False
            tag, call, context = queue.popleft()
        try:
            ended = _Ended(*context.copy().run(verification.collect, call))
        except BaseException as exc:  # raised again when Salt calls the state
            ended = _Ended(error=exc)
        with self._changed:
            self._ended[tag] = ended
            self._changed.notify_all()
        return True

    def answer(self, tag):
        """Wait for the answer of a state and return it, or raise its exception; None if the state was never started."""
        del self.tags[tag]
        try:
            (ended,) = self._wait_for([tag])
            if ended.error is not None:
                raise ended.error
            if ended.deferral is None:
                return ended.answer
            if ended.deferral.is_verified is None:
                verification.verify(self._deferrals(tag))
            return ended.answer if ended.deferral.is_verified else ended.deferral.answer()
        except BaseException as exc:
            # Salt reports the exception of a state, and goes on with the next one
            if not isinstance(exc, Exception):
                self._cancel_waiting()
            raise
        finally:
            self._ended.pop(tag, None)
            if not self.tags:
                self._pool.shutdown(wait=False)

    def _wait_for(self, tags):
        with self._changed:
            self._changed.wait_for(lambda: self._ended.keys() >= set(tags))
            return [self._ended[tag] for tag in tags]

    def _deferrals(self, first):
        """Wait for a state and some of the following ones, and return what they deferred."""
        ended = self._wait_for([first, *islice(self.tags, _TOGETHER - 1)])
        return [each.deferral for each in ended if each.deferral is not None]

    def _cancel_waiting(self):
        """Cancel the states that have not started."""
        with self._changed:
            for queue in self._queues.values():
                self._ended.update((tag, _Ended()) for tag, _, _ in queue)
                queue.clear()
            self._changed.notify_all()
