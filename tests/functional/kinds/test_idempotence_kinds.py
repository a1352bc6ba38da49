"""
Traps for a naive comparison, row by row: every kind except instances. See test_idempotence.py.
"""

import base64
import ssl

import pytest

from tests.functional.kinds.test_idempotence import DISK, At, parametrized, row
from tests.functional.kinds.test_idempotence import ROWS as ROWS_OF_INSTANCES
from tests.support import client_certificates as certificates

ROWS = {}
# Rows that no state can show on the tested machines: the number and the reason.
NOT_SEEN = {
    28: "a daemon that looks for a free subnet sends packets: the tests give every bridge its addresses",
    31: "a btrfs pool in a loop file: test_btrfs.py",
    32: "the keys of each member, in a cluster: its tests start three daemons",
    43: "the owner and mode of a file that is pushed: no state pushes files yet",
}
# A separate bridge for each daemon, because they share one network namespace.
BRIDGES = {
    "lxd": ("idem0", "10.81.1.1/24"),
    "incus": ("idem6", "10.81.6.1/24"),
    "incus7": ("idem7", "10.81.7.1/24"),
    "lxd13": ("idem13", "10.81.13.1/24"),
}
NO_ADDRESSES = {"ipv4.address": "none", "ipv6.address": "none"}


@pytest.fixture
def at(apply, daemon, proxy, request):
    """The profile web, not created yet; the checks turn to their own objects."""
    return At(apply, daemon, proxy, request, "lxdapi_profile", "web", "profiles/web")


def _bridge(at):
    name, address = BRIDGES[at.daemon.name]
    return at.of("lxdapi_network", name, f"networks/{name}"), address


def _project(at):
    return at.of("lxdapi_project", "shop", "projects/shop")


def _pool(at):
    return at.of("lxdapi_storage_pool", "fast", "storage-pools/fast")


def _server(at):
    return at.of("lxdapi_server", "server", "")


@row(ROWS, 20, "both zero times mean never")
def _never(at):
    fingerprint = at.image()
    image = at.of("lxdapi_image", fingerprint, f"images/{fingerprint}")
    assert image.read()["expires_at"][:4] in ("0001", "1970")
    for never in ("", "1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z"):
        image.silent(expires_at=never)
    image.changed(expires_at="2031-01-31")
    image.silent(expires_at="2031-01-31T01:00:00+01:00")
    image.changed(expires_at="0001-01-01T00:00:00Z")
    image.silent(expires_at="")


@row(ROWS, 21, "what the daemon would drop without a word is refused")
def _unknown(at):
    modules = at.request.getfixturevalue("salt").modules
    with pytest.raises(ValueError, match="unknown field bogus_field"):
        modules["lxdapi.create"]("profile", "web", {"bogus_field": 1})
    with pytest.raises(TypeError, match="bogus_field"):
        at.apply("lxdapi_profile.present", "web", bogus_field=1)
    acl = at.of("lxdapi_network_acl", "web", "network-acls/web")
    assert "ingress: unknown key bogus" in acl.refused(ingress=[{"action": "allow", "bogus": 1}])
    assert at.read() is None


@row(ROWS, 22, "of a profile nothing is touched that was not named")
def _profile(at):
    at.made(description="kept", config={"user.a": "1"}, devices={"tmp": DISK})
    at.changed(config={"user.a": None, "user.b": "2"})
    assert (at.read()["description"], at.read()["devices"]) == ("kept", {"tmp": DISK})
    default = at.of("lxdapi_profile", "default", "profiles/default")
    before = default.read()
    default.changed(config={"user.a": "1"})
    default.changed(config={"user.a": None})
    assert default.read() == before


@row(ROWS, 23, "what nobody uses is told as null or as nothing, and is one")
def _unused(at):
    bridge, _ = _bridge(at)
    pool = _pool(at)
    for unused, more in ((bridge, {"config": NO_ADDRESSES}), (pool, {"driver": "dir"})):
        assert not unused.made(**more)["used_by"]
        unused.silent(**more)
        expected = at.apply.predicted(f"{unused.state}.absent", unused.name)
        assert "used by" not in expected["comment"]
        at.apply.changed(f"{unused.state}.absent", unused.name)


