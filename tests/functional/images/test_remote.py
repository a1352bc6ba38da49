"""
Images of other servers: simplestreams and daemons; instances that follow the image of their source.
"""

import json

import pytest
from lxdapi.api import API
from lxdapi.errors import InvalidError, LxdapiError
from lxdapi.instances import rebuild, sources
from lxdapi.plan import steps as plans

from tests.support.image_server import ImageServer
from tests.support.images import busybox_image

OLD, NEW = "20240101_00:00", "20250101_00:00"


@pytest.fixture
def images_of(tmp_path):
    """An image server with one image."""
    server = ImageServer(tmp_path)
    server.add(OLD)
    yield server
    server.close()


@pytest.fixture
def source(images_of):
    """Return its image as a source."""
    return {"server": images_of.url, "alias": "box/1", "certificate": str(images_of.certificate)}


def test_daemon_fetches_image_by_remote_alias(apply, images_of, source, raw):
    changes = apply.changed("lxdapi_image.present", "box", source=source, properties={"owner": "x"}, aliases=["more"])
    made = raw(f"images/{changes['created']}")
    assert made["properties"]["serial"] == OLD and made["properties"]["owner"] == "x"
    assert made["update_source"]["alias"] == "box/1"
    assert {alias["name"] for alias in made["aliases"]} == {"box", "more"}
    apply.changed("lxdapi_instance.present", "c1", source="box", running=True)


def test_newer_remote_image_is_fetched_unless_auto_updated(apply, images_of, source, raw):
    old = apply("lxdapi_image.present", "box", source={**source, "image_type": "container"})["changes"]["created"]
    new = images_of.add(NEW)
    # the daemon learns of it when its own list is an hour old
    ret = apply.predicted("lxdapi_image.present", "box", source=source)
    assert ret["changes"] == {"created": new, "aliases": {"box": {"old": old, "new": new}}}
    assert "caches the index of a simplestreams server" in apply.failed("lxdapi_image.present", "box", source=source)
    assert raw("images/aliases/box")["target"] == old
    apply.changed("lxdapi_image.present", old, auto_update=True)
    del images_of.asked[:]
    apply.unchanged("lxdapi_image.present", "box", source=source, auto_update=True)
    assert images_of.asked == []


def test_a_fingerprint_saves_asking_the_server_in_each_run(apply, images_of, source):
    digest = json.loads((images_of.folder / "streams/v1/images.json").read_text())
    digest = digest["products"]["box:1:amd64:default"]["versions"][OLD]["items"]["lxd.tar.xz"]
    declared = {"source": source, "fingerprint": digest["combined_squashfs_sha256"]}
    apply("lxdapi_image.present", "box", **declared)
    del images_of.asked[:]
    apply.unchanged("lxdapi_image.present", "box", **declared)
    assert images_of.asked == []


@pytest.mark.mainly("incus")
@pytest.mark.parametrize(
    "change, words",
    [
        ({"alias": "none"}, "does not offer image none"),
        ({"alias": None, "fingerprint": "0" * 64}, "couldn't be found"),
        ({"certificate": None}, "TLS"),
        ({"server": "https://127.0.0.1:9"}, "connection refused"),
        ({"server": "http://127.0.0.1"}, "the https:// URL"),
        ({"protocol": "ftp"}, "choose from: simplestreams"),
        ({"certificate": "/none.pem"}, "/none.pem"),
        ({"mode": "push"}, "mode: pull"),
        ({"colour": "red"}, "unknown key colour"),
        ({"fingerprint": "0" * 64}, "expected either alias or fingerprint"),
    ],
)
def test_invalid_source_is_reported_and_leaves_nothing(apply, source, raw, change, words):
    assert words in apply.failed("lxdapi_image.present", "box", source={**source, **change})
    assert raw("images") == []


@pytest.mark.mainly("incus")
@pytest.mark.parametrize(
    "content, words",
    [(b"<html>", "expected an index of images"), (b"[]", "an index"), (b"[" * 100000, "an index"), (None, "HTTP 404")],
)
def test_broken_index_is_reported(apply, images_of, source, raw, content, words):
    if content is None:
        (images_of.folder / "streams/v1/images.json").unlink()
    else:
        images_of.write("streams/v1/images.json", content)
    assert words in apply.failed("lxdapi_image.present", "box", source=source)


def test_products_of_a_server_are_listed(salt, images_of, daemon):
    new = images_of.add(NEW)
    products = salt.modules["lxdapi_image.products"]
    certificate = str(images_of.certificate)
    assert [each["fingerprint"] for each in products(images_of.url, certificate=certificate)] == [new]
    assert products(images_of.url, "box/1/amd64", "x86_64", certificate=certificate)[0]["version"] == NEW
    assert products(images_of.url, architecture="aarch64", certificate=certificate) == []


