"""
The life of the kinds that the daemons of the tests cannot have, with a model: every request is compared exactly.
"""

import copy

import pytest
from lxdapi.errors import InvalidError
from lxdapi.model.kinds import KINDS
from lxdapi.plan import converge, steps
from lxdapi.plan.state_result import run_state

from tests.support.fake_transport import Paper
from tests.support.model_daemon import Model

pytestmark = pytest.mark.usefixtures("contract_kept")

EXTENSIONS = ["storage_buckets", "clustering_groups", "clustering_groups_config"]
FACTS = {"api_extensions": EXTENSIONS, "environment": {"server": "incus", "server_clustered": True}}
MEMBER = {
    **{"server_name": "n2", "url": "https://192.0.2.2:8443", "database": True, "status": "Online"},
    **{"architecture": "x86_64", "config": {}, "description": "", "failure_domain": "default"},
    **{"groups": ["default"], "roles": ["database", "event-hub"]},
}

# (kind, name, path, objects before, [(declaration, method, body, changes)])
LIVES = {
    "storage_bucket": (
        "default/b1",
        "storage-pools/default/buckets/b1",
        None,
        [
            (
                {"config": {"size": "1GiB"}},
                "POST",
                {"name": "b1", "config": {"size": "1GiB"}},
                {"created": "default/b1"},
            ),
            (
                {"config": {"size": "2GiB"}, "description": "x"},
                "PUT",
                {"config": {"size": "2GiB"}, "description": "x"},
                {"config": {"size": {"old": "1GiB", "new": "2GiB"}}, "description": {"old": "", "new": "x"}},
            ),
            (
                {"config": {}},
                "PUT",
                {"config": {}, "description": "x"},
                {"config": {"size": {"old": "2GiB", "new": None}}},
            ),
        ],
    ),
    "storage_bucket_key": (
        "default/b1/reader",
        "storage-pools/default/buckets/b1/keys/reader",
        None,
        [
            (
                {"access_key": "AK", "secret_key": "s3cret-one"},
                "POST",
                {"name": "reader", "role": "read-only", "access-key": "AK", "secret-key": "s3cret-one"},
                {"created": "default/b1/reader"},
            ),
            (
                {"secret_key": "s3cret-two", "description": "x"},
                "PUT",
                {"access-key": "AK", "description": "x", "role": "read-only", "secret-key": "s3cret-two"},
                {"secret-key": {"old": "(hidden)", "new": "(hidden)"}, "description": {"old": "", "new": "x"}},
            ),
            (
                {"role": "admin"},
                "PUT",
                {"access-key": "AK", "description": "x", "role": "admin", "secret-key": "s3cret-two"},
                {"role": {"old": "read-only", "new": "admin"}},
            ),
        ],
    ),
    "cluster_group": (
        "gpu",
        "cluster/groups/gpu",
        None,
        [
            (
                {"members": ["n2", "n1"], "description": "cards"},
                "POST",
                {"name": "gpu", "members": ["n1", "n2"], "description": "cards"},
                {"created": "gpu"},
            ),
            (
                {"members": ["n1"], "config": {"user.a": "b"}},
                "PUT",
                {"members": ["n1"], "description": "cards", "config": {"user.a": "b"}},
                {"members": {"old": ["n1", "n2"], "new": ["n1"]}, "config": {"user.a": {"old": None, "new": "b"}}},
            ),
            (
                {"members": [], "config": {"user.a": ""}},
                "PUT",
                {"members": [], "description": "cards", "config": {}},
                {"members": {"old": ["n1"], "new": []}, "config": {"user.a": {"old": "b", "new": None}}},
            ),
        ],
    ),
    "cluster_member": (
        "n2",
        "cluster/members/n2",
        MEMBER,
        [
            (
                {"failure_domain": "rack2", "groups": ["gpu", "default"], "config": {"scheduler.instance": "manual"}},
                "PUT",
                {
                    "config": {"scheduler.instance": "manual"},
                    "description": "",
                    "failure_domain": "rack2",
                    "groups": ["default", "gpu"],
                    "roles": ["database", "event-hub"],
                },
                {
                    "config": {"scheduler.instance": {"old": None, "new": "manual"}},
                    "failure_domain": {"old": "default", "new": "rack2"},
                    "groups": {"old": ["default"], "new": ["default", "gpu"]},
                },
            ),
            (
                {"config": {}, "description": "rack 2"},
                "PUT",
                {
                    "config": {},
                    "description": "rack 2",
                    "failure_domain": "rack2",
                    "groups": ["default", "gpu"],
                    "roles": ["database", "event-hub"],
                },
                {
                    "config": {"scheduler.instance": {"old": "manual", "new": None}},
                    "description": {"old": "", "new": "rack 2"},
                },
            ),
        ],
    ),
}


def model(word, there=None):
    """Return a model with the parents of a kind, and with the object if it is given."""
    path = LIVES[word][1]
    return Model({path: there} if there else {}, facts=FACTS)


def applied(found, word, wanted, test=False, purge=False, renamed_from=None, name=None):
    """Return (Salt's answer, the paper) for a declaration; None declares the object absent."""
    paper, name = Paper(found), name or LIVES[word][0]

    def plan():
        if wanted is None:
            return converge.plan_absent(paper.api, word, name)
        return converge.plan_present(paper.api, word, name, wanted, purge, renamed_from)

    return run_state(word, name, plan, test=test), paper


def wrote(paper):
    """Return (method, path, body) of each request other than GET."""
    return [(seen.method, seen.line.split(" ", 1)[1], seen.json) for seen in paper.seen if seen.method != "GET"]