@row(ROWS, 24, "keys that the daemon adds to a bridge are not compared")
def _added(at):
    bridge, _ = _bridge(at)
    bridge.made(config=NO_ADDRESSES)
    added = {"ipv4.nat": "true", "ipv6.nat": "true"}
    bridge.daemon.ask("PUT", f"/1.0/{bridge.path}", {"description": "", "config": {**NO_ADDRESSES, **added}})
    bridge.silent(config=NO_ADDRESSES)
    bridge.changed(description="a shop", config={"user.a": "1"})
    bridge.changed(config={"user.a": None})
    assert bridge.config() == {**NO_ADDRESSES, **added}


@row(ROWS, 25, "auto is never rolled again")
def _auto(at):
    bridge, address = _bridge(at)
    bridge.made(config={"ipv4.address": address, "ipv6.address": "none"})
    bridge.silent(config={"ipv4.address": "auto"})
    bridge.changed(description="a shop", config={"ipv4.address": "auto", "user.a": "1"})
    bridge.changed(config={"ipv4.address": "auto", "user.a": None})
    assert bridge.config() == {"ipv4.address": address, "ipv6.address": "none"}


@row(ROWS, 26, "an empty config of a bridge stays empty")
def _emptied(at):
    bridge, _ = _bridge(at)
    bridge.made(config={**NO_ADDRESSES, "ipv4.nat": True, "user.a": "1"})
    bridge.changed(config={"ipv4.nat": ""})
    assert bridge.config() == {**NO_ADDRESSES, "user.a": "1"}
    bridge.changed(config={})
    assert bridge.config() == {}


@row(ROWS, 27, "an interface of the machine is no network")
def _unmanaged(at):
    interface = at.of("lxdapi_network", "lo", "networks/lo")
    assert interface.read()["managed"] is False
    at.apply.unchanged("lxdapi_network.absent", "lo")
    at.apply.failed("lxdapi_network.present", "lo", type="bridge", config=NO_ADDRESSES)
    bridge, _ = _bridge(at)
    made = bridge.made(config=NO_ADDRESSES)
    assert (made["managed"], made["status"]) == (True, "Created")


@row(ROWS, 29, "the source that the daemon filled in is not compared unless it is named")
def _source(at):
    pool = _pool(at)
    source = pool.made(driver="dir", config={"user.a": "1"})["config"]["source"]
    pool.silent(driver="dir", config={"user.a": 1})
    pool.silent(config={"source": source})
    assert "source is" in at.apply.failed("lxdapi_storage_pool.present", "fast", config={"source": "/nope"})


@row(ROWS, 30, "the source of a pool survives a removal")
def _removal(at):
    pool = _pool(at)
    before = pool.made(driver="dir", description="fast", config={"user.a": "1", "user.b": "2"})
    pool.changed(config={"user.a": None})
    pool.changed(config={})
    assert pool.read() == {**before, "config": {"source": before["config"]["source"]}}


@row(ROWS, 33, "features that the daemon gives a project are not compared")
def _features(at):
    project = _project(at)
    project.changed(config={"user.a": "1"})
    before = project.config("features.")
    assert before["features.images"] == "true"
    project.silent(config={"features.images": "yes", "features.profiles": True})
    project.changed(config={})
    assert project.config() == before
    at.apply("lxdapi_project.absent", "shop")
    project.changed(config={"features.images": None})
    assert "features.images" not in project.config()


@row(ROWS, 34, "a project that is not empty keeps its features")
def _not_empty(at):
    project = _project(at)
    project.made(description="the shop", config={"user.a": "1"})
    before = project.config("features.")
    at.apply("lxdapi_profile.present", "web", project="shop")
    project.changed(config={"limits.instances": 3})
    project.changed(config={"user.a": ""})
    assert project.config() == {**before, "limits.instances": "3"}
    assert project.read()["description"] == "the shop"


@row(ROWS, 35, "booleans of a project are kept as they were sent")
def _spelled(at):
    project = _project(at)
    project.made(config={"user.a": "", "restricted": False})
    assert "user.a" not in project.config()
    for spelling in ("False", "no", "0"):
        body = {"description": "", "config": {**project.config(), "restricted": spelling}}
        at.daemon.ask("PUT", "/1.0/projects/shop", body)
        project.silent(config={"restricted": False})
    project.changed(config={"restricted": "yes"})


