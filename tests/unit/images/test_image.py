"""
Image files: fingerprints computed in blocks and cached, streamed uploads, invalid files.
"""

import copy
import email
import hashlib
import json
import os
import stat
import tracemalloc
from collections import Counter

import pytest
from lxdapi import hashing, shortcuts
from lxdapi.errors import APIOperationException, InvalidError, LxdapiError
from lxdapi.images import image
from lxdapi.model import diff
from lxdapi.plan import steps as plans
from lxdapi.plan.state_result import run_state

from tests.support.fake_transport import Paper, failure, finished, operation, server, started, sync
from tests.support.model_daemon import IMAGE, Model, failed

pytestmark = pytest.mark.usefixtures("contract_kept")

BLOCK = 1024 * 1024
META, ROOTFS = b"metadata\r\n--boundary-like\r\n" * 9, b"\x00rootfs\r\n" * 999


def sha256(*parts):
    """Return the sha256 of the parts, one after the other."""
    return hashlib.sha256(b"".join(parts)).hexdigest()


@pytest.fixture
def files(tmp_path):
    """The paths of a split image's two files."""
    paths = tmp_path / "meta.tar.xz", tmp_path / 'root fs"é.squashfs'
    for path, content in zip(paths, (META, ROOTFS)):
        path.write_bytes(content)
    return [str(path) for path in paths]


@pytest.fixture
def opened(monkeypatch):
    """The number of times that each file is opened, by path."""
    counted, true_open = Counter(), open

    def counting(file, *args, **kwargs):
        counted[str(file)] += 1
        return true_open(file, *args, **kwargs)

    monkeypatch.setattr("builtins.open", counting)
    return counted


def test_a_fingerprint_is_the_sha256_of_the_file(files):
    assert hashing.fingerprint(files[0]) == shortcuts.image_get_fingerprint(files[0]) == sha256(META)


def test_split_image_fingerprint_covers_both_files_in_order(files):
    assert hashing.fingerprint(*files) == sha256(META, ROOTFS) != sha256(ROOTFS, META)


def big_file(path, blocks=24):
    """Return a sparse file of many blocks."""
    path.write_bytes(b"begin")
    os.truncate(path, blocks * BLOCK + 7)
    return str(path)


def peak_of(function):
    """Return the peak memory of a function in bytes."""
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_fingerprint_of_big_file_uses_little_memory(tmp_path):
    path = big_file(tmp_path / "big")
    assert peak_of(lambda: hashing.fingerprint(path)) < 4 * BLOCK


def test_upload_of_big_file_uses_little_memory(tmp_path):
    path = big_file(tmp_path / "big")
    paper = Paper(server(), started(), finished())
    image.upload(paper.api, path, digest="1" * 64)
    assert max(paper.blocks) <= BLOCK and len(paper.blocks) > 24
    assert len(paper.seen[1].body) == int(paper.seen[1].headers["Content-Length"]) == os.path.getsize(path)


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.write_bytes(b""), lambda path: path.mkdir()])
@pytest.mark.parametrize("split", [False, True])
def test_invalid_image_file_is_refused_before_any_request(tmp_path, files, make, split):
    path = tmp_path / "wrong.tar"
    make(path)
    parts = (files[0], str(path)) if split else (str(path),)
    for function in (hashing.fingerprint, hashing.cached_fingerprint):
        with pytest.raises(InvalidError, match="wrong.tar"):
            function(*parts)
    paper = Paper(server())
    with pytest.raises(InvalidError, match="wrong.tar"):
        image.upload(paper.api, *parts, **({} if split else {"rootfs": None}), digest="1" * 64)
    assert paper.writes == []


@pytest.fixture
def memory(tmp_path):
    """The cache file of fingerprints; its folder does not exist yet."""
    return str(tmp_path / "cache" / "lxdapi" / "fingerprints.json")


def test_unchanged_file_is_not_read_again(files, memory, opened):
    for _ in range(3):
        assert hashing.cached_fingerprint(*files, memory=memory) == sha256(META, ROOTFS)
    assert [opened[file] for file in files] == [1, 1]


def test_unified_and_split_images_are_cached_separately(files, memory):
    for _ in range(2):
        assert hashing.cached_fingerprint(files[0], memory=memory) == sha256(META)
        assert hashing.cached_fingerprint(*files, memory=memory) == sha256(META, ROOTFS)
        assert hashing.cached_fingerprint(files[1], files[0], memory=memory) == sha256(ROOTFS, META)


def longer(path):
    before = os.stat(path)
    with open(path, "ab") as file:
        file.write(b"!")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def rewritten(path):
    before = os.stat(path)
    with open(path, "r+b") as file:
        file.write(b"!")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))


def exchanged(path):
    before = os.stat(path)
    with open(path + ".new", "wb") as file:
        file.write(b"!" * before.st_size)
    os.utime(path + ".new", ns=(before.st_atime_ns, before.st_mtime_ns))
    os.replace(path + ".new", path)


