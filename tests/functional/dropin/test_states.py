"""
The states under the names that Salt 3008 removed: what they promise, and what they no longer lose.
"""

import shutil

import pytest
from salt.exceptions import SaltInvocationError

from tests.support.image_headers import ImageHeaders
from tests.support.walkthrough import Reader

PROFILE, CONTAINER, IMAGE = "lxd_profile.present", "lxd_container.present", "lxd_image.present"
DISK = {"type": "disk", "source": "/tmp", "path": "/data"}


def place(key, value):
    """Return a config as a list of key and value, as the old documentation shows it."""
    return [{"key": key, "value": value}]


@pytest.mark.mainly("incus7")
def test_profile_has_exactly_what_is_declared(apply, raw):
    assert apply.changed(PROFILE, "web", config=place("user.c", "x"))["created"] == 'Profile "web" has been created'
    declared = {"config": {"user.a": 1, "user.b": True}, "devices": {"d": {**DISK, "readonly": True}}}
    apply.changed(PROFILE, "web", description="front", **declared)
    changes = apply.changed(PROFILE, "web", config={"user.b": "no"}, devices={"e": DISK})
    assert changes["config"] == {
        "user.a": 'Removed config key "user.a", its value was "1"',
        "user.b": 'Changed config key "user.b" to "no", its value was "true"',
    }
    assert changes["devices"] == {"d": 'Removed device "d"', "e": 'Added device "e"'}
    assert raw("profiles/web")["description"] == "front"


@pytest.mark.mainly("lxd")
def test_what_is_not_declared_stays(apply, daemon, raw):
    daemon.ask("POST", "/1.0/profiles", {"name": "web", "config": {"user.a": "1"}, "devices": {"d": DISK}})
    apply.unchanged(PROFILE, "web")
    apply.changed(PROFILE, "web", description="front")
    assert (raw("profiles/web")["config"], raw("profiles/web")["devices"]) == ({"user.a": "1"}, {"d": DISK})


@pytest.mark.mainly("incus")
def test_undeclared_root_disk_and_keys_of_the_daemon_stay(apply, daemon, imported, raw):
    root = {"type": "disk", "path": "/", "pool": "default"}
    body = {"name": "c1", "source": {"type": "image", "alias": "busybox"}, "devices": {"root": root, "d": DISK}}
    daemon.ask("POST", "/1.0/instances", body)
    before = raw("instances/c1")["config"]
    assert set(apply.changed(CONTAINER, "c1", config={}, devices={})) == {"devices"}
    assert (raw("instances/c1")["config"], raw("instances/c1")["devices"]) == (before, {"root": root})


@pytest.mark.mainly("incus7")
def test_devices_are_compared_as_a_whole_and_by_meaning(apply):
    apply.changed(PROFILE, "web", devices={"d": {**DISK, "readonly": True, "limits.max": 5}})
    assert apply.changed(PROFILE, "web", devices={"d": DISK}) == {"devices": {"d": 'Changed device "d"'}}


@pytest.mark.mainly("lxd")
def test_container_lives_under_the_removed_names(apply, daemon, imported, raw):
    daemon.ask("POST", "/1.0/profiles", {"name": "web"})
    declared = {"source": "busybox", "running": True, "profiles": ["default", "web"], "config": place("user.a", 1)}
    assert set(apply.changed(CONTAINER, "c1", **declared)) == {"created", "started"}
    declared.update(profiles=["web", "default"], restart_on_change=True)
    changes = apply.changed(CONTAINER, "c1", **declared)
    assert changes["profiles"] == ["Reordered profiles to web, default"] and "restarted" in changes
    changes = apply.changed(CONTAINER, "c1", running=False, config={"user.a": None})
    assert changes["stopped"] == "Stopped the container"
    assert changes["profiles"] == ['Removed profile "web"']
    assert (raw("instances/c1")["status"], raw("instances/c1")["profiles"]) == ("Stopped", ["default"])


@pytest.mark.mainly("incus")
def test_power_states_follow_each_other(apply, c1, raw):
    assert apply.changed("lxd_container.frozen", c1) == {"frozen": 'Froze the container "c1"'}
    assert apply.changed("lxd_container.running", c1) == {"started": 'Started the container "c1"'}
    assert apply("lxd_container.running", c1, restart=True)["changes"] == {"restarted": 'Restarted the container "c1"'}
    assert apply.changed("lxd_container.stopped", c1, kill=True) == {"stopped": 'Stopped the container "c1"'}
    assert "set start: true" in apply.failed("lxd_container.frozen", c1, start=False)
    assert set(apply.changed("lxd_container.frozen", c1)) == {"started", "frozen"}
    assert "it is Frozen; set stop: true" in apply.failed("lxd_container.absent", c1)
    assert set(apply.predicted("lxd_container.absent", c1)["changes"]) == {"removed"}
    assert set(apply.predicted("lxd_container.absent", c1, stop=True)["changes"]) == {"removed"}
    assert set(apply("lxd_container.absent", c1, stop=True)["changes"]) == {"deleted"}
    apply.unchanged("lxd_container.absent", c1)
    assert raw("instances/c1") is None