@row(ROWS, 36, "of an image's properties those that are named are compared")
def _properties(at):
    fingerprint = at.image()
    image = at.of("lxdapi_image", fingerprint, f"images/{fingerprint}")
    before = image.read()["properties"]
    assert before
    image.changed(properties={"owner": "me", "drop": "x"})
    image.silent(properties={"owner": "me", "nothing": ""})
    image.changed(properties={"drop": ""})
    assert image.read()["properties"] == {**before, "owner": "me"}


@row(ROWS, 37, "an alias keeps its target and its description")
def _alias(at):
    fingerprint = at.image()
    alias = at.of("lxdapi_image_alias", "team/box", "images/aliases/team%2Fbox")
    alias.changed(target=fingerprint, description="one")
    alias.silent(target=fingerprint)
    alias.changed(target=fingerprint, description="two")
    assert (alias.read()["target"], alias.read()["description"]) == (fingerprint, "two")
    image = at.of("lxdapi_image", "busybox", f"images/{fingerprint}")
    image.silent(aliases=["team/box"])
    assert {each["name"] for each in image.read()["aliases"]} == {"busybox", "team/box"}


@row(ROWS, 38, "of a volume the daemon changes nothing, and a removal keeps the rest")
def _volume(at):
    volume = at.of("lxdapi_storage_volume", "default/data", "storage-pools/default/volumes/custom/data")
    assert volume.made()["config"] == {}
    volume.silent(config={})
    volume.changed(description="the data", config={"size": "1GiB", "user.a": " x\n", "user.b": "1"})
    volume.silent(config={"size": "1024MiB"})
    volume.changed(config={"user.b": None})
    assert volume.config() == {"size": "1GiB", "user.a": " x\n"}
    assert volume.read()["description"] == "the data"


@row(ROWS, 39, "a setting of the server that is null is its default, whether the daemon shows it or not")
def _default(at):
    server = _server(at)
    before = server.config()
    server.silent(config={"core.shutdown_timeout": 5, "images.auto_update_cached": "yes"})
    server.changed(config={"core.shutdown_timeout": 7})
    server.changed(config={"core.shutdown_timeout": 5})
    server.changed(config={"core.shutdown_timeout": 7, "user.a": "1"})
    server.silent(config={"core.shutdown_timeout": "7"})
    server.changed(config={"core.shutdown_timeout": None, "user.a": ""})
    assert server.config() == before
    at.daemon.ask("PATCH", "/1.0", {"config": {"core.shutdown_timeout": "5"}})
    server.apply("lxdapi_server.present", "server", config={"core.shutdown_timeout": None})
    server.silent(config={"core.shutdown_timeout": None})


@row(ROWS, 40, "a secret that the server does not show is set once")
def _secret(at):
    server = _server(at)
    if at.daemon.server != "lxd":
        assert "core.trust_password" in at.apply.failed(
            "lxdapi_server.present", "s", config={"core.trust_password": "x"}
        )
        return
    changes = server.changed(config={"core.trust_password": "canary-1"})
    assert changes == {"config": {"core.trust_password": {"old": None, "new": "(hidden)"}}}
    assert server.config()["core.trust_password"] is True
    server.silent(config={"core.trust_password": "canary-2"})
    server.changed(config={"core.trust_password": None})


@row(ROWS, 41, "a certificate is the same in any spelling of its text")
def _certificate(at):
    pem, fingerprint = certificates.made()
    certificate = at.of("lxdapi_certificate", "web team", f"certificates/{fingerprint}")
    certificate.changed(certificate=pem)
    folded = base64.encodebytes(ssl.PEM_cert_to_DER_cert(pem)).decode()
    for same in (pem.replace("\n", "\r\n"), f"our own:\n{pem}\nmore", f"{pem[:28]}{folded}{pem[-26:]}"):
        certificate.silent(certificate=same)
    certificate.changed(certificate=pem, restricted=True, projects=["default"])
    certificate.silent(certificate=pem, restricted="yes")
    assert certificate.read()["certificate"] == pem


@parametrized(ROWS)
def test_spellings_of_equal_meaning_are_no_change(at, check):
    check(at)


def test_no_row_is_missing():
    tables = (ROWS_OF_INSTANCES, ROWS, NOT_SEEN)
    assert sorted(number for table in tables for number in table) == list(range(1, 44))
