"""
The read cache with several threads, and pinned for a plan of many objects.
"""

from types import SimpleNamespace

import pytest
from lxdapi.errors import LxdapiError
from lxdapi.model.cached_reads import CachedObject, cached_reads
from lxdapi.model.kinds import KINDS
from lxdapi.model.read_cache import ReadCache

INSTANCE = KINDS["instance"]
LISTED, READ = {"name": "c1"}, {"name": "c1", "status": "Running"}


def fake_api(get=None):
    """Return what the cache needs of an API."""
    return SimpleNamespace(endpoint="x", project=None, target=None, identity=None, clustered=False, get=get)


class Overtaken(ReadCache):
    """Another thread writes at the moment when a list is found too old."""

    def _is_fresh(self, read_at):
        self.clear()
        return False


def test_list_dropped_by_concurrent_write_is_read_again():
    cache, asked = Overtaken(), []

    def get(path, params, stream):
        asked.append(path)
        return SimpleNamespace(metadata=[LISTED])

    with cached_reads("instance", 9):
        for _ in range(2):
            found = cache.get(fake_api(get), INSTANCE, "instances/c1", lambda: None)
            assert found.metadata == LISTED
    assert asked == ["instances"] * 2


@pytest.mark.parametrize("stale, expected", [((), LISTED), (("c1",), READ)])
def test_stale_name_of_pinned_list_is_read(stale, expected):
    cache = ReadCache(pinned=True)
    cache.add_list(fake_api(), INSTANCE, {"c1": LISTED}, 0, stale)
    with cached_reads("instance", 0, cache):
        found = cache.get(fake_api(), INSTANCE, "instances/c1", lambda: CachedObject(READ))
        assert found.metadata == expected
        assert cache.get(fake_api(), INSTANCE, "instances/c2", lambda: CachedObject(READ)) is None


@pytest.mark.parametrize("pinned, reads", [(True, 1), (False, 2)])
def test_pinned_cache_reads_a_failure_once(pinned, reads):
    cache, asked = ReadCache(pinned=pinned), []

    def fail():
        asked.append("profiles/p")
        raise LxdapiError("down")

    with cached_reads("instance", 0):
        for _ in range(2):
            with pytest.raises(LxdapiError, match="down"):
                cache.get(fake_api(), KINDS["profile"], "profiles/p", fail)
    assert len(asked) == reads
