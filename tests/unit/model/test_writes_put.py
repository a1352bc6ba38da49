"""
A PUT repeats everything that an object has, including newer fields than those in the table, except what no PUT accepts;
a PATCH of the server repeats its settings.
"""

import copy

import pytest
from lxdapi.model.kinds import KINDS
from lxdapi.model.schema import READ_ONLY
from lxdapi.plan import converge, steps

from tests.support.fake_transport import Paper, server, sync
from tests.support.model_daemon import Model

NEW = {"brand_new": {"a": "b"}, "other_new": ["x"], "no_news": ""}
# kind: (name, path, declaration)
WRITTEN = {
    "profile": ("web", "profiles/web", {"config": {"user.a": None}}),
    "network": ("br0", "networks/br0", {"description": "two"}),
    "project": ("team", "projects/team", {"config": {"user.b": "2"}}),
    "storage_volume": ("default/data", "storage-pools/default/volumes/custom/data", {"config": {}}),
    "instance": ("c1", "instances/c1", {"config": {"user.a": None}}),
    "image": ("a" * 64, f"images/{'a' * 64}", {"public": True}),
}
EVERYTHING = {"config": {"user.a": "1"}, "description": "one", "devices": {}, "profiles": ["default"], **NEW}


def put(word, **more):
    """Return (the body of the PUT, the model afterwards) for a change of an object with these fields."""
    name, path, wanted = WRITTEN[word]
    found = Model({path: {**copy.deepcopy(EVERYTHING), **more}})
    paper = Paper(found, wait_timeout=5)
    assert steps.apply(converge.plan_present(paper.api, word, name, wanted))
    (body,) = [seen.json for seen in paper.seen if seen.method == "PUT"]
    return body, found.objects[path]


@pytest.mark.parametrize("word", WRITTEN)
def test_put_repeats_fields_unknown_to_the_table(word):
    body, after = put(word)
    assert body.items() >= NEW.items()
    assert after.items() >= NEW.items()


@pytest.mark.parametrize("word", WRITTEN)
def test_put_omits_read_only_fields(word):
    own = set(KINDS[word].fields)
    given = dict.fromkeys(READ_ONLY - own - {"managed", "restore"}, "x")
    body, _ = put(word, **given)
    assert set(body) == (set(EVERYTHING) | own) & set(body) and not set(body) & set(given)


@pytest.mark.parametrize("word", [word for word, kind in KINDS.items() if kind.write.read_only])
def test_read_only_field_is_no_field_of_its_kind(word):
    kind = KINDS[word]
    found = dict.fromkeys((*kind.fields, *kind.write.read_only, *READ_ONLY, "brand_new"))
    assert set(kind.put_fields(found)) == {*kind.fields, "brand_new"}
    assert not set(kind.write.read_only) & set(kind.fields)


def patched(found, declared, name="incus"):
    """Return the config that is sent to a server with the first config when the second is declared."""

    def daemon(seen):
        done = seen.method == "GET" and any(each.method == "PATCH" for each in paper.seen)
        config = {key: value for key, value in {**found, **declared}.items() if value} if done else found
        return server(name, config=config) if seen.method == "GET" else sync()

    paper = Paper(daemon)
    assert steps.apply(converge.plan_present(paper.api, "server", "server", {"config": declared}))
    (body,) = [seen.json for seen in paper.seen if seen.method == "PATCH"]
    assert set(body) == {"config"}
    return body["config"]


def test_patch_of_server_repeats_its_settings():
    found = {"user.a": "1", "core.https_address": ":8443", "volatile.x": "y", "core.trust_password": True}
    assert patched(found, {"user.b": "2", "user.a": None}) == {
        "user.a": "",
        "user.b": "2",
        "core.https_address": ":8443",
    }


@pytest.mark.parametrize(
    "name, key, sent",
    [
        ("lxd", "core.metrics_authentication", "true"),
        ("lxd", "core.syslog_socket", ""),
        ("incus", "core.metrics_authentication", ""),
    ],
)
def test_setting_with_default_true_is_unset_by_true_on_lxd(name, key, sent):
    assert patched({key: "false" if sent else "true"}, {key: None}, name) == {key: sent}
