"""
Requests of a backup: lost answers, leftovers, names, ages.
"""

import io
import tarfile

import pytest
import requests
from lxdapi.errors import APIException, InvalidError
from lxdapi.instances import backups

from tests.support.fake_transport import MISSING, Paper, failure, finished, server, started, sync

pytestmark = pytest.mark.usefixtures("contract_kept")

VOLUMES = "/storage-pools/default/volumes/custom"


class Daemon:
    """
    A daemon that imports volumes and instances; its objects by their REST paths.

    dies
        True: it dies during the first import and leaves a part of it.
    restoring
        True: the import of another client is running.
    """

    def __init__(self, *there, dies=False, restoring=False, refuses=()):
        self.there, self.dies, self.restoring, self.refuses = set(there), dies, restoring, refuses
        self.pid = 1

    def __call__(self, seen):
        method, path = seen.line.split(" /1.0", 1)
        if method in self.refuses:
            return failure(500, "it is broken")
        if not path:
            facts = {"server": "lxd", "server_pid": self.pid}
            return server(api_extensions=["custom_volume_backup", "container_backup"], environment=facts)
        if path == "/operations":
            running = [{"class": "task", "description": "Restoring custom volume backup"}] if self.restoring else []
            return sync({"running": running})
        if path.startswith("/operations/"):
            return finished()
        return self._of_objects(method, path, seen)

    def _of_objects(self, method, path, seen):
        collection = path in (VOLUMES, "/instances")
        if method == "GET" and collection:
            return sync([{"name": each.rpartition("/")[2]} for each in sorted(self.there) if each.startswith(path)])
        if method == "GET":
            return sync({"name": path.rpartition("/")[2]}) if path in self.there else MISSING
        if method == "DELETE":
            if path not in self.there:
                return MISSING
            self.there.remove(path)
            return started()
        if not collection:  # a rename
            self.there.remove(path)
            self.there.add(f"{path.rpartition('/')[0]}/{seen.json['name']}")
            return sync()
        self.there.add(f"{path}/{seen.headers['X-LXD-name']}")
        if self.dies:
            self.dies, self.pid = False, 2
            return requests.exceptions.ConnectionError(ConnectionResetError(104, "Connection reset by peer"))
        return started()


@pytest.fixture
def path(tmp_path):
    """A file whose index cannot be read here, as of one that zstd packed."""
    (tmp_path / "data.tar").write_bytes(b"\x28\xb5\x2f\xfd" * 10)
    return str(tmp_path / "data.tar")


def imported(daemon, path, word="storage_volume", name="default/data", **more):
    """Import a volume from a file; return the paper."""
    paper = Paper(daemon, retry_timeout=5)
    backups.import_file(paper.api, word, name, path, **more)
    return paper


@pytest.mark.parametrize(
    "word, name, end", [("storage_volume", "default/data", VOLUMES), ("instance", "web1", "/instances")]
)
def test_import_uses_a_temporary_name_and_renames(path, word, name, end):
    daemon = Daemon()
    paper = imported(daemon, path, word, name)
    assert daemon.there == {f"{end}/{name.rpartition('/')[2]}"}
    sent, renamed = (seen for seen in paper.seen if seen.method == "POST")
    own = sent.headers["X-LXD-name"]
    assert own.startswith("lxdapi-") and renamed.path.endswith(f"/{own}")
    assert sent.headers["Content-Length"] == "40"


def test_partial_volume_of_dead_daemon_is_deleted_and_resent(path):
    daemon = Daemon(dies=True)
    paper = imported(daemon, path)
    assert daemon.there == {f"{VOLUMES}/data"}
    names = [seen.headers["X-LXD-name"] for seen in paper.seen if seen.line == f"POST /1.0{VOLUMES}"]
    assert len(set(names)) == 2, "the first name can be barred"


def leftover(name="default/data"):
    """Return the name of what an earlier import of this volume left behind."""
    stage = backups._Stage(Paper(Daemon()).api, "storage_volume", name)
    return f"{VOLUMES}/{stage.header()['X-LXD-name'] if stage._api.server else ''}"


def test_leftovers_of_earlier_import_are_deleted_but_not_others(path):
    mine, others = leftover(), leftover("default/other")
    daemon = Daemon(mine, others, f"{VOLUMES}/lxdapi-before")
    imported(daemon, path)
    assert daemon.there == {others, f"{VOLUMES}/lxdapi-before", f"{VOLUMES}/data"}


