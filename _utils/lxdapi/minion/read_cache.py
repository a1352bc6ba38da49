"""
What a run has read of the daemons: it lives for seconds, and is forgotten where it can have become untrue.

States look at one object each. Where many of a kind follow each other the first one lists it, and they all compare with
that; single reads are kept as well. Only planning reads here (:func:`used`): a write reads again, with its ETag. Every
write of ours, and whatever runs between two states of ours, makes it forget: see :meth:`Shelf.writing` and
:mod:`lxdapi.minion.state_run`.
"""

import threading
import time
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple
from urllib.parse import unquote

from lxdapi.errors import APIException
from lxdapi.model.kinds import KINDS

KEY = "lxdapi:shelf"
SECONDS = 5
# So many states of a kind make a list of it worth while: one costs the daemon 0.1 ms an instance, a GET 1.5 to 2.
MANY = 5
# A list that answered fewer was not worth its while, and is not made once more.
_WORTH = 3
# (the kind that a state is about, how many of that state follow each other)
_USED = ContextVar("lxdapi_shelf", default=None)
# Kinds of which the list says of each object exactly what its GET says (LXD 5.0.2, Incus 6.0.4, Incus 7.0.2).
LISTED = ("image_alias", "instance", "network", "network_acl", "profile", "project", "storage_pool", "storage_volume")


class Found(NamedTuple):
    """An object that was read some seconds ago: it has no ETag, as nothing is written on its base."""

    metadata: Any
    etag: Any = None


class _List:
    """The objects of a collection by their names, without those that were written since."""

    def __init__(self, begun, objects, server):
        self.begun, self.objects, self.server, self.used, self.stale = begun, objects, server, 0, set()


@contextmanager
def used(kind_name, count):
    """
    Within the block reads of objects are answered from the shelf.

    kind_name, count
        The kind that a state is about, and how many such states follow each other.
    """
    before = _USED.set((kind_name, count))
    try:
        yield
    finally:
        _USED.reset(before)


@contextmanager
def passed_by():
    """Within the block each read asks the daemon."""
    before = _USED.set(None)
    try:
        yield
    finally:
        _USED.reset(before)


class Shelf:
    """
    What one run has read.

    seconds
        How long it is believed; 0: nothing is kept.
    """

    def __init__(self, seconds=SECONDS):
        self._seconds = seconds
        self._lock, self._locks = threading.Lock(), {}
        self._lists, self._singles, self._poor, self._settings = {}, {}, set(), {}
        # What was written while somebody read: (scope, collection, names, server); None as the names: all of it.
        self._written, self._readers = [], 0

    def setting(self, key, default, ask):
        """Return a setting, which is looked up once as long as nothing but states of ours runs."""
        if _USED.get() is None:
            return ask(key, default)
        if key not in self._settings:
            self._settings[key] = ask(key, default)
        return self._settings[key]

    def found(self, api, kind, path, ask):
        """
        Return what ``ask`` returns, or what is known of the object: a :class:`Found`, None for "not found".

        path
            Of the object.
        ask
            Reads it.
        """
        about = _USED.get()
        if about is None or not self._seconds:
            return ask()
        listed, name = self._list(api, kind, path, about), unquote(path.rpartition("/")[2])
        if listed is not None and name not in listed.stale:
            listed.used += 1
            facts = listed.objects.get(name)
            return None if facts is None else Found(facts)
        return self._single(_scope(api), path, ask)

    def _single(self, scope, path, ask):
        kept = self._singles.get((scope, path))
        if kept is not None and self._fresh(kept[0]):
            return kept[1]
        with self._reading() as written:
            begun, found = time.monotonic(), ask()
            with self._lock:
                if len(self._written) == written:
                    self._singles[scope, path] = (begun, None if found is None else Found(found.metadata))
        return found

    @contextmanager
    def _reading(self):
        """Within the block what is written is noted; yields how much there was before."""
        with self._lock:
            self._readers += 1
            written = len(self._written)
        try:
            yield written
        finally:
            with self._lock:
                self._readers -= 1
                if not self._readers:
                    self._written.clear()

    def _fresh(self, begun):
        return time.monotonic() - begun < self._seconds

    def _list(self, api, kind, path, about):
        """Return the list of the collection, made now if that is worth while; None if there is none."""
        key = (_scope(api), path.rpartition("/")[0])
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        # the others wait for the list that one of them makes
        with lock:
            kept = self._lists.get(key)
            if kept is not None and self._fresh(kept.begun):
                return kept
            with self._lock:
                self._forget(key)
            return self._listed(api, key) if self._is_worth(api, kind, key, about) else None

    def _is_worth(self, api, kind, key, about):
        kind_name, count = about
        if kind is not KINDS.get(kind_name) or kind_name not in LISTED or count < MANY or key in self._poor:
            return False
        return not api.target and not (kind.cluster.local and api.clustered)

    def _listed(self, api, key):
        with self._reading() as written:
            begun = time.monotonic()
            try:
                listed = api.get(key[1], params={"recursion": 1}).metadata or []
            except APIException:
                # whoever asks for a single one is told what is wrong
                self._poor.add(key)
                return None
            made = _List(begun, {each["name"]: each for each in listed}, api.identity)
            with self._lock:
                self._lists[key] = made
                for each in self._written[written:]:
                    self._overtaken(key, *each)
                return self._lists.get(key)

    def _forget(self, key):
        kept = self._lists.pop(key, None)
        if kept is not None and kept.used < _WORTH:
            self._poor.add(key)

    def drop(self):
        """Forget all."""
        with self._lock:
            self._note((None, None, None, None))
            for kept in (self._lists, self._singles, self._poor, self._settings):
                kept.clear()

    @contextmanager
    def writing(self, api, path, body):
        """
        Forget what a write of ours within the block can change: before it and after it, as others read meanwhile.

        path, body
            Of the request: absolute, and the decoded JSON; None where it is none.

        Of the same kind that is the object itself; of others anything (``used_by``, ``expanded_config``), and all of
        what is known of other projects and of daemons that can be the same one by another name.
        """
        entry = (_scope(api), *_touched(path, body), api.identity)
        self._wrote(entry)
        try:
            yield
        finally:
            self._wrote(entry)

    def _wrote(self, entry):
        with self._lock:
            self._note(entry)
            self._singles.clear()
            for key in list(self._lists):
                self._overtaken(key, *entry)

    def _note(self, entry):
        if self._readers:
            self._written.append(entry)

    def _overtaken(self, key, scope, collection, own, server):
        if key not in self._lists:
            return
        kept = self._lists[key]
        if own and (scope, collection) == key:
            kept.stale |= own
        elif server is None or kept.server in (None, server):
            self._forget(key)


def _scope(api):
    return (api.endpoint, api.project, api.target)


def _touched(path, body):
    """Return (collection, names) of what a write is about; (None, None) where that cannot be told."""
    parts = path.strip("/").split("/")[1:]
    found = max((_collection(KINDS[kind_name], parts) for kind_name in LISTED), key=len)
    if not found:
        return None, None
    new = body.get("name") if isinstance(body, dict) else None
    own = [unquote(part) for part in parts[len(found) : len(found) + 1]]
    return "/".join(found), {each for each in (*own, new) if isinstance(each, str)}


def _collection(kind, parts):
    """Return the parts of a path that are the collection of a kind, none if it is not of that kind."""
    shape = kind.path.split("/")[:-1]
    same = all(part == other or part[:1] == "{" for part, other in zip(shape, parts))
    return parts[: len(shape)] if same and len(parts) >= len(shape) else []