@pytest.mark.mainly("incus7")
def test_container_that_ignores_a_stop_is_stopped_by_force(apply, stubborn, monkeypatch):
    monkeypatch.setattr("lxdapi.dropin.containers.STOP_SECONDS", 1)
    assert apply.changed(CONTAINER, stubborn, running=False)["stopped"] == "Stopped the container"


@pytest.mark.mainly("lxd")
def test_missing_container_without_source_is_a_failure(apply):
    assert "no source is declared" in apply.failed(CONTAINER, "c1")
    with pytest.raises(SaltInvocationError, match="Unknown architecture 'vax'"):
        apply(CONTAINER, "c1", architecture="vax")


@pytest.mark.mainly("lxd")
def test_image_of_a_file_has_its_aliases(apply, salt, image, raw):
    shutil.copy(image, salt.tree / "busybox.tar.gz")
    source = {"type": "file", "filename": "salt://busybox.tar.gz"}
    changes = apply.changed(IMAGE, "box", source=source, aliases=["a", "b"])
    assert changes["created"] == 'Created the image "box"'
    assert sorted(changes["aliases"]) == ['Added alias "a"', 'Added alias "b"']
    apply.unchanged(IMAGE, "box", source=source)
    assert apply.changed(IMAGE, "box", source=source, aliases=["a"], public=True) == {
        "aliases": ['Removed alias "b"'],
        "public": "Set public to True",
    }
    assert apply.changed("lxd_image.absent", "a") == {"removed": 'Image "a" has been deleted.'}
    assert raw("images") == []


@pytest.fixture
def web(tmp_path, image):
    """The URL of a web server whose headers name the image."""
    server = ImageHeaders(tmp_path, image)
    yield server.url
    server.close()


@pytest.mark.mainly("incus")
def test_image_of_a_url_is_fetched_by_the_daemon(apply, web, raw):
    changes = apply.changed(IMAGE, "box", source={"type": "url", "url": web}, aliases=["b"], public=True)
    assert set(changes) == {"created", "aliases"}
    assert raw(f"images/{raw('images/aliases/b')['target']}")["public"] is True


@pytest.mark.mainly("lxd")
def test_states_reach_a_daemon_by_its_address(apply, trusted, daemon, raw):
    apply("lxd_profile.present", "web", **trusted)
    assert raw("profiles/web")["name"] == "web"
    assert apply("lxd_profile.absent", "web", remote_addr=daemon.socket)["result"] is True
    assert "requires cert and key" in apply.failed("lxd_profile.absent", "web", remote_addr=trusted["remote_addr"])


@pytest.mark.mainly("incus7")
def test_image_is_copied_from_another_daemon(pair, apply, trusted):
    source = {"type": "lxd", "name": "busybox", **trusted}
    where = {"remote_addr": pair.there.socket}
    assert apply(IMAGE, "box", source=source, aliases=["b"], public=True, **where)["result"] is True
    (made,) = pair.there.ask("GET", "/1.0/images?recursion=1")
    (copied,) = pair.here.ask("GET", "/1.0/images?recursion=1")
    assert (made["fingerprint"], made["public"]) == (copied["fingerprint"], True)
    assert {each["name"] for each in made["aliases"]} == {"b", "box"}


@pytest.mark.mainly("incus")
def test_public_image_is_fetched_without_trust(pair, apply, stranger):
    (offered,) = pair.here.ask("GET", "/1.0/images?recursion=1")
    source = {"type": "lxd", "name": "busybox", **stranger}
    assert "does not offer a public image" in apply.failed(IMAGE, "box", source=source, remote_addr=pair.there.socket)
    pair.here.ask("PATCH", f"/1.0/images/{offered['fingerprint']}", {"public": True})
    assert apply(IMAGE, "box", source=source, remote_addr=pair.there.socket)["result"] is True
    assert pair.there.ask("GET", "/1.0/images/aliases/box")["target"] == offered["fingerprint"]


@pytest.mark.mainly("lxd")
def test_migrated_container_is_only_on_the_other_daemon(pair, apply):
    pair.here.ask("POST", "/1.0/instances", {"name": "c1", "source": {"type": "image", "alias": "busybox"}})
    pair.here.ask("PUT", "/1.0/instances/c1/state", {"action": "start"})
    way = {"src_remote_addr": pair.here.socket, "remote_addr": pair.there.socket}
    way.update(cert=None, key=None, verify_cert=False)
    assert "set stop_and_start: true" in apply.failed("lxd_container.migrated", "c1", **way)
    changes = apply.changed("lxd_container.migrated", "c1", stop_and_start=True, **way)
    text = f'Migrated the container "c1" from "{pair.here.socket}" to "{pair.there.socket}"'
    assert changes == {"migrated": text}
    assert pair.there.ask("GET", "/1.0/instances/c1")["status"] == "Running"


@pytest.mark.mainly("incus7")
def test_guide_to_the_removed_names_does_what_it_shows(salt, daemon, imported, raw):
    Reader(salt, daemon, elsewhere=("salt-pip",)).read("docs/how-to/removed-lxd-names")
    assert raw("instances/web1")["profiles"] == ["default", "web"]
