"""
The index of an image server: the choice of an image, and hostile content.
"""

import json

import pytest
from lxdapi.errors import APIException, InvalidError, LxdapiError
from lxdapi.images import simplestreams

from tests.support.image_server import ImageServer

PATH = "streams/v1/images.json"
A, B, C, D = ("a" * 64, "b" * 64, "c" * 64, "d" * 64)


def metadata(ftype="lxd.tar.xz", **sums):
    return {"ftype": ftype, "path": "x", "size": 10, **sums}


def version(*files):
    return {"items": {str(number): file for number, file in enumerate(files)}}


def product(versions, arch="amd64", aliases="box/1,box"):
    return {"arch": arch, "aliases": aliases, "versions": versions}


class Stored(simplestreams.Server):
    """A server with known files."""

    def __init__(self, products, index=None):
        super().__init__("https://images.test/")
        entry = {"datatype": "image-downloads", "path": PATH, "products": list(products)}
        self.files = {"streams/v1/index.json": index or {"index": {"x": entry}}, PATH: {"products": products}}

    def _json(self, path):
        return self.files[path]


ROOT, TAR = {"ftype": "squashfs", "size": 5}, {"ftype": "root.tar.xz", "size": 7}
DISK = {"ftype": "disk-kvm.img", "size": 9}
SUMS = {"combined_squashfs_sha256": A, "combined_rootxz_sha256": B, "combined_disk-kvm-img_sha256": C}


def test_a_squashfs_is_preferred_and_the_type_can_be_asked_for():
    server = Stored({"p": product({"20240101": version(metadata(**SUMS), TAR, DISK, ROOT)})})
    assert {each["fingerprint"] for each in server.images()} == {A, B, C}
    assert server.find("box")["fingerprint"] == A and server.find("box")["size"] == 15
    assert server.find("box", image_type="virtual-machine")["fingerprint"] == C
    assert server.find(B)["ftype"] == "root.tar.xz"


def test_the_newest_version_and_the_architecture_are_chosen():
    old, new = metadata(combined_squashfs_sha256=A), metadata("incus.tar.xz", combined_squashfs_sha256=B)
    arm = product({"20990101": version(metadata(combined_squashfs_sha256=C), ROOT)}, "arm64")
    mine = product({"20240101_10:00": version(old, ROOT), "20240101_11:00": version(new, ROOT)})
    server = Stored({"p": mine, "q": arm})
    assert server.find("box", "x86_64")["fingerprint"] == B
    assert server.find("box/1/arm64", "x86_64")["fingerprint"] == C
    assert [each["fingerprint"] for each in server.newest()] == [B, C]
    with pytest.raises(InvalidError, match="does not offer image box for ppc64le"):
        server.find("box", "ppc64le")


def test_a_unified_image_is_named_by_its_file():
    server = Stored({"p": product({"20240101": version(metadata("incus_combined.tar.gz", sha256=D))})})
    assert server.find("box")["fingerprint"] == D


WRONG = [None, 5, "x", [], {}, [{}], {"x": None}, {"x": 5}, {"20240101": 5}, {"20240101": {"items": [1]}}]
WRONG += [{"20240101": {"items": {"a": None, "b": 5}}}, {"1": version(metadata(**SUMS), ROOT)}]
WRONG += [{"20240101": version(metadata(combined_squashfs_sha256="../../x"), ROOT)}]
WRONG += [{"20240101": version({**metadata(), "ftype": ["lxd.tar.xz"]}, ROOT)}]


@pytest.mark.parametrize("wrong", WRONG)
def test_malformed_entries_are_skipped(wrong):
    good = product({"20240101": version(metadata(combined_squashfs_sha256=A), ROOT)})
    for strange in (product(wrong), product({}, arch=wrong, aliases=wrong), wrong):
        assert [each["fingerprint"] for each in Stored({"p": strange, "q": good}).images()] == [A]


@pytest.mark.parametrize("path", ["../secret", "/etc/x", "https://elsewhere/x", "a/../b", "", None, 5, "x?y=1"])
def test_an_index_leads_nowhere_else(path):
    index = {"index": {"x": {"datatype": "image-downloads", "path": path}}}
    assert Stored({}, index).images() == []


@pytest.mark.parametrize("url", ["http://x", "https://", "https://u:p@x", "x", 5, None, "https://x?a=1", "https://x y"])
def test_only_an_https_url_is_a_server(url):
    with pytest.raises(InvalidError, match="https:// URL"):
        simplestreams.Server(url)


@pytest.fixture(scope="module")
def serving(tmp_path_factory):
    """An image server on loopback, with one image."""
    made = ImageServer(tmp_path_factory.mktemp("images"))
    made.digest = made.add("20240101_00:00")
    yield made
    made.close()


@pytest.fixture
def server(serving):
    """The server with a valid index."""
    serving.publish()
    return serving


def asked(server, **options):
    return simplestreams.Server(server.url, str(server.certificate), **options)


def test_index_is_fetched_from_trusted_https_server(server):
    found = asked(server).find("box")
    assert (found["fingerprint"], found["version"]) == (server.digest, "20240101_00:00")
    with pytest.raises(LxdapiError, match="TLS"):
        simplestreams.Server(server.url).find("box")


def test_too_long_index_is_not_read_completely(server, monkeypatch):
    monkeypatch.setattr(simplestreams, "_LONGEST", 1000)
    server.write("streams/v1/images.json", {"x": "y" * 5000})
    with pytest.raises(APIException, match="expected at most 1000 bytes"):
        asked(server).images()


@pytest.mark.parametrize("content", [b"", b"{", b"5", b"[]", b"\xff", b"[" * 200000])
def test_invalid_index_is_reported(server, content):
    server.write("streams/v1/index.json", content)
    with pytest.raises(APIException, match="expected an index of images"):
        asked(server).images()


def test_missing_file_is_reported_with_its_url(server):
    (server.folder / PATH).unlink()
    with pytest.raises(APIException, match="images.json HTTP 404"):
        asked(server).images()
    assert json.loads((server.folder / "streams/v1/index.json").read_text())
