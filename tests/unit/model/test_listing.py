"""
Lists of objects with a fake daemon: their requests, their content, and the origin of values.
"""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxdapi.errors import APIException, APINotFoundException, InvalidError
from lxdapi.model import diff, listing, objects
from lxdapi.model.kinds import KINDS
from lxdapi.reports import effective, export_sls

from tests.support.fake_transport import Paper, failure, page, server, sync

pytestmark = pytest.mark.usefixtures("contract_kept")

ALL = sorted({kind.extension for kind in KINDS.values() if kind.extension})


def paper(replies, extensions=ALL, clustered=False):
    """Return the paper of a daemon with these replies by path; others are not found."""
    facts = {"environment": {"server": "incus", "server_clustered": clustered}, "config": {"user.a": "b"}}

    def answer(seen):
        path = seen.line.partition("/1.0")[2].strip("/")
        assert seen.method == "GET", "a list changes nothing"
        if not path:
            return server(api_extensions=extensions, **facts)
        return replies.get(path, failure(404, "not found"))

    return Paper(answer)


def collection(*names, key="name", **more):
    """Return the reply of a collection with objects of these names."""
    return sync([{key: name, **more} for name in names])


def test_a_list_is_one_request_and_has_each_object_by_its_name():
    found = paper({"profiles": collection("web", "default", description="x")})
    assert listing.list_objects(found.api, "profile") == {
        "web": {"name": "web", "description": "x"},
        "default": {"name": "default", "description": "x"},
    }
    assert found.lines == ["GET /1.0/profiles"] and found.seen[0].query == {"recursion": "1"}


@pytest.mark.parametrize(
    "word, path, key",
    [
        ("image", "images", "fingerprint"),
        ("certificate", "certificates", "fingerprint"),
        ("image_alias", "images/aliases", "name"),
        ("warning", "warnings", "uuid"),
        ("project", "projects", "name"),
    ],
)
def test_each_kind_has_its_collection_and_key(word, path, key):
    name = "debian/12" if word == "image_alias" else "a" * 64
    assert list(listing.list_objects(paper({path: collection(name, key=key)}).api, word)) == [name]


@pytest.mark.parametrize("nothing", [None, []])
def test_a_list_can_be_empty(nothing):
    assert listing.list_objects(paper({"profiles": sync(nothing)}).api, "profile") == {}
    assert listing.list_objects(paper({"networks/lo/forwards": sync(nothing)}).api, "network_forward", "lo") == {}


def test_unmanaged_interfaces_are_no_networks():
    networks = sync([{"name": "lo", "managed": False}, {"name": "br0", "managed": True}])
    assert list(listing.list_objects(paper({"networks": networks}).api, "network")) == ["br0"]


def test_the_server_is_a_list_of_one():
    (name, found), *none = listing.list_objects(paper({}).api, "server").items()
    assert (name, found["config"], none) == ("server", {"user.a": "b"}, [])


def test_children_of_all_parents_are_listed():
    networks = sync([{"name": "lo", "managed": False}, {"name": "br0"}, {"name": "mac"}, {"name": "gone"}])
    replies = {
        "networks": networks,
        "networks/br0/forwards": collection("192.0.2.1", "2001:db8::1", key="listen_address"),
        "networks/mac/forwards": failure(400, "Network driver does not support forwards"),
    }
    found = paper(replies)
    assert list(listing.list_objects(found.api, "network_forward")) == ["br0/192.0.2.1", "br0/2001:db8::1"]
    asked = [
        "GET /1.0",
        "GET /1.0/networks",
        *(f"GET /1.0/networks/{name}/forwards" for name in ("br0", "mac", "gone")),
    ]
    assert found.lines == asked


def test_children_of_one_parent_are_listed_with_one_request():
    found = paper({"networks/br0/forwards": collection("192.0.2.1", key="listen_address")})
    assert list(listing.list_objects(found.api, "network_forward", "br0")) == ["br0/192.0.2.1"]
    assert found.lines == ["GET /1.0", "GET /1.0/networks/br0/forwards"]


