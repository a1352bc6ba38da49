"""
Images from files, split images, images over HTTP, aliases; a failed upload leaves no image.
"""

import gzip
import hashlib
import http.server
import os
import threading

import pytest

from tests.support.images import busybox_image, split_image


@pytest.fixture
def digest(image):
    """The fingerprint of the session's image."""
    return hashlib.sha256(image.read_bytes()).hexdigest()


@pytest.fixture
def web(tmp_path):
    """A web server on loopback: (its URL, its folder, the requested paths)."""
    folder, asked = tmp_path / "web", []
    folder.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(folder))

        def log_message(self, _format, *args):
            asked.append(args[0])

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", folder, asked
        server.shutdown()


def test_an_image_comes_from_the_file_server_of_salt(apply, salt, image, digest, raw):
    (salt.tree / "box.tar.gz").write_bytes(image.read_bytes())
    changes = apply.changed("lxdapi_image.present", "box", source="salt://box.tar.gz")
    assert changes == {"created": digest, "aliases": {"box": {"old": None, "new": digest}}}
    assert raw(f"images/{digest}")["size"] == image.stat().st_size


def test_an_image_comes_from_a_web_server(apply, image, digest, raw, web):
    url, folder, _ = web
    (folder / "box.tar.gz").write_bytes(image.read_bytes())
    apply.changed("lxdapi_image.present", "box", source=f"{url}/box.tar.gz")
    assert raw("images/aliases/box")["target"] == digest


def test_present_image_with_fingerprint_is_not_fetched(apply, image, digest, web):
    url, folder, asked = web
    (folder / "box.tar.gz").write_bytes(image.read_bytes())
    declared = {"source": f"{url}/box.tar.gz", "fingerprint": digest}
    apply("lxdapi_image.present", "box", **declared)
    del asked[:]
    apply.unchanged("lxdapi_image.present", "box", **declared)
    assert asked == []


def test_a_source_that_cannot_be_fetched_is_named(apply, daemon, web):
    url, _, _ = web
    for source in (f"{url}/none.tar.gz", "salt://none.tar.gz"):
        comment = apply.failed("lxdapi_image.present", "box", source=source)
        assert f"Salt cannot fetch {source}" in comment


def test_a_split_image_is_uploaded_and_makes_instances(apply, tmp_path, raw):
    metadata, rootfs = split_image(tmp_path)
    both = hashlib.sha256(metadata.read_bytes() + rootfs.read_bytes()).hexdigest()
    declared = {"source": str(metadata), "rootfs": str(rootfs)}
    assert apply.changed("lxdapi_image.present", "box", **declared)["created"] == both
    apply.changed("lxdapi_instance.present", "c1", source="box", running=True)
    assert raw("instances/c1")["status"] == "Running"


def test_image_is_private_by_default(apply, image, digest, raw):
    apply("lxdapi_image.present", "box", source=str(image))
    assert raw(f"images/{digest}")["public"] is False
    apply.changed("lxdapi_image.present", "box", source=str(image), public=True)
    assert raw(f"images/{digest}")["public"] is True
    apply.unchanged("lxdapi_image.present", "box", source=str(image))


def test_aliases_are_added_and_foreign_ones_stay(apply, imported, raw):
    changes = apply.changed("lxdapi_image.present", imported, aliases=["a/1", "b"])
    assert set(changes["aliases"]) == {"a/1", "b"}
    assert {alias["name"] for alias in raw(f"images/{imported}")["aliases"]} == {"a/1", "b", "busybox"}


def test_an_alias_moves_to_the_new_image_in_one_request(apply, image, imported, tmp_path, proxy, raw):
    newer = tmp_path / "newer.tar.gz"
    busybox_image(newer, serial="2")
    changes = apply.changed("lxdapi_image.present", "busybox", source=str(newer))
    assert changes["aliases"] == {"busybox": {"old": imported, "new": changes["created"]}}
    assert raw("images/aliases/busybox")["target"] == changes["created"]
    assert raw(f"images/{imported}")["aliases"] == []


def test_moving_an_alias_sends_one_write(apply, imported, tmp_path, proxy):
    newer = tmp_path / "newer.tar.gz"
    busybox_image(newer, serial="2")
    other = apply("lxdapi_image.present", "newer", source=str(newer))["changes"]["created"]
    proxy.clear()
    apply("lxdapi_image_alias.present", "busybox", target=other)
    assert [entry[0] for entry in proxy.writes()] == ["PUT"]


def test_alias_of_missing_image_is_a_failure(apply, daemon, raw):
    comment = apply.failed("lxdapi_image_alias.present", "box", target="0" * 64)
    assert "image alias box could not be created" in comment
    assert raw("images/aliases/box") is None


def test_missing_image_needs_a_source(apply, daemon):
    assert "image nope does not exist" in apply.failed("lxdapi_image.present", "nope")


def test_an_image_in_use_is_deleted_and_its_instance_works_on(apply, imported, raw):
    apply("lxdapi_instance.present", "c1", source="busybox")
    assert apply.changed("lxdapi_image.absent", "busybox") == {"deleted": imported}
    apply.changed("lxdapi_instance.running", "c1")


@pytest.mark.parametrize(
    "content, words",
    [
        (None, "No such file or directory"),
        (b"", "is empty"),
        (b"garbage" * 100, "POST /1.0/images"),
        (gzip.compress(b"no tar at all" * 100), "POST /1.0/images"),
    ],
)
def test_a_bad_image_file_is_refused_and_leaves_no_image(apply, daemon, raw, tmp_path, content, words):
    path = tmp_path / "bad.tar.gz"
    if content is not None:
        path.write_bytes(content)
    comment = apply.failed("lxdapi_image.present", "bad", source=str(path))
    assert words in comment
    assert raw("images") == []


def test_truncated_file_with_known_fingerprint_is_refused(apply, image, digest, tmp_path, raw):
    path = tmp_path / "cut.tar.gz"
    path.write_bytes(image.read_bytes()[:-1000])
    comment = apply.failed("lxdapi_image.present", "cut", source=str(path), fingerprint=digest)
    assert "fingerprint" in comment
    assert digest in comment
    assert raw("images") == []


def test_fingerprint_of_unchanged_file_is_cached(apply, salt, image, digest, tmp_path):
    path = tmp_path / "box.tar.gz"
    path.write_bytes(image.read_bytes())
    apply("lxdapi_image.present", "box", source=str(path))
    facts = path.stat()
    # other bytes with the same size, mtime and inode: only a file that is not read again passes
    with open(path, "r+b") as file:
        file.write(b"other")
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    apply.unchanged("lxdapi_image.present", "box", source=str(path))
    os.utime(path)
    predicted = apply.predicted("lxdapi_image.present", "box", source=str(path))
    assert predicted["changes"]["created"] != digest


def test_an_upload_is_streamed_with_its_fingerprint(apply, image, digest, proxy):
    apply("lxdapi_image.present", "box", source=str(image))
    method, path, length, _ = proxy.writes()[0]
    assert (method, path, length) == ("POST", "/1.0/images", image.stat().st_size)
