"""
A file inside an instance when something breaks: the old file stays complete, and no partial file stays beside it.
"""

import base64
import hashlib
import os
import re
import ssl
import subprocess
import tempfile
import threading
import tracemalloc

import pytest
from lxdapi.api import API
from lxdapi.files import sftp_session

from tests.support import client_certificates as certificates
from tests.support.daemons import until
from tests.support.instance_files import Inside
from tests.support.loader import Loaded

MIB = 1024 * 1024
SFTP = r"instances/c1/sftp"


@pytest.fixture
def inside(daemon, imported):
    """A stopped container and its files."""
    return Inside(daemon)


@pytest.fixture
def large(tmp_path):
    """A file of 8 MiB with varying content."""
    path = tmp_path / "large"
    path.write_bytes(os.urandom(8 * MIB))
    return path


def names(inside):
    return [name for name in inside.names("/etc") if "app" in name]


def test_interrupted_push_keeps_old_file_and_no_temporary_file(apply, inside, large, proxy, salt):
    salt.modules["lxdapi_file.write"]("c1", "/etc/app", "old")
    give_up = Loaded(large.parent / "giving-up", {"local": {"endpoint": str(proxy.socket), "retry_timeout": 0}})
    # pass the reads and comparisons, cut the write, then pass the cleanup
    proxy.arm("cut_stream", path=SFTP, skip=1, after=4 * MIB)
    ret = give_up.states["lxdapi_file.managed"]("/etc/app", "c1", source=str(large))
    assert (ret["result"], ret["changes"]) == (False, {}), ret
    assert "connection" in ret["comment"]
    assert inside.read("/etc/app") == b"old\n"
    assert until(lambda: names(inside) == ["app"], 5), names(inside)


def test_retried_push_removes_old_temporary_files(apply, inside, large, proxy):
    inside.sh("echo x > /etc/.app.lxdapi-0123456789abcdef; echo y > /etc/.apple.lxdapi-0123456789abcdef")
    proxy.arm("cut_stream", path=SFTP, skip=1, after=4 * MIB)
    ret = apply("lxdapi_file.managed", "/etc/app", instance="c1", source=str(large))
    assert ret["result"] is True, ret
    assert hashlib.sha256(inside.read("/etc/app")).digest() == hashlib.sha256(large.read_bytes()).digest()
    assert names(inside) == [".apple.lxdapi-0123456789abcdef", "app"]


@pytest.mark.mainly("lxd")
def test_push_to_full_disk_fails_and_keeps_old_file(apply, inside, large, daemon):
    folder = tempfile.mkdtemp(prefix="lxsmall", dir="/tmp")
    enter = ["nsenter", f"--mount=/proc/{daemon.pid}/ns/mnt"]
    subprocess.run([*enter, "mount", "-t", "tmpfs", "-o", "size=1m,mode=777", "tmpfs", folder], check=True)
    try:
        disk = {"type": "disk", "source": folder, "path": "/mnt"}
        daemon.ask("PATCH", "/1.0/instances/c1", {"devices": {"d": disk}, "config": {"security.privileged": "true"}})
        inside.start()
        apply.changed("lxdapi_file.managed", "/mnt/app", instance="c1", contents="old")
        comment = apply.failed("lxdapi_file.managed", "/mnt/app", instance="c1", source=str(large))
        assert "no space left on device" in comment and "/mnt/app" in comment
        assert (inside.read("/mnt/app"), inside.names("/mnt")) == (b"old\n", ["app"])
    finally:
        daemon.wipe()
        subprocess.run([*enter, "umount", "-l", folder], check=True)
        os.rmdir(folder)