def test_nested_children_are_named_with_all_parents():
    custom = "storage-pools/p/volumes/custom"
    replies = {
        "storage-pools": collection("p"),
        custom: collection("v", "v/s0", "w"),  # LXD 5.0.2 and Incus 6.0.4 list snapshots too
        f"{custom}/v/snapshots": collection("v/s0", "v/s1"),
        f"{custom}/w/snapshots": collection(),
        "storage-pools/p/buckets": collection("b"),
        "storage-pools/p/buckets/b/keys": collection("admin", "reader"),
    }
    assert list(listing.list_objects(paper(replies).api, "storage_volume")) == ["p/v", "p/w"]
    assert list(listing.list_objects(paper(replies).api, "volume_snapshot")) == ["p/v/s0", "p/v/s1"]
    assert list(listing.list_objects(paper(replies).api, "volume_snapshot", "p/v")) == ["p/v/s0", "p/v/s1"]
    assert list(listing.list_objects(paper(replies).api, "storage_bucket_key")) == ["p/b/admin", "p/b/reader"]


UNREADABLE = [failure(500, "broken"), failure(403, "no"), page(404), page(502), failure(503, "shutting down")]


@pytest.mark.parametrize("reply", UNREADABLE)
def test_unreadable_list_is_a_failure_and_not_empty(reply):
    with pytest.raises(APIException):
        listing.list_objects(paper({"profiles": reply}).api, "profile")
    with pytest.raises(APIException):
        listing.list_objects(
            paper({"networks": collection("br0"), "networks/br0/forwards": reply}).api, "network_forward"
        )


def test_parent_without_support_is_a_failure_when_named():
    replies = {"networks/mac/forwards": failure(400, "Network driver does not support forwards")}
    with pytest.raises(APINotFoundException):
        listing.list_objects(paper(replies).api, "network_forward", "br0")
    with pytest.raises(APIException, match="does not support"):
        listing.list_objects(paper(replies).api, "network_forward", "mac")


@pytest.mark.parametrize(
    "word, parent",
    [
        ("network_forward", ".."),
        ("network_forward", "a/b"),
        ("storage_bucket_key", "p"),
        ("volume_snapshot", "p/.."),
        ("instance_snapshot", "-"),
        ("profile", "web"),
        ("server", "x"),
        ("profil", None),
        (None, None),
        (["profile"], None),
    ],
)
def test_invalid_list_arguments_are_refused(word, parent):
    found = paper({})
    with pytest.raises(InvalidError):
        listing.list_objects(found.api, word, parent)
    assert set(found.lines) <= {"GET /1.0"}


@pytest.mark.parametrize(
    "word, words", [("network_acl", "lacks the API extension"), ("cluster_group", "not clustered")]
)
def test_unsupported_kind_is_reported(word, words):
    found = paper({}, extensions=[])
    with pytest.raises(InvalidError, match=words):
        listing.list_objects(found.api, word)


PROFILES = [
    {"name": "default", "config": {"a": "1", "b": "1"}, "devices": {"root": {"type": "disk", "token": "t0p"}}},
    {"name": "web", "config": {"b": "2", "user.password": "t0p"}, "devices": {"root": {"type": "none"}, "eth0": {}}},
    {"name": "unused", "config": {"c": "3"}, "devices": {}},
]
INSTANCE = {"config": {"c": "4", "volatile.uuid": "u", "image.os": "x"}, "devices": {"eth0": {"secret": "t0p"}}}


def effective_in(profiles, instance=INSTANCE, name="c1"):
    """Return the effective config of an instance with these profiles, in order."""
    found = paper({f"instances/{name}": sync({**instance, "profiles": profiles}), "profiles": sync(PROFILES)})
    return effective.read(found.api, name), found


