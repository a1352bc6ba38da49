"""
Predictions of a run in test mode: they end with the run.
"""

from types import SimpleNamespace

from lxdapi.minion import read_cache, state_run

DAEMON = SimpleNamespace(endpoint="http+unix://%2Fpaper.socket", project=None)
CHUNKS = [{"state": "lxdapi_profile", "__id__": "a", "name": "a", "fun": "absent"}]


def run_in(context, chunks, identity):
    """Return the run of the first chunk."""
    names = {"__lowstate__": chunks, "__instance_id__": identity, "__context__": context}
    return state_run.Run(True, chunks[0], names)


def test_predicted_deletions_belong_to_one_run():
    cache = read_cache.RunCache()
    context = {read_cache.KEY: cache}
    run_in(context, CHUNKS, "1")
    cache.predict_deletion(DAEMON, "profiles/a")
    cache.predict_deletion(SimpleNamespace(endpoint=DAEMON.endpoint, project="shop"), "profiles/a")
    run_in(context, CHUNKS, "1")
    assert cache.predicted_deletions(DAEMON) == ["profiles/a", "profiles/a?project=shop"]
    assert cache.predicted_deletions(SimpleNamespace(endpoint="https://other")) == []
    run_in(context, [dict(CHUNKS[0])], "2")
    assert cache.predicted_deletions(DAEMON) == []
