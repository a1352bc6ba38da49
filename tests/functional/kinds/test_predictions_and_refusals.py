"""
Promises that are easily broken: exact predictions, no traces of rejected changes, clear errors for typos.
"""

import pytest
from lxdapi.api import API
from lxdapi.shortcuts import container_apply_config, container_get
from salt.exceptions import SaltInvocationError


def test_refused_change_leaves_instance_running(apply, imported, raw):
    # a stop can reach a container before its init is ready for it
    apply("lxdapi_instance.present", "c1", source="busybox", running=True, wait_for={"ready": True})
    declared = {"config": {"security.nesting": "maybe"}, "restart_on_change": True}
    comment = apply.failed("lxdapi_instance.present", "c1", **declared)
    assert "maybe" in comment
    assert raw("instances/c1")["status"] == "Running"


def test_image_with_refused_settings_is_reported_as_created(apply, image, raw):
    ret = apply("lxdapi_image.present", "box", source=str(image), profiles=["nope"])
    assert (ret["result"], set(ret["changes"])) == (False, {"created"})
    assert "could not be completed" in ret["comment"]
    assert raw(f"images/{ret['changes']['created']}")
    apply.changed("lxdapi_image.present", "box", source=str(image), profiles=["default"], public=True)


@pytest.mark.parametrize(
    "function, declared, words",
    [
        ("lxdapi_image.present", {"fingerprint": "0" * 64}, "no source is declared"),
        ("lxdapi_image.present", {"fingerprint": "0" * 64, "source": "/nope.tar"}, "No such file"),
        ("lxdapi_image.present", {"source": "/nope.tar"}, "No such file"),
        ("lxdapi_image.present", {"source": "{image}", "aliases": [5]}, "expected a list of names for aliases"),
        (
            "lxdapi_instance.present",
            {"source": 5},
            "expected an alias, a fingerprint or a mapping with 'type' for source",
        ),
        (
            "lxdapi_instance.present",
            {"source": {"type": "copy"}},
            "expected the name of an instance for the source of a copy",
        ),
        (
            "lxdapi_instance.present",
            {"timeout": "soon"},
            "expected a number of seconds from 0 to 100000000 for timeout",
        ),
        ("lxdapi_instance.running", {"timeout": -1}, "expected a number of seconds from 0 to 100000000 for timeout"),
    ],
)
def test_certain_failure_is_predicted(apply, image, function, declared, words):
    declared = {key: str(image) if value == "{image}" else value for key, value in declared.items()}
    for answer in (apply.predicted(function, "c1", **declared), apply(function, "c1", **declared)):
        assert (answer["result"], answer["changes"]) == (False, {}), answer
        assert words in answer["comment"]


def test_power_state_of_future_instance_is_predicted(apply, imported):
    predicted = apply.predicted("lxdapi_instance.running", "c1")
    assert predicted["result"] is None
    assert predicted["changes"] == {"status": {"old": None, "new": "Running"}}
    assert "it does not exist yet" in predicted["comment"]
    assert "not found" in apply.failed("lxdapi_instance.running", "c1")


def test_alias_given_as_text_or_twice_is_one_alias(apply, image, raw):
    apply.changed("lxdapi_image.present", "web", source=str(image), aliases=["web", "more"])
    apply.changed("lxdapi_image.present", "web", source=str(image), aliases="other")
    assert {alias["name"] for alias in raw("images?recursion=1")[0]["aliases"]} == {"web", "more", "other"}


def test_shortened_fingerprint_is_no_absent_image(apply, salt, imported, raw):
    for short in (imported[:12], imported[:12].upper()):
        assert "a whole fingerprint (64 digits)" in apply.failed("lxdapi_image.absent", short)
        with pytest.raises(ValueError, match="64 digits"):
            salt.modules["lxdapi_image.delete"](short)
    assert raw(f"images/{imported}")
    assert apply.changed("lxdapi_image.absent", imported.upper()) == {"deleted": imported}


def test_missing_project_is_reported(apply, salt, imported):
    apply("lxdapi_instance.present", "c1", source="busybox")
    comment = apply.failed("lxdapi_instance.present", "c1", source="busybox", project="prdo")
    assert "project prdo does not exist" in comment
    assert "not found" in apply.failed("lxdapi_instance.running", "c1", project="prdo")
    assert "project 'prdo' does not exist" in apply.unchanged("lxdapi_instance.absent", "c1", project="prdo")["comment"]
    with pytest.raises(ValueError, match="project 'prdo' does not exist"):
        salt.modules["lxdapi.list"]("instance", project="prdo")


def test_an_instance_lives_in_its_project(apply, imported, raw, daemon):
    features = {"features.images": "false", "features.profiles": "false"}
    daemon.ask("POST", "/1.0/projects", {"name": "p", "config": features})
    apply.changed("lxdapi_instance.present", "c1", source="busybox", project="p", running=True)
    assert raw("instances/c1") is None
    assert raw("instances/c1?project=p")["status"] == "Running"
    apply.changed("lxdapi_instance.absent", "c1", project="p", force=True)


def test_a_restart_restarts_a_frozen_instance(apply, salt, imported, raw):
    apply("lxdapi_instance.present", "c1", source="busybox", running=True)
    before = raw("instances/c1/state")["pid"]
    apply("lxdapi_instance.frozen", "c1")
    salt.modules["lxdapi_instance.restart"]("c1", timeout=0, force=True)
    assert raw("instances/c1")["status"] == "Running"
    assert raw("instances/c1/state")["pid"] != before


def test_architecture_accepts_the_debian_name(apply, imported, raw):
    apply.changed("lxdapi_instance.present", "c1", source="busybox", architecture="amd64")
    assert raw("instances/c1")["architecture"] == "x86_64"


@pytest.mark.off_contract
def test_shortcut_accepts_the_body_of_a_post(daemon, imported):
    api = API.factory(daemon.socket)
    config = {"name": "c1", "source": "busybox", "instance_type": "", "start": False, "type": "container"}
    assert container_apply_config(api, container_get(api, "c1"), config) is True
    assert container_apply_config(api, container_get(api, "c1"), config) is False


def test_invalid_json_is_reported(salt, daemon):
    with pytest.raises(SaltInvocationError, match="expected JSON for json: "):
        salt.modules["lxdapi.post"]("profiles", json="{'name'")