def test_last_profile_with_a_value_wins():
    found, asked = effective_in(["default", "web"])
    assert found["config"] == {
        "a": {"value": "1", "origin": "profile default"},
        "b": {"value": "2", "origin": "profile web"},
        "c": {"value": "4", "origin": "instance"},
        "user.password": {"value": "(hidden)", "origin": "profile web"},
    }
    assert list(found["config"]) == sorted(found["config"])
    assert found["devices"]["root"] == {"value": {"type": "none"}, "origin": "profile web"}
    assert found["devices"]["eth0"] == {"value": {"secret": "(hidden)"}, "origin": "instance"}
    assert asked.lines == ["GET /1.0/instances/c1", "GET /1.0/profiles"]


def test_the_order_of_profiles_decides():
    found, _ = effective_in(["web", "default"])
    assert found["config"]["b"] == {"value": "1", "origin": "profile default"}
    assert found["devices"]["root"]["value"] == {"type": "disk", "token": "(hidden)"}
    assert "t0p" not in repr(found)


@pytest.mark.parametrize("profiles", [[], None])
def test_without_profiles_all_comes_from_the_instance(profiles):
    found, _ = effective_in(profiles)
    assert {each["origin"] for part in found.values() for each in part.values()} == {"instance"}
    assert effective_in(profiles, {"config": None, "devices": None})[0] == {"config": {}, "devices": {}}


@pytest.mark.parametrize("name", ["gone", "..", "a/b", "", None, 5])
def test_missing_or_invalid_instance_is_refused(name):
    with pytest.raises(InvalidError, match="instance"):
        effective.read(paper({}).api, name)


def test_export_needs_a_kind_and_an_existing_object():
    for word, name, words in [
        (None, "web", "kind"),
        ("profile", "web", "profile web does not exist"),
        ("warning", None, "cannot be exported"),
    ]:
        with pytest.raises(InvalidError, match=words):
            export_sls.read_states(paper({}).api, word, name)