def test_fifty_mebibytes_go_and_come_with_flat_memory(salt, inside, tmp_path):
    source, back = tmp_path / "source", tmp_path / "back"
    block = os.urandom(MIB)
    with source.open("wb") as file:
        for number in range(50):
            file.write(bytes([number]) + block[1:])
    salt.modules["lxdapi_file.exists"]("c1", "/etc")  # load everything once
    tracemalloc.start()
    try:
        salt.modules["lxdapi_file.push"]("c1", str(source), "/root/large")
        found = salt.modules["lxdapi_file.pull"]("c1", "/root/large", str(back))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 * MIB, peak
    expected = hashlib.sha256(source.read_bytes()).hexdigest()
    assert found == {"path": str(back), "size": 50 * MIB, "sha256": expected}
    assert hashlib.sha256(back.read_bytes()).hexdigest() == expected and back.stat().st_mode & 0o777 == 0o600
    assert salt.modules["lxdapi_file.hash"]("c1", "/root/large") == expected


@pytest.mark.mainly("incus7")
def test_silent_or_non_sftp_daemon_is_given_up(apply, inside, proxy, tmp_path):
    salt = Loaded(tmp_path / "quick", {"local": {"endpoint": str(proxy.socket), "timeout": 1, "retry_timeout": 0}})
    state = lambda: salt.states["lxdapi_file.managed"]("/etc/x", "c1", contents="x")  # noqa: E731
    for fault, options, words in (
        ("blackhole", {}, "no reply within 1 s"),
        ("status", {"status": 404, "error": "not found"}, "does not support SFTP"),
        ("status", {"status": 500, "error": "made up"}, "made up"),
        ("close", {}, "sftp"),
        ("cut_stream", {"after": 1}, "connection"),
    ):
        proxy.arm(fault, path=SFTP, **options)
        ret = state()
        assert ret["result"] is False and words in ret["comment"], ret
        proxy.clear()
    assert inside.read("/etc/x") is None


@pytest.mark.mainly("lxd")
def test_concurrent_writes_to_one_file_all_succeed(daemon, inside, tmp_path):
    api = [API.factory(daemon.socket) for _ in range(3)]
    failed = []

    def write(number):
        salt = Loaded(tmp_path / str(number), {"local": {"endpoint": daemon.socket}})
        for round_ in range(10):
            ret = salt.states["lxdapi_file.managed"]("/etc/app", "c1", contents=f"{number} {round_}" * 1000)
            failed.extend([] if ret["result"] else [ret])

    threads = [threading.Thread(target=write, args=(number,)) for number in range(len(api))]
    for each in threads:
        each.start()
    for each in threads:
        each.join(120)
    assert failed == []
    assert re.fullmatch(rb"(\d 9)\1{999}\n", inside.read("/etc/app")) and names(inside) == ["app"]


@pytest.mark.mainly("incus")
def test_files_over_https(daemon, inside, https, tmp_path, raw):
    cert, key = certificates.pair()
    body = {"type": "client", "name": "t", "certificate": base64.b64encode(ssl.PEM_cert_to_DER_cert(cert)).decode()}
    daemon.ask("POST", "/1.0/certificates", body)
    remote = {"endpoint": https, "cert": cert, "key": key, "verify": False}
    salt = Loaded(tmp_path, {"local": remote})
    (tmp_path / "f").write_bytes(os.urandom(3 * MIB))
    salt.modules["lxdapi_file.push"]("c1", str(tmp_path / "f"), "/root/f")
    assert inside.read("/root/f") == (tmp_path / "f").read_bytes()
    salt.modules["lxdapi_file.pull"]("c1", "/root/f", str(tmp_path / "g"))
    assert (tmp_path / "g").read_bytes() == (tmp_path / "f").read_bytes()


@pytest.mark.mainly("lxd")
def test_sftp_connections_are_closed_after_use(apply, inside, monkeypatch):
    opened = []
    begin = sftp_session.Session.__init__
    monkeypatch.setattr(
        sftp_session.Session, "__init__", lambda self, sock, *more: opened.append(sock) or begin(self, sock, *more)
    )
    apply.changed("lxdapi_file.managed", "/etc/x", instance="c1", contents="x")
    apply.failed("lxdapi_file.managed", "/etc/x/y", instance="c1", contents="x")
    assert len(opened) > 4 and {sock.fileno() for sock in opened} == {-1}
