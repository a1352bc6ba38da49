"""
Any text as a name, a project, a key or a file name: lxdapi reaches exactly the object with this name, or rejects the
text, and touches nothing else.

The same few inputs in each run; with --long 40 times as many others, different in each run.
"""

import shutil

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from lxdapi.errors import InvalidError

from tests.support.examples import tried
from tests.support.rest import Refused

PIECES = [
    *(
        "..",
        ".",
        "/",
        "//",
        "\\",
        "%2e%2e",
        "%2E",
        "%2f",
        "%252f",
        "%00",
        "%",
        "_",
        "*",
        "?",
        "#",
        "&",
        ";",
        "=",
        ":",
        "@",
    ),
    *(
        "\0",
        "\r\n",
        "\n",
        "\t",
        " ",
        "\x7f",
        "\x85",
        "\u2028",
        "\u202e",
        "\u200b",
        "é",
        "e\u0301",
        "\U0001f600",
        "\ud800",
    ),
    *(
        "{{ 1 }}",
        "{% raw %}",
        "${x}",
        "$(id)",
        "`id`",
        "!!python/object:os.system ",
        "*a",
        "&a ",
        "- ",
        ": ",
        "#!",
        "'",
        '"',
    ),
    *(
        "project=default",
        "?project=web",
        "X-LXD-public: 1",
        "http://127.0.0.1:9/",
        "1.0",
        "profiles",
        "default",
        "web",
        "c1",
    ),
    *("a", "B", "-", "0", "~", "$", "a" * 70),
]
HOSTILE = st.lists(st.sampled_from(PIECES), min_size=1, max_size=5).map("".join) | st.text(max_size=8)
COLLECTIONS = [
    *("profiles", "projects", "images", "images/aliases", "instances", "instances/c1/snapshots", "network-acls"),
    *("network-zones", "network-zones/web/records", "storage-pools", "storage-pools/default/volumes/custom"),
    *("storage-pools/default/volumes/custom/web/snapshots", "certificates"),
]


WITHIN = ("storage-pools/default/volumes/custom/web/snapshots",)


class World:
    """The daemon with neighbors of each kind, which a misread name could hit."""

    def __init__(self, apply, daemon, proxy, imported):
        self.apply, self.daemon, self.proxy, self.fingerprint = apply, daemon, proxy, imported
        for state, name, declared in (
            ("project", "web", {}),
            ("profile", "web", {"config": {"user.a": "b"}}),
            ("image_alias", "web/a", {"target": imported}),
            ("network_acl", "web", {}),
            ("network_zone", "web", {}),
            ("network_zone_record", "web/web", {}),
            ("storage_volume", "default/web", {}),
            ("volume_snapshot", "default/web/web", {}),
            ("instance", "c1", {"source": "busybox"}),
            ("instance_snapshot", "c1/web", {}),
        ):
            ret = apply(f"lxdapi_{state}.present", name, **declared)
            assert ret["result"] is True, ret
        self.before = self.objects()

    def objects(self):
        """Return every object of every collection, by collection and name."""
        return {collection: self.listed(collection) for collection in COLLECTIONS}

    def listed(self, collection):
        """Return {name: object} of a collection, read past the code under test."""
        status, reply = self.daemon.request("GET", f"/1.0/{collection}?recursion=1")
        assert status == 200, reply
        found = {each.get("name") or each["fingerprint"]: _lasting(each) for each in reply["metadata"]}
        # the name of a volume comes before those of its snapshots
        return {name.removeprefix("web/"): each for name, each in found.items()} if collection in WITHIN else found

    def unchanged(self):
        """Check that nothing has changed."""
        assert self.objects() == self.before

    def call(self, function, name, **arguments):
        """Return (the result of the state, whether it sent any request)."""
        self.proxy.clear()
        ret = self.apply(function, name, **arguments)
        assert "Traceback" not in ret["comment"]
        return ret, bool(self.proxy.seen)


def _lasting(found):
    return {key: value for key, value in found.items() if key not in ("used_by", "last_used_at")}


@pytest.fixture
def world(apply, daemon, proxy, imported):
    return World(apply, daemon, proxy, imported)


