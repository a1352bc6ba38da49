"""
An export is complete: sources, empty lists and keys that a daemon would add are in it, omitted secrets are named, and
the export of a project contains only what belongs to it.
"""

import pytest
from salt.utils.yaml import safe_load

DOCUMENT = "#cloud-config\npassword: Hidden-1\nlocale: C\n"
SECRETS = {
    "cloud-init.user-data": DOCUMENT,
    "environment.DB_PASS": "Hidden-2",
    "user.secret": "Hidden-3",
    "user.proxy": "http://me:Hidden-4@192.0.2.9:3128",
}
SHOWN = {"cloud-init.vendor-data": "#cloud-config\nlocale: C\n", "user.passport": "no secret", "user.url": "http://x/"}
FEATURES = {"features.images": "true", "features.profiles": "false", "features.storage.volumes": "true"}


@pytest.fixture
def export(salt):
    """Export an object and return the text and the declaration of its state."""

    def exported(kind, name, **where):
        text = salt.modules["lxdapi.export"](kind, name, **where)
        (body,) = safe_load(text).values()
        (parameters,) = body.values()
        return text, {key: value for each in parameters for key, value in each.items()}

    return exported


@pytest.fixture
def applied(salt):
    """Apply the texts of SLS files together and return the results by the ID of the state."""

    def apply(*texts):
        for number, text in enumerate(texts):
            (salt.tree / f"adopted{number}.sls").write_text(text, encoding="utf-8")
        answers = salt.modules["state.apply"]([f"adopted{number}" for number in range(len(texts))])
        assert isinstance(answers, dict), answers
        return {answer["__id__"]: (answer["result"], answer["changes"]) for answer in answers.values()}

    return apply


def test_pool_source_is_exported(apply, daemon, export, raw, tmp_path):
    folder = tmp_path / "fast"
    folder.mkdir()
    daemon.ask("POST", "/1.0/storage-pools", {"name": "fast", "driver": "dir", "config": {"source": str(folder)}})
    daemon.ask("POST", "/1.0/storage-pools", {"name": "slow", "driver": "dir"})
    before = raw("storage-pools/fast")
    assert before["config"]["source"] == str(folder)
    _, declared = export("storage_pool", "fast")
    assert declared["config"]["source"] == str(folder)
    assert "config" not in export("storage_pool", "slow")[1]
    apply.unchanged("lxdapi_storage_pool.present", "fast", **declared)
    apply("lxdapi_storage_pool.absent", "fast")
    apply.changed("lxdapi_storage_pool.present", "fast", **declared)
    assert raw("storage-pools/fast") == before


def test_instance_without_profiles_stays_without(apply, daemon, export, raw):
    root = {"root": {"type": "disk", "pool": "default", "path": "/"}}
    apply("lxdapi_instance.present", "c1", source="none", profiles=[], devices=root)
    assert raw("instances/c1")["profiles"] == []
    _, declared = export("instance", "c1")
    assert (declared["profiles"], declared["source"]) == ([], "none")
    apply("lxdapi_instance.absent", "c1")
    apply.changed("lxdapi_instance.present", "c1", **declared)
    assert raw("instances/c1")["profiles"] == []


def test_bridge_without_address_stays_without(apply, daemon, export, raw):
    config = {"ipv4.address": "10.77.9.1/24", "ipv4.nat": "false", "ipv6.address": "none"}
    daemon.ask("POST", "/1.0/networks", {"name": "lxdapi9", "config": config})
    own = {key: value for key, value in config.items() if key != "ipv6.address"}
    daemon.ask("PUT", "/1.0/networks/lxdapi9", {"config": own})
    assert raw("networks/lxdapi9")["config"] == own
    _, declared = export("network", "lxdapi9")
    assert declared["config"].items() >= {**own, "ipv6.address": None}.items()
    apply.unchanged("lxdapi_network.present", "lxdapi9", **declared)
    apply("lxdapi_network.absent", "lxdapi9")
    apply.changed("lxdapi_network.present", "lxdapi9", **declared)
    assert {k: v for k, v in raw("networks/lxdapi9")["config"].items() if not k.startswith("volatile.")} == own


def test_secrets_are_left_out_of_export_and_named(apply, daemon, export):
    device = {"type": "disk", "source": "/tmp", "path": "/t", "user.token": "Hidden-5"}
    daemon.ask("POST", "/1.0/profiles", {"name": "web", "config": {**SECRETS, **SHOWN}, "devices": {"tmp": device}})
    text, declared = export("profile", "web")
    assert "Hidden" not in text
    assert declared["config"] == SHOWN
    left_out = [line for line in text.splitlines() if line.startswith("#")]
    keys = [f"config {key}" for key in sorted(SECRETS)] + ["device tmp user.token"]
    assert left_out == ["#!yaml", *(f"# omitted, because it is secret: profile web: {key}" for key in keys)]
    apply.unchanged("lxdapi_profile.present", "web", **declared)


def test_only_exported_objects_have_omissions_listed(apply, imported, daemon, export):
    apply("lxdapi_instance.present", "c1", source="busybox", config={"user.password": "Hidden-1"})
    apply("lxdapi_instance_snapshot.present", "c1/snap0")
    apply("lxdapi_image.present", "busybox", fingerprint=imported, properties={"password": "Hidden-2"})
    assert "# omitted" not in export("instance_snapshot", "c1/snap0")[0]
    text, _ = export("image", imported)
    assert f"# omitted, because it is secret: image {imported}: properties password" in text


def test_project_export_is_complete_and_applies_after_default(apply, daemon, salt, applied):
    daemon.ask("POST", "/1.0/projects", {"name": "team", "config": FEATURES})
    apply("lxdapi_profile.present", "web")
    for project in (None, "team"):
        apply("lxdapi_storage_volume.present", "default/data", project=project, description=project or "ours")
        apply("lxdapi_volume_snapshot.present", "default/data/snap0", project=project)
        apply("lxdapi_instance.present", "c1", project=project, source="none", profiles=["web", "default"])
    own = salt.modules["lxdapi.export"](project="team")
    assert set(safe_load(own)) == {f"{name} in team" for name in ("default/data", "default/data/snap0", "c1")}
    answers = applied(salt.modules["lxdapi.export"](), own)
    assert set(answers) >= {"web", "c1", "default/data", "c1 in team", "default/data in team", "server"}
    assert {name: answer for name, answer in answers.items() if answer != (True, {})} == {}