def test_running_import_of_others_is_left_alone(path):
    mine = leftover()
    daemon = Daemon(mine, restoring=True)
    imported(daemon, path)
    assert daemon.there == {mine, f"{VOLUMES}/data"}


def test_undeletable_leftovers_are_no_failure(path):
    daemon = Daemon(leftover(), refuses=("DELETE",))
    imported(daemon, path)
    assert f"{VOLUMES}/data" in daemon.there


@pytest.mark.parametrize("more, words", [({"pool": "a/b"}, "'a/b' is not valid"), ({"pool": "é"}, "only ASCII")])
def test_pool_name_unfit_for_a_header_is_refused(path, more, words):
    daemon = Daemon()
    with pytest.raises(InvalidError, match=words):
        imported(daemon, path, "instance", "web1", **more)
    assert daemon.there == set()


@pytest.mark.parametrize("word, name", [("storage_volume", "default/data"), ("instance", "web1")])
def test_daemon_without_backups_is_refused_before_any_write(word, name, path, tmp_path):
    paper = Paper(lambda seen: server("lxd"))
    for act in (
        lambda: backups.import_file(paper.api, word, name, path),
        lambda: backups.export(paper.api, word, name, str(tmp_path / "x"), {}),
        lambda: backups.plan_export(paper.api, word, name, str(tmp_path / "x"), {}),
    ):
        with pytest.raises(InvalidError, match="lacks the API extension"):
            act()
    assert paper.writes == []


def test_failed_backup_leaves_no_file(tmp_path):
    paper = Paper(Daemon(refuses=("POST",)))
    with pytest.raises(APIException, match="it is broken"):
        backups.export(paper.api, "instance", "web1", str(tmp_path / "x"), {})
    assert list(tmp_path.iterdir()) == []


def test_backup_is_requested_with_an_expiry(tmp_path):
    paper = Paper(Daemon(refuses=("POST",)))
    with pytest.raises(APIException):
        backups.export(
            paper.api, "instance", "web1", str(tmp_path / "x"), backups.export_options("instance", True, True, "zstd")
        )
    sent = next(seen.json for seen in paper.seen if seen.method == "POST")
    assert sent.pop("name").startswith("lxdapi-") and sent.pop("expires_at").endswith("Z")
    assert sent == {"instance_only": True, "optimized_storage": True, "compression_algorithm": "zstd"}


@pytest.mark.parametrize(
    "given, seconds", [(None, None), (60, 60), (0, 0), ("30m", 1800), ("12h", 43200), ("7d", 604800), ("2w", 1209600)]
)
def test_max_age_is_seconds_or_a_duration(given, seconds):
    assert backups.parse_max_age(given) == seconds


@pytest.mark.parametrize("given", [True, -1, "7", "d", "1y", "1.5d", [], "٧d"])
def test_invalid_max_age_is_refused(given):
    with pytest.raises(InvalidError, match="max_age"):
        backups.parse_max_age(given)


@pytest.mark.parametrize(
    "index, sort, words",
    [
        (b"- a", tarfile.REGTYPE, "its index says 'none'"),
        (b"type: [a]", tarfile.REGTYPE, "its index says 'none'"),
        (b"", tarfile.REGTYPE, "its index says 'none'"),
        (b"[" * 2000, tarfile.REGTYPE, "is damaged"),
        (b"", tarfile.DIRTYPE, "is not a regular file"),
        (b"", tarfile.SYMTYPE, "is not a regular file"),
    ],
)
def test_invalid_index_is_refused(tmp_path, index, sort, words):
    member = tarfile.TarInfo("backup/index.yaml")
    member.type, member.size = sort, len(index)
    with tarfile.open(tmp_path / "x.tar", "w") as tar:
        tar.addfile(member, io.BytesIO(index))
    with pytest.raises(InvalidError, match=words):
        backups.require_backup_file(str(tmp_path / "x.tar"), ("container",), "instance")


@pytest.mark.parametrize("name", [None, 5, "", "a/b/c", "a/", "/a", "default/..", "-a"])
def test_name_selects_instance_or_volume(name):
    with pytest.raises(InvalidError):
        backups.kind_name_of(name)
    assert (backups.kind_name_of("web1"), backups.kind_name_of("default/data")) == ("instance", "storage_volume")
