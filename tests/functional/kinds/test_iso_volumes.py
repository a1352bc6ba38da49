"""
Iso volumes: created from a file of the minion, of the file server or of a web server, where the daemon has them.
"""

import pytest
from salt.exceptions import CommandExecutionError

PRESENT = "lxdapi_storage_volume.present"
NAME, PATH = "default/installer", "storage-pools/default/volumes/custom/installer"
# The volume descriptor of ISO 9660 is behind 32 KiB that belong to the system.
ISO = bytes(32768) + b"\x01CD001\x01" + bytes(2041) + b"the files" * 4096
SIZE = {"size": str(len(ISO))}
WITHOUT_EXTENSION = "it lacks the API extension custom_volume_iso"


@pytest.fixture
def iso(tmp_path):
    """The path of an iso file."""
    path = tmp_path / "installer.iso"
    path.write_bytes(ISO)
    return str(path)


@pytest.fixture
def has_iso_volumes(daemon):
    """Whether the daemon has iso volumes, which LXD 5.0.2 lacks."""
    return "custom_volume_iso" in daemon.ask("GET", "/1.0")["api_extensions"]


def test_iso_volume_is_created_from_a_file(apply, daemon, proxy, iso, raw, has_iso_volumes):
    declared = {"content_type": "iso", "source": iso, "description": "of the shop"}
    if not has_iso_volumes:
        assert WITHOUT_EXTENSION in apply.failed(PRESENT, NAME, **declared)
        assert WITHOUT_EXTENSION in apply.predicted(PRESENT, NAME, **declared)["comment"]
        assert proxy.writes() == []
        return
    assert apply.changed(PRESENT, NAME, **declared) == {"created": NAME}
    found = raw(PATH)
    assert [found[key] for key in ("content_type", "description", "config")] == ["iso", "of the shop", SIZE]
    (file,) = daemon.directory.glob("storage-pools/default/custom/*installer.iso/root.img")
    # the daemon fills the last block
    assert file.read_bytes().rstrip(b"\0") == ISO
    apply.unchanged(PRESENT, NAME, content_type="iso", config=SIZE)
    apply.changed(PRESENT, NAME, content_type="iso", source=iso, description="")
    apply.changed("lxdapi_storage_volume.absent", NAME)


@pytest.mark.mainly("incus")
def test_iso_file_comes_from_the_file_server(apply, daemon, raw, salt):
    (salt.tree / "installer.iso").write_bytes(ISO)
    apply.changed(PRESENT, NAME, content_type="iso", source="salt://installer.iso", config=SIZE)
    copy = {"type": "copy", "pool": "default", "name": "installer"}
    apply.changed(PRESENT, "default/other", content_type="iso", source=copy)
    for change in ({"renamed_from": NAME}, {"renamed_from": "default/other"}):
        assert "an iso volume cannot be renamed" in apply.failed(PRESENT, "default/new", content_type="iso", **change)
    assert raw(PATH)["config"] == SIZE


@pytest.mark.mainly("incus")
def test_volume_after_a_restart_is_kept(apply, daemon, proxy, iso, raw):
    def restart(reply):
        daemon.restart()
        return reply

    proxy.arm("swap", method="POST", path="/custom", reply=restart)
    comment = apply.failed(PRESENT, NAME, content_type="iso", source=iso)
    assert "installer exists, but may be incomplete or somebody else's; delete it" in comment
    assert raw(PATH) and [write.method for write in proxy.writes()] == ["POST"]


@pytest.mark.mainly("incus")
def test_file_that_makes_no_iso_volume_is_refused(apply, daemon, iso, raw, tmp_path):
    rows = [
        ({"content_type": "iso"}, "a new iso volume requires source: declare the iso file"),
        ({"content_type": "iso", "config": {"size": "2MiB"}}, "a new iso volume requires source"),
        (
            {"content_type": "iso", "source": iso, "config": {"user.a": "1"}},
            "config user.a: an iso volume has no config",
        ),
        ({"source": iso}, "only an iso volume is created from a file: declare content_type: iso"),
        ({"content_type": "block", "source": iso}, "only an iso volume is created from a file"),
        ({"content_type": "iso", "source": f"{iso}.gz"}, f"iso file {iso}.gz: No such file"),
        ({"content_type": "iso", "source": "salt://nothing.iso"}, "Salt cannot fetch salt://nothing.iso"),
    ]
    for declared, words in rows:
        assert words in apply.failed(PRESENT, NAME, **declared), declared
        assert "salt://" in words or apply.predicted(PRESENT, NAME, **declared)["result"] is False
    assert raw(PATH) is None


@pytest.mark.mainly("incus7")
def test_functions_name_the_state_for_iso_volumes(daemon, iso, salt):
    with pytest.raises(CommandExecutionError, match="is an iso file: declare lxdapi_storage_volume.present"):
        salt.modules["lxdapi_backup.import"](NAME, iso)
    for settings in ({"content_type": "iso"}, {"content_type": "iso", "source": iso}):
        with pytest.raises(CommandExecutionError, match="in the state lxdapi_storage_volume.present"):
            salt.modules["lxdapi.create"]("storage_volume", NAME, settings)


@pytest.mark.mainly("incus")
def test_failed_iso_upload_names_the_missing_pool(apply, daemon, iso, raw):
    comment = apply.failed(PRESENT, "nopool/installer", content_type="iso", source=iso)
    assert "storage pool nopool does not exist" in comment
    assert "POST /1.0/storage-pools/nopool/volumes/custom" in comment
