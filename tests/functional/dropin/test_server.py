"""
The first setup, the configuration and the trust of a server under the names that Salt 3008 removed.
"""

import pytest
from salt.exceptions import CommandExecutionError

from tests.functional.conftest import free_port

INIT, MANAGED, TRUST = "lxd.init", "lxd.config_managed", "lxd.authenticate"
PASSWORD_OF = "core.trust_password"


@pytest.mark.mainly("incus")
def test_init_adds_what_is_missing_and_then_a_marker(apply, daemon, raw, tmp_path):
    marker = tmp_path / "conf" / "lxd_initialized"
    declared = {"network_address": "127.0.0.1", "network_port": free_port(), "done_file": str(marker)}
    assert not apply.predicted(INIT, "lxd", **declared)["result"] and not marker.exists()
    changes = apply.changed(INIT, "lxd", **declared)
    bridge = "lxdbr0" if daemon.server == "lxd" else "incusbr0"
    expected = {f"network {bridge}": "created", "profile default": "updated", "server": "updated"}
    assert changes == {**expected, "done_file": str(marker)}
    devices = raw("profiles/default")["devices"]
    assert (devices["eth0"]["network"], devices["root"]["pool"]) == (bridge, "default")
    marker.unlink()
    assert apply.changed(INIT, "lxd", **declared) == {"done_file": str(marker)}


@pytest.mark.mainly("lxd")
def test_init_makes_a_pool_that_it_names(apply, raw, tmp_path):
    declared = {"done_file": str(tmp_path / "done"), "storage_pool": "more", "storage_backend": "dir"}
    assert apply.changed(INIT, "lxd", **declared)["storage pool more"] == "created"
    assert raw("storage-pools/more")["driver"] == "dir"


@pytest.mark.mainly("lxd")
def test_failed_init_leaves_no_marker(apply, tmp_path):
    marker = tmp_path / "done"
    ret = apply(INIT, "lxd", storage_pool="more", storage_backend="vax", done_file=str(marker))
    assert (ret["result"], marker.exists()) == (False, False)


@pytest.mark.mainly("incus7")
def test_config_key_is_managed_as_text(apply):
    key = "images.remote_cache_expiry"
    assert apply.changed(MANAGED, key, value=5) == {key: 'Changed from "" to "5"'}
    assert apply.changed(MANAGED, key, value=6) == {key: 'Changed from "5" to "6"'}
    assert "unknown key" in apply.failed(MANAGED, "no.such", value=1).lower()


@pytest.mark.mainly("lxd")
def test_password_is_set_once_unless_it_is_forced(apply, daemon):
    if daemon.server != "lxd":
        assert PASSWORD_OF in apply.failed(MANAGED, PASSWORD_OF, value="x")
        return
    assert set(apply.predicted(MANAGED, PASSWORD_OF, value="x")["changes"]) == {"password"}
    assert apply(MANAGED, PASSWORD_OF, value="x")["changes"] == {PASSWORD_OF: "Changed the password"}
    apply.unchanged(MANAGED, PASSWORD_OF, value="y")
    assert set(apply.predicted(MANAGED, PASSWORD_OF, value="y", force_password=True)["changes"]) == {"password"}
    assert apply(MANAGED, PASSWORD_OF, value="y", force_password=True)["changes"]
    assert daemon.ask("GET", "/1.0")["config"][PASSWORD_OF] is True


@pytest.mark.mainly("lxd")
def test_client_is_trusted_with_the_password(apply, daemon, stranger, call):
    if daemon.server != "lxd":
        assert "tokens" in apply.failed(TRUST, "far", password="x", **stranger)
        return
    call("config_set", PASSWORD_OF, "right")
    assert "wrong" not in apply.failed(TRUST, "far", password="wrong", **stranger)
    changes = apply.changed(TRUST, "far", password="right", **stranger)
    assert changes == {"authenticated": f"Successfully authenticated with peer: {stranger['remote_addr']}"}
    assert call("profile_list", True, **stranger) == ["default"]


@pytest.mark.mainly("incus7")
def test_client_is_trusted_with_a_token(salt, stranger, call):
    token = salt.modules["lxdapi_trust.token_create"]("far")
    assert call("authenticate", password=token, **stranger) is True
    assert call("authenticate", password="used", **stranger) is True
    assert call("profile_list", True, **stranger) == ["default"]


@pytest.mark.mainly("incus")
def test_functions_of_the_server_return_what_they_returned(call, daemon, tmp_path):
    assert call("version") == daemon.ask("GET", "/1.0")["environment"]["server_version"]
    key = "images.remote_cache_expiry"
    assert call("config_get", key) == ""
    assert call("config_set", key, 5) == (f'Config value "{key}" successfully set.',)
    assert call("config_get", key) == "5"
    for name, arguments in (("pylxd_version", ()), ("pylxd_client_get", ()), ("pylxd_save_object", (None,))):
        with pytest.raises(CommandExecutionError, match="without pylxd"):
            call(name, *arguments)
    assert call("init").startswith("network")
    assert call("init") == "nothing was missing"
