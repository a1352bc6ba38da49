"""
Instances: sources, power states, the order of changes, foreign settings, changes that need a restart.
"""

import pytest
from salt.exceptions import CommandExecutionError

STARTED = {"status": {"old": "Stopped", "new": "Running"}}
WITHOUT_SOURCE = "it does not exist, and no source is declared: declare source, or source: none for an empty instance"


@pytest.fixture
def running(apply, imported):
    """A running container c1."""
    apply("lxdapi_instance.present", "c1", source="busybox", running=True)
    return "c1"


def test_instance_is_created_and_started_with_everything(apply, proxy, imported, raw):
    declared = {
        "source": "busybox",
        "description": "first line\nsecond",
        "config": {"limits.cpu": 1, "user.text": "é\n"},
        "devices": {"tmp": {"type": "disk", "path": "/t", "source": "/tmp"}},
        "running": True,
    }
    changes = apply.changed("lxdapi_instance.present", "c1", **declared)
    assert changes == {"created": "c1", **STARTED}
    found = raw("instances/c1")
    assert (found["status"], found["description"]) == ("Running", "first line\nsecond")
    assert found["config"]["user.text"] == "é\n"
    assert found["config"]["volatile.base_image"] == imported


@pytest.mark.mainly("incus7")
@pytest.mark.parametrize("source", ["busybox", "{image}", {"alias": "busybox"}, {"fingerprint": "{image}"}])
def test_instance_is_created_from_alias_or_fingerprint(apply, imported, raw, source):
    if isinstance(source, dict):
        source = {key: value.format(image=imported) for key, value in source.items()}
    else:
        source = source.format(image=imported)
    apply.changed("lxdapi_instance.present", "c1", source=source)
    assert raw("instances/c1")["config"]["volatile.base_image"] == imported


def test_empty_instance_is_created(apply, daemon, raw):
    for name, source in {"c1": "none", "c2": {"type": "none"}}.items():
        assert apply.changed("lxdapi_instance.present", name, source=source) == {"created": name}
        assert "volatile.base_image" not in raw(f"instances/{name}")["config"]


@pytest.mark.mainly("incus")
@pytest.mark.parametrize("declared", [{}, {"type": "vm"}])
def test_new_instance_without_source_is_refused(apply, daemon, raw, declared):
    predicted = apply.predicted("lxdapi_instance.present", "c1", **declared)
    comment = apply.failed("lxdapi_instance.present", "c1", **declared)
    assert comment == f"instance c1: {WITHOUT_SOURCE}"
    assert (predicted["result"], predicted["comment"]) == (False, comment)
    assert raw("instances/c1") is None


@pytest.mark.mainly("lxd")
def test_existing_instance_needs_no_source(apply, imported, raw):
    apply("lxdapi_instance.present", "c1", source="busybox")
    apply.changed("lxdapi_instance.present", "c1", config={"user.a": "1"})
    apply("lxdapi_profile.present", "web")
    apply.changed("lxdapi_instance.present", "c2", renamed_from="c1")
    apply.changed("lxdapi_instance.absent", "c2")


@pytest.mark.mainly("incus")
def test_function_refuses_new_instance_without_source(daemon, salt):
    with pytest.raises(CommandExecutionError, match=WITHOUT_SOURCE):
        salt.modules["lxdapi.create"]("instance", "c1", {"config": {"user.a": "1"}})
    assert salt.modules["lxdapi.create"]("instance", "c1", {"source": "none"}) == {"created": "c1"}


@pytest.mark.mainly("incus")
def test_copy_has_source_and_declared_settings(apply, imported, raw):
    apply("lxdapi_profile.present", "web")
    declared = {
        "description": "d",
        "profiles": ["web", "default"],
        "devices": {"tmp": {"type": "disk", "path": "/t", "source": "/tmp"}},
        "ephemeral": True,
    }
    config = {"user.a": "1", "user.b": "2"}
    apply("lxdapi_instance.present", "c1", source="busybox", config=config, **declared)
    copy = {"type": "copy", "source": "c1"}
    apply.changed("lxdapi_instance.present", "c2", source=copy, config={"user.b": "3"})
    found = raw("instances/c2")
    assert {key: found[key] for key in declared} == declared
    assert (found["config"]["user.a"], found["config"]["user.b"]) == ("1", "3")
    assert found["config"]["volatile.base_image"] == imported


def test_virtual_machine_is_recorded_as_one(apply, daemon, raw):
    apply("lxdapi_instance.present", "v1", source="none", type="vm")
    found = raw("instances/v1")
    assert found is None or found["type"] == "virtual-machine"


