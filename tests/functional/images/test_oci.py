"""
Images of an OCI registry, and instances of them. Incus 7 supports them; LXD 5.0.2 and Incus 6.0.4 do not.
"""

import pytest
from lxdapi.errors import InvalidError

from tests.support.loader import Loaded
from tests.support.oci_registry import OciRegistry

can = pytest.mark.only("incus7")
cannot = pytest.mark.only("lxd", "incus")


@pytest.fixture
def registry(daemon, tmp_path):
    """A registry with one image, ``digest``, which the daemon trusts."""
    made = OciRegistry(tmp_path)
    made.trust(daemon)
    made.digest = made.add("lib/busybox", "1", WorkingDir="/tmp")
    yield made
    made.close()


@pytest.fixture
def settings(registry):
    """The settings of that registry."""
    return {"server": registry.url, "protocol": "oci", "certificate": str(registry.certificate)}


@pytest.fixture
def salt(tmp_path, proxy, settings):
    """Salt's modules and states, to which ``docker`` means that registry."""
    return Loaded(tmp_path, {"local": {"endpoint": str(proxy.socket)}}, image_servers={"docker": settings})


@pytest.fixture
def config(raw):
    """Return a function that reads the config of an instance."""
    return lambda name: raw(f"instances/{name}")["config"]


@can
def test_instance_of_a_registry_runs_its_entry_point(apply, salt, registry, settings, config):
    source = {**settings, "alias": "lib/busybox:1", "certificate": registry.certificate.read_text()}
    changes = apply.changed("lxdapi_instance.present", "c1", source=source, running=True)
    assert changes == {"created": "c1", "status": {"old": "Stopped", "new": "Running"}}
    assert config("c1")["volatile.base_image"] == registry.digest
    own = {"oci.entrypoint": "/bin/sleep 200000", "environment.A": "b"}
    apply.changed("lxdapi_instance.present", "c2", source="docker:lib/busybox:1", config=own, running=True)
    for name, seconds in (("c1", 100000), ("c2", 200000)):
        ret = apply("lxdapi_instance.running", name, wait_for={"cmd": f"ps -o args | grep -x '/bin/sleep {seconds}'"})
        assert ret["result"] is True, ret
    assert salt.modules["lxdapi_instance.run_stdout"]("c2", "echo $A") == "b"


@can
def test_empty_config_keeps_the_keys_of_the_image(apply, config):
    source = "docker:lib/busybox:1"
    apply.changed("lxdapi_instance.present", "c1", source=source, config={"user.a": "1", "oci.gid": None})
    kept = {key: value for key, value in config("c1").items() if key.startswith("oci.")}
    assert kept == {"oci.entrypoint": "/bin/sleep 100000", "oci.cwd": "/tmp", "oci.uid": "0"}
    assert apply.changed("lxdapi_instance.present", "c1", config={}) == {
        "config": {"user.a": {"old": "1", "new": None}}
    }
    assert {key: value for key, value in config("c1").items() if key.startswith("oci.")} == kept
    changes = apply.changed("lxdapi_instance.present", "c1", config={"oci.cwd": None})
    assert changes == {"config": {"oci.cwd": {"old": "/tmp", "new": None}}}


@can
def test_newer_image_of_a_tag_is_reported_and_used(apply, registry, config):
    declared = {"source": "docker:lib/busybox:1", "running": True}
    apply.changed("lxdapi_instance.present", "c1", **declared)
    apply.unchanged("lxdapi_instance.present", "c1", **declared, image_changed="rebuild")
    registry.require_token()
    newer = registry.add("lib/busybox", "1", serial="newer")
    comment = apply.unchanged("lxdapi_instance.present", "c1", **declared, image_changed="report")["comment"]
    assert f"its image is {registry.digest}, the current image of its source {newer}" in comment
    changes = apply.changed("lxdapi_instance.present", "c1", **declared, image_changed="rebuild", force=True)
    assert changes == {"image": {"old": registry.digest, "new": newer}}
    assert config("c1")["volatile.base_image"] == newer


