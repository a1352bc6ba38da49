"""
The short form of an image source: what is one, what each daemon's default names mean, and what settings add.
"""

import pytest
from lxdapi import shortcuts
from lxdapi.errors import InvalidError
from lxdapi.images import image, servers
from lxdapi.instances import sources

from tests.support.fake_transport import MISSING, Paper, server, sync
from tests.support.model_daemon import Model

DIGEST = "21e3d522e195" + "0" * 52
UBUNTU = "https://cloud-images.ubuntu.com"


def paper_of(name="incus", image_servers=None, aliases=(), digests=()):
    """Return a daemon of that name with these aliases and images, to whose API these image servers are known."""

    def reply(seen):
        if seen.path == "/1.0":
            return server(name)
        if seen.path == "/1.0/images":
            return sync([f"/1.0/images/{digest}?project=default" for digest in digests])
        alias = seen.line.rpartition("/aliases/")[2]
        return sync({"name": alias, "target": DIGEST}) if alias in aliases else MISSING

    paper = Paper(reply)
    paper.api.image_servers = image_servers or {}
    return paper


def resolve(api, source):
    """Return what a declared source means on a daemon."""
    return servers.resolve(api, sources.parse_source(source))


def rest_source(url, **more):
    return {"type": "image", "mode": "pull", "protocol": "simplestreams", "server": url, **more}


@pytest.mark.parametrize(
    "source, short",
    [
        ("images:debian/12", ("images", "debian/12")),
        ("ubuntu:24.04", ("ubuntu", "24.04")),
        ("ubuntu:", ("ubuntu", "default")),
        ("local:team:web", ("local", "team:web")),
        *[
            (plain, None)
            for plain in ("busybox", "debian/12", ":x", "a/b:c", "/srv/a:b", "", "salt://a", "https://a/b")
        ],
        *[(other, None) for other in (None, 5, {"alias": "a:b"}, ["a:b"])],
    ],
)
def test_short_form_is_a_name_before_a_colon(source, short):
    assert servers.parse_short(source) == short


@pytest.mark.parametrize(
    "server_name, name, url",
    [
        ("incus", "images", "https://images.linuxcontainers.org"),
        ("lxd", "images", "https://images.lxd.canonical.com"),
        ("lxd", "ubuntu", f"{UBUNTU}/releases"),
        ("lxd", "ubuntu-daily", f"{UBUNTU}/daily"),
        ("lxd", "ubuntu-minimal", f"{UBUNTU}/minimal/releases"),
        ("lxd", "ubuntu-minimal-daily", f"{UBUNTU}/minimal/daily"),
    ],
)
def test_default_name_means_what_it_means_to_the_cli(server_name, name, url):
    paper = paper_of(server_name)
    assert resolve(paper.api, f"{name}:x/1") == rest_source(url, alias="x/1")
    assert servers.remote_source(paper.api, f"{name}:{DIGEST}") == rest_source(url, fingerprint=DIGEST)
    assert paper.lines == [f"GET /1.0/images/aliases/{name}:x/1", "GET /1.0"]


def test_settings_add_and_override_names():
    https = "https://images.example.com"
    own = {"server": f"{https}/", "protocol": "incus"}
    api = paper_of(image_servers={"own": own, "images": https}).api
    assert resolve(api, "own:x") == {**rest_source(https, alias="x"), "protocol": "incus"}
    assert resolve(api, "images:x") == rest_source(https, alias="x")


