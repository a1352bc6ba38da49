"""
What threads share of what a run has read.
"""

from types import SimpleNamespace

from lxdapi.minion import read_cache as shelves
from lxdapi.model.kinds import KINDS


class Overtaken(shelves.Shelf):
    """Another thread writes just when a list is found too old."""

    def _fresh(self, begun):
        self.drop()
        return False


def test_a_list_that_a_write_takes_away_while_it_is_found_too_old_is_made_anew():
    shelf, asked = Overtaken(), []

    def get(path, params):
        asked.append(path)
        return SimpleNamespace(metadata=[{"name": "c1"}])

    api = SimpleNamespace(endpoint="x", project=None, target=None, identity=None, clustered=False, get=get)
    with shelves.used("instance", 9):
        for _ in range(2):
            found = shelf.found(api, KINDS["instance"], "instances/c1", lambda: None)
            assert found.metadata == {"name": "c1"}
    assert asked == ["instances"] * 2