CONFIG = st.dictionaries(
    st.sampled_from(
        ["user.a", "limits.cpu", "volatile.x", "image.os", "user.password", "user.lxdapi.restored", "size"]
    ),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8),
)
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)
NAMES = st.sampled_from("abc")
TIMES = st.sampled_from(
    ["0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "2030-01-31T00:00:00.5Z", "2030-01-31T01:00:00+01:00"]
)
PORTS = st.sampled_from(["80", "80,443", "1000-2000"])
SORTS = {
    "map": CONFIG,
    "devices": st.dictionaries(NAMES, CONFIG, max_size=2),
    "list": st.lists(NAMES, unique=True),
    "set": st.lists(NAMES, unique=True),
    "roles": st.lists(NAMES, unique=True),
    "addresses": st.lists(st.sampled_from(["192.0.2.1", "2001:db8::/32", "192.0.2.1-192.0.2.9"]), unique=True),
    "text": TEXT,
    "bool": st.booleans(),
    "time": TIMES,
}
PARTS = {"text": PORTS, "parts": PORTS, "bool": st.booleans(), "number": st.integers(0, 9), "names": st.lists(NAMES)}


def items_of(spec):
    """Return lists of elements as a daemon shows them, without duplicates."""
    keys = {**dict.fromkeys(spec.identity, PORTS), **{key: PARTS[sort] for key, sort in spec.attributes.items()}}
    return (
        st.lists(
            st.fixed_dictionaries({}, optional=keys),
            max_size=3,
            unique_by=lambda item: str([item.get(k) for k in spec.identity]),
        )
        | st.none()
    )


def objects_of(kind):
    """Return objects of a kind as a daemon shows them."""
    fields = {
        f: items_of(kind.items[f]) if f in kind.items else SORTS[diff.FIELDS[f]] for f in kind.fields + kind.create_only
    }
    return st.fixed_dictionaries({"uuid": st.just("x")}, optional=fields)


@pytest.mark.parametrize("word", export_sls.ORDER)
@given(st.data())
def test_export_changes_nothing_when_applied(word, data):
    kind = KINDS[word]
    found = data.draw(objects_of(kind))
    before = copy.deepcopy(found)
    name, declared = export_sls._declaration(kind, "x", found)
    wanted = diff.normalize(kind, {**declared, **({"name": name} if "name" in found and "name" in kind.known else {})})
    assert found == before
    wanted.pop("name", None)
    assert diff.compare(kind, wanted, found).changes == {}
    assert diff.compare(kind, wanted, found, purge=True).changes == {}
    assert diff.immutable_differences(kind, wanted, found) == []
    assert "user.password" not in repr(declared) and "volatile." not in repr(declared.get("config"))


def test_export_uses_the_name_of_the_object():
    name, declared = export_sls._declaration(KINDS["certificate"], "f" * 64, {"name": "web", "type": "client"})
    assert (name, declared) == ("web", {"type": "client"})
    assert objects.parts_of(KINDS["network_forward"], "br0/::1")["name"] == "::1"


DECLARED = [
    ("volume_snapshot", {"expires_at": "2030-01-31T00:00:00Z"}, {"expires_at": "2030-01-31T00:00:00Z"}),
    ("volume_snapshot", {"expires_at": "0001-01-01T00:00:00Z", "description": "x"}, {"description": "x"}),
    (
        "image",
        {"public": True, "auto_update": False, "properties": {"os": "x"}},
        {"public": True, "properties": {"os": "x"}},
    ),
    (
        "instance",
        {"profiles": ["b", "a"], "ephemeral": True},
        {"profiles": ["b", "a"], "ephemeral": True, "source": "none"},
    ),
    ("instance", {"config": {"image.os": "x", "volatile.base_image": "b", "user.lxdapi.restored": "s t"}}, {}),
    ("cluster_group", {"members": ["n2", "n1"], "name": "gpu"}, {"members": ["n1", "n2"]}),
    (
        "storage_bucket_key",
        {"access-key": "AK", "secret-key": "SK", "role": "admin"},
        {"access_key": "AK", "role": "admin"},
    ),
    ("profile", {"devices": {"d": {"type": "disk", "ceph.secret": "x"}}}, {"devices": {"d": {"type": "disk"}}}),
    (
        "network_zone_record",
        {"entries": [{"type": "A", "value": "x", "ttl": 0}]},
        {"entries": [{"type": "A", "value": "x"}]},
    ),
    ("network_zone_record", {"entries": [{"value": "x", "ttl": 5, "new": 1}]}, {"entries": [{"value": "x", "ttl": 5}]}),
    (
        "network_peer",
        {"target_network": "n", "type": "local", "status": "Created"},
        {"target_network": "n", "type": "local"},
    ),
]


@pytest.mark.parametrize("word, found, declared", DECLARED)
def test_export_omits_what_cannot_be_declared(word, found, declared):
    assert export_sls._declaration(KINDS[word], "x", found)[1] == declared


def test_exported_keys_keep_their_order():
    config = {"user.b": "1", "limits.cpu": "2", "user.a": "3"}
    _, declared = export_sls._declaration(KINDS["profile"], "x", {"config": config, "devices": {"b": config, "a": {}}})
    assert list(declared["config"]) == sorted(config) == list(declared["devices"]["b"])
    assert list(declared["devices"]) == ["a", "b"]


def test_export_has_remote_and_project_except_for_server_kinds():
    found = paper({"profiles/web": sync({}), "projects/p": sync({})})
    where = {"remote": "r", "project": "p"}
    (profile,) = export_sls.read_states(found.api, "profile", "web", where).values()
    (project,) = export_sls.read_states(found.api, "project", "p", where).values()
    assert profile == {"lxdapi_profile.present": [{"name": "web"}, {"remote": "r"}, {"project": "p"}]}
    assert project["lxdapi_project.present"][-1] == {"remote": "r"}
    assert "project" not in str(project["lxdapi_project.present"])
    assert export_sls.read_states(found.api, "profile", "web", {"remote": None}) == {
        "web": {"lxdapi_profile.present": []}
    }


def test_cloud_init_passwords_are_masked():
    found = {"config": {"cloud-init.user-data": "#cloud-config\npassword: canary\nlocale: C\n"}, "devices": {}}
    shown = effective_in([], {**found, "profiles": []})[0]["config"]["cloud-init.user-data"]["value"]
    assert "locale: C" in shown and "canary" not in shown
