"""
What threads share of what a run has read.
"""

from types import SimpleNamespace

from lxdapi.minion import read_cache
from lxdapi.model.cached_reads import cached_reads
from lxdapi.model.kinds import KINDS


class Overtaken(read_cache.ReadCache):
    """Another thread writes just when a list is found too old."""

    def _is_fresh(self, read_at):
        self.clear()
        return False


def test_a_list_that_a_write_takes_away_while_it_is_found_too_old_is_made_anew():
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