@pytest.mark.parametrize("change", [longer, rewritten, exchanged])
@pytest.mark.parametrize("which", [0, 1])
def test_changed_size_time_or_inode_is_read_again(files, memory, change, which):
    before = hashing.cached_fingerprint(*files, memory=memory)
    change(files[which])
    now = [open(file, "rb").read() for file in files]
    assert hashing.cached_fingerprint(*files, memory=memory) == sha256(*now) != before


DAMAGED = [
    b"",
    b"{",
    b"[]",
    b"5",
    b"null",
    b"\xff\xfe",
    b'{"KEY": "abc"}',
    b'{"KEY": 5}',
    b'{"KEY": null}',
    b'{"KEY": ["x"]}',
]


@pytest.mark.parametrize("content", DAMAGED)
def test_damaged_cache_is_ignored(files, memory, content):
    hashing.cached_fingerprint(files[0], memory=memory)
    (key,) = json.loads(open(memory).read())
    with open(memory, "wb") as file:
        file.write(content.replace(b'"KEY"', json.dumps(key).encode()))
    for _ in range(2):
        assert hashing.cached_fingerprint(files[0], memory=memory) == sha256(META)
    assert json.loads(open(memory).read()) == {key: sha256(META)}


def test_cache_file_is_private(files, memory):
    old = os.umask(0)
    try:
        hashing.cached_fingerprint(files[0], memory=memory)
    finally:
        os.umask(old)
    assert stat.S_IMODE(os.stat(memory).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(os.path.dirname(memory)).st_mode) == 0o700
    assert os.listdir(os.path.dirname(memory)) == [os.path.basename(memory)]


def test_unwritable_cache_is_no_failure(files, tmp_path):
    blocked = tmp_path / "cache" / "fingerprints.json"
    blocked.mkdir(parents=True)
    (blocked / "x").write_text("x")
    for _ in range(2):
        assert hashing.cached_fingerprint(files[0], memory=str(blocked)) == sha256(META)
    assert os.listdir(blocked.parent) == ["fingerprints.json"]


def test_no_cache_file_means_no_caching(files, opened, tmp_path):
    before = sorted(os.listdir(tmp_path))
    for _ in range(2):
        assert hashing.cached_fingerprint(files[0]) == sha256(META)
    assert opened[files[0]] == 2 and sorted(os.listdir(tmp_path)) == before


def test_cache_size_is_limited(files, memory):
    os.makedirs(os.path.dirname(memory))
    with open(memory, "w") as file:
        json.dump({f"old {n}": "1" * 64 for n in range(2000)}, file)
    hashing.cached_fingerprint(files[0], memory=memory)
    kept = json.loads(open(memory).read())
    assert len(kept) <= 500 and sha256(META) in kept.values() and "old 0" not in kept


def uploaded(*parts, dialect="incus", **options):
    """Return the POST of an upload as the daemon receives it."""
    paper = Paper(server(dialect), started(), finished())
    image.upload(paper.api, *parts, **options)
    assert paper.seen[1].line == "POST /1.0/images"
    return paper.seen[1]


@pytest.mark.parametrize("dialect, word", [("incus", "Incus"), ("lxd", "LXD")])
@pytest.mark.parametrize("public", [False, True])
def test_headers_use_the_prefix_of_the_daemon(files, dialect, word, public):
    seen = uploaded(files[0], dialect=dialect, public=public)
    assert {name: text for name, text in seen.headers.items() if name.startswith("X-")} == {
        f"X-{word}-fingerprint": sha256(META),
        f"X-{word}-filename": "meta.tar.xz",
        f"X-{word}-public": "1" if public else "0",
    }


def test_unified_image_is_sent_unchanged(files):
    seen = uploaded(files[0])
    assert seen.body == META
    assert seen.headers["Content-Type"] == "application/octet-stream"
    assert int(seen.headers["Content-Length"]) == len(META)
    assert "Transfer-Encoding" not in seen.headers


def test_a_split_image_is_a_form_of_metadata_and_then_rootfs(files):
    seen = uploaded(*files)
    assert int(seen.headers["Content-Length"]) == len(seen.body)
    head = f"Content-Type: {seen.headers['Content-Type']}\r\n\r\n".encode()
    form = email.message_from_bytes(head + seen.body)
    assert form.is_multipart() and form.defects == []
    named = [part.get_param("name", header="content-disposition") for part in form.get_payload()]
    assert named == ["metadata", "rootfs"]
    assert between(seen) == [META, ROOTFS]


def between(seen):
    """Return the exact contents of the parts, as Go's multipart reader would."""
    boundary = b"--" + seen.headers["Content-Type"].partition("boundary=")[2].encode()
    first, *parts, last = seen.body.split(boundary)
    assert (first, last) == (b"", b"--\r\n")
    return [part.partition(b"\r\n\r\n")[2][:-2] for part in parts]


def test_split_image_has_combined_fingerprint_and_rootfs_name(files):
    seen = uploaded(*files)
    assert seen.headers["X-Incus-fingerprint"] == sha256(META, ROOTFS)
    assert seen.headers["X-Incus-filename"] == 'root fs"_.squashfs'


def test_known_fingerprint_avoids_a_second_read(files, opened):
    uploaded(files[0], digest="1" * 64)
    assert opened[files[0]] == 1


