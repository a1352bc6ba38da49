"""
The functions whose first argument is a kind: they create, read, list, update, rename and delete every available kind,
and their errors name the allowed values.
"""

import pytest
from lxdapi.model.kinds import KINDS
from salt.exceptions import SaltException
from salt.payload import dumps, loads

from tests.functional.matrix import rows_core as matrix_rows_core
from tests.functional.matrix import rows_network as matrix_rows_network
from tests.functional.matrix import rows_storage as matrix_rows_storage
from tests.support import client_certificates as certificates

ROWS = {**matrix_rows_core.ROWS, **matrix_rows_network.ROWS, **matrix_rows_storage.ROWS}
# Kinds with different or additional parameters have their own tests here.
LIVES = sorted(set(ROWS) & set(KINDS) - {"certificate", "image", "instance"})
NETWORK = {"ipv4.address": "10.77.9.1/24", "ipv6.address": "none"}


class Calls:
    """The functions of lxdapi; every result can be sent to the master unchanged."""

    def __init__(self, modules):
        self._modules = modules

    def __getattr__(self, function):
        def call(*arguments, **options):
            result = self._modules[f"lxdapi.{function}"](*arguments, **options)
            assert loads(dumps(result)) == result
            return result

        return call

    def refused(self, function, *arguments, **options):
        """Return the error of a failed call."""
        with pytest.raises(SaltException) as caught:
            self._modules[f"lxdapi.{function}"](*arguments, **options)
        return str(caught.value)


@pytest.fixture
def call(salt):
    """The functions of lxdapi."""
    return Calls(salt.modules)


@pytest.fixture(params=LIVES)
def row(request, daemon):
    """A row of the matrix with its prerequisites; None if the daemon does not support the kind."""
    row, extensions = ROWS[request.param], daemon.ask("GET", "/1.0")["api_extensions"]
    if (row.extension and row.extension not in extensions) or daemon.name in row.fails:
        return request.param, None
    for method, path, body in row.needs:
        daemon.ask(method, f"/1.0/{path}", body)
    return request.param, row


@pytest.fixture
def filled(request):
    """
    A function that inserts the fingerprint of the image into the values of a row, and imports the image if needed.
    """

    def fill(value):
        if isinstance(value, dict):
            return {key: fill(inner) for key, inner in value.items()}
        return request.getfixturevalue("imported") if value == "{image}" else value

    return fill


def covers(part, whole):
    """Return whether ``whole`` contains every key of ``part`` with the same value, in nested mappings too."""
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(key in whole and covers(value, whole[key]) for key, value in part.items())
    return part == whole


def begin(call, word, name, settings):
    """Check that an object is created, and that a second creation fails."""
    assert call.create(word, name, settings) == {"created": name}
    assert "/1.0/" in call.refused("create", word, name, settings)
    assert isinstance(call.get(word, name), dict)
    assert name in call.list(word)
    assert isinstance(call.list(word, full=True)[name], dict)


def changed(call, word, name, edit, expected):
    """Check that an update reports its changes, and that a second one changes nothing."""
    changes = call.update(word, name, edit)
    assert set(changes) == set(expected) and covers(expected, changes), changes
    assert call.update(word, name, edit) == {}
    assert call.update(word, name, {}) == {}


def renamed(call, word, name, new):
    """Check that an object is renamed and reachable under its new name."""
    full = new if "/" in new or not KINDS[word].parents else f"{name.rpartition('/')[0]}/{new}"
    assert call.rename(word, name, new) == {"name": {"old": name, "new": full}}
    assert call.get(word, name) is None
    assert name not in call.list(word)
    assert f"{KINDS[word].label} {name} does not exist" in call.refused("rename", word, name, new)
    return full


def end(call, word, name):
    """Check that an object is deleted, and that a second deletion changes nothing."""
    assert call.delete(word, name) == {"deleted": name}
    assert call.delete(word, name) == {}
    assert call.get(word, name) is None
    assert name not in call.list(word)
    assert "not found" in call.refused("update", word, name, {}).lower()


