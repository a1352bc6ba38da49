"""
A daemon or a client that dies during a backup: the same run or the next one completes it, and nothing stays that can be
deleted.
"""

import os
import shutil

import pytest
from lxdapi.errors import LxdapiError

from tests.support.daemons import until
from tests.support.images import busybox_image
from tests.support.loader import Loaded
from tests.support.processes import Process, does, when
from tests.support.spread import spread

FILES = 2000


@pytest.fixture
def call(tmp_path, daemon):
    """Call a module function without a proxy, which would still accept connections when the daemon is dead."""
    salt = Loaded(tmp_path / "direct", {"local": {"endpoint": daemon.socket, "timeout": 20}})
    return lambda verb, *words, **more: salt.modules[f"lxdapi_backup.{verb}"](*words, **more)


@pytest.fixture(scope="module")
def many_files(tmp_path_factory):
    """The path of an image that is packed and unpacked slowly."""
    return busybox_image(tmp_path_factory.mktemp("backup") / "many.tar.gz", files=FILES)


@pytest.fixture
def c1(daemon, apply, many_files):
    """An instance from that image."""
    daemon.import_image(many_files, alias="many")
    apply("lxdapi_instance.present", "c1", source="many")
    return "c1"


@pytest.fixture
def pool(daemon):
    """The folder of the containers; what no request can remove is deleted afterwards."""
    folder = daemon.directory / "storage-pools/default/containers"
    yield folder
    for part in (folder, folder.with_name("containers-snapshots")):
        for left in part.glob("lxdapi-*"):
            # the daemon's tar may still be unpacking
            assert until(lambda left=left: shutil.rmtree(left, ignore_errors=True) or not left.exists(), 20)


def unpacked(pool):
    """Return the number of files that the import has unpacked so far."""
    folders = list(pool.glob("lxdapi-*/rootfs/mnt"))
    try:
        return max((len(os.listdir(folder)) for folder in folders), default=0)
    except FileNotFoundError:
        return 0


def died(daemon):
    """Kill the daemon and start it again."""
    daemon.kill()
    daemon.start()


@pytest.mark.parametrize("client_dies", spread(False, True))
def test_backup_survives_death_of_the_daemon(call, daemon, raw, tmp_path, c1, client_dies):
    path = str(tmp_path / "c1.tar")
    if client_dies:
        process = Process(lambda: call("export", c1, path))
        assert until(lambda: does(daemon, "Backing up"), 30)
        process.kill()
        died(daemon)
        assert not os.path.exists(path)
        (left,) = raw("instances/c1/backups?recursion=1")
        assert left["expires_at"] > left["created_at"]
        daemon.ask("DELETE", f"/1.0/instances/c1/backups/{left['name']}")
    else:
        with when(lambda: does(daemon, "Backing up"), lambda: died(daemon)):
            call("export", c1, path)
    assert call("export", c1, path)["size"] == os.path.getsize(path)
    assert raw("instances/c1/backups") == []


@pytest.mark.parametrize("dies", spread("daemon", "client"))
def test_import_survives_death_of_daemon_or_client(call, apply, daemon, raw, tmp_path, pool, c1, dies):
    path = str(tmp_path / "c1.tar")
    call("export", c1, path)
    apply("lxdapi_instance.absent", c1)
    unpacks = lambda: 10 < unpacked(pool) < FILES - 500  # noqa: E731
    if dies == "daemon":
        with when(unpacks, lambda: died(daemon)):
            assert call("import", c1, path) == {"created": c1}
    else:
        process = Process(lambda: call("import", c1, path))
        assert until(unpacks, 30)
        process.kill()
        assert until(lambda: not does(daemon, "Restoring"), 30)
        assert len(raw("instances")) == 1, "the daemon made it all the same"
        assert call("import", c1, path) == {"created": c1}
    assert [each["name"] for each in raw("instances?recursion=1")] == [c1]
    assert len(os.listdir(pool / c1 / "rootfs" / "mnt")) == FILES
    assert apply("lxdapi_instance.present", c1, running=True)["result"] is True
    apply.unchanged("lxdapi_instance.present", c1, running=True)


@pytest.mark.mainly("lxd")
def test_one_of_two_concurrent_imports_succeeds(call, daemon, raw, tmp_path, pool, c1):
    def tried():
        try:
            return call("import", "c2", path)
        except LxdapiError as exc:
            return str(exc)

    path = str(tmp_path / "c1.tar")
    call("export", c1, path)
    process = Process(tried)
    assert until(lambda: does(daemon, "Restoring"), 30)
    outcomes = [tried(), process.result()]
    # The loser is refused before its import, or by the daemon when it renames the instance (the index of the names).
    refused = [each for each in outcomes if "already" in each or "Rename" in each]
    assert {"created": "c2"} in outcomes and len(refused) == 1, outcomes
    assert sorted(each["name"] for each in raw("instances?recursion=1")) == ["c1", "c2"]