@pytest.mark.parametrize("split", [False, True])
def test_file_shrinking_during_upload_is_an_error(tmp_path, files, split):
    path = big_file(tmp_path / "big", 4)
    paper = Paper(server(), started(), finished(), on_block=lambda: os.truncate(path, BLOCK))
    with pytest.raises(LxdapiError, match="shorter"):
        image.upload(paper.api, *([files[0], path] if split else [path]), digest="1" * 64)
    assert paper.lines == ["GET /1.0"], "the body was never complete"


def test_file_growing_during_upload_is_sent_at_announced_length(tmp_path):
    path = big_file(tmp_path / "big", 2)
    size = os.path.getsize(path)
    paper = Paper(server(), started(), finished(), on_block=lambda: os.truncate(path, 9 * BLOCK))
    image.upload(paper.api, path, digest="1" * 64)
    assert len(paper.seen[1].body) == int(paper.seen[1].headers["Content-Length"]) == size


def test_upload_is_awaited_and_its_failure_raised(files):
    paper = Paper(server(), started(), sync(operation(400, "fingerprints don't match")), failure(404, "not found"))
    with pytest.raises(APIOperationException, match="fingerprints don't match"):
        image.upload(paper.api, files[0])


def test_image_uploaded_by_others_is_no_failure(files):
    there = sync({"fingerprint": sha256(META)})
    paper = Paper(server(), started(), sync(operation(400, "Image with same fingerprint already exists")), there)
    assert image.upload(paper.api, files[0]) == sha256(META)


def test_present_image_is_not_uploaded_again(files):
    model = Model()
    api = Paper(model).api
    assert shortcuts.image_present(api, files[0]) is True
    assert list(model.objects) == [f"images/{sha256(META)}"]
    paper = Paper(model)
    assert shortcuts.image_present(paper.api, files[0]) is False
    assert paper.writes == []


def present(model, wanted=None, aliases=(), send=None):
    """Return (the changes, the paper) for an image with aliases."""
    paper = Paper(model, wait_timeout=5)
    steps = image.plan_present(paper.api, "1" * 64, wanted or {}, send or (lambda: None), aliases)
    predicted = {}
    for step in steps:
        diff.merge_changes(predicted, step.changes)
    return plans.apply(steps), predicted, paper


def test_image_is_created_before_settings_and_aliases():
    model = Model({"images/aliases/old": {"target": "2" * 64}})
    path = f"images/{'1' * 64}"

    def send():
        model.objects[path] = copy.deepcopy(IMAGE)

    wanted = {"public": True, "properties": {"owner": "web"}, "expires_at": "2031-01-31"}
    changes, predicted, paper = present(model, wanted, ["new", "old"], send)
    alias = {"old": {"old": "2" * 64, "new": "1" * 64}, "new": {"old": None, "new": "1" * 64}}
    assert changes == predicted == {"created": "1" * 64, "aliases": alias}
    assert paper.writes == [f"PUT /1.0/{path}", "POST /1.0/images/aliases", "PUT /1.0/images/aliases/old"]
    settings = {"public": True, "expires_at": "2031-01-31T00:00:00Z", "properties": {"os": "busybox", "owner": "web"}}
    assert model.objects[path] == {**IMAGE, **settings}
    changes, predicted, paper = present(model, wanted, ["new", "old"])
    assert (changes, predicted, paper.writes) == ({}, {}, [])


def test_failed_upload_creates_no_alias(files):
    model = Model(ends={"POST images": [failed("Unsupported compression")]})
    paper = Paper(model)
    send = lambda: image.upload(paper.api, files[0], digest="1" * 64)  # noqa: E731
    steps = image.plan_present(paper.api, "1" * 64, {}, send, ["a"])
    ret = run_state("image", "a", lambda: steps)
    assert (ret["result"], ret["changes"]) == (False, {})
    assert "could not be created: Unsupported compression (POST /1.0/images, operation" in ret["comment"]
    assert paper.writes == ["POST /1.0/images"]


@pytest.mark.parametrize("name, digest", [("a", "1" * 64), ("none", None), ("1" * 64, "1" * 64), ("3" * 64, None)])
def test_an_image_is_named_by_alias_or_fingerprint(name, digest):
    model = Model({"images/aliases/a": {"target": "1" * 64}, f"images/{'1' * 64}": {"fingerprint": "1" * 64}})
    assert image.resolve(Paper(model).api, name) == digest
    if digest is None:
        with pytest.raises(InvalidError, match=name):
            image.require(Paper(model).api, name)


@pytest.mark.parametrize(
    "about, importing",
    [
        ({"resources": None}, True),
        ({"metadata": {"entity_url": "/1.0/projects/default"}}, True),
        ({"resources": {"images": ["/1.0/images/abc"]}}, False),  # it is sent to another daemon
        ({"metadata": {"entity_url": "/1.0/images/abc"}}, False),
        ({"description": "Creating instance"}, False),
    ],
)
def test_an_import_is_recognized_in_the_operations(about, importing):
    listed = {"running": [operation(103, **{"description": "Downloading image", **about})]}
    assert image.is_importing(Paper(sync(listed)).api) is importing
