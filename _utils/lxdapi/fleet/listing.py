"""
An API that answers from one listing of the instances while a fleet is planned.
"""

import re
import threading
import time
from functools import partial

from lxdapi.api import API
from lxdapi.errors import APINotFoundException, APIProtocolException, LxdapiError
from lxdapi.instances import partial_creation, power
from lxdapi.model.cached_reads import CachedObject
from lxdapi.model.kinds import KINDS

COLLECTION = KINDS["instance"].collection
_INSTANCE = re.compile(rf"{COLLECTION}/([^/]+)")
# What changes while somebody waits for it is never answered from memory.
_PASSING = ("/", "operations", f"{COLLECTION}/")


def list_instances(api):
    """Return ``{name: metadata}`` of all instances of the project, by one request."""
    result = api.get(COLLECTION, params={"recursion": 1})
    if not isinstance(result.metadata, list):
        raise APIProtocolException(result, "this is no list of instances")
    return {each["name"]: each for each in result.metadata}


def is_steady(entry):
    """Return True if the listing shows no creation, start or stop of the instance in progress."""
    result = CachedObject(entry)
    return bool(entry.get("config")) and power.is_stable(result) and not partial_creation.looks_partial(result)


class ListingAPI(API):
    """
    An API for planning: until it is released, it answers from one listing and reads anything else once.

    Steps that were planned with it ask and write as ever: they act when it is over.
    """

    def __init__(self, api):
        self.__dict__.update(api.__dict__)
        self.when = time.monotonic()
        self.instances = list_instances(api)
        self._read_once, self._planning = {}, [True]

    def release(self):
        """Ask the daemon from now on; returns itself."""
        self._planning[0] = False
        return self

    def get(self, url, *args, **kwargs):
        """Return the result of a GET, from the listing if possible."""
        request = partial(API.get, self, url, *args, **kwargs)
        if not self._planning[0] or args or any(kwargs.values()):
            return request()
        match = _INSTANCE.fullmatch(url)
        if match:
            return self._from_listing(match[1], url) or request()
        return request() if url.startswith(_PASSING) else self._from_memory(url, request)

    def _from_listing(self, name, url):
        entry = self.instances.get(name)
        if entry is None:
            raise APINotFoundException(error="not in the list", method="GET", url=f"{self.endpoint}/1.0/{url}")
        return CachedObject(entry) if is_steady(entry) else None

    def _from_memory(self, url, request):
        if url not in self._read_once:
            try:
                self._read_once[url] = request()
            except LxdapiError as exc:
                self._read_once[url] = exc
        if isinstance(self._read_once[url], LxdapiError):
            raise self._read_once[url]
        return self._read_once[url]


class FreshListing:
    """
    Listings of the instances, none older than a moment when it is used.

    api
        A :class:`ListingAPI`, whose listing is the first.
    """

    SECONDS = 0.5

    def __init__(self, api):
        self._api, self._entries, self._when, self._lock = api, api.instances, api.when, threading.Lock()

    def get(self, name):
        """Return the entry of an instance, None if it does not exist."""
        with self._lock:
            if time.monotonic() - self._when > self.SECONDS:
                when = time.monotonic()
                self._entries, self._when = list_instances(self._api), when
            return self._entries.get(name)
