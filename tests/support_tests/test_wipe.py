"""A wipe removes whatever a test may have left."""

import subprocess

import pytest

SOURCE = {"type": "image", "alias": "busybox"}
COLLECTIONS = (
    "instances images images/aliases profiles networks network-acls network-address-sets network-zones projects"
    " storage-pools storage-pools/default/volumes certificates"
).split()
# A network that all daemons accept and for which they choose nothing.
BRIDGE = {"ipv4.address": "10.77.0.1/24", "ipv6.address": "none", "dns.zone.forward": "wipe.test"}


@pytest.fixture
def everything(daemon):
    """Return the lists of all collections of the daemon, and its configuration."""

    def read():
        listed = {name: entries(name) for name in COLLECTIONS}
        return {**listed, "server": daemon.ask("GET", "/1.0")["config"]}

    def entries(name):
        status, reply = daemon.request("GET", f"/1.0/{name}?recursion=1")
        assert status == 200 or (name, status) == ("network-address-sets", 404)
        return reply["metadata"] or []

    return read


def post(daemon, collection, body):
    daemon.ask("POST", f"/1.0/{collection}", body)


def launch(daemon, name, query="", **more):
    post(daemon, f"instances{query}", {"name": name, "source": SOURCE, **more})
    daemon.ask("PUT", f"/1.0/instances/{name}/state{query}", {"action": "start"})


def add_project(daemon, name, has_its_own):
    features = {"features.images": has_its_own, "features.profiles": has_its_own}
    post(daemon, "projects", {"name": name, "config": features})


def test_clean_daemon_stays_unchanged(daemon, everything):
    before = everything()
    daemon.wipe()
    assert everything() == before


def test_instances_in_every_state_are_removed(daemon, everything, image):
    before = everything()
    daemon.import_image(image, "busybox")
    post(daemon, "profiles", {"name": "guarded", "config": {"security.protection.delete": "true"}})
    launch(daemon, "protected", profiles=["default", "guarded"])
    launch(daemon, "passing", ephemeral=True)
    launch(daemon, "frozen")
    daemon.ask("PUT", "/1.0/instances/frozen/state", {"action": "freeze"})
    post(daemon, "instances/frozen/snapshots", {"name": "s1"})
    body = {"command": ["sleep", "1000"], "wait-for-websocket": False, "interactive": False}
    assert daemon.request("POST", "/1.0/instances/protected/exec", body)[0] == 202
    daemon.wipe()
    assert everything() == before


def test_networks_and_their_users_are_removed(daemon, everything):
    before = everything()
    post(daemon, "network-zones", {"name": "wipe.test"})
    acl = {"name": "acl1"}
    if "network_address_set" in daemon.ask("GET", "/1.0")["api_extensions"]:
        post(daemon, "network-address-sets", {"name": "set1", "addresses": ["10.77.0.9"]})
        acl["ingress"] = [{"action": "allow", "state": "enabled", "source": "$set1"}]
    post(daemon, "network-acls", acl)
    config = {**BRIDGE, "security.acls": "acl1"}
    post(daemon, "networks", {"name": "wipe0", "type": "bridge", "config": config})
    nic = {"type": "nic", "network": "wipe0", "name": "eth0"}
    daemon.ask("PATCH", "/1.0/profiles/default", {"description": "changed", "devices": {"eth0": nic}})
    daemon.wipe()
    assert everything() == before


def test_pools_and_volumes_are_removed(daemon, everything):
    before = everything()
    post(daemon, "storage-pools", {"name": "pool2", "driver": "dir"})
    for pool in ("default", "pool2"):
        post(daemon, f"storage-pools/{pool}/volumes/custom", {"name": "v1"})
        post(daemon, f"storage-pools/{pool}/volumes/custom/v1/snapshots", {"name": "s1"})
    disk = {"type": "disk", "pool": "default", "source": "v1", "path": "/v1"}
    post(daemon, "profiles", {"name": "with-disk", "devices": {"v1": disk}})
    post(daemon, "storage-pools/default/volumes/custom", {"name": "v2"})
    daemon.ask("PATCH", "/1.0", {"config": {"storage.backups_volume": "default/v2"}})
    daemon.wipe()
    assert everything() == before


def test_projects_are_removed(daemon, everything, image):
    before = everything()
    daemon.import_image(image, "busybox")
    add_project(daemon, "shares", has_its_own="false")
    launch(daemon, "c1", "?project=shares")
    add_project(daemon, "own", has_its_own="true")
    post(daemon, "profiles?project=own", {"name": "p1"})
    post(daemon, "storage-pools/default/volumes/custom?project=own", {"name": "v1"})
    root = {"root": {"type": "disk", "pool": "default", "path": "/"}}
    daemon.ask("PATCH", "/1.0/profiles/default?project=own", {"devices": root})
    post(daemon, "instances?project=own", {"name": "c1", "source": {"type": "none"}})
    daemon.wipe()
    assert everything() == before


def test_server_settings_and_certificates_are_removed(daemon, everything, tmp_path):
    before = everything()
    daemon.ask("PATCH", "/1.0", {"config": {"core.https_address": "127.0.0.1:18443", "user.x": "1"}})
    post(daemon, "certificates", {"type": "client", "name": "c1", "certificate": certificate(tmp_path)})
    token = {"type": "client", "name": "c2", "token": True, "password": ""}
    assert daemon.request("POST", "/1.0/certificates", token)[0] == 202
    daemon.wipe()
    assert everything() == before
    assert "running" not in daemon.ask("GET", "/1.0/operations")


def certificate(folder):
    """Return a self-signed certificate in the form of the API: base64 without the PEM lines."""
    key, crt = folder / "key", folder / "crt"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=x -days 2"
    subprocess.run([*command.split(), "-keyout", key, "-out", crt], check=True, capture_output=True)
    return "".join(line for line in crt.read_text().splitlines() if not line.startswith("-----"))