def test_instance_type_cannot_be_changed(apply, daemon):
    apply("lxdapi_instance.present", "c1", source="none")
    comment = apply.failed("lxdapi_instance.present", "c1", type="vm")
    assert "type is 'container' and cannot be changed to 'virtual-machine'" in comment


def test_profiles_are_an_ordered_list(apply, imported, raw):
    apply("lxdapi_profile.present", "web")
    apply.changed("lxdapi_instance.present", "c1", source="busybox", profiles=["default", "web"])
    changes = apply.changed("lxdapi_instance.present", "c1", profiles=["web", "default"])
    assert changes == {"profiles": {"old": ["default", "web"], "new": ["web", "default"]}}
    assert raw("instances/c1")["profiles"] == ["web", "default"]


def test_undeclared_settings_are_left_alone(apply, imported, raw, daemon):
    apply("lxdapi_instance.present", "c1", source="busybox", description="kept", config={"user.a": "1"})
    foreign = {"description": "kept", "config": {"user.foreign": "x"}}
    daemon.request("PATCH", "/1.0/instances/c1", foreign)
    apply.changed("lxdapi_instance.present", "c1", config={"user.a": None, "user.b": "2"})
    found = raw("instances/c1")
    assert found["description"] == "kept"
    assert "user.a" not in found["config"]
    assert (found["config"]["user.foreign"], found["config"]["user.b"]) == ("x", "2")


def test_empty_config_keeps_the_keys_of_the_daemon(apply, imported, raw):
    apply("lxdapi_instance.present", "c1", source="busybox", config={"user.a": "1"})
    before = raw("instances/c1")["config"]
    assert apply.changed("lxdapi_instance.present", "c1", config={}) == {
        "config": {"user.a": {"old": "1", "new": None}}
    }
    del before["user.a"]
    assert raw("instances/c1")["config"] == before


def test_declared_image_key_outlives_the_creation(apply, imported, raw):
    apply.changed("lxdapi_instance.present", "c1", source="busybox", config={"image.os": "mine"})
    assert raw("instances/c1")["config"]["image.os"] == "mine"


@pytest.mark.mainly("lxd")
def test_single_device_key_changes_and_others_stay(apply, imported, raw):
    disk = {"type": "disk", "path": "/t", "source": "/tmp", "readonly": "true"}
    apply("lxdapi_instance.present", "c1", source="busybox", devices={"tmp": disk})
    changes = apply.changed("lxdapi_instance.present", "c1", devices={"tmp": {"path": "/u"}})
    assert changes == {"devices": {"tmp": {"old": {"path": "/t"}, "new": {"path": "/u"}}}}
    assert raw("instances/c1")["devices"]["tmp"] == {**disk, "path": "/u"}


@pytest.mark.mainly("incus")
@pytest.mark.parametrize("present, same", [("1GiB", 1073741824), ("1GiB", "1024MiB"), ("2GB", "2000MB")])
def test_sizes_are_compared_by_meaning(apply, imported, present, same):
    apply("lxdapi_instance.present", "c1", source="busybox", config={"limits.memory": present})
    apply.unchanged("lxdapi_instance.present", "c1", config={"limits.memory": same})
    changes = apply.changed("lxdapi_instance.present", "c1", config={"limits.memory": "1GB"})
    assert changes == {"config": {"limits.memory": {"old": present, "new": "1GB"}}}


@pytest.mark.mainly("incus7")
@pytest.mark.parametrize("spelling", [True, "true", "True", "yes", "on", 1])
def test_booleans_are_compared_by_meaning(apply, imported, spelling):
    apply("lxdapi_instance.present", "c1", source="busybox", config={"security.nesting": spelling})
    for other in (True, "yes", "ON", "1"):
        apply.unchanged("lxdapi_instance.present", "c1", config={"security.nesting": other})


@pytest.mark.mainly("lxd")
def test_running_null_leaves_power_state_alone(apply, running):
    apply.unchanged("lxdapi_instance.present", running)
    apply.changed("lxdapi_instance.stopped", running, timeout=0, force=True)
    apply.unchanged("lxdapi_instance.present", running)


@pytest.mark.mainly("lxd")
def test_stopped_instance_is_updated_before_its_start(apply, imported, raw, proxy):
    apply("lxdapi_instance.present", "c1", source="busybox")
    changes = apply.changed("lxdapi_instance.present", "c1", config={"user.a": "1"}, running=True)
    assert changes == {"config": {"user.a": {"old": None, "new": "1"}}, **STARTED}
    assert raw("instances/c1")["status"] == "Running"