def test_functions_manage_each_kind(row, call, filled):
    word, row = row
    if row is None:
        return
    begin(call, word, row.name, filled({**row.always, **row.create}))
    if KINDS[word].parents:
        assert row.name in call.list(word, parent=row.name.rpartition("/")[0])
    changed(call, word, row.name, filled(row.edit), filled(row.edit_changes))
    name = row.name
    if row.rename:
        name = renamed(call, word, name, row.rename[0])
    else:
        assert "cannot be renamed" in call.refused("rename", word, name, "other")
    end(call, word, name)


def test_create_function_matches_the_state(call, imported, raw):
    settings = {"source": "busybox", "type": "container", "architecture": "amd64", "config": {"user.a": 1}}
    begin(call, "instance", "c1", settings)
    assert raw("instances/c1")["architecture"] == "x86_64"
    assert call.update("instance", "c1", {"architecture": "amd64"}) == {}
    assert raw("instances/c1")["config"]["image.os"] == "Busybox"
    changed(call, "instance", "c1", {"config": {"user.a": None}}, {"config": {"user.a": {"old": "1", "new": None}}})
    end(call, "instance", renamed(call, "instance", "c1", "c2"))
    assert call.create("instance", "c3", {"source": "none"}) == {"created": "c3"}
    assert "not found" in call.refused("create", "instance", "c4", {"source": "nope"})
    assert "expected container or virtual-machine (or vm) for type, got 'jail'" in call.refused(
        "create", "instance", "c4", {"type": "jail"}
    )


def test_certificate_is_created_from_text_under_its_fingerprint(call, daemon, tmp_path):
    pem, digest = certificates.made()
    begin(call, "certificate", digest, {"certificate": pem, "name": "web"})
    changed(call, "certificate", digest, {"name": "shop"}, {"name": {"old": "web", "new": "shop"}})
    assert "cannot be renamed" in call.refused("rename", "certificate", digest, "f" * 64)
    end(call, "certificate", digest)
    (tmp_path / "web.crt").write_text(pem)
    assert call.create("certificate", digest, {"certificate": str(tmp_path / "web.crt")}) == {"created": digest}
    assert f"expected the fingerprint {digest}" in call.refused("create", "certificate", "f" * 64, {"certificate": pem})
    assert "expected PEM text or the path of a file" in call.refused("create", "certificate", "f" * 64)


def test_image_is_read_updated_and_deleted_by_functions(call, imported):
    assert call.list("image") == [imported]
    edit = {"properties": {"owner": "me"}, "public": True}
    expected = {"properties": {"owner": {"old": None, "new": "me"}}, "public": {"old": False, "new": True}}
    changed(call, "image", imported, edit, expected)
    end(call, "image", imported)


def test_server_is_a_single_resource_with_settings(call, daemon):
    assert call.list("server") == ["server"]
    assert call.get("server")["config"] == call.get("server", "server")["config"]
    edit = {"config": {"user.contact": "ops", "user.password": "s3cret-1"}}
    hidden = {"old": None, "new": "(hidden)"}
    expected = {"config": {"user.contact": {"old": None, "new": "ops"}, "user.password": hidden}}
    changed(call, "server", "server", edit, expected)
    assert call.update("server", "server", {"config": {"user.contact": None}})
    assert "user.contact" not in call.get("server")["config"]


def test_a_warning_is_acknowledged_and_deleted(call, daemon):
    name = call.list("warning")[0]
    changed(call, "warning", name, {"status": "acknowledged"}, {"status": {"old": "new", "new": "acknowledged"}})
    assert call.delete("warning", name) == {"deleted": name}


def test_list_over_all_parents_skips_unsuitable_ones(call, daemon):
    for name, body in (("lxdapi9", {"config": NETWORK}), ("lan", {"type": "macvlan", "config": {"parent": "lxdapi9"}})):
        daemon.ask("POST", "/1.0/networks", {"name": name, **body})
    daemon.ask("POST", "/1.0/networks/lxdapi9/forwards", {"listen_address": "192.0.2.1"})
    assert call.list("network") == ["lan", "lxdapi9"]
    assert call.list("network_forward") == ["lxdapi9/192.0.2.1"]
    assert call.list("network_peer") == []
    assert "does not support" in call.refused("list", "network_forward", parent="lan")
    assert "not found" in call.refused("list", "network_forward", parent="nope")