@pytest.mark.parametrize(
    "settings, words",
    [
        (["own"], "expected a mapping for lxdapi:image_servers, got a list"),
        ({"own": "https://h", "local": "https://h"}, "lxdapi:image_servers: local is the daemon itself"),
        ({"own": {"endpoint": "https://h"}}, "own: unknown key endpoint; choose from: server, protocol, certificate"),
        (
            {"own": {"server": "https://h", "protocol": "ftp"}},
            "lxdapi:image_servers: own: source: unknown protocol 'ftp'",
        ),
        ({"own": "http://h"}, "lxdapi:image_servers: own: expected the https:// URL"),
        ({"own": None}, "lxdapi:image_servers: own: expected the https:// URL"),
        ({"own": {"server": "https://h", "certificate": "/none.pem"}}, "lxdapi:image_servers: own: .*/none.pem"),
        ({"more": "https://h"}, "got own; choose from: images, more. Define others below lxdapi:image_servers"),
    ],
)
def test_invalid_setting_is_refused_by_its_name(settings, words):
    with pytest.raises(InvalidError, match=words):
        resolve(paper_of(image_servers=settings).api, "own:x")


def test_alias_of_the_daemon_comes_first_unless_it_is_missing():
    api = paper_of(aliases=["images:x"]).api
    assert resolve(api, "images:x") == {"type": "image", "alias": "images:x"}
    assert resolve(api, "local:images:x") == {"type": "image", "alias": "images:x"}
    assert resolve(api, f"local:{DIGEST}") == {"type": "image", "fingerprint": DIGEST}
    assert resolve(api, "images:y")["server"] == "https://images.linuxcontainers.org"


@pytest.mark.parametrize("source", ["busybox", DIGEST, None, {"type": "image", "alias": "images:x"}])
def test_other_sources_send_no_request(source):
    paper = paper_of()
    assert resolve(paper.api, source) == sources.parse_source(source)
    assert paper.lines == []


@pytest.mark.parametrize(
    "digests, words",
    [((), "none"), ((DIGEST,), DIGEST), ((DIGEST, DIGEST[:63] + "1"), f"{DIGEST}, {DIGEST[:63]}1")],
)
def test_short_fingerprint_is_refused_with_the_whole_ones(digests, words):
    api = paper_of(digests=("f" * 64, *digests)).api
    for function in (resolve, image.resolve):
        for name in (DIGEST[:12], DIGEST[:20].upper()):
            with pytest.raises(InvalidError, match=f"64 digits.*, got {name}; .* begin with it: {words}$"):
                function(api, name)


def test_shortcut_takes_the_short_form():
    paper = Paper(Model())
    paper.api.image_servers = {"own": "https://images.example.com"}
    shortcuts.container_apply_config(paper.api, False, {"name": "c1", "source": "own:x"})
    sent = next(seen.json for seen in paper.seen if seen.method == "POST")
    assert sent["source"] == rest_source("https://images.example.com", alias="x")


@pytest.mark.parametrize(
    "source, words",
    [
        ({}, "expected alias or fingerprint of an image"),
        ({"alias": None}, "expected alias or fingerprint of an image"),
        ({"alias": 22.04}, "expected text (quote the value) for source alias, got 22.04"),
        ({"type": "Image", "alias": "x"}, "source type: unknown type Image; choose from: backup, copy, image"),
        ({"server": "images", "alias": "x"}, "for a server by its name, declare source: images:ALIAS"),
        ({"type": "copy"}, "the name of an instance for the source of a copy, got null"),
    ],
)
def test_source_that_no_daemon_accepts_is_refused(source, words):
    with pytest.raises(InvalidError) as caught:
        sources.parse_source(source)
    assert words in str(caught.value)


@pytest.mark.parametrize("source", ["AB" * 32, {"fingerprint": "AB" * 32}, {"type": None, "fingerprint": "ab" * 32}])
def test_fingerprint_in_upper_case_is_a_fingerprint(source):
    assert sources.parse_source(source) == {"type": "image", "fingerprint": "ab" * 32}


@pytest.mark.parametrize("more", [{}, {"project": "team"}])
def test_shortened_fingerprint_in_a_mapping_is_refused(more):
    paper = Paper(sync(["/1.0/images/" + "ab" * 32]))
    with pytest.raises(InvalidError, match=f"got abab; .*begin with it: {'ab' * 32}"):
        resolve(paper.api, {"fingerprint": "abab", **more})