@pytest.mark.mainly("incus7")
def test_running_false_stops_a_running_instance(apply, running, raw):
    changes = apply.changed("lxdapi_instance.present", running, running=False, config={"user.a": "1"})
    assert changes["status"] == {"old": "Running", "new": "Stopped"}
    assert raw(f"instances/{running}")["status"] == "Stopped"


@pytest.mark.mainly("lxd")
def test_restart_on_change_stops_updates_and_starts(apply, running, raw):
    before = raw(f"instances/{running}")["config"]["volatile.last_state.power"]
    declared = {"config": {"limits.kernel.nofile": "700:800"}, "restart_on_change": True}
    changes = apply.changed("lxdapi_instance.present", running, **declared)
    assert changes["config"] == {"limits.kernel.nofile": {"old": None, "new": "700:800"}}
    assert changes["status"] == {"old": "Running", "new": "Running"}
    assert (before, raw(f"instances/{running}")["status"]) == ("RUNNING", "Running")
    limits = apply.salt.modules["lxdapi_instance.exec"](running, "grep 'open files' /proc/1/limits")["stdout"]
    assert limits.split()[3:5] == ["700", "800"]


def test_live_change_does_not_restart_with_restart_on_change(apply, running):
    declared = {"config": {"limits.cpu": 1}, "restart_on_change": True}
    assert set(apply.changed("lxdapi_instance.present", running, **declared)) == {"config"}


def test_each_power_state_is_reached_from_each_other(apply, running, raw):
    ways = ["frozen", "running", "stopped", "frozen", "stopped", "running"]
    for way in ways:
        apply.changed(f"lxdapi_instance.{way}", running)
        assert raw(f"instances/{running}")["status"] == way.capitalize()


@pytest.mark.mainly("incus7")
@pytest.mark.parametrize("state", ["running", "stopped", "frozen"])
def test_power_state_of_missing_instance_is_a_failure(apply, daemon, state):
    comment = apply.failed(f"lxdapi_instance.{state}", "nope")
    assert "not found" in comment
    assert "GET /1.0/instances/nope" in comment


@pytest.mark.mainly("incus")
def test_absent_refuses_a_running_instance_without_force(apply, running, raw):
    comment = apply.failed("lxdapi_instance.absent", running)
    assert "it is Running; set force: true to stop and delete it" in comment
    assert raw(f"instances/{running}")["status"] == "Running"


@pytest.mark.mainly("incus7")
def test_protected_instance_is_neither_stopped_nor_deleted(apply, imported, raw):
    apply("lxdapi_profile.present", "kept", config={"security.protection.delete": True})
    declared = {"source": "busybox", "profiles": ["default", "kept"], "running": True}
    apply("lxdapi_instance.present", "c1", **declared)
    fleet = {"instances": {"c1": {"absent": True, "force": True}}}
    for function, name, more in (
        ("lxdapi_instance.absent", "c1", {"force": True}),
        ("lxdapi_fleet.managed", "web", fleet),
    ):
        words = "it is protected: set security.protection.delete to false first"
        ret = apply.predicted(function, name, **more)
        assert (ret["result"], ret["changes"]) == (False, {}) and words in ret["comment"]
        assert words in apply.failed(function, name, **more)
    assert raw("instances/c1")["status"] == "Running"
    declared["config"] = {"security.protection.delete": False}
    apply.changed("lxdapi_instance.present", "c1", **declared)
    apply.changed("lxdapi_instance.absent", "c1", force=True)


def test_ephemeral_instance_is_not_deleted_by_a_stop(apply, imported, raw):
    apply("lxdapi_instance.present", "c1", source="busybox", ephemeral=True, running=True)
    for function, more in (("stopped", {}), ("present", {"running": False})):
        assert "a stop would delete it" in apply.failed(f"lxdapi_instance.{function}", "c1", **more)
    gone = apply.changed("lxdapi_instance.absent", "c1", force=True)
    assert gone == {"status": {"old": "Running", "new": "Stopped"}, "forced": True, "deleted": "c1"}
    assert raw("instances/c1") is None


@pytest.mark.mainly("incus")
def test_ignored_stop_times_out_and_force_succeeds(apply, stubborn):
    ret = apply("lxdapi_instance.stopped", stubborn, timeout=2)
    assert (ret["result"], ret["changes"]) == (False, {})
    assert "could not be stopped" in ret["comment"]
    ret = apply("lxdapi_instance.stopped", stubborn, timeout=2, force=True)
    assert ret["changes"] == {"status": {"old": "Running", "new": "Stopped"}, "forced": True}


