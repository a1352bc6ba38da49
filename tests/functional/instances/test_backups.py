"""
Backups as files: a round trip keeps everything, and a failure leaves nothing behind.
"""

import hashlib
import os
import stat
import subprocess

import pytest
from lxdapi.errors import InvalidError, LxdapiError

from tests.support.spread import spread

DATA = "storage-pools/default/volumes/custom/data"
DECLARED = {
    "description": "web",
    "config": {"user.a": "1", "limits.memory": "64MiB"},
    "devices": {"tmp": {"type": "disk", "source": "/tmp", "path": "/mnt/tmp"}},
}


@pytest.fixture
def files(daemon):
    """Write or read a file in an instance, past the code under test."""
    headers = {f"X-{'Incus' if daemon.server == 'incus' else 'LXD'}-type": "file"}

    def files(name, text=None):
        if text is not None:
            daemon.request("POST", f"/1.0/instances/{name}/files?path=/mark", text, headers)
        return daemon.request("GET", f"/1.0/instances/{name}/files?path=/mark")[1]

    return files


@pytest.fixture
def there(apply):
    """An empty instance."""
    apply("lxdapi_instance.present", "c1", source="none")
    return "c1"


@pytest.fixture
def path(tmp_path):
    """The path for a backup, in a new folder."""
    (tmp_path / "backups").mkdir()
    return tmp_path / "backups" / "c1.tar"


@pytest.fixture
def exported(salt, path, there):
    """The file of a backup of an empty instance."""
    salt.modules["lxdapi_backup.export"](there, str(path))
    return path


@pytest.fixture
def left(daemon, raw):
    """Return the instances and volumes in the daemon's lists and on its disk."""

    def left():
        pool = daemon.directory / "storage-pools" / "default"
        on_disk = [each.name for folder in ("containers", "custom") for each in (pool / folder).iterdir()]
        return sorted(on_disk), len(raw("instances")) + len(raw("storage-pools/default/volumes/custom"))

    return left


