"""
The functions of the module ``lxd`` that Salt 3008 removed: what they take and return.
"""

import os

import pytest
from salt.exceptions import CommandExecutionError, SaltInvocationError

from tests.support.images import busybox_image

DISK = {"type": "disk", "source": "/tmp", "path": "/data"}


def missing(call, name, *args):
    """Check that a call raises Salt's own error for an object that does not exist."""
    with pytest.raises(SaltInvocationError) as raised:
        call(name, *args)
    assert not isinstance(raised.value, CommandExecutionError)
    return str(raised.value)


@pytest.mark.mainly("lxd")
def test_profiles_are_made_read_and_deleted(call, raw):
    made = call("profile_create", "web", {"user.a": 1}, {}, "front")
    assert (made["name"], made["config"], made["description"]) == ("web", {"user.a": "1"}, "front")
    with pytest.raises(CommandExecutionError, match="already exists"):
        call("profile_create", "web")
    assert sorted(call("profile_list", True)) == ["default", "web"]
    assert {each["name"] for each in call("profile_list")} == {"default", "web"}
    assert call("profile_get", "web") == call("profile_get", "web", _raw=True) == raw("profiles/web")
    assert call("profile_config_set", "web", "user.a", 0)["config"] == {"user.a": "0"}
    assert call("profile_config_get", "web", "user.a") == "0"
    assert call("profile_config_delete", "web", "user.a") is True
    assert missing(call, "profile_config_delete", "web", "user.a") == "'user.a' does not exist"
    device = call("profile_device_set", "web", "d", source="/tmp", path="/data", readonly=True, __pub_jid="1")
    assert device["devices"] == {"d": {**DISK, "readonly": "true"}}
    assert call("profile_device_set", "web", "d", source="/tmp", path="/data")["devices"] == {"d": DISK}
    assert call("profile_device_get", "web", "d") == DISK
    assert call("profile_device_delete", "web", "d") is True
    assert call("profile_delete", "web") is True
    assert missing(call, "profile_delete", "web") == missing(call, "profile_get", "web") == "Profile 'web' not found"


@pytest.mark.mainly("incus")
def test_containers_are_made_read_and_deleted(call, imported, raw):
    config, devices = [{"key": "user.a", "value": 1}], {"d": DISK}
    made = call("container_create", "c1", "busybox", config=config, devices=devices)
    assert (made["name"], made["config"]["user.a"], made["devices"]) == ("c1", "1", {"d": DISK})
    assert call("container_list", True) == ["c1"] and call("container_list")[0]["name"] == "c1"
    assert call("container_get", "c1") == call("container_get") == [{"c1": raw("instances/c1")}]
    assert call("container_get", "c1", _raw=True) == call("container_get", _raw=True)[0]
    assert call("container_config_set", "c1", "user.b", True)["config"]["user.b"] == "true"
    assert call("container_config_get", "c1", "user.b") == "true"
    assert call("container_config_delete", "c1", "user.b") is True
    assert call("container_device_add", "c1", "e", source="/tmp", path="/e")["devices"]["e"]["path"] == "/e"
    assert call("container_device_get", "c1", "e")["type"] == "disk"
    assert call("container_device_delete", "c1", "e") is True
    assert call("container_rename", "c1", "c2")["name"] == "c2"
    assert call("container_state", "c2")[0]["c2"]["status"] == "Stopped"
    assert missing(call, "container_get", "c1") == "Container 'c1' not found"
    assert call("container_delete", "c2") is True
    assert missing(call, "container_delete", "c2") == "Container 'c2' not found"


@pytest.mark.mainly("incus7")
def test_containers_change_their_power_state(call, imported):
    call("container_create", "c1", {"type": "image", "alias": "busybox"}, wait=False)
    for verb, status in (("start", "Running"), ("freeze", "Frozen"), ("unfreeze", "Running"), ("restart", "Running")):
        assert call(f"container_{verb}", "c1")["status"] == status
    with pytest.raises(CommandExecutionError, match="lxd.container_stop"):
        call("container_delete", "c1")
    assert "Can't rename" in missing(call, "container_rename", "c1", "c2")
    assert call("container_state")[0]["c1"]["status_code"] == 103
    assert call("container_stop", "c1", 5)["status"] == "Stopped"


@pytest.mark.mainly("lxd")
def test_commands_run_in_a_container(call, c1):
    assert call("container_execute", c1, ["echo", "x"]) == {
        "exit_code": 0,
        "stdout": "x\n",
        "stderr": "",
        "result": True,
    }
    assert call("container_execute", c1, ["false"])["result"] is False
    assert call("container_execute", c1, ["no-such"])["exit_code"] == 127


@pytest.fixture
def tree(tmp_path):
    """A folder on the minion with a file of its own mode."""
    (tmp_path / "tree" / "sub").mkdir(parents=True)
    (tmp_path / "tree" / "sub" / "b").write_text("b")
    path = tmp_path / "tree" / "a"
    path.write_text("a")
    path.chmod(0o600)
    return tmp_path / "tree"


@pytest.mark.mainly("incus")
def test_files_are_put_by_the_rules_of_cp(call, c1, tree):
    def listed(path):
        return call("container_execute", c1, ["ls", "-ln", path])["stdout"].split()

    assert call("container_file_put", c1, str(tree / "a"), "/root/") is True
    assert listed("/root/a")[0] == "-rw-------"
    assert call("container_file_put", c1, str(tree / "a"), "/root/x", mode=640, uid=1, gid=2) is True
    assert listed("/root/x")[:4] == ["-rw-r-----", "1", "1", "2"]
    assert call("container_file_put", c1, str(tree / "a"), "/root") is True
    (tree / "a").write_text("other")
    assert "overwrite is false" in missing(call, "container_file_put", c1, str(tree / "a"), "/root/x")
    assert call("container_file_put", c1, str(tree / "a"), "/root/x", overwrite=True) is True
    assert call("container_execute", c1, ["cat", "/root/x"])["stdout"] == "other"