@can
def test_image_of_a_registry_follows_its_tag(apply, registry, settings, raw):
    digest = registry.digest
    changes = apply.changed("lxdapi_image.present", "box", source="docker:lib/busybox:1", properties={"owner": "x"})
    assert changes["created"] == digest and changes["aliases"] == {"box": {"old": None, "new": digest}}
    newer = registry.add("lib/busybox", "1", serial="newer")
    source = {**settings, "alias": "lib/busybox:1"}
    apply.unchanged("lxdapi_image.present", "box", source=source, fingerprint=digest)
    changes = apply.changed("lxdapi_image.present", "box", source=source, auto_update=True)
    assert changes["created"] == newer
    registry.add("lib/busybox", "1", serial="newest")
    del registry.asked[:]
    apply.unchanged("lxdapi_image.present", "box", source=source, auto_update=True)
    assert registry.asked == [] and raw("images/aliases/box")["target"] == newer
    apply.changed("lxdapi_instance.present", "c1", source="box", running=True)


@can
def test_what_a_registry_lacks_is_reported(apply, salt, registry, settings, raw):
    words = f"{registry.url} does not offer image lib/busybox:9; expected REPOSITORY[:TAG] or"
    for state in ("lxdapi_image.present", "lxdapi_instance.present"):
        assert words in apply.failed(state, "c1", source="docker:lib/busybox:9")
    other = {"source": "docker:lib/busybox:1", "fingerprint": "0" * 64}
    words = f"expected the image {'0' * 64}, {registry.url} offers {registry.digest} as lib/busybox:1"
    assert words in apply.failed("lxdapi_image.present", "box", **other)
    words = "invalid name of an OCI image: None; expected REPOSITORY[:TAG]"
    assert words in apply.failed("lxdapi_image.present", "box", source={**settings, "fingerprint": "0" * 64})
    with pytest.raises(InvalidError, match="docker cannot list its images: expected protocol simplestreams, got oci"):
        salt.modules["lxdapi_image.products"]("docker")
    assert raw("images") == raw("instances") == []


@cannot
def test_daemon_without_oci_is_named_before_any_write(apply, salt, proxy, settings, daemon, imported, raw):
    words = "cannot use OCI images: it lacks the API extension instance_oci"
    mapping = {**settings, "alias": "lib/busybox:1"}
    for source in ("docker:lib/busybox:1", mapping):
        for state in ("lxdapi_image.present", "lxdapi_instance.present"):
            assert words in apply.failed(state, "c1", source=source)
            ret = apply.predicted(state, "c1", source=source)
            assert ret["result"] is False and words in ret["comment"]
    daemon.ask("POST", "/1.0/instances", {"name": "c1", "source": {"type": "image", "alias": "busybox"}})
    apply.unchanged("lxdapi_instance.present", "c1", source=mapping)
    assert words in apply.failed("lxdapi_instance.present", "c1", source=mapping, image_changed="report")
    declared = {"c[1-2]": {"source": "docker:lib/busybox:1"}}
    assert words in apply.failed("lxdapi_fleet.managed", "shop", instances=declared)
    assert proxy.writes() == [] and raw("instances/c2") is None


@can
def test_copy_snapshot_and_image_of_an_oci_container(apply, salt, config):
    apply.changed("lxdapi_instance.present", "c1", source="docker:lib/busybox:1")
    apply.changed("lxdapi_instance_snapshot.present", "c1/before")
    copy = {"source": {"type": "copy", "source": "c1/before"}, "running": True}
    apply.changed("lxdapi_instance.present", "c2", **copy)
    assert config("c2")["oci.entrypoint"] == config("c1")["oci.entrypoint"]
    apply.changed("lxdapi_image.published", "golden", instance="c1/before")
    apply.changed("lxdapi_instance.present", "c3", source="golden")
