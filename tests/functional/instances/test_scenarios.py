"""
Scenarios of daily life: each is a story of a few states.
"""

import io
import tarfile
import time
from pathlib import Path

import pytest
from lxdapi.http import operations
from salt.exceptions import CommandExecutionError

from tests.support.images import busybox_image

C1 = ("lxdapi_instance.present", "c1")


def test_second_create_is_refused_and_state_compares(apply, salt, imported, raw):
    create = salt.modules["lxdapi.create"]
    assert create("instance", "c1", {"source": "busybox"}) == {"created": "c1"}
    with pytest.raises(CommandExecutionError, match="exists|UNIQUE constraint failed"):
        create("instance", "c1", {"source": "busybox"})
    apply.unchanged(*C1, source="busybox")
    assert apply.changed(*C1, source="busybox", description="x") == {"description": {"old": "", "new": "x"}}


def test_long_operation_is_awaited_in_several_requests(apply, stubborn, proxy, monkeypatch):
    monkeypatch.setattr(operations, "_SLICE", 1)
    proxy.clear()
    began = time.monotonic()
    ret = apply("lxdapi_instance.stopped", stubborn, timeout=3, force=True)
    assert (ret["result"], ret["changes"]["forced"]) == (True, True)
    assert time.monotonic() - began > 3
    assert len([path for _, path, *_ in proxy.seen if "/wait" in path]) > 3


@pytest.mark.parametrize("alias", ["debian/12", "a b", "é", "a?b#c&d=e%20"])
def test_alias_of_any_text_is_created_found_and_removed(apply, daemon, imported, raw, alias):
    if daemon.name == "incus7" and alias != "debian/12":
        assert "Invalid image alias name" in apply.failed("lxdapi_image_alias.present", alias, target=imported)
        return
    assert apply.changed("lxdapi_image_alias.present", alias, target=imported)
    assert {each["name"] for each in raw(f"images/{imported}")["aliases"]} == {"busybox", alias}
    assert apply(*C1, source=alias)["result"] is True
    assert apply.changed("lxdapi_image_alias.absent", alias) == {"deleted": alias}


@pytest.mark.parametrize("member", ["../lxdapi-outside", "/tmp/lxdapi-outside"])
def test_image_with_members_outside_writes_nothing_there(apply, tmp_path, raw, member):
    whole, bad = tmp_path / "whole.tar.gz", tmp_path / "bad.tar.gz"
    busybox_image(whole)
    with tarfile.open(whole) as good, tarfile.open(bad, "w:gz") as made:
        for each in good:
            made.addfile(each, good.extractfile(each) if each.isfile() else None)
        outside = tarfile.TarInfo(member)
        outside.size = 5
        made.addfile(outside, io.BytesIO(b"hello"))
    apply("lxdapi_image.present", "bad", source=str(bad))
    ret = apply(*C1, source="bad")
    # tar itself interprets an absolute path inside the instance
    assert (raw("instances/c1") is not None) is ret["result"] is member.startswith("/"), ret
    assert not Path("/tmp/lxdapi-outside").exists()


DOCUMENTS = {
    # Incus 7.0.2 accepts no request of more than 1 MiB
    "a megabyte": "#cloud-config\nruncmd:\n" + "- echo a line of forty characters, or so\n" * 24_000,
    "CRLF": "#cloud-config\r\nhostname: web\r\n",
    "a trailing newline": "#cloud-config\nhostname: web\n\n\n",
}


def test_cloud_init_documents_arrive_exactly_and_once(apply, raw):
    for number, text in enumerate(DOCUMENTS.values()):
        config = {"cloud-init.user-data": text}
        apply.changed("lxdapi_profile.present", f"web{number}", config=config)
        assert raw(f"profiles/web{number}")["config"] == config


def test_starts_and_stops_change_nothing_declared(apply, imported, daemon, raw):
    """
    The daemon writes its own keys to each device; the address of a network device can be declared in either place.
    """
    nic = {"type": "nic", "nictype": "bridged", "parent": "lo", "hwaddr": "10:66:6a:11:22:33"}
    declared = {
        "source": "busybox",
        "config": {"user.a": "1"},
        "profiles": ["default"],
        "devices": {"root": {"type": "disk", "path": "/", "pool": "default", "size": "1GiB"}},
    }
    apply.changed(*C1, **declared)
    for state, options in (
        ("running", {}),
        ("stopped", {"timeout": 0, "force": True}),
        ("running", {}),
        ("frozen", {}),
    ):
        apply.changed(f"lxdapi_instance.{state}", "c1", **options)
        apply.unchanged(*C1, **declared)
    daemon.ask("PUT", "/1.0/instances/c1/state", {"action": "unfreeze"})
    daemon.ask("PUT", "/1.0/instances/c1/state", {"action": "restart", "force": True})
    apply.unchanged(*C1, **declared)
    apply.changed("lxdapi_instance.stopped", "c1", timeout=0, force=True)
    del declared["devices"]["root"]["size"]
    apply.unchanged(*C1, **declared)
    apply.changed(*C1, devices={"eth0": nic}, config={"volatile.eth1.hwaddr": "10:66:6a:11:22:34"})
    apply.changed(*C1, devices={"eth1": {**nic, "hwaddr": None}})
    assert raw("instances/c1")["config"]["volatile.eth1.hwaddr"] == "10:66:6a:11:22:34"
