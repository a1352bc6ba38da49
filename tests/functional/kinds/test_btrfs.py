"""
Pools of the driver btrfs in a loop file: sizes, quotas, copies, optimized backups.
"""

import pytest

POOL = {"driver": "btrfs", "config": {"size": "512MiB", "user.owner": "ops"}}
MIB = 1024 * 1024


@pytest.fixture
def pool(apply):
    """A pool "fast"."""
    assert apply.changed("lxdapi_storage_pool.present", "fast", **POOL) == {"created": "fast"}
    return "fast"


@pytest.fixture
def optimized(daemon):
    """The parameters of an optimized backup. LXD does not always end the import of a compressed one."""
    return {"optimized": True, "compression": "none" if daemon.server == "lxd" else None}


@pytest.fixture
def size_of_file(daemon):
    """Return a function that returns the size of the pool's file."""
    return lambda: (daemon.directory / "disks" / "fast.img").stat().st_size


@pytest.fixture
def run(salt):
    """Return a function that runs a script in an instance and returns its output; it must succeed."""

    def run(name, script):
        outcome = salt.modules["lxdapi_instance.run_all"](name, script)
        assert outcome["retcode"] == 0, outcome
        return outcome["stdout"]

    return run


def test_pool_in_a_file_has_the_size_that_is_declared(apply, daemon, pool, size_of_file, raw):
    assert size_of_file() == 512 * MIB
    apply.unchanged("lxdapi_storage_pool.present", pool, driver="btrfs", config={"size": "524288KiB"})
    grown = {"driver": "btrfs", "config": {"size": "640MiB", "btrfs.mount_options": "noatime"}}
    expected = apply.predicted("lxdapi_storage_pool.present", pool, **grown)
    apply.changed("lxdapi_storage_pool.present", pool, **grown)
    only_stored = "size has no effect on an existing storage pool" in expected["comment"]
    assert (size_of_file(), only_stored) == ((512 * MIB, True) if daemon.name == "lxd" else (640 * MIB, False))
    shrunk = {"driver": "btrfs", "config": {"size": "256MiB"}}
    if daemon.name == "lxd":
        apply.changed("lxdapi_storage_pool.present", pool, **shrunk)
    else:
        assert "Pool cannot be shrunk" in apply.failed("lxdapi_storage_pool.present", pool, **shrunk)
    config = raw(f"storage-pools/{pool}")["config"]
    cleared = set(apply.changed("lxdapi_storage_pool.present", pool, config={})["config"])
    assert cleared == {"btrfs.mount_options", "user.owner"}
    assert raw(f"storage-pools/{pool}")["config"] == {key: config[key] for key in set(config) - cleared}
    assert apply.changed("lxdapi_storage_pool.absent", pool) == {"deleted": pool}


@pytest.mark.mainly("incus7")
def test_container_has_a_quota_copies_and_backups(apply, run, pool, imported, optimized, tmp_path):
    root = {"type": "disk", "path": "/", "pool": pool, "size": "32MiB"}
    apply.changed("lxdapi_instance.present", "web", source="busybox", devices={"root": root}, running=True)
    assert "instances/web" in apply.failed("lxdapi_storage_pool.absent", pool)
    too_much = "dd if=/dev/zero of=/big bs=1M count=48 2>&1; sync; rm -f /big"
    assert "Disk quota exceeded" in run("web", too_much)
    apply.changed("lxdapi_instance.present", "web", devices={"root": {"size": "96MiB"}}, running=True)
    assert "Disk quota exceeded" not in run("web", too_much)
    run("web", "echo one >/mark")
    apply.changed("lxdapi_snapshot.present", "web/before")
    run("web", "echo two >/mark")
    path = str(tmp_path / "web.tar.gz")
    apply.changed("lxdapi_instance.exported", "web", path=path, **optimized)
    sources = {
        "copy1": {"type": "copy", "source": "web"},
        "copy2": {"type": "copy", "source": "web/before"},
        "back": {"type": "backup", "path": path, "pool": pool},
    }
    for name, source in sources.items():
        apply("lxdapi_instance.present", name, source=source, running=True)
        apply.unchanged("lxdapi_instance.present", name, source=source, running=True)
    assert [run(name, "cat /mark") for name in sources] == ["two", "one", "two"]
    apply("lxdapi_snapshot.restored", "web/before")
    assert run("web", "cat /mark") == "one"


@pytest.mark.parametrize(
    "content_type",
    [
        pytest.param("filesystem", marks=pytest.mark.mainly("lxd")),
        pytest.param("block", marks=pytest.mark.mainly("incus")),
    ],
)
def test_volume_is_resized_restored_and_exported(apply, salt, pool, optimized, tmp_path, raw, content_type):
    name, path = f"{pool}/data", str(tmp_path / "data.tar.gz")
    apply.changed("lxdapi_storage_volume.present", name, content_type=content_type, config={"size": "16MiB"})
    apply.changed("lxdapi_storage_volume.present", name, content_type=content_type, config={"size": "32MiB"})
    apply("lxdapi_volume_snapshot.present", f"{name}/before")
    apply("lxdapi_volume_snapshot.restored", f"{name}/before")
    apply.changed("lxdapi_storage_volume.exported", name, path=path, **optimized)
    salt.modules["lxdapi_backup.import"](f"{pool}/back", path)
    apply.unchanged(
        "lxdapi_storage_volume.present", f"{pool}/back", content_type=content_type, config={"size": "32MiB"}
    )
    assert [each.rpartition("/")[2] for each in raw(f"storage-pools/{pool}/volumes/custom/back/snapshots")] == [
        "before"
    ]