# kind: (prefix of its name, its collection, fields)
KINDS = {
    "profile": ("", "profiles", {}),
    "image_alias": ("", "images/aliases", {}),
    "project": ("", "projects", {}),
    "network_acl": ("", "network-acls", {}),
    "network_zone": ("", "network-zones", {}),
    "storage_volume": ("default/", "storage-pools/default/volumes/custom", {}),
    "instance_snapshot": ("c1/", "instances/c1/snapshots", {}),
    "volume_snapshot": ("default/web/", "storage-pools/default/volumes/custom/web/snapshots", {}),
    "network_zone_record": ("web/", "network-zones/web/records", {}),
}


def reached_or_refused(world, kind, name):
    """Create and delete an object with this name, and no other; or nothing happens."""
    before, collection, fields = KINDS[kind]
    fields = {"target": world.fingerprint} if kind == "image_alias" else fields
    there = world.before[collection]
    ret, asked = world.call(f"lxdapi_{kind}.present", before + name, **fields)
    if name in there:
        assert ret["result"] is True
    elif ret["result"] is True:
        assert set(world.listed(collection)) - set(there) == {name}
    else:
        assert ret["changes"] == {} and set(world.listed(collection)) == set(there)
    if name not in there:
        world.call(f"lxdapi_{kind}.absent", before + name)
        assert set(world.listed(collection)) == set(there)


@pytest.mark.mainly("incus")
def test_hostile_name_reaches_exactly_itself_or_is_refused(world):
    @tried(70)
    @given(kind=st.sampled_from(sorted(KINDS)), name=HOSTILE)
    def each(kind, name):
        reached_or_refused(world, kind, name)

    each()
    world.unchanged()
    restored = world.apply("lxdapi_instance_snapshot.restored", "c1/web")
    assert restored["result"] is True, "the snapshot beside them is whole"


# Names that lxdapi gives to no object, or not to every kind.
ELSEWHERE = (
    *("%2e%2e", "%2e", "a%41b", "a%2541b", "a%2fb", "a%00b", "50%", "%", "a+b", "a b", " a", "a\tb", "a\nb", "a/b"),
    *("a?b#c", "a;b=c&d", "a:b@c", "a\\b", "é", "a\u2028b"),
)


@pytest.mark.mainly("lxd")
def test_foreign_names_can_be_read_renamed_and_deleted(world, salt, daemon):
    call = {word: salt.modules[f"lxdapi.{word}"] for word in ("get", "delete", "rename")}
    made = []
    for kind, (before, collection, fields) in KINDS.items():
        fields = {"target": world.fingerprint} if kind == "image_alias" else fields
        for name in ELSEWHERE:
            try:
                daemon.ask("POST", f"/1.0/{collection}", {"name": name, **fields})
            except Refused:
                continue
            made.append((kind, name))
            assert set(world.listed(collection)) - set(world.before[collection]) == {name}
            assert call["get"](kind, before + name)["name"] in (name, f"web/{name}")
            assert call["delete"](kind, before + name) == {"deleted": before + name}
            world.unchanged()
            assert call["get"](kind, before + name) is None
            assert call["delete"](kind, before + name) == {}
    # Incus 7.0.2 rejects most of them
    assert {kind for kind, _ in made} >= set(KINDS) - {"network_acl"}
    assert {("profile", "a%2fb"), ("instance_snapshot", "a%2fb"), ("storage_volume", "a%41b")} <= set(made)
    if daemon.name != "incus7":
        assert ("profile", "%2e%2e") in made
    daemon.ask("POST", "/1.0/profiles", {"name": "a%2fb"})
    assert call["rename"]("profile", "a%2fb", "mine") == {"name": {"old": "a%2fb", "new": "mine"}}
    assert call["delete"]("profile", "mine") == {"deleted": "mine"}
    world.unchanged()


def test_unaddressable_name_is_refused_before_any_request(world, salt, proxy):
    for kind, (before, _, _) in KINDS.items():
        for name in ("..", ".", "", "\ud800"):
            for word in ("get", "delete"):
                proxy.clear()
                with pytest.raises(InvalidError):
                    salt.modules[f"lxdapi.{word}"](kind, before + name)
                assert proxy.seen == []
    world.unchanged()


