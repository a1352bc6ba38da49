"""
One list of the instances, from which a fleet is planned.
"""

import time

from lxdapi.errors import APIProtocolException
from lxdapi.instances import partial_creation, power
from lxdapi.model import objects
from lxdapi.model.cached_reads import CachedObject, cached_reads
from lxdapi.model.kinds import KINDS
from lxdapi.model.read_cache import MANY, ReadCache

KIND = KINDS["instance"]
# The age up to which a write may be based on a list.
_FRESH_SECONDS = 0.5


def list_instances(api):
    """Return ``{name: metadata}`` of all instances of the project, by one request."""
    result = api.get(KIND.collection, params={"recursion": 1}, stream=True)
    if not isinstance(result.metadata, list):
        raise APIProtocolException(result, "expected a list of instances in the reply")
    return {each["name"]: each for each in result.metadata}


def is_steady(entry):
    """Return True if the listing shows no creation, start or stop of the instance in progress."""
    result = CachedObject(entry)
    return bool(entry.get("config")) and power.is_stable(result) and not partial_creation.looks_partial(result)


class Listing:
    """
    All instances of the project, in a list that is read now.

    ``instances`` is ``{name: metadata}``.
    """

    def __init__(self, api):
        self._api, read_at, self.instances = api, time.monotonic(), list_instances(api)
        self._planning, self._writing = ReadCache(pinned=True), ReadCache(_FRESH_SECONDS)
        unsteady = [name for name, entry in self.instances.items() if not is_steady(entry)]
        self._planning.add_list(api, KIND, self.instances, read_at, unsteady)
        self._writing.add_list(api, KIND, self.instances, read_at)

    def cached_reads(self):
        """Answer reads from the list, and other reads from the first of their kind, within the block."""
        return cached_reads("instance", 0, self._planning)

    def read_fresh(self, name):
        """Return the metadata of an instance, of this list or a newer one for many, None if it does not exist."""
        with cached_reads("instance", MANY, self._writing):
            result = objects.read(self._api, KIND, name)
        return result and result.metadata
