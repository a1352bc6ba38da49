"""
The scenario of the earlier lxdapi on real daemons, through the library and through the states.
"""

from lxdapi.api import API
from lxdapi.shortcuts import (
    container_absent,
    container_apply_config,
    container_apply_status,
    container_get,
    image_absent,
    image_alias_present,
    image_get,
    image_get_fingerprint,
    image_present,
)


def test_the_seeds_image_scenario_through_the_library(daemon, image):
    api, path = API.factory(str(daemon.socket)), str(image)
    fingerprint = image_get_fingerprint(path)
    assert image_absent(api, fingerprint) is False
    assert image_get(api, fingerprint) is False
    assert image_present(api, path) is True
    assert image_present(api, path, fingerprint) is False
    assert image_get(api, fingerprint).metadata["public"] is False
    assert image_alias_present(api, "busybox", fingerprint) is True
    assert image_alias_present(api, "busybox", fingerprint) is False
    assert image_absent(api, fingerprint) is True
    assert image_absent(api, fingerprint) is False


def test_the_seeds_container_scenario_through_the_library(daemon, imported):
    api = API.factory(str(daemon.socket))
    config = {"name": "c1", "source": {"type": "image", "alias": "busybox"}, "config": {"user.a": "1"}}
    assert container_absent(api, container_get(api, "c1")) is False
    assert container_apply_config(api, container_get(api, "c1"), config) is True
    assert container_apply_config(api, container_get(api, "c1"), config) is False
    config["config"] = {"user.a": "2"}
    assert container_apply_config(api, container_get(api, "c1"), config) is True
    assert container_get(api, "c1").metadata["config"]["user.a"] == "2"
    for status in ("Running", "Frozen", "Stopped", "Running"):
        assert container_apply_status(api, container_get(api, "c1"), status) is True
        assert container_apply_status(api, container_get(api, "c1"), status) is False
    assert container_absent(api, container_get(api, "c1")) is True
    assert container_absent(api, container_get(api, "c1")) is False


def test_the_seeds_image_scenario_through_the_states(apply, image, raw):
    apply.unchanged("lxdapi_image.absent", "busybox")
    created = apply.changed("lxdapi_image.present", "busybox", source=str(image))["created"]
    assert raw("images/aliases/busybox")["target"] == created
    assert apply.changed("lxdapi_image_alias.present", "box", target=created) == {"created": "box"}
    assert apply.changed("lxdapi_image.absent", "busybox") == {"deleted": created}
    assert raw("images/aliases/box") is None


def test_the_seeds_container_scenario_through_the_states(apply, imported, raw):
    apply.unchanged("lxdapi_instance.absent", "c1")
    assert apply.changed("lxdapi_instance.present", "c1", source="busybox") == {"created": "c1"}
    started = {"status": {"old": "Stopped", "new": "Running"}}
    assert apply.changed("lxdapi_instance.running", "c1") == started
    assert raw("instances/c1")["status"] == "Running"
    gone = apply.changed("lxdapi_instance.absent", "c1", force=True)
    assert gone == {"status": {"old": "Running", "new": "Stopped"}, "forced": True, "deleted": "c1"}
    assert raw("instances/c1") is None


def test_one_connection_serves_the_seed_scenario(proxy, image):
    api = API.factory(str(proxy.socket))
    image_present(api, str(image))
    image_alias_present(api, "busybox", image_get_fingerprint(str(image)))
    config = {"name": "c1", "source": "busybox"}
    container_apply_config(api, container_get(api, "c1"), config)
    assert len({path for _, path, *_ in proxy.seen}) > 5
    assert proxy.connections == 1