@pytest.mark.parametrize("word", LIVES)
def test_lifecycle_is_predicted_applied_and_then_silent(word):
    name, path, there, chapters = LIVES[word]
    found = model(word, there)
    collection = path.rpartition("/")[0]
    for wanted, method, body, changes in chapters:
        before = copy.deepcopy(found.objects)
        predicted, paper = applied(found, word, wanted, test=True)
        assert (predicted["result"], predicted["changes"], wrote(paper)) == (None, changes, [])
        assert found.objects == before
        ret, paper = applied(found, word, wanted)
        assert (ret["result"], ret["changes"]) == (True, changes), ret["comment"]
        assert wrote(paper) == [(method, f"/1.0/{collection if method == 'POST' else path}", body)]
        for test in (False, True):
            again, paper = applied(found, word, wanted, test)
            assert (again["result"], again["changes"], wrote(paper)) == (True, {}, [])
    assert list(found.objects) == [path]


@pytest.mark.parametrize("word", LIVES)
def test_absent_deletes_once(word):
    name, path, there, _ = LIVES[word]
    found = model(word, there or {"config": {}, "description": "", "name": name.rpartition("/")[2]})
    predicted, paper = applied(found, word, None, test=True)
    assert (predicted["result"], predicted["changes"], paper.writes) == (None, {"deleted": name}, [])
    ret, paper = applied(found, word, None)
    assert (ret["result"], ret["changes"], paper.writes) == (True, {"deleted": name}, [f"DELETE /1.0/{path}"])
    assert paper.seen[-1].query == {} and found.objects == {}
    again, paper = applied(found, word, None)
    assert (again["result"], again["changes"], paper.writes) == (True, {}, [])


@pytest.mark.parametrize("word", LIVES)
def test_put_carries_the_etag_of_the_compared_object(word):
    _, path, there, chapters = LIVES[word]
    found = model(word, there)
    for wanted, *_ in chapters[:1]:
        applied(found, word, wanted)
    tag = found.etag(path)
    _, paper = applied(found, word, {"description": "another"})
    (put,) = [seen for seen in paper.seen if seen.method == "PUT"]
    assert put.headers["If-Match"] == tag


def test_secret_key_is_not_shown():
    found = model("storage_bucket_key")
    for secret in ("s3cret-one", "s3cret-two"):
        for test in (True, False):
            ret, _ = applied(found, "storage_bucket_key", {"secret_key": secret}, test)
            assert "s3cret" not in repr(ret)


@pytest.mark.parametrize("word, key", [("cluster_group", "name"), ("cluster_member", "server_name")])
def test_a_rename_is_a_post_of_the_key(word, key):
    _, path, there, _ = LIVES[word]
    found = model(word, there or {"config": {}, "description": "", "members": [], "name": "gpu"})
    old = path.rpartition("/")[2]
    ret, paper = applied(found, word, {"description": "x"}, renamed_from=old, name="new")
    assert ret["changes"] == {"name": {"old": old, "new": "new"}, "description": {"old": "", "new": "x"}}
    above = path.rpartition("/")[0]
    assert wrote(paper)[0] == ("POST", f"/1.0/{path}", {key: "new"})
    assert wrote(paper)[1][:2] == ("PUT", f"/1.0/{above}/new")
    assert list(found.objects) == [f"{above}/new"]
    assert applied(found, word, {"description": "x"}, renamed_from=old, name="new")[0]["changes"] == {}


def test_state_cannot_create_a_cluster_member():
    ret, paper = applied(model("cluster_member"), "cluster_member", {"description": "x"})
    assert (ret["result"], wrote(paper)) == (False, [])
    assert "use lxdapi_cluster.joined on the new server" in ret["comment"]


def test_unreachable_member_is_removed_by_force():
    found = model("cluster_member", MEMBER)
    paper = Paper(found)
    assert steps.apply(converge.plan_absent(paper.api, "cluster_member", "n2", True)) == {"deleted": "n2"}
    assert paper.seen[-1].query == {"force": "1"}


@pytest.mark.parametrize("force", ["no", "false", 0, "", None, False])
def test_word_meaning_false_is_no_force(force):
    paper = Paper(model("cluster_member", MEMBER))
    steps.apply(converge.plan_absent(paper.api, "cluster_member", "n2", force))
    assert paper.seen[-1].query == {}


@pytest.mark.parametrize("word", LIVES)
def test_unsupported_kind_is_refused_with_one_request(word):
    paper = Paper(Model(facts={"environment": {"server": "lxd", "server_version": "5.0.2"}}))
    with pytest.raises(InvalidError, match=f"(does not support the kind|has no) {KINDS[word].label}"):
        converge.plan_present(paper.api, word, LIVES[word][0], {})
    assert list(converge.plan_absent(paper.api, word, LIVES[word][0])) == []
    assert paper.lines == ["GET /1.0"]


def test_automatic_roles_are_kept():
    found = model("cluster_member", MEMBER)
    assert applied(found, "cluster_member", {"roles": ["event-hub"]})[0]["changes"] == {}
    ret, paper = applied(found, "cluster_member", {"roles": []})
    assert (ret["result"], list(ret["changes"])) == (True, ["roles"])
    (written,) = [seen for seen in paper.seen if seen.method == "PUT"]
    assert "event-hub" not in written.json["roles"]


def test_member_that_stays_in_group_is_reported():
    there = {"config": {}, "description": "", "members": ["n1"], "name": "gpu"}

    def put_back(found):
        found.objects["cluster/groups/gpu"] = there

    found = model("cluster_group", there)
    gets = [lambda _: None, put_back]
    found.meanwhile = {"GET cluster/groups/gpu": gets}
    ret, paper = applied(found, "cluster_group", {"members": []})
    assert (ret["result"], ret["changes"]) == (False, {})
    assert "the daemon accepted the write, but members did not become as declared" in ret["comment"]
