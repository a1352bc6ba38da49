"""
Sources in the short form, ``SERVER:ALIAS``: what is made of the images of named servers, or of the daemon's own.
"""

import pytest
from lxdapi.errors import InvalidError

from tests.support.image_server import ImageServer
from tests.support.loader import Loaded

OLD, NEW = "20240101_00:00", "20250101_00:00"


@pytest.fixture
def offered(tmp_path):
    """An image server; ``digest`` is the fingerprint of its image."""
    server = ImageServer(tmp_path)
    server.digest = server.add(OLD)
    yield server
    server.close()


@pytest.fixture
def settings(offered):
    """The settings of that server."""
    return {"server": offered.url, "certificate": str(offered.certificate)}


@pytest.fixture
def salt(tmp_path, proxy, settings):
    """Salt's modules and states, to which two names mean that server: a default one and one more."""
    servers = {"images": settings, "own": settings}
    return Loaded(tmp_path, {"local": {"endpoint": str(proxy.socket)}}, image_servers=servers)


def base_image(raw, name="c1"):
    """Return the fingerprint of the image that an instance was made of."""
    return raw(f"instances/{name}")["config"]["volatile.base_image"]


@pytest.mark.parametrize("source", ["images:box/1", "own:box"])
def test_instance_of_named_server_is_created_once(apply, offered, raw, source):
    assert apply.changed("lxdapi_instance.present", "c1", source=source) == {"created": "c1"}
    assert base_image(raw) == offered.digest
    del offered.asked[:]
    apply.unchanged("lxdapi_instance.present", "c1", source=source)
    assert offered.asked == []


def test_alias_missing_on_the_server_is_reported(apply, offered, raw):
    for alias in ("none", "0" * 64):
        comment = apply.failed("lxdapi_instance.present", "c1", source=f"own:{alias}")
        assert (
            f"{offered.url} does not offer image {alias}; expected one of its aliases or a whole fingerprint" in comment
        )
        assert "couldn't be found (POST /1.0/instances, operation " in comment
    assert raw("instances/c1") is None


@pytest.mark.mainly("incus")
def test_image_missing_on_a_daemon_is_reported(apply, listening):
    comment = apply.failed("lxdapi_instance.present", "c1", source={**listening, "alias": "none"})
    assert f"{listening['server']} does not offer image none; expected one of its aliases" in comment


@pytest.mark.mainly("incus")
def test_local_alias_of_the_same_text_comes_first(apply, daemon, imported, raw):
    aliases = ("own:box", "team:web")
    for alias in aliases:
        daemon.ask("POST", "/1.0/images/aliases", {"name": alias, "target": imported})
    sources = [*aliases, "local:own:box", {"type": "image", "alias": "own:box"}]
    for number, source in enumerate(sources):
        apply("lxdapi_instance.present", f"c{number}", source=source)
        assert base_image(raw, f"c{number}") == imported


@pytest.mark.mainly("incus")
def test_short_fingerprint_is_refused_with_the_whole_one(apply, imported, raw):
    comment = apply.failed("lxdapi_instance.present", "c1", source=imported[:12])
    assert f"expected an alias or a whole fingerprint (64 digits), got {imported[:12]};" in comment
    assert comment.endswith(f"begin with it: {imported}") and raw("instances/c1") is None


@pytest.mark.mainly("incus")
@pytest.mark.parametrize("source", ["imagse:box", "ubuntu:24.04"])
def test_unknown_server_is_refused_with_the_known_names(apply, raw, source):
    words = f"got {source.partition(':')[0]}; choose from: images, own. Define others below lxdapi:image_servers"
    for state in ("lxdapi_instance.present", "lxdapi_image.present"):
        assert words in apply.failed(state, "c1", source=source)
        ret = apply.predicted(state, "c1", source=source)
        assert ret["result"] is False and words in ret["comment"]
    assert words in apply.failed("lxdapi_fleet.managed", "shop", instances={"c[1-2]": {"source": source}})
    assert raw("instances") == raw("images") == []


@pytest.mark.mainly("incus")
def test_short_form_of_an_image_equals_the_mapping(apply, offered, settings, raw):
    changes = apply.changed("lxdapi_image.present", "box", source="own:box/1")
    assert changes == {"created": offered.digest, "aliases": {"box": {"old": None, "new": offered.digest}}}
    apply.unchanged("lxdapi_image.present", "box", source={**settings, "alias": "box/1"})
    apply.changed("lxdapi_image.present", offered.digest, auto_update=True)
    newer = offered.add(NEW)
    assert apply.predicted("lxdapi_image.present", "box", source="own:box/1")["changes"]["created"] == newer
    del offered.asked[:]
    apply.unchanged("lxdapi_image.present", "box", source="own:box/1", auto_update=True)
    apply.unchanged("lxdapi_image.present", "box", source="own:box/1", fingerprint=offered.digest)
    assert offered.asked == []


@pytest.mark.mainly("incus")
def test_image_of_no_server_is_refused(apply, offered):
    expected = f"{offered.url} does not offer image none for x86_64; expected one of its aliases or a whole fingerprint"
    assert expected in apply.failed("lxdapi_image.present", "box", source="own:none")
    assert "got local, which is this daemon; choose from: images, own." in apply.failed(
        "lxdapi_image.present", "box", source="local:box"
    )
    assert "64 hexadecimal digits" in apply.failed(
        "lxdapi_image.present", "box", source="own:box", fingerprint="0123456789ab"
    )


@pytest.mark.mainly("incus")
def test_fleet_is_made_of_a_named_server(apply, offered, raw):
    declared = {"images": {"box": {"source": "own:box"}}, "defaults": {"source": "images:box"}}
    declared["instances"] = {"a[1-2]": {}, "b": {"source": "box"}}
    apply("lxdapi_fleet.managed", "shop", **declared)
    assert {base_image(raw, name) for name in ("a1", "a2", "b")} == {offered.digest}
    apply.unchanged("lxdapi_fleet.managed", "shop", **declared)


@pytest.mark.mainly("incus")
def test_functions_take_the_short_form(salt, offered, settings, imported, raw):
    salt.modules["lxdapi.create"]("instance", "c1", {"source": "own:box"})
    assert base_image(raw) == offered.digest
    salt.modules["lxdapi.create"]("instance", "c2", {"source": "busybox"})
    changes = salt.modules["lxdapi_instance.rebuild"]("c2", "own:box")
    assert changes == {"image": {"old": imported, "new": offered.digest}}
    products = salt.modules["lxdapi_image.products"]
    assert products("own", "box") == products(offered.url, "box", certificate=settings["certificate"]) != []
    with pytest.raises(InvalidError, match="choose from: images, own"):
        products("imagse")


@pytest.mark.mainly("incus")
def test_newer_image_of_a_named_server_is_reported(apply, offered):
    declared = {"source": "own:box", "image_changed": "report"}
    apply.changed("lxdapi_instance.present", "c1", **declared)
    newer = offered.add(NEW)
    comment = apply.unchanged("lxdapi_instance.present", "c1", **declared)["comment"]
    assert f"its image is {offered.digest}, the current image of its source {newer}" in comment