@pytest.mark.mainly("lxd")
@pytest.mark.parametrize(
    "source, words",
    [
        ("nope", "GET /1.0/images/aliases/nope"),
        ("0" * 64, f"GET /1.0/images/{'0' * 64}"),
        ({"type": "copy", "source": "nope"}, "GET /1.0/instances/nope"),
    ],
)
def test_missing_source_leaves_nothing_behind(apply, daemon, raw, source, words):
    comment = apply.failed("lxdapi_instance.present", "c1", source=source)
    assert comment.startswith("instance c1 could not be created: ")
    assert words in comment
    assert "not found" in comment
    assert raw("instances/c1") is None


@pytest.mark.parametrize(
    "declared, words",
    [
        ({"config": {"bogus": "1"}}, "bogus"),
        ({"config": {"limits.memory": "lots"}}, "lots"),
        ({"devices": {"d": {"type": "bogus"}}}, "bogus"),
        ({"devices": {"d": {"type": "disk", "path": "/d", "pool": "nope", "source": "v"}}}, "pool"),
        ({"profiles": ["nope"]}, "nope"),
    ],
)
def test_failed_create_gives_reason_and_leaves_nothing(apply, imported, raw, declared, words):
    comment = apply.failed("lxdapi_instance.present", "c1", source="busybox", **declared)
    assert "could not be created" in comment
    assert words in comment
    assert "POST /1.0/instances" in comment
    assert raw("instances/c1") is None


def test_failed_start_keeps_earlier_changes_in_result(apply, imported, raw):
    nic = {"eth0": {"type": "nic", "nictype": "bridged", "parent": "nope0"}}
    ret = apply("lxdapi_instance.present", "c1", source="busybox", devices=nic, running=True)
    assert (ret["result"], ret["changes"]) == (False, {"created": "c1"})
    assert "could not be started" in ret["comment"]
    assert "nope0" in ret["comment"]
    changes = apply.changed("lxdapi_instance.present", "c1", devices={"eth0": None}, running=True)
    assert changes["status"]["new"] == "Running"


def test_container_broken_by_its_settings_is_not_started(apply, imported, raw):
    broken = {"raw.lxc": "lxc.apparmor.profile = bogus\nlxc.rootfs.path = /nope"}
    ret = apply("lxdapi_instance.present", "c1", source="busybox", config=broken, running=True)
    assert (ret["result"], ret["changes"]) == (False, {"created": "c1"}), ret
    assert "could not be started" in ret["comment"]


def test_instance_is_created_from_image_of_another_server(apply, imported, raw, daemon, listening):
    daemon.request("PATCH", f"/1.0/images/{imported}", {"public": True})
    source = {**listening, "alias": "busybox"}
    apply.changed("lxdapi_instance.present", "c1", source=source)
    assert raw("instances/c1")["config"]["volatile.base_image"] == imported


TMP = {"tmp": {"type": "disk", "path": "/t", "source": "/tmp"}}


@pytest.mark.mainly("lxd")
@pytest.mark.parametrize(
    "declared, config, devices",
    [
        ({"config": {"user.a": None}}, {"user.b": "2"}, TMP),
        ({"config": {}}, {}, TMP),
        ({"devices": {}}, {"user.a": "1", "user.b": "2"}, {}),
        ({"devices": {"tmp": None}, "config": {"user.b": ""}}, {"user.a": "1"}, {}),
    ],
)
def test_copy_omits_keys_declared_as_null(apply, imported, raw, declared, config, devices):
    apply("lxdapi_instance.present", "c1", source="busybox", config={"user.a": "1", "user.b": "2"}, devices=TMP)
    source = {"type": "copy", "source": "c1"}
    assert apply.changed("lxdapi_instance.present", "c2", source=source, **declared) == {"created": "c2"}
    found = raw("instances/c2")
    assert {key: value for key, value in found["config"].items() if key.startswith("user.")} == config
    assert found["devices"] == devices


def test_stop_for_change_is_reported(apply, running):
    declared = {"config": {"security.nesting": True}, "restart_on_change": True}
    for function in (apply.predicted, apply):
        assert (
            "; the instance is stopped for the change"
            in function("lxdapi_instance.present", running, **declared)["comment"]
        )


def test_target_on_unclustered_server_is_refused(apply, daemon, raw):
    declared = {"source": "none", "target": "n2"}
    comment = apply.failed("lxdapi_instance.present", "c1", **declared)
    assert comment == "instance c1: target: the server is not clustered; omit it"
    predicted = apply.predicted("lxdapi_instance.present", "c1", **declared)
    assert (predicted["result"], predicted["comment"]) == (False, comment)
    assert raw("instances/c1") is None