def test_refresh_reports_whether_there_was_a_newer_image(apply, salt, images_of, source, imported):
    digest = apply("lxdapi_image.present", "box", source=source)["changes"]["created"]
    assert salt.modules["lxdapi_image.refresh"]("box") == {"refreshed": False, "fingerprint": digest}
    with pytest.raises(LxdapiError, match="Image source not found"):
        salt.modules["lxdapi_image.refresh"]("busybox")


def test_unused_cached_image_is_pruned(apply, salt, images_of, source, imported, raw):
    found = {"type": "image", "mode": "pull", "protocol": "simplestreams", **source}
    found["certificate"] = images_of.certificate.read_text()
    apply("lxdapi_instance.present", "c1", source=found)
    digest = raw("instances/c1")["config"]["volatile.base_image"]

    def pruned(**options):
        return [each["fingerprint"] for each in salt.modules["lxdapi_image.prune"](**options)["unused"]]

    assert pruned(test=True) == [], "an instance is of it"
    apply("lxdapi_instance.absent", "c1")
    assert pruned(test=True) == [digest]
    assert pruned(days=1) == [] and raw(f"images/{digest}")
    assert pruned() == [digest]
    assert raw(f"images/{digest}") is None and raw(f"images/{imported}")


@pytest.mark.parametrize("mode", ["pull", "relay", None])
def test_an_image_comes_from_another_daemon(salt, apply, daemon, https, imported, raw, mode):
    daemon.ask("POST", "/1.0/projects", {"name": "there", "config": {"features.images": "true"}})
    found = salt.modules["lxdapi_image.copy"]("busybox", "local", ["here"], mode, project="there")
    assert found["fingerprint"] == imported
    assert raw("images/aliases/here?project=there")["target"] == imported
    assert raw(f"images/{imported}?project=there")["properties"] == raw(f"images/{imported}")["properties"]
    again = salt.modules["lxdapi_image.copy"]("busybox", "local", ["here"], mode, project="there")
    assert again == {"fingerprint": imported, "changes": {}}


def test_pull_from_non_listening_daemon_is_refused(salt, daemon, imported):
    daemon.ask("POST", "/1.0/projects", {"name": "there", "config": {"features.images": "true"}})
    with pytest.raises(InvalidError, match="does not listen on https"):
        salt.modules["lxdapi_image.copy"]("busybox", "local", mode="pull", project="there")


@pytest.fixture
def outdated(apply, imported, tmp_path, daemon):
    """(an API, a running instance, the fingerprint that its source now means)."""
    config = {"user.mine": "1"}
    apply("lxdapi_instance.present", "c1", source="busybox", running=True, config=config)
    newer = busybox_image(tmp_path / "newer.tar.gz", serial="2")
    digest = apply("lxdapi_image.present", "busybox", source=str(newer))["changes"]["created"]
    return API.factory(str(daemon.socket)), "c1", digest


def checked(api, name, choice):
    return rebuild.plan_image_check(api, name, api.get(f"instances/{name}"), sources.parse_source("busybox"), choice)


def test_instance_of_older_image_is_reported(outdated, imported):
    api, name, digest = outdated
    assert checked(api, name, "ignore") == ([], "")
    steps, note = checked(api, name, "report")
    assert steps == [] and imported in note and digest in note


def test_instance_of_older_image_is_rebuilt_where_supported(outdated, imported, raw):
    api, name, digest = outdated
    if not api.has(rebuild.EXTENSION):
        with pytest.raises(InvalidError, match="lacks the API extension instances_rebuild"):
            checked(api, name, "rebuild")
        return
    steps, _ = checked(api, name, "rebuild")
    assert plans.apply(steps) == {"image": {"old": imported, "new": digest}}
    made = raw("instances/c1")
    assert (made["status"], made["config"]["user.mine"]) == ("Running", "1")
    assert made["config"]["volatile.base_image"] == digest and checked(api, name, "rebuild") == ([], "")
    api.post("instances/c1/snapshots", json={"name": "s"}).wait()
    with pytest.raises(InvalidError, match="cannot rebuild an instance with snapshots: delete s"):
        rebuild.plan_rebuild(api, name, sources.parse_source("busybox"))
    with pytest.raises(InvalidError, match="instance none does not exist"):
        rebuild.plan_rebuild(api, "none", sources.parse_source("busybox"))