WITH_PARENTS = {"storage_volume": "{}/web2", "instance_snapshot": "{}/s2", "network_forward": "{}/192.0.2.1"}


@pytest.mark.mainly("incus7")
def test_hostile_parent_reaches_exactly_itself_or_is_refused(world):
    @tried(15)
    @given(kind=st.sampled_from(sorted(WITH_PARENTS)), parent=HOSTILE)
    def each(kind, parent):
        if parent in ("default", "c1"):
            return
        for function in ("absent", "present"):
            ret, _ = world.call(f"lxdapi_{kind}.{function}", WITH_PARENTS[kind].format(parent))
            assert ret["changes"] == {}, ret

    each()
    world.unchanged()


def test_hostile_project_or_member_reaches_nothing_else(world):
    @tried(15)
    @given(where=HOSTILE, word=st.sampled_from(["project", "remote"]))
    def each(where, word):
        if where in ("default", "web", "local"):
            return
        for function in ("lxdapi_profile.present", "lxdapi_profile.absent"):
            ret, _ = world.call(function, "web", **{word: where})
            assert ret["changes"] == {}, ret

    each()
    world.unchanged()


def test_image_is_deleted_only_by_full_fingerprint_or_alias(world):
    @tried(20)
    @given(name=HOSTILE | st.sampled_from([world.fingerprint[:12], world.fingerprint[:63], "%", "_" * 64]))
    def each(name):
        for function in ("lxdapi_image.absent", "lxdapi_image_alias.absent"):
            ret, _ = world.call(function, name)
            assert ret["changes"] == {}, ret

    each()
    world.unchanged()


def test_a_rename_leads_to_exactly_that_name_or_is_refused(world):
    @tried(12)
    @given(name=HOSTILE)
    def each(name):
        if name in world.before["profiles"]:
            return
        ret, _ = world.call("lxdapi_profile.present", name, renamed_from="web")
        names = set(world.listed("profiles"))
        if ret["result"] is not True:
            assert ret["changes"] == {} and "web" in names
            return
        assert names == {"default", name}
        assert world.call("lxdapi_profile.present", "web", renamed_from=name)[0]["result"] is True

    each()
    world.unchanged()


@pytest.mark.mainly("incus7")
def test_any_text_is_kept_as_config_value_and_exported(world, salt):
    @tried(25)
    @given(key=HOSTILE, value=HOSTILE.filter(bool))
    def each(key, value):
        declared = {"config": {f"user.{key}": value}, "description": value}
        ret, asked = world.call("lxdapi_profile.present", "mine", **declared)
        if not asked:
            assert ret["result"] is False
            return
        assert ret["result"] is True, ret
        found = world.listed("profiles")["mine"]
        assert (found["config"], found["description"]) == (declared["config"], value)
        world.apply.unchanged("lxdapi_profile.present", "mine", **declared)
        text = salt.modules["lxdapi.export"]("profile", "mine")
        (state,) = yaml.safe_load(text.partition("\n")[2]).values()
        exported = {key: value for part in state["lxdapi_profile.present"] for key, value in part.items()}
        assert exported.get("config", {}) in (declared["config"], {})
        world.call("lxdapi_profile.absent", "mine")

    each()
    world.unchanged()


@pytest.mark.mainly("lxd")
def test_upload_file_name_cannot_inject_a_header(world, image, tmp_path):
    """A header omits the characters of a file name that it cannot contain; the image is the same."""
    world.daemon.request("DELETE", "/1.0/instances/c1")

    @tried(6)
    @given(name=HOSTILE)
    def each(name):
        path = tmp_path / "files"
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir()
        name = "".join(char for char in name if char not in "/\0" and not "\ud800" <= char <= "\udfff")
        if name in ("", ".", "..") or len(name.encode()) > 250:
            return
        shutil.copy(image, path / name)
        world.call("lxdapi_image.absent", world.fingerprint)
        ret, _ = world.call("lxdapi_image.present", "box", source=str(path / name))
        assert ret["result"] is True, ret
        images = world.listed("images")
        assert set(images) == {world.fingerprint}
        assert images[world.fingerprint]["public"] is False

    each()