def proved(path):
    """Return the sha256 of a file after a check of its checksum file and the modes of both."""
    done = subprocess.run(["sha256sum", "-c", f"{path.name}.sha256"], cwd=path.parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(os.listdir(path.parent)) == [path.name, f"{path.name}.sha256"]
    assert {stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()} == {0o600}
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_exported_instance_is_imported_with_everything(apply, salt, imported, raw, path, files):
    apply("lxdapi_instance.present", "c1", source="busybox", running=True, **DECLARED)
    files("c1", b"before")
    apply("lxdapi_instance_snapshot.present", "c1/s1")
    files("c1", b"after")
    assert apply.changed("lxdapi_instance.exported", "c1", path=str(path)) == {"exported": str(path)}
    proved(path)
    assert raw("instances/c1/backups") == []
    apply("lxdapi_instance.absent", "c1", force=True)
    assert salt.modules["lxdapi_backup.import"]("c1", str(path)) == {"created": "c1"}
    assert [each["name"] for each in raw("instances?recursion=1")] == ["c1"]
    apply.unchanged("lxdapi_instance.present", "c1", running=False, **DECLARED)
    assert apply.changed("lxdapi_instance.present", "c1", running=True, **DECLARED)["status"]["new"] == "Running"
    assert files("c1") == b"after"
    apply.changed("lxdapi_instance_snapshot.restored", "c1/s1")
    assert files("c1") == b"before"


def test_exported_volume_is_imported_under_another_name(apply, salt, raw, path):
    declared = {"description": "data", "config": {"user.a": "1"}}
    apply("lxdapi_storage_volume.present", "default/data", **declared)
    apply("lxdapi_volume_snapshot.present", "default/data/s1")
    ret = apply.changed("lxdapi_storage_volume.exported", "default/data", path=str(path), compression="none")
    assert ret == {"exported": str(path)} and tarred(path)
    proved(path)
    assert raw(f"{DATA}/backups") == []
    salt.modules["lxdapi_backup.import"]("default/data2", str(path))
    apply.unchanged("lxdapi_storage_volume.present", "default/data2", **declared)
    assert [each.rpartition("/")[2] for each in raw(f"{DATA}2/snapshots")] == ["s1"]
    done = salt.modules["lxdapi_backup.export"]("default/data", str(path), snapshots=False, compression="none")
    assert done == {"path": str(path), "size": path.stat().st_size, "sha256": proved(path)}
    assert salt.modules["lxdapi_backup.import"]("default/data3", str(path)) == {"created": "default/data3"}
    assert raw(f"{DATA}3/snapshots") == []


@pytest.mark.parametrize("config, running", spread(({"user.a": "2"}, True), ({"user.a": None}, False), (None, False)))
def test_an_instance_is_declared_with_a_backup_as_its_source(apply, daemon, imported, raw, path, config, running):
    apply("lxdapi_instance.present", "c1", source="busybox", **DECLARED)
    daemon.ask("POST", "/1.0/storage-pools", {"name": "other", "driver": "dir"})
    source = {"type": "backup", "path": str(path), "pool": "other"}
    missing = apply.predicted("lxdapi_instance.present", "c2", source=source)
    assert f"file {path} does not exist" in missing["comment"]
    assert f"file {path} does not exist" in apply.failed("lxdapi_instance.present", "c2", source=source)
    apply("lxdapi_instance.exported", "c1", path=str(path))
    changes = apply.changed("lxdapi_instance.present", "c2", source=source, config=config, running=running)
    assert changes["created"] == "c2"
    found = raw("instances/c2")
    assert found["config"].get("user.a") == (config or {"user.a": "1"})["user.a"]
    assert (found["description"], found["devices"]["root"]["pool"]) == ("web", "other")
    wrong = apply.failed("lxdapi_instance.present", "c3", source={"type": "backup", "path": "c1.tar"})
    assert "expected an absolute path for path" in wrong


def tarred(path):
    """Return whether the file is an uncompressed tar."""
    return path.read_bytes()[257:262] == b"ustar"


@pytest.mark.mainly("incus7")
def test_old_or_corrupt_export_is_replaced(apply, there, path):
    more = {"path": str(path)}
    checksum = path.with_name("c1.tar.sha256")
    apply.changed("lxdapi_instance.exported", there, **more)
    for words, spoil in {
        "did not match": lambda: path.write_bytes(path.read_bytes()[:-1]),
        ".sha256 did not exist": checksum.unlink,
        f"did not match {checksum}": lambda: checksum.write_text("none\n"),
        "c1.tar did not exist": path.unlink,
    }.items():
        spoil()
        assert words in apply.predicted("lxdapi_instance.exported", there, **more)["comment"]
        assert apply.changed("lxdapi_instance.exported", there, **more) == {"exported": str(path)}
        proved(path)
    os.utime(path, (path.stat().st_mtime - 7200,) * 2)
    apply.unchanged("lxdapi_instance.exported", there, max_age="3h", **more)
    apply.changed("lxdapi_instance.exported", there, max_age="1h", **more)
    os.utime(path, (path.stat().st_mtime + 7200,) * 2)
    predicted = apply.predicted("lxdapi_instance.exported", there, max_age="1h", **more)
    assert predicted["comment"].endswith("was dated in the future")
    apply("lxdapi_instance.absent", there)
    ret = apply.unchanged("lxdapi_instance.exported", there, **more)
    assert ret["comment"] == f"instance c1 is as declared; its backup {path} is up to date"


@pytest.mark.mainly("incus")
@pytest.mark.parametrize(
    "more, words",
    [
        ({"path": "c1.tar"}, "expected an absolute path for path"),
        ({"path": "/tmp"}, "got the directory /tmp"),
        ({"path": "/tmp/x.tar", "max_age": "a week"}, "expected seconds or a time (12h, 7d, 2w) for max_age"),
        ({"path": "/tmp/x.tar", "max_age": -1}, "expected seconds or a time (12h, 7d, 2w) for max_age"),
        ({"path": "/tmp/x.tar", "optimized": "perhaps"}, "optimized"),
        ({"path": "/tmp/x.tar", "compression": 5}, "expected the name of an algorithm"),
        ({"path": "/tmp/x.tar", "timeout": "long"}, "expected a number of seconds from 0 to 100000000 for timeout"),
    ],
)
def test_invalid_export_is_refused_before_any_request(apply, more, words):
    assert words in apply.refused("lxdapi_instance.exported", "c1", **more)
    assert words in apply.refused("lxdapi_storage_volume.exported", "default/data", **more)


@pytest.mark.mainly("lxd")
def test_export_of_missing_resource_is_refused(apply, path):
    for function, name, label in (
        ("lxdapi_instance.exported", "c9", "instance c9"),
        ("lxdapi_storage_volume.exported", "default/none", "storage volume default/none"),
    ):
        assert f"{label} does not exist" in apply.predicted(function, name, path=str(path))["comment"]
        assert f"{label} does not exist" in apply.failed(function, name, path=str(path))
    assert "No such file" in apply.failed("lxdapi_instance.exported", "c9", path="/none/c9.tar")
    assert os.listdir(path.parent) == []


@pytest.mark.mainly("lxd")
def test_broken_export_keeps_old_file_and_no_backup(salt, proxy, raw, exported):
    before = proved(exported)
    export = lambda: salt.modules["lxdapi_backup.export"]("c1", str(exported))  # noqa: E731
    proxy.arm("cut_body", method="GET", path="/export")
    with pytest.raises(LxdapiError, match="are missing|connection broke"):
        export()
    proxy.arm("status", method="GET", path="/export", error="backup file is gone")
    with pytest.raises(LxdapiError, match="backup file is gone"):
        export()
    with pytest.raises(LxdapiError, match="[Cc]ompression algorithm .*bogus"):
        salt.modules["lxdapi_backup.export"]("c1", str(exported), compression="bogus")
    assert (proved(exported), raw("instances/c1/backups")) == (before, [])


@pytest.mark.mainly("incus")
def test_export_with_lost_replies_leaves_no_backup(salt, proxy, raw, there, path):
    proxy.arm("drop_reply", method="POST", path="/backups$")
    proxy.arm("drop_reply", method="DELETE", path="/backups/", skip=1)
    assert salt.modules["lxdapi_backup.export"](there, str(path))["sha256"] == proved(path)
    assert raw("instances/c1/backups") == []


@pytest.mark.mainly("lxd")
def test_undeletable_backup_is_reported_and_expires(salt, proxy, raw, there, path, caplog):
    proxy.arm("status", method="DELETE", path="/backups/", status=500, error="it is busy")
    salt.modules["lxdapi_backup.export"](there, str(path))
    proved(path)
    assert "until it expires in a day: it is busy" in caplog.text
    (kept,) = raw("instances/c1/backups?recursion=1")
    assert kept["expires_at"] > kept["created_at"]


@pytest.mark.mainly("incus7")
def test_full_disk_keeps_old_file_and_leaves_no_backup(salt, apply, imported, raw, path):
    apply("lxdapi_instance.present", "c1", source="busybox")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", path.parent], check=True)
    try:
        path.write_bytes(b"old")
        with pytest.raises(LxdapiError, match="cannot write .*c1.tar.*: No space left on device"):
            salt.modules["lxdapi_backup.export"]("c1", str(path), compression="none")
        assert (path.read_bytes(), os.listdir(path.parent)) == (b"old", ["c1.tar"])
        assert raw("instances/c1/backups") == []
    finally:
        subprocess.run(["umount", path.parent], check=True)


def test_file_refused_by_daemon_leaves_nothing(salt, apply, imported, path, left):
    things = {"c1": ("lxdapi_instance", {"source": "busybox"}), "default/data": ("lxdapi_storage_volume", {})}
    for name, (function, declared) in things.items():
        apply(f"{function}.present", name, **declared)
        file = path.with_name(name.replace("/", "-"))
        salt.modules["lxdapi_backup.export"](name, str(file), compression="none")
        apply(f"{function}.absent", name)
        file.with_name(f"{file.name}.sha256").unlink()
        # the volume has no files, so its backup has only the index
        half = file.read_bytes()[: 1024 if "/" in name else file.stat().st_size // 2]
        for content in (half, b"garbage" * 1000):
            file.write_bytes(content)
            with pytest.raises(LxdapiError):
                salt.modules["lxdapi_backup.import"](f"{name}2", str(file))
            assert left() == ([], 0)


@pytest.mark.mainly("incus")
def test_damaged_missing_or_wrong_file_is_not_sent(salt, proxy, exported, image):
    proxy.clear()
    load, whole = salt.modules["lxdapi_backup.import"], exported.read_bytes()
    exported.write_bytes(whole[:-1])
    with pytest.raises(InvalidError, match="does not match .*sha256: the file is damaged"):
        load("c2", str(exported))
    exported.write_bytes(b"")
    exported.with_name("c1.tar.sha256").unlink()
    for end in (40, 300, 500):
        exported.write_bytes(whole[:end])
        with pytest.raises(InvalidError, match="is damaged"):
            load("c2", str(exported))
    exported.write_bytes(whole)
    with pytest.raises(InvalidError, match="expected storage volume, its index says 'container'"):
        load("default/d2", str(exported))
    exported.write_bytes(image.read_bytes())
    with pytest.raises(InvalidError, match="it does not begin with backup/index.yaml"):
        load("c2", str(exported))
    exported.write_bytes(b"")
    with pytest.raises(InvalidError, match="backup file .* is empty"):
        load("c2", str(exported))
    with pytest.raises(InvalidError, match="No such file"):
        load("c2", "/none/c1.tar")
    with pytest.raises(InvalidError, match="Is a directory"):
        load("c2", "/tmp")
    assert proxy.requests() == []


@pytest.mark.mainly("lxd")
def test_import_over_existing_resource_is_refused(salt, proxy, exported, raw):
    before = raw("instances/c1")
    with pytest.raises(InvalidError, match="instance c1 already exists"):
        salt.modules["lxdapi_backup.import"]("c1", str(exported))
    with pytest.raises(LxdapiError, match="[Pp]ool not found"):
        salt.modules["lxdapi_backup.import"]("c2", str(exported), pool="none")
    assert raw("instances/c1") == before and len(raw("instances")) == 1


@pytest.mark.mainly("incus7")
def test_import_with_lost_replies_is_done_once(salt, proxy, exported, raw):
    proxy.arm("drop_reply", method="POST", path="/instances$")
    proxy.arm("drop_reply", method="POST", path="/instances/lxdapi-")
    assert salt.modules["lxdapi_backup.import"]("c2", str(exported)) == {"created": "c2"}
    assert sorted(each["name"] for each in raw("instances?recursion=1")) == ["c1", "c2"]


@pytest.mark.mainly("incus")
def test_import_overtaken_by_others_fails_and_leaves_nothing(salt, proxy, daemon, exported, raw, left):
    def make(reply):
        daemon.ask("POST", "/1.0/instances", {"name": "c2", "source": {"type": "none"}})
        return reply

    proxy.arm("swap", method="POST", path="/instances$", reply=make)
    with pytest.raises(LxdapiError, match="already"):
        salt.modules["lxdapi_backup.import"]("c2", str(exported))
    assert left() == (["c1", "c2"], 2)