@pytest.mark.mainly("lxd")
def test_directories_are_put_by_the_rules_of_cp(call, c1, tree):
    assert "set recursive: true" in missing(call, "container_file_put", c1, str(tree), "/root/new")
    assert call("container_file_put", c1, str(tree), "/root/new", recursive=True) is True
    assert call("container_file_put", c1, f"{tree}/", "/root/", recursive=True) is True
    found = call("container_execute", c1, ["find", "/root", "-type", "f"])["stdout"].split()
    assert sorted(found) == ["/root/new/a", "/root/new/sub/b", "/root/tree/a", "/root/tree/sub/b"]
    (tree / "a").write_text("other")
    assert "overwrite is false" in missing(call, "container_file_put", c1, str(tree), "/root/new", True)


@pytest.mark.mainly("incus7")
def test_files_are_fetched_whole_with_a_mode(call, c1, tmp_path):
    call("container_execute", c1, "echo hello > /root/x")
    target = tmp_path / "x"
    assert call("container_file_get", c1, "/root/x", f"{tmp_path}/") is True
    assert (target.read_text(), target.stat().st_mode & 0o777) == ("hello\n", 0o644)
    assert "overwrite is false" in missing(call, "container_file_get", c1, "/root/x", str(target))
    assert call("container_file_get", c1, "/root/x", str(target), True, 600, uid=os.getuid()) is True
    assert target.stat().st_mode & 0o777 == 0o600
    with pytest.raises(CommandExecutionError, match="does not exist"):
        call("container_file_get", c1, "/root/none", str(target), True)
    assert target.read_text() == "hello\n"


@pytest.mark.mainly("lxd")
def test_snapshots_are_made_listed_and_deleted(call, c1):
    assert call("snapshots_create", c1, "before") == {"name": "before"}
    made = call("snapshots_create", c1)["name"]
    assert made.isdigit() and len(made) == 14
    names = [{"name": "before"}, {"name": made}]
    assert sorted(call("snapshots_all", c1)[c1], key=str) == sorted(names, key=str)
    assert set(call("snapshots_all", None)) == {c1}
    assert call("snapshots_get", c1, "before")["stateful"] is False
    assert call("snapshots_delete", c1, "before") is True
    assert call("snapshots_delete", c1, "before") is False
    assert "not found" in missing(call, "snapshots_get", c1, "before")


@pytest.mark.mainly("incus")
def test_images_are_uploaded_named_and_deleted(call, image, raw):
    made = call("image_from_file", str(image), aliases=["a", "b"])
    digest = made["fingerprint"]
    assert sorted(each["name"] for each in made["aliases"]) == ["a", "b"]
    assert call("image_list", True) == {digest: [each["name"] for each in made["aliases"]]}
    assert call("image_list")[0]["fingerprint"] == digest
    assert call("image_get", digest)["size"] == call("image_get", digest[:8])["size"] == made["size"]
    assert call("image_get_by_alias", "a")["fingerprint"] == digest
    assert call("image_alias_add", "a", "c", "text") is call("image_alias_add", "a", "c") is True
    assert raw("images/aliases/c")["description"] == "text"
    assert call("image_alias_delete", "a", "c") is True
    assert call("image_alias_delete", "a", "c") is False
    assert missing(call, "image_get_by_alias", "c") == "Image with alias 'c' not found"
    assert call("image_delete", "a") is True
    assert missing(call, "image_get", digest) == f"Image with fingerprint '{digest}' not found"


@pytest.mark.mainly("incus7")
def test_alias_of_another_image_is_neither_moved_nor_deleted(call, image, imported, tmp_path):
    call("image_from_file", str(busybox_image(tmp_path / "other.tar.gz", release="2")), aliases=["other"])
    with pytest.raises(CommandExecutionError, match="already exists"):
        call("image_alias_add", "other", "busybox")
    assert call("image_alias_delete", "other", "busybox") is False
    assert call("image_get_by_alias", "busybox")["fingerprint"] == imported


@pytest.mark.mainly("lxd")
def test_image_is_copied_and_container_moved_by_function(call, pair, trusted):
    there = {"remote_addr": pair.there.socket, "cert": None, "key": None}
    origin = {f"src_{key}": value for key, value in trusted.items()}
    made = call("image_copy_lxd", "busybox", **origin, **there, aliases=["b"])
    assert [each["name"] for each in made["aliases"]] == ["b"]
    call("container_create", "c1", "busybox")
    assert call("container_migrate", "c1", remote_addr=pair.there.socket)["name"] == "c1"
    assert call("container_list", True) == []


@pytest.mark.mainly("incus")
def test_helpers_of_the_old_states_still_answer(call, imported):
    assert call("normalize_input_values", [{"key": "a", "value": 1}], {"d": {"x": 2}}) == (
        {"a": "1"},
        {"d": {"x": "2"}},
    )
    call("container_create", "c1", "busybox", config={"user.a": 1})
    container = call("container_get", "c1", _raw=True)
    expected = {"config": {"user.a": 'Would remove config key "user.a", its value was "1"'}}
    assert call("sync_config_devices", container, {}, None, test=True) == expected
    assert container["config"]["user.a"] == "1"
    assert set(call("sync_config_devices", container, {}, {"d": DISK})) == {"config", "devices"}
    assert "user.a" not in container["config"] and container["devices"] == {"d": DISK}
