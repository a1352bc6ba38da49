"""
The read cache: it keeps replies for seconds, and drops those that may be outdated.

Each state reads one object. If many states of a kind follow each other, the first one lists the kind, and all of them
use that list; single reads are cached too. Only planning uses the cache (:mod:`lxdapi.model.cached_reads`): a write
reads again, with the ETag. Every write of lxdapi, and everything that runs between two of its states, drops the entries
that it may have changed: see :meth:`ReadCache.invalidating` and :mod:`lxdapi.minion.state_run`.

A fleet is planned from one list, whatever its age: it has a pinned cache of its own.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Callable, Iterable, Iterator, NamedTuple
from urllib.parse import unquote

from lxdapi.errors import APIException, LxdapiError
from lxdapi.model import cached_reads
from lxdapi.model.cached_reads import CachedObject
from lxdapi.model.kinds import KINDS

if TYPE_CHECKING:
    from lxdapi.api import API
    from lxdapi.model.schema import Kind

SECONDS = 5
# The number of states for which a list pays off: it costs the daemon 0.1 ms for each instance, a GET 1.5 to 2 ms.
MANY = 5
# How many entries of a list cost the daemon as much as one GET.
_ENTRIES_PER_GET = 15
# A list that answered fewer reads did not pay off, and is not read again.
_WORTH = 3
# Kinds whose list has exactly the same data for each object as its GET (LXD 5.0.2, Incus 6.0.4, Incus 7.0.2).
LISTED = ("image_alias", "instance", "network", "network_acl", "profile", "project", "storage_pool", "storage_volume")


class _List:
    """The objects of a collection by their names, without those that were written since."""

    def __init__(self, read_at, objects, server, stale=()):
        self.read_at, self.objects, self.server, self.hits, self.stale = read_at, objects, server, 0, set(stale)


class _Single(NamedTuple):
    """The result of one read, or its error. ``collection``: only writes to it change the result; None: any write."""

    read_at: float
    result: Any
    collection: str | None = None


class ReadCache:
    """
    The replies that were read, of any number of daemons.

    seconds
        The time for which they are valid; 0: no cache.
    pinned
        True: they stay valid, failed reads too: for a plan of many objects.

    ``requests``: how many requests were sent.
    """

    def __init__(self, seconds: float = SECONDS, pinned: bool = False) -> None:
        self._seconds, self._pinned, self.requests = seconds, pinned, 0
        self._lock, self._readers = threading.Lock(), 0
        self._locks: dict[Any, threading.Lock] = {}
        self._lists: dict[Any, _List] = {}
        self._singles: dict[Any, _Single] = {}
        self._unprofitable: set[Any] = set()
        # the number of objects of each collection that was listed
        self._sizes: dict[Any, int] = {}
        self._once: dict[Any, Any] = {}
        self._reading_once = threading.Lock()
        # The objects that states in test mode would delete: (endpoint, path).
        self._deletions: list[tuple[str, str]] = []
        # Writes during a read: (scope, collection, names, server); None as the names: all of the collection.
        self._writes: list[tuple[Any, ...]] = []

    def add_list(
        self, api: API, kind: Kind, objects: dict[str, Any], read_at: float, stale: Iterable[str] = ()
    ) -> None:
        """
        Answer reads of a kind from a list that the caller has read.

        objects, read_at
            ``{name: metadata}`` and the monotonic time before it was read.
        stale
            The names that are read from the daemon all the same.
        """
        self._lists[_scope(api), kind.collection] = _List(read_at, objects, api.identity, stale)

    def get(self, api: API, kind: Kind, path: str, read: Callable[[], Any]) -> Any:
        """
        Return the result of ``read``, or the cached object: a :class:`CachedObject`, None for "not found".

        path
            The path of the object.
        read
            Reads it from the daemon.
        """
        allowed = cached_reads.current_permission()
        if allowed is None or not self._seconds:
            return read()
        listed, name = self._fresh_list(api, kind, path, allowed), name_in(path)
        if listed is not None and name not in listed.stale:
            listed.hits += 1
            metadata = listed.objects.get(name)
            return None if metadata is None else CachedObject(metadata)
        return self._single(_scope(api), path, read)

    def list_after_writes(self, api: API, path: str, count: int) -> dict[str, Any]:
        """
        Return the objects of a collection by their names, read now; {} unless that costs less than some GETs.

        path, count
            The path of one of the objects, and how many of them were written.
        """
        key = collection_key(api, path)
        if count < MANY or not 0 < self._sizes.get(key, 0) <= count * _ENTRIES_PER_GET:
            return {}
        with self._lock:
            self._lists.pop(key, None)  # two lists would take twice the memory
        listed = self._read_list(api, key)
        return {} if listed is None else {n: each for n, each in listed.objects.items() if n not in listed.stale}

    def get_apart(self, api: API, path: str, collection: str, read: Callable[[], Any]) -> Any:
        """
        Return the result of ``read``, or the cached one. The caller uses only parts that no other object changes.

        path
            A path that no other read uses.
        collection
            The collection of the object: only a write to it drops the result before its time.
        """
        return self._single(_scope(api), path, read, collection)

    def once(self, key: Any, read: Callable[[], Any]) -> Any:
        """Return what ``read`` returns for this key; it is called once in a run."""
        with self._reading_once:
            if key not in self._once:
                self._once[key] = read()
            return self._once[key]

    def predict_deletion(self, api: API, path: str) -> None:
        """Record that a state in test mode would delete the object of this path."""
        project = "" if api.project in (None, "default") else f"?project={api.project}"
        self._deletions.append((api.endpoint, f"{path}{project}"))

    def begin_run(self) -> None:
        """Drop what belongs to the previous run: predicted deletions, and the results that it read once."""
        self._deletions.clear()
        self._once.clear()

    def predicted_deletions(self, api: API) -> list[str]:
        """Return the objects that earlier states in test mode would delete, as ``used_by`` names them."""
        return [path for endpoint, path in self._deletions if endpoint == api.endpoint]

    def _single(self, scope, path, read, collection=None):
        cached = self._singles.get((scope, path))
        if cached is not None and self._is_fresh(cached.read_at):
            if isinstance(cached.result, LxdapiError):
                raise cached.result
            return cached.result
        with self._recording_writes() as writes:
            read_at, result = time.monotonic(), self._read(scope, path, read)
            with self._lock:
                if not any(_can_change(entry, collection) for entry in self._writes[writes:]):
                    kept = None if result is None else CachedObject(result.metadata)
                    self._singles[scope, path] = _Single(read_at, kept, collection)
        return result

    def _read(self, scope, path, read):
        try:
            return read()
        except LxdapiError as exc:
            if self._pinned:
                self._singles[scope, path] = _Single(0, exc)
            raise

    @contextmanager
    def _recording_writes(self):
        """Record writes within the block; yields the number of earlier ones."""
        with self._lock:
            self._readers += 1
            writes = len(self._writes)
        try:
            yield writes
        finally:
            with self._lock:
                self._readers -= 1
                if not self._readers:
                    self._writes.clear()

    def _is_fresh(self, read_at):
        return self._pinned or time.monotonic() - read_at < self._seconds

    def _fresh_list(self, api, kind, path, allowed):
        """Return the list of the collection, reading it if that pays off; None otherwise."""
        key = collection_key(api, path)
        cached = self._lists.get(key)
        if cached is not None and self._is_fresh(cached.read_at):
            return cached
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        # the others wait for the list that one of them reads
        with lock:
            cached = self._lists.get(key)
            if cached is not None and self._is_fresh(cached.read_at):
                return cached
            with self._lock:
                self._drop_list(key)
            return self._read_list(api, key) if self._list_pays_off(api, kind, key, allowed) else None

    def _list_pays_off(self, api, kind, key, allowed):
        if allowed.kind_name not in LISTED or kind is not KINDS[allowed.kind_name]:
            return False
        if allowed.upcoming < MANY or key in self._unprofitable:
            return False
        return not api.target and not (kind.cluster.local and api.clustered)

    def _read_list(self, api, key):
        with self._recording_writes() as writes:
            read_at = time.monotonic()
            try:
                listed = api.get(key[1], params={"recursion": 1}, stream=True).metadata or []
            except APIException:
                # the GET of a single object reports the error
                self._unprofitable.add(key)
                return None
            new_list = _List(read_at, {entry["name"]: entry for entry in listed}, api.identity)
            self._sizes[key] = len(listed)
            with self._lock:
                self._lists[key] = new_list
                for entry in self._writes[writes:]:
                    self._evict(key, *entry)
                return self._lists.get(key)

    def _drop_list(self, key):
        cached = self._lists.pop(key, None)
        if cached is not None and cached.hits < _WORTH:
            self._unprofitable.add(key)

    def clear(self) -> None:
        """Drop everything."""
        with self._lock:
            self._note_write((None, None, None, None))
            self._lists.clear()
            self._singles.clear()
            self._unprofitable.clear()

    @contextmanager
    def invalidating(self, api: API, path: str, body: Any) -> Iterator[None]:
        """
        Drop the entries that a write within the block can change, before and after it, because others read meanwhile.

        path, body
            The absolute path of the request, and its decoded JSON body or None.

        A write drops the object itself from the list of its kind, and all lists of other kinds (``used_by``,
        ``expanded_config``), of other projects, and of daemons that can be the same one under another name.
        """
        entry = (_scope(api), *_written_objects(path, body), api.identity)
        self._invalidate(entry)
        try:
            yield
        finally:
            self._invalidate(entry)

    def _invalidate(self, entry):
        with self._lock:
            self._note_write(entry)
            self._singles = {
                key: single for key, single in self._singles.items() if not _can_change(entry, single.collection)
            }
            for key in list(self._lists):
                self._evict(key, *entry)

    def _note_write(self, entry):
        if self._readers:
            self._writes.append(entry)

    def _evict(self, key, scope, collection, names, server):
        if key not in self._lists:
            return
        cached = self._lists[key]
        if names and (scope, collection) == key:
            cached.stale |= names
        elif server is None or cached.server in (None, server):
            self._drop_list(key)


def collection_key(api: API, path: str) -> tuple[Any, str]:
    """Return what identifies the collection of the object with this path, among those of all daemons and projects."""
    return _scope(api), path.rpartition("/")[0]


def name_in(path: str) -> str:
    """Return the name of the object with this path."""
    return unquote(path.rpartition("/")[2])


def _scope(api):
    return (api.endpoint, api.project, api.target)


def _can_change(entry, collection):
    """Return True if a write can change what was read of this collection, None: of any."""
    return collection is None or entry[1] in (None, collection)


def _written_objects(path, body):
    """Return (collection, names) of the objects of a write; (None, None) if the path does not name them."""
    parts = path.strip("/").split("/")[1:]
    collection = max((_collection(KINDS[kind_name], parts) for kind_name in LISTED), key=len)
    if not collection:
        return None, None
    new = body.get("name") if isinstance(body, dict) else None
    own_names = [unquote(part) for part in parts[len(collection) : len(collection) + 1]]
    return "/".join(collection), {each for each in (*own_names, new) if isinstance(each, str)}


def _collection(kind, parts):
    """Return the parts of a path that are the collection of a kind, none if it is not of that kind."""
    shape = kind.path.split("/")[:-1]
    same = all(part == other or part[:1] == "{" for part, other in zip(shape, parts))
    return parts[: len(shape)] if same and len(parts) >= len(shape) else []