def test_a_list_of_volumes_has_no_snapshots_in_it(call, daemon):
    daemon.ask("POST", "/1.0/storage-pools", {"name": "fast", "driver": "dir"})
    for pool, name in (("default", "data"), ("default", "logs"), ("fast", "data")):
        daemon.ask("POST", f"/1.0/storage-pools/{pool}/volumes/custom", {"name": name})
        daemon.ask("POST", f"/1.0/storage-pools/{pool}/volumes/custom/{name}/snapshots", {"name": "snap0"})
    assert call.list("storage_volume") == ["default/data", "default/logs", "fast/data"]
    assert call.list("storage_volume", parent="fast") == ["fast/data"]
    snapshots = ["default/data/snap0", "default/logs/snap0", "fast/data/snap0"]
    assert call.list("volume_snapshot") == snapshots
    assert call.list("volume_snapshot", parent="default/logs") == ["default/logs/snap0"]


WRONG = [
    (["list", "profil"], f"unknown kind 'profil'; choose from: {', '.join(sorted(KINDS))}"),
    (["get", "profil", "web"], "unknown kind 'profil'; choose from: certificate"),
    (["create", ["profile"], "web"], "unknown kind ['profile']; choose from: certificate"),
    (["update", "profil", "web", {}], "unknown kind 'profil'"),
    (["rename", "profil", "web", "shop"], "unknown kind 'profil'"),
    (["delete", "profil", "web"], "unknown kind 'profil'"),
    (["get", "profile"], "profile is a kind and requires a name: lxdapi.list profile lists the names"),
    (["delete", "storage_volume"], "storage_volume is a kind and requires a name"),
    (
        ["create", "profile", "web", {"confg": {}}],
        "profile: unknown field confg; choose from: config, description, devices",
    ),
    (
        ["update", "profile", "default", {"confg": {}}],
        "profile: unknown field confg; choose from: config, description",
    ),
    (["create", "profile", "web", {"config": "a=b"}], "expected a mapping for config"),
    (["create", "profile", "web", ["config"]], "expected a mapping for settings, got a list"),
    (["create", "profile", "web", "[1]"], "expected a mapping for settings, got a list"),
    (["create", "profile", "web", "{config"], "settings: "),
    (["update", "profile", "default", None], "expected a mapping for settings, got null"),
    (["get", "storage_volume", "data"], "expected STORAGE_POOL/NAME for storage volume name, got 'data'"),
    (["create", "volume_snapshot", "data/snap0"], "expected STORAGE_POOL/STORAGE_VOLUME/NAME for volume snapshot name"),
    (["list", "volume_snapshot", "default"], "expected STORAGE_POOL/STORAGE_VOLUME/NAME for volume snapshot name"),
    (["delete", "network_forward", "lxdbr0"], "expected NETWORK/NAME for network forward name"),
    (["update", "network_zone_record", "www", {}], "expected NETWORK_ZONE/NAME for network zone record name"),
    (["create", "image", "0" * 64], "upload it with lxdapi_image.present"),
    (["create", "server", "server"], "every server has its own"),
    (["delete", "server"], "every server has its own"),
    (["create", "cluster_member", "n2"], "use lxdapi_cluster.joined on the new server"),
    (["list", "cluster_member"], "the server is not clustered"),
    (["create", "warning", "x"], "only the daemon creates warnings"),
    (["rename", "network_zone", "a", "b"], "the kind network zone cannot be renamed"),
    (
        ["rename", "storage_volume", "default/a", "other/b"],
        "cannot be renamed to other/b: it would have another parent",
    ),
    (["get", "profile", "default", {"recursion": 1}], "params does not apply to a kind; omit it"),
]


def test_force_is_refused_for_kinds_without_it(call, daemon, proxy):
    for word, name in (("profile", "default"), ("storage_volume", "default/data"), ("network", "br0")):
        assert f"force: the daemon cannot force the deletion of a {KINDS[word].label}" in call.refused(
            "delete", word, name, force=True
        )
    assert proxy.writes() == []
    assert call.delete("profile", "nope", force=False) == {}


def test_invalid_arguments_are_refused_with_allowed_values(call, daemon, proxy):
    for (function, *arguments), words in WRONG:
        assert words in call.refused(function, *arguments), (function, arguments)
    assert proxy.writes() == []
