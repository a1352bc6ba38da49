"""
The read cache with several threads.
"""

from types import SimpleNamespace

from lxdapi.minion import read_cache
from lxdapi.model.cached_reads import cached_reads
from lxdapi.model.kinds import KINDS


class Overtaken(read_cache.ReadCache):
    """Another thread writes at the moment when a list is found too old."""

    def _is_fresh(self, read_at):
        self.clear()
        return False


def test_list_dropped_by_concurrent_write_is_read_again():
    cache, asked = Overtaken(), []

    def get(path, params):
        asked.append(path)
        return SimpleNamespace(metadata=[{"name": "c1"}])

    api = SimpleNamespace(endpoint="x", project=None, target=None, identity=None, clustered=False, get=get)
    with cached_reads("instance", 9):
        for _ in range(2):
            found = cache.get(api, KINDS["instance"], "instances/c1", lambda: None)
            assert found.metadata == {"name": "c1"}
    assert asked == ["instances"] * 2
